"""Observations of many runs as the three derived frames: answers, citations, hits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from operator import attrgetter

import polars as pl

from citepoll.extract.observe import Counts, Reading, Resolved
from citepoll.model import CITED_LEVELS, VALID, Citation, Hit, Observation, ResolvedCitation, Status

ANSWERS = pl.Schema({
    "run_id": pl.UInt32, "cycle": pl.String, "engine": pl.String, "query_id": pl.String, "run": pl.UInt16,
    "status": pl.String, "valid": pl.Boolean, "slots": pl.UInt16, "malformed": pl.UInt16, "unresolved": pl.UInt16,
    "spans": pl.Boolean, "day": pl.Date, "model": pl.String,
})  # fmt: skip
_CITED = pl.Schema({
    "run_id": pl.UInt32, "position": pl.UInt16, "level": pl.String, "title": pl.String, "start": pl.Int32,
    "end": pl.Int32,
})  # fmt: skip
_RESOLVED = pl.Schema({
    "url": pl.String, "domain": pl.String, "domain_icann": pl.String, "brand": pl.String, "rule": pl.String,
    "raw": pl.String, "unwrapped": pl.String, "problem": pl.String,
})  # fmt: skip
NEW = ("url", "domain", "domain_icann", "brand")
CITATIONS = pl.Schema({
    name: (_CITED | _RESOLVED)[name]
    for name in (
        "run_id", "position", "level", "url", "domain", "domain_icann", "brand", "rule", "raw", "title", "start", "end",
        "unwrapped", "problem",
    )
} | {f"new_{of}": pl.Boolean() for of in NEW})  # fmt: skip
HITS = pl.Schema({
    "run_id": pl.UInt32, "brand": pl.String, "slots": pl.UInt16, "first": pl.Boolean, "earned": pl.Boolean,
    "mentions": pl.UInt16, "denied": pl.UInt16, "ambiguous": pl.UInt16, "order": pl.UInt8,
})  # fmt: skip

LARGEST: Mapping[pl.DataType, int] = {pl.UInt8(): 2**8 - 1, pl.UInt16(): 2**16 - 1}

_VALUE = {name: attrgetter(name) for schema in (_CITED, _RESOLVED, HITS) for name in schema}


class Columns:
    """Collects observations; `frames` gives the tables. Counts above a column's type stand at its largest value."""

    def __init__(self) -> None:
        self._answers: list[tuple[object, ...]] = []
        self._cited: dict[str, list[object]] = {name: [] for name in _CITED}
        self._resolved: list[Resolved | ResolvedCitation] = []
        self._hits: dict[str, list[object]] = {name: [] for name in HITS}

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
        self._answers.append((
            run_id, cycle, engine, query_id, run, status, status in VALID, slots, malformed, unresolved,
            seen.answer.spans, day, seen.answer.model,
        ))  # fmt: skip
        # Values are kept, not the rows: millions of objects alive would keep the garbage collector busy.
        _extend(self._cited, run_id, citations)
        self._resolved += resolved
        _extend(self._hits, run_id, hits)

    def frames(self) -> dict[str, pl.DataFrame]:
        """`answers`, `citations`, `hits`, rows in the order of `add`. With nothing added: empty, of the same columns.

        A URL, domain or brand counts once per answer where `new_…` is true.
        """
        answers = list(zip(*self._answers, strict=True)) or [()] * len(ANSWERS)
        citations = _frame(_CITED, self._cited).hstack(_urls(self._resolved))
        return {
            "answers": _frame(ANSWERS, dict(zip(ANSWERS, answers, strict=True))),
            "citations": _with_new(citations).select(*CITATIONS),
            "hits": _frame(HITS, self._hits),
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


def _extend(columns: Mapping[str, list[object]], run_id: int, rows: Sequence[object]) -> None:
    if not rows:
        return
    for name, values in columns.items():
        values += [run_id] * len(rows) if name == "run_id" else map(_VALUE[name], rows)


def _urls(resolved: Sequence[Resolved | ResolvedCitation]) -> pl.DataFrame:
    """What the URL decides, and `code_…`: a number for each value. A URL that recurs is one object: read once, gathered."""
    which = list(map(id, resolved))
    each = dict(zip(which, resolved, strict=True))
    frame = _frame(_RESOLVED, {name: list(map(_VALUE[name], each.values())) for name in _RESOLVED})
    number = {key: at for at, key in enumerate(each)}
    rows = pl.Series([number[key] for key in which], dtype=pl.UInt32)
    return frame.with_columns(pl.col(of).rank("dense").cast(pl.UInt64).alias(f"code_{of}") for of in NEW)[rows]


def _frame(schema: pl.Schema, columns: Mapping[str, Sequence[object]]) -> pl.DataFrame:
    return pl.DataFrame([_series(name, dtype, columns[name]) for name, dtype in schema.items()])


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
