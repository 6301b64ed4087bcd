"""Counts of answers by cell and brand or source: one definition, in narwhals, for every backend that it speaks.

Frames are those of the derived tables (answers, citations, hits). All frames of a call are of one kind: all lazy or
all eager, of one library; the result is of that kind too. Rows come in no order.
A source or brand without a row has a count of zero in every cell that has valid answers; no zero is stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw
from narwhals.typing import IntoFrameT

CELL: tuple[str, ...] = ("cycle", "engine", "query_id")
"""The unit of clustering, and the default key of every tally."""

FLAGGED: tuple[str, ...] = ("url", "domain", "domain_icann", "brand")
"""Columns of citations with a `new_…` flag: true on the first counted citation of that value in an answer."""


def answer_tallies(answers: IntoFrameT, keys: Sequence[str] = CELL) -> IntoFrameT:
    """Per key: requests, valid, triggerable (valid or absent); of the valid: citing, all_slots, truncated, empty."""
    frame: Any = nw.from_native(answers)
    valid, status = nw.col("valid"), nw.col("status")
    counted = frame.select(
        *keys,
        requests=_number(nw.lit(True)),
        valid=_number(valid),
        triggerable=_number(valid | (status == "absent")),
        citing=_number(valid & (nw.col("slots") > 0)),
        all_slots=nw.when(valid).then(nw.col("slots")),
        truncated=_number(valid & (status == "truncated")),
        empty=_number(valid & (status == "empty")),
    )
    result: IntoFrameT = _sums(counted, keys)
    return result


def excluded_tallies(answers: IntoFrameT, keys: Sequence[str] = CELL) -> IntoFrameT:
    """Per key and status: `excluded`, the requests that are not valid. Keys without any have no row."""
    frame: Any = nw.from_native(answers)
    result: IntoFrameT = frame.filter(~nw.col("valid")).group_by(*keys, "status").agg(excluded=nw.len()).to_native()
    return result


def brand_tallies(answers: IntoFrameT, hits: IntoFrameT, keys: Sequence[str] = CELL) -> IntoFrameT:
    """Per key and brand, over valid answers.

    Answers that: `cited` it, `cited_or_earned` (earned where spans are known), `mentioned`, `present` (cited or named),
    have it `first`; and counts: its `slots`, its `mentions`.
    """
    cited, named = nw.col("slots") > 0, nw.col("mentions") > 0
    frame: Any = nw.from_native(hits)
    per_answer = frame.select(
        "run_id",
        "brand",
        cited=_number(cited),
        cited_or_earned=_number(cited | nw.col("earned").fill_null(False)),
        mentioned=_number(named),
        present=_number(cited | named),
        first=_number(nw.col("first")),
        slots=nw.col("slots"),
        mentions=nw.col("mentions"),
    )
    result: IntoFrameT = _sums(_of_valid(per_answer, answers, keys), [*keys, "brand"])
    return result


def source_tallies(
    answers: IntoFrameT,
    citations: IntoFrameT,
    sources: Sequence[str],
    keys: Sequence[str] = CELL,
    *,
    whole: bool = True,
) -> IntoFrameT:
    """Per key and source, over valid answers: `cited`, the answers that cite it, and `slots`, its citations.

    `sources` are columns of citations; none stands for any citation. A single one of `FLAGGED` is counted by its
    `new_…` flag, everything else by distinct answers, which is slower; say `whole=False` where some citations were
    filtered out, since a flag may have gone with them. Citations without a URL (so without a domain and a brand),
    `retrieved` ones, and those where a source is null count nowhere.
    """
    frame: Any = nw.from_native(citations)
    counted = frame.filter(nw.col("level") != "retrieved")
    for column in sources if set(sources) & set(FLAGGED) else (*sources, "url"):
        counted = counted.filter(~nw.col(column).is_null())
    if whole and len(sources) == 1 and sources[0] in FLAGGED:
        per_answer = counted.select("run_id", *sources, cited=_number(nw.col(f"new_{sources[0]}")), slots=_one())
    else:
        per_answer = counted.select("run_id", *sources, slots=_one())
        per_answer = per_answer.group_by("run_id", *sources).agg(nw.col("slots").sum()).with_columns(cited=_one())
    result: IntoFrameT = _sums(_of_valid(per_answer, answers, keys), [*keys, *sources])
    return result


def _of_valid(per_answer: Any, answers: IntoFrameT, keys: Sequence[str]) -> Any:
    """Rows of valid answers, with the keys of their answer."""
    frame: Any = nw.from_native(answers)
    columns = dict.fromkeys(("run_id", *keys))
    return per_answer.join(frame.filter(nw.col("valid")).select(*columns), on="run_id", how="inner")


def _sums(counted: Any, keys: Sequence[str]) -> Any:
    """The sum of every other column but run_id, by key."""
    others = [name for name in counted.collect_schema().names() if name not in (*keys, "run_id")]
    return counted.group_by(*keys).agg(*(nw.col(name).sum() for name in others)).to_native()


def _number(condition: nw.Expr) -> nw.Expr:
    """0 or 1, so that every backend can add it up."""
    return condition.cast(nw.Int8)


def _one() -> nw.Expr:
    return nw.lit(1).cast(nw.Int8)
