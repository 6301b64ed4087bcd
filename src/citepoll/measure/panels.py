"""The counts of a slice by query: what comparisons between cycles are paired on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TypeAlias

import numpy as np

from citepoll.measure.bounds import Floats
from citepoll.measure.context import Context, Frames
from citepoll.measure.estimates import Counted, blocks, nested, of_answers, read_counts, table
from citepoll.measure.metrics import METRICS
from citepoll.measure.question import collected, resolve
from citepoll.measure.scope import Family, Group, Scope, build_scope
from citepoll.model import Slice

Value: TypeAlias = str | int | bool | None
Place: TypeAlias = tuple[tuple[str, Value], ...]
"""The dimensions of a row, the cycle left out."""
Cell: TypeAlias = tuple[Sequence[int], Sequence[int]]
"""Of one query at a place: counts above and below the line; of a share one number each, of a ratio one per answer."""
Panel: TypeAlias = Mapping[Place, Mapping[str, Cell]]

NO_CELL: Cell = ((), ())


def panels(
    frames: Frames, slice: Slice, context: Context, metric: str, cycles: Sequence[str]
) -> tuple[Panel, ...]:  # fmt: skip
    """For each cycle place → query id → counts of one metric. Places are those of the rows that `evaluate` gives.

    Only metrics that are shares or ratios have some; others give empty panels.
    """
    found: dict[str, dict[Place, dict[str, Cell]]] = {cycle: {} for cycle in cycles}
    if METRICS[metric].estimator not in ("share", "ratio"):
        return tuple(found.values())
    queries = collected(frames.queries)
    asked = replace(slice, metrics=(metric,), by=(*slice.by, "cycle"), cycles=tuple(cycles), compare=None)
    question = resolve(asked, context, queries)
    scope = build_scope(question, frames, queries, branded=question.keeps_branded(metric))
    counted = read_counts(METRICS[metric], question, context, frames, scope)
    fields = [field for field in question.dimensions(metric) if field != "cycle"]
    asked_of = _queries(scope)
    for family in scope.families:
        for engine, group in family.groups.items():
            for entity, cells in _cells(counted, family, group):
                values = {**family.dimensions, "engine": engine, **entity}
                place = tuple(sorted((field, values[field]) for field in fields))
                here = found[str(family.cycle)].setdefault(place, {})
                here.update(zip(asked_of.get(family.index, ()), cells, strict=True))
    return tuple(found.values())


def _queries(scope: Scope) -> dict[int, list[str]]:
    """Family → the ids of its queries, by their position."""
    found: dict[int, list[str]] = {}
    places = scope.answers.select("family", "position", "query").unique().sort("family", "position")
    for family, _, query in places.iter_rows():
        found.setdefault(family, []).append(str(query))
    return found


def _cells(counted: Counted, family: Family, group: Group) -> Iterator[tuple[dict[str, str], list[Cell]]]:
    """Each entity with its cells, one for each of the family's queries."""
    fields = counted.question.entities(counted.metric.name)
    codes = range(len(counted.numerators.entities))
    shares = counted.metric.estimator == "share"
    cells = _share_cells(counted, family, group, codes) if shares else _ratio_cells(counted, family, group, codes)
    for code, row in zip(codes, cells, strict=True):
        yield dict(zip(fields, counted.numerators.entities[code], strict=True)), row


def _share_cells(counted: Counted, family: Family, group: Group, codes: Sequence[int]) -> Iterator[list[Cell]]:
    runs = _whole(group.counts[counted.metric.denominator])
    for block in blocks(codes, len(runs)):
        for row in table(counted, family, group, block):
            yield [_share_cell(k, n) for k, n in zip(_whole(row), runs, strict=True)]


@lru_cache(maxsize=4096)
def _share_cell(k: int, n: int) -> Cell:
    """Few differ, and a year has hundreds of thousands."""
    return ((k,), (n,)) if n else NO_CELL


def _ratio_cells(counted: Counted, family: Family, group: Group, codes: Sequence[int]) -> Iterator[list[Cell]]:
    answers = group.position.size
    whole = group.slots
    if counted.totals is not None:
        whole = counted.totals.of(family.index, group.engine).dense([0], answers, 1)[0]
    total = nested(whole, group)
    answered = np.unique(group.position).tolist()
    for block in blocks(codes, answers):
        for part in of_answers(counted, family, group, block):
            cells = [NO_CELL] * group.runs.size
            for position, above, below in zip(answered, nested(part, group), total, strict=True):
                cells[position] = (above, below)
            yield cells


def _whole(values: Floats) -> list[int]:
    found: list[int] = values.astype(np.int64).tolist()
    return found
