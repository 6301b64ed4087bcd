"""Observations of many runs as the three derived frames: answers, citations, hits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import chain
from operator import attrgetter

import polars as pl

from citepoll.extract.observe import Counts, Reading, Resolved
from citepoll.model import CITED_LEVELS, VALID, Citation, Hit, Observation, ResolvedCitation, Status

ANSWERS = pl.Schema({
    "run_id": pl.UInt32, "cycle": pl.String, "engine": pl.String, "query_id": pl.String, "run": pl.UInt16,
    "status": pl.String, "valid": pl.Boolean, "slots": pl.UInt16, "malformed": pl.UInt16, "unresolved": pl.UInt16,
    "spans": pl.Boolean, "day": pl.Date, "model": pl.String,
})  # fmt: skip
NEW = ("url", "domain", "domain_icann", "brand")
CITATIONS = pl.Schema({
    "run_id": pl.UInt32, "position": pl.UInt16, "level": pl.String, "url": pl.String, "domain": pl.String,
    "domain_icann": pl.String, "brand": pl.String, "rule": pl.String, "raw": pl.String, "title": pl.String,
    "start": pl.Int32, "end": pl.Int32, "unwrapped": pl.String, "problem": pl.String,
    **{f"new_{of}": pl.Boolean for of in NEW},
})  # fmt: skip
HITS = pl.Schema({
    "run_id": pl.UInt32, "brand": pl.String, "slots": pl.UInt16, "first": pl.Boolean, "earned": pl.Boolean,
    "mentions": pl.UInt16, "denied": pl.UInt16, "ambiguous": pl.UInt16, "order": pl.UInt8,
})  # fmt: skip

LARGEST: Mapping[pl.DataType, int] = {pl.UInt8(): 2**8 - 1, pl.UInt16(): 2**16 - 1}

_CITED = pl.Schema((name, CITATIONS[name]) for name in ("run_id", "position", "level", "title", "start", "end"))
_RESOLVED = pl.Schema(
    (name, CITATIONS[name])
    for name in ("url", "domain", "domain_icann", "brand", "rule", "raw", "unwrapped", "problem")
)
_cited_row = attrgetter(*list(_CITED)[1:])
_resolved_row = attrgetter(*_RESOLVED)
_hit_row = attrgetter(*list(HITS)[1:])


class Columns:
    """Collects observations; `frames` gives the tables. Counts above a column's type stand at its largest value."""

    def __init__(self) -> None:
        self._answers: list[object] = []
        self._resolved: list[Resolved | ResolvedCitation] = []
        # Values row after row in one list: objects or tuples by the million would keep the garbage collector busy.
        self._cited_in: list[int] = []
        self._cited: list[object] = []
        self._hit_in: list[int] = []
        self._hits: list[object] = []

    def add(
        self,
        run_id: int,
        cycle: str,
        engine: str,
        query_id: str,
        run: int,
        status: Status,
        day: date | None,
        seen: Reading | Observation,
    ) -> None:
        """Add what was seen in one run; `run_id` is unique in a project."""
        citations: Sequence[Citation | ResolvedCitation] = seen.citations
        resolved = seen.resolved if isinstance(seen, Reading) else seen.citations
        hits: Sequence[Counts | Hit] = seen.hits
        slots, malformed, unresolved = _counts(citations, resolved)
        self._answers += (
            run_id, cycle, engine, query_id, run, status, status in VALID, slots, malformed, unresolved,
            seen.answer.spans, day, seen.answer.model,
        )  # fmt: skip
        self._resolved += resolved
        self._cited_in += [run_id] * len(citations)
        self._cited += chain.from_iterable(map(_cited_row, citations))
        self._hit_in += [run_id] * len(hits)
        self._hits += chain.from_iterable(map(_hit_row, hits))

    def frames(self) -> dict[str, pl.DataFrame]:
        """`answers`, `citations`, `hits`, rows in the order of `add`. With nothing added: empty, of the same columns.

        A URL, domain or brand counts once per answer where `new_…` is true.
        """
        citations = _frame(_CITED, [self._cited_in, *_columns(self._cited, len(_CITED) - 1)])
        return {
            "answers": _frame(ANSWERS, _columns(self._answers, len(ANSWERS))),
            "citations": _with_new(citations.hstack(_urls(self._resolved))).select(*CITATIONS),
            "hits": _frame(HITS, [self._hit_in, *_columns(self._hits, len(HITS) - 1)]),
        }


def _counts(
    citations: Sequence[Citation | ResolvedCitation], resolved: Sequence[Resolved | ResolvedCitation]
) -> tuple[int, int, int]:
    """Slots, malformed, unresolved."""
    slots = malformed = unresolved = 0
    for citation, found in zip(citations, resolved, strict=True):
        if citation.level not in CITED_LEVELS:
            continue
        if found.url is None:
            malformed += 1
        else:
            slots += 1
            unresolved += found.problem is not None
    return slots, malformed, unresolved


def _columns(values: list[object], width: int) -> list[list[object]]:
    return [values[at::width] for at in range(width)]


def _urls(resolved: Sequence[Resolved | ResolvedCitation]) -> pl.DataFrame:
    """What the URL decides, and `code_…`: a number for each value. A URL that recurs is one object: read once, gathered."""
    which = list(map(id, resolved))
    each = dict(zip(which, resolved, strict=True))
    values = list(chain.from_iterable(map(_resolved_row, each.values())))
    frame = _frame(_RESOLVED, _columns(values, len(_RESOLVED)))
    number = {key: at for at, key in enumerate(each)}
    rows = pl.Series([number[key] for key in which], dtype=pl.UInt32)
    return frame.with_columns(pl.col(of).rank("dense").cast(pl.UInt64).alias(f"code_{of}") for of in NEW)[rows]


def _frame(schema: pl.Schema, columns: Sequence[Sequence[object]]) -> pl.DataFrame:
    return pl.DataFrame([_series(*column, values) for column, values in zip(schema.items(), columns, strict=True)])


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
    answer = pl.col("run_id").cast(pl.UInt64) * 2**32
    return citations.with_columns(
        (
            counts & pl.col(of).is_not_null() & pl.when(counts).then(answer + pl.col(f"code_{of}")).is_first_distinct()
        ).alias(f"new_{of}")
        for of in NEW
    )
