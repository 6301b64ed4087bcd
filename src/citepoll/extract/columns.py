"""Observations of many runs as the three derived frames: answers, citations, hits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from operator import attrgetter

import polars as pl

from citepoll.model import CITED_LEVELS, VALID, Hit, Observation, ResolvedCitation, Status

ANSWERS = pl.Schema({
    "run_id": pl.UInt32, "cycle": pl.String, "engine": pl.String, "query_id": pl.String, "run": pl.UInt16,
    "status": pl.String, "valid": pl.Boolean, "slots": pl.UInt16, "malformed": pl.UInt16, "unresolved": pl.UInt16,
    "spans": pl.Boolean, "day": pl.Date, "model": pl.String,
})  # fmt: skip
_CITED = pl.Schema({
    "run_id": pl.UInt32, "position": pl.UInt16, "level": pl.String, "url": pl.String, "domain": pl.String,
    "domain_icann": pl.String, "brand": pl.String, "rule": pl.String, "raw": pl.String, "title": pl.String,
    "start": pl.Int32, "end": pl.Int32, "unwrapped": pl.String, "problem": pl.String,
})  # fmt: skip
NEW = ("url", "domain", "domain_icann", "brand")
CITATIONS = pl.Schema([*_CITED.items(), *((f"new_{of}", pl.Boolean) for of in NEW)])
HITS = pl.Schema({
    "run_id": pl.UInt32, "brand": pl.String, "slots": pl.UInt16, "first": pl.Boolean, "earned": pl.Boolean,
    "mentions": pl.UInt16, "denied": pl.UInt16, "ambiguous": pl.UInt16, "order": pl.UInt8,
})  # fmt: skip


LARGEST: Mapping[pl.DataType, int] = {pl.UInt8(): 2**8 - 1, pl.UInt16(): 2**16 - 1}


class Columns:
    """Collects observations; `frames` gives the tables. Counts above a column's type stand at its largest value."""

    def __init__(self) -> None:
        self._answers: list[tuple[object, ...]] = []
        self._citations: list[ResolvedCitation] = []
        self._cited_in: list[int] = []
        self._hits: list[Hit] = []
        self._hit_in: list[int] = []

    def add(
        self,
        run_id: int,
        cycle: str,
        engine: str,
        query_id: str,
        run: int,
        status: Status,
        day: date | None,
        observation: Observation,
    ) -> None:
        """Add the observation of one run; `run_id` is unique in a project."""
        citations, hits = observation.citations, observation.hits
        slots, malformed, unresolved = _counts(citations)
        self._answers.append((
            run_id, cycle, engine, query_id, run, status, status in VALID, slots, malformed, unresolved,
            observation.answer.spans, day, observation.answer.model,
        ))  # fmt: skip
        self._citations += citations
        self._cited_in += [run_id] * len(citations)
        self._hits += hits
        self._hit_in += [run_id] * len(hits)

    def frames(self) -> dict[str, pl.DataFrame]:
        """`answers`, `citations`, `hits`, rows in the order of `add`. With nothing added: empty, of the same columns.

        A URL, domain or brand counts once per answer where `new_…` is true.
        """
        citations = _frame(_CITED, [self._cited_in, *_columns(self._citations, _CITED)])
        return {
            "answers": _frame(ANSWERS, list(zip(*self._answers, strict=True))),
            "citations": _with_new(citations),
            "hits": _frame(HITS, [self._hit_in, *_columns(self._hits, HITS)]),
        }


def _counts(citations: Sequence[ResolvedCitation]) -> tuple[int, int, int]:
    """Slots, malformed, unresolved."""
    slots = malformed = unresolved = 0
    for citation in citations:
        if citation.level not in CITED_LEVELS:
            continue
        if citation.url is None:
            malformed += 1
        else:
            slots += 1
            unresolved += citation.problem is not None
    return slots, malformed, unresolved


def _columns(rows: Sequence[object], schema: pl.Schema) -> list[list[object]]:
    return [list(map(attrgetter(name), rows)) for name in schema if name != "run_id"]


def _frame(schema: pl.Schema, columns: Sequence[Sequence[object]]) -> pl.DataFrame:
    filled = columns or [()] * len(schema)
    return pl.DataFrame([_series(*column, values) for column, values in zip(schema.items(), filled, strict=True)])


def _series(name: str, dtype: pl.DataType, values: Sequence[object]) -> pl.Series:
    if (largest := LARGEST.get(dtype)) is not None:
        return pl.Series(name, values, pl.Int64).clip(upper_bound=largest).cast(dtype)
    try:
        return pl.Series(name, values, dtype)
    except UnicodeEncodeError:  # lone surrogates
        clean = [v.encode("utf-8", "replace").decode() if isinstance(v, str) else v for v in values]
        return pl.Series(name, clean, dtype)


def _with_new(citations: pl.DataFrame) -> pl.DataFrame:
    """Mark the first counted citation of each URL, domain and brand within its answer."""
    counts = pl.col("url").is_not_null() & (pl.col("level") != "retrieved")
    return citations.with_columns(
        (counts & pl.col(of).is_not_null() & pl.struct("run_id", of, counts.alias("counts")).is_first_distinct()).alias(
            f"new_{of}"
        )
        for of in NEW
    )
