"""What moved since an earlier cycle: the rows of a slice, each with its change, paired by query (STATISTICS section 2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from citepoll.errors import SliceError
from citepoll.measure.changes import change, change_of_ratio
from citepoll.measure.context import Context, Frames
from citepoll.measure.evaluate import evaluate
from citepoll.measure.metrics import METRICS
from citepoll.measure.mixed_changes import blended_change, blended_detectable, blended_ratio_change
from citepoll.measure.panels import NO_CELL, Cell, Panel, Place, panels
from citepoll.measure.velocity import slope
from citepoll.measure.verdicts import adjust, verdict
from citepoll.measure.weights import blends
from citepoll.model import Change, Contrast, Row, Slice, SliceResult, Target

TARGETS: tuple[Target, ...] = ("fixed_set", "category")
AT_ONCE = 8
"""Cycles whose answers stand in memory together."""
NOT_COMPARED = "a change of this metric is not specified"


def compare(frames: Frames, slice: Slice, context: Context, warnings: Mapping[str, Sequence[str]]) -> SliceResult:
    """The rows of the later cycle, each with its change since `slice.compare` and a verdict.

    Only queries with answers in both cycles are paired; the change carries their shares, which may differ from the
    headline in the row. Verdicts stand after Benjamini–Hochberg over all rows of a target. `warnings` by engine (model,
    locale or failures between the cycles) are put beside the numbers they are about. Raises `SliceError` for unknown
    cycles and for several later ones.
    """
    if slice.compare is None or len(slice.cycles) != 1:
        raise SliceError("A comparison needs one cycle and one earlier cycle.", "Name both.")
    base = evaluate(frames, replace(slice, compare=None), context)
    names = (slice.compare, slice.cycles[0])
    found = {m: panels(frames, slice, context, m, names) for m in slice.metrics}
    weights = {blend.name: dict(blend.weights) for blend in blends(context, tuple(context.engines))}
    changes: _Changes = {}
    rows = [_with_change(row, found[row.metric], weights, slice.confidence, warnings, changes) for row in base.rows]
    return replace(base, rows=tuple(_judged(rows)), slice=replace(base.slice, compare=slice.compare))


def velocities(
    frames: Frames, slice: Slice, context: Context, cycles: Sequence[str]
) -> tuple[tuple[Row, Contrast], ...]:
    """Each row of the newest cycle with its velocity: the change per cycle over all `cycles`, never a forecast.

    Blended rows and metrics that are no shares have none and are left out. Fewer than three cycles: null with its reason.
    """
    base = evaluate(frames, replace(slice, cycles=(cycles[-1],), compare=None), context)
    parts = [cycles[at : at + AT_ONCE] for at in range(0, len(cycles), AT_ONCE)]
    found = {m: [one for some in parts for one in panels(frames, slice, context, m, some)] for m in slice.metrics}
    return tuple(
        (row, _slope(found[row.metric], _place(row), row.estimate.target, slice.confidence))
        for row in base.rows
        if METRICS[row.metric].estimator == "share" and any(_place(row) in part for part in found[row.metric])
    )


def _slope(panels: Sequence[Panel], place: Place, target: Target, level: float) -> Contrast:
    table = _counts(panels, place)
    return slope(list(table[0::2]), list(table[1::2]), target=target, level=level)


def _place(row: Row) -> Place:
    return tuple(sorted((field, value) for field, value in row.dimensions.items() if field != "cycle"))


_Changes: TypeAlias = dict[tuple[str, Place, Target], Change]
"""Those of single engines, which their own rows and the blended ones show."""


def _with_change(row: Row, panels: Sequence[Panel], weights: Mapping[str, Mapping[str, float]], level: float,
                 warnings: Mapping[str, Sequence[str]], known: _Changes) -> Row:  # fmt: skip
    engine = str(row.dimensions["engine"])
    mix = weights.get(engine)
    found = _change(row, panels, _place(row), level, known) if mix is None else _mixed(row, panels, mix, level, known)
    about = [text for name in (mix or {engine: 1.0}) for text in warnings.get(name, ())]
    return replace(row, change=replace(found, warnings=(*found.warnings, *about)))


def _change(row: Row, panels: Sequence[Panel], place: Place, level: float, known: _Changes) -> Change:
    estimator, target = METRICS[row.metric].estimator, row.estimate.target
    if estimator not in ("share", "ratio"):
        return Change(target=target, confidence=level, reason=NOT_COMPARED, before=row.estimate, after=row.estimate)
    key = row.metric, place, target
    if key not in known:
        known[key] = _paired(estimator, panels, place, target, level)
    return known[key]


def _paired(estimator: str, panels: Sequence[Panel], place: Place, target: Target, level: float) -> Change:
    if estimator == "share":
        return change(*_counts(panels, place), target=target, level=level)
    cells = [[part.get(place, {}).get(query, NO_CELL) for query in _queries(panels, [place])] for part in panels]
    nested = [[cell[side] for cell in side_cells] for side_cells in cells for side in (0, 1)]
    return change_of_ratio(*nested, target=target, level=level)


def _mixed(
    row: Row, panels: Sequence[Panel], weights: Mapping[str, float], level: float, known: _Changes
) -> Change:  # fmt: skip
    places = {e: tuple(sorted({**dict(_place(row)), "engine": e}.items())) for e in weights}
    fixed = replace(row, estimate=replace(row.estimate, target="fixed_set"))
    parts = {engine: _change(fixed, panels, place, level, known) for engine, place in places.items()}
    own = {engine: _change(row, panels, place, level, known) for engine, place in places.items()}
    if METRICS[row.metric].estimator == "share":
        queries = _queries(panels, list(places.values()))
        tables = {engine: _counts(panels, place, queries) for engine, place in places.items()}
        mixed = blended_change(parts, tables, weights, target=row.estimate.target, level=level)
        return replace(mixed, detectable=blended_detectable(own, weights))
    return blended_ratio_change(parts, weights, target=row.estimate.target, level=level)


def _queries(panels: Sequence[Panel], places: Sequence[Place]) -> list[str]:
    return sorted({query for part in panels for place in places for query in part.get(place, {})})


def _counts(panels: Sequence[Panel], place: Place, queries: Sequence[str] | None = None) -> np.ndarray:
    """Counts of shape (2 × cycles, queries): above and below the line of each cycle in turn, 0 where nothing was asked."""
    queries = _queries(panels, [place]) if queries is None else queries
    return np.array(
        [[_number(part.get(place, {}).get(q, NO_CELL), side) for q in queries] for part in panels for side in (0, 1)],
        dtype=np.int64,
    ).reshape(2 * len(panels), len(queries))


def _number(cell: Cell, side: int) -> int:
    return cell[side][0] if cell[side] else 0


def _judged(rows: Sequence[Row]) -> Iterator[Row]:
    """The rows with adjusted p and verdict, the adjustment over all rows of the same target."""
    adjusted: dict[int, float | None] = {}
    sizes: dict[Target, int] = {}
    for target in TARGETS:
        mine = [at for at, row in enumerate(rows) if row.estimate.target == target]
        p_values = [found.p if (found := rows[at].change) else None for at in mine]
        sizes[target] = len([p for p in p_values if p is not None])
        adjusted.update(zip(mine, adjust(p_values), strict=True))
    for at, row in enumerate(rows):
        if row.change is not None:
            sentence = verdict(row.change, adjusted[at], sizes[row.estimate.target])
            yield replace(row, adjusted_p=adjusted[at], verdict=sentence)
