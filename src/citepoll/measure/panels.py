"""The counts of a slice by query: what comparisons between cycles are paired on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from citepoll.measure.context import Context, Frames
from citepoll.measure.estimates import Counted, nested, of_answers, read_counts, table
from citepoll.measure.metrics import METRICS
from citepoll.measure.question import collected, resolve
from citepoll.measure.scope import Family, Group, build_scope
from citepoll.model import Slice

Value: TypeAlias = str | int | bool | None
Place: TypeAlias = tuple[tuple[str, Value], ...]
"""The dimensions of a row, the cycle left out."""
Cell: TypeAlias = tuple[Sequence[int], Sequence[int]]
"""Of one query at a place: counts above and below the line; of a share one number each, of a ratio one per answer."""
Panel: TypeAlias = Mapping[Place, Mapping[str, Cell]]

NO_CELL: Cell = ((), ())


def panel(frames: Frames, slice: Slice, context: Context, metric: str, cycle: str) -> Panel:
    """Place → query id → counts, for one metric in one cycle. Places are those of the rows that `evaluate` gives.

    Only metrics that are shares or ratios have one; others give an empty panel.
    """
    if METRICS[metric].estimator not in ("share", "ratio"):
        return {}
    queries = collected(frames.queries)
    by = slice.by if "query" in slice.by else (*slice.by, "query")
    asked = replace(slice, metrics=(metric,), by=by, cycles=(cycle,), compare=None)
    question = resolve(asked, context, queries)
    scope = build_scope(question, frames, queries, branded=question.keeps_branded(metric))
    counted = read_counts(METRICS[metric], question, context, frames, scope)
    hidden = {"cycle"} if "query" in slice.by else {"cycle", "query"}
    fields = [field for field in question.dimensions(metric) if field not in hidden]
    found: dict[Place, dict[str, Cell]] = {}
    for family in scope.families:
        for engine, group in family.groups.items():
            for entity, cell in _cells(counted, family, group):
                values = {**family.dimensions, "engine": engine, **entity}
                place = tuple(sorted((field, values[field]) for field in fields))
                found.setdefault(place, {})[str(family.dimensions["query"])] = cell
    return found


def _cells(counted: Counted, family: Family, group: Group) -> Iterator[tuple[dict[str, str], Cell]]:
    fields = counted.question.entities(counted.metric.name)
    codes = range(len(counted.numerators.entities))
    shares = counted.metric.estimator == "share"
    values = _share_cells(counted, family, group, codes) if shares else _ratio_cells(counted, family, group, codes)
    for code, cell in zip(codes, values, strict=True):
        yield dict(zip(fields, counted.numerators.entities[code], strict=True)), cell


def _share_cells(counted: Counted, family: Family, group: Group, codes: Sequence[int]) -> Iterator[Cell]:
    runs = group.counts[counted.metric.denominator]
    if not runs.sum():
        yield from (NO_CELL for _ in codes)
        return
    for row in table(counted, family, group, codes):
        yield (int(row.sum()),), (int(runs.sum()),)


def _ratio_cells(counted: Counted, family: Family, group: Group, codes: Sequence[int]) -> Iterator[Cell]:
    answers = group.position.size
    if not answers:
        yield from (NO_CELL for _ in codes)
        return
    whole = group.slots
    if counted.totals is not None:
        whole = counted.totals.of(family.index, group.engine).dense([0], answers, 1)[0]
    total = nested(whole, group)[0]
    for part in of_answers(counted, family, group, codes):
        yield nested(part, group)[0], total
