"""/measures: a slice asked as parameters or as JSON, answered in one of four shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, get, post
from litestar.params import JSONBody, QueryParameter

from citepoll.measure.methods import LEAST_LEVEL, MOST_LEVEL
from citepoll.model import Slice
from citepoll.report.shapes import Shape, asked_for, shaped
from citepoll.service.reading import read
from citepoll.surfaces.api.call import Here, RoomCall
from citepoll.surfaces.api.rules import refused

MOST_ROWS = 5_000
"""Rows of one answer, about 3 MB of JSON; /exports/measures has no such limit."""

MOST_KEPT = 1_000_000

Target = Literal["fixed_set", "category", "both"]
Metrics = Annotated[
    list[str] | None,
    QueryParameter(description="Counted metrics, or found ones of one kind; repeated or separated by commas. /metrics "
                   "lists them. Left out: share_of_citation."),
]  # fmt: skip
By = Annotated[
    list[str] | None,
    QueryParameter(description="Dimensions of the rows; repeated or separated by commas. Left out: brand,engine, and a "
                   "found metric's own."),
]  # fmt: skip
Where = Annotated[str, QueryParameter(description='Filters, as `engine = chatgpt and topic in (laptops, "phones")`.')]
Cycles = Annotated[
    list[str] | None, QueryParameter(description="Names of cycles; may be repeated. Left out: the newest, or all.")
]
Compare = Annotated[
    str | None, QueryParameter(description="An earlier cycle, or `previous`: each row carries the change since it.")
]
TargetOf = Annotated[Target, QueryParameter(description="Whom the intervals speak of.")]
Confidence = Annotated[
    float,
    QueryParameter(ge=LEAST_LEVEL, le=MOST_LEVEL, description="The level of the intervals; only 0.95 was checked."),
]
PrivateSuffixes = Annotated[bool, QueryParameter(description="False: blogspot.com is one domain.")]
Largest = Annotated[
    int | None,
    QueryParameter(
        ge=1, le=MOST_KEPT, description="The N largest domains or URLs of each group, or the first N found."
    ),
]
ShapeOf = Annotated[Shape, QueryParameter(description="How the rows are arranged.")]


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A slice, field by field as in Python, and the shape of its answer."""

    metrics: tuple[str, ...] = Slice().metrics
    by: tuple[str, ...] = Slice().by
    where: str = ""
    cycles: tuple[str, ...] = ()
    compare: str | None = None
    target: Target = "both"
    confidence: Annotated[float, msgspec.Meta(ge=LEAST_LEVEL, le=MOST_LEVEL)] = 0.95
    private_suffixes: bool = True
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_KEPT)] | None = None
    shape: Shape = "summary"


@dataclass(frozen=True, slots=True)
class Measures:
    """The answer to a slice: the slice as it was resolved, the cycles that it stands on, the warnings of all rows,
    whether any is simulated, and `labels`: names for readers of blends, queries and ids.

    By its shape it holds one of four. `rows`: one per estimate. `series` (trend): one per metric, target and place, with
    a point for every cycle in order, null where the place has no row in it. `lists` (ranking): one per metric, target
    and all dimensions but the first, its rows by value, the largest first; equal values share a `rank`, and `overlaps`
    names the rows whose intervals have a point in common with the row's, which is no test of a difference. `matrices`:
    one per metric, target and all dimensions but the first two, which are `rows` and `columns`; `cells` holds a list of
    estimates for each row, null where there is none. A fraction is 0 to 1; no estimate is null with its `reason`.
    """

    slice: dict[str, Any]
    cycles: tuple[str, ...]
    simulated: bool
    warnings: tuple[str, ...]
    labels: dict[str, str]
    rows: tuple[dict[str, Any], ...] = ()
    series: tuple[dict[str, Any], ...] = ()
    lists: tuple[dict[str, Any], ...] = ()
    matrices: tuple[dict[str, Any], ...] = ()


@get("/measures", needs="read", sync_to_thread=True)
def measures(
    here: Here, metrics: Metrics = None, by: By = None, where: Where = "", cycles: Cycles = None,
    compare: Compare = None, target: TargetOf = "both", confidence: Confidence = 0.95,
    private_suffixes: PrivateSuffixes = True, limit: Largest = None, shape: ShapeOf = "summary",
) -> Response[Measures]:  # fmt: skip
    """Estimates with their intervals, and what was found: a slice as parameters."""
    asked = slice_of(metrics, by, where, cycles, compare, target, confidence, private_suffixes, limit)
    return here.kept(lambda: answer(here, asked, shape))


@post("/measures", needs="read", status_code=200, sync_to_thread=True)
def measure_slice(here: Here, data: JSONBody[Question]) -> Response[Measures]:
    """The same, with the slice as JSON."""
    fields = {name: getattr(data, name) for name in Slice.__dataclass_fields__}
    return here.fresh(answer(here, Slice(**fields), data.shape))


def slice_of(
    metrics: list[str] | None = None, by: list[str] | None = None, where: str = "", cycles: list[str] | None = None,
    compare: str | None = None, target: Target = "both", confidence: float = 0.95, private_suffixes: bool = True,
    limit: int | None = None,
) -> Slice:  # fmt: skip
    """The slice that parameters ask for; what is left out is as in `Slice`."""
    return Slice(
        words(metrics) or Slice().metrics, words(by) or Slice().by, where, tuple(cycles or ()), compare, target,
        confidence, private_suffixes, limit,
    )  # fmt: skip


def words(given: Sequence[str] | None) -> tuple[str, ...]:
    """Names that were repeated, separated by commas, or both."""
    return tuple(name.strip() for text in given or () for name in text.split(",") if name.strip())


def answer(here: RoomCall, slice: Slice, shape: Shape = "summary") -> dict[str, Any]:
    """The answer to a slice, as JSON has it. More than `MOST_ROWS` are refused."""
    result = read(here.room.project, here.room.ledger, asked_for(slice, shape), here.at)
    if len(result.rows) > MOST_ROWS:
        fix = "Keep the largest with `limit`, filter with `where`, or take /exports/measures."
        raise refused(422, f"These are {len(result.rows):,} rows; an answer holds {MOST_ROWS:,}.", fix)
    return shaped(result, shape, slice.by)


ROUTES = [measures, measure_slice]
