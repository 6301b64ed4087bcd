"""The rows of a slice in the shape that a chart or a table wants: a trend, a ranking, a matrix. No number is made here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeAlias

from citepoll.errors import SliceError
from citepoll.measure.found import kind_of
from citepoll.model import Slice, SliceResult
from citepoll.report.pairs import column_names, dimension_names
from citepoll.report.tables import json_rows, json_value

Shape = Literal["summary", "trend", "ranking", "matrix"]
Line: TypeAlias = dict[str, Any]


def asked_for(slice: Slice, shape: Shape) -> Slice:
    """The slice that a shape needs: a trend goes over cycles. Raises `SliceError` where the two do not go together."""
    if shape == "trend" and kind_of(slice) is not None:
        raise SliceError(f"A trend of {slice.metrics[0]} is not specified.", "Ask for a summary of each cycle.")
    if shape == "trend" and slice.compare is not None:
        raise SliceError("A trend has every cycle, and no earlier one to compare with.", "Leave `compare` out.")
    if shape == "matrix" and len(slice.by) < 2 and kind_of(slice) is None:
        raise SliceError("A matrix needs rows and columns.", "Name two dimensions in `by`, as query,engine.")
    over_cycles = shape == "trend" and "cycle" not in slice.by
    return replace(slice, by=(*slice.by, "cycle")) if over_cycles else slice


def shaped(result: SliceResult, shape: Shape, by: Sequence[str] = ()) -> dict[str, Any]:
    """A result as JSON in a shape; `by` are the dimensions as they were asked for.

    All have slice, cycles, simulated, warnings and labels. Then *summary*: `rows`, one per estimate. *trend*: `series`,
    one per metric, target and place, each with a point for every cycle in order, null where the place has no row in it.
    *ranking*: `lists`, one per metric, target and all dimensions but the first, with its rows by value, the largest
    first; `rank` counts from 1, is shared by equal values and null without one; `overlaps` names the rows of the list
    whose intervals have a point in common with the row's, which is no test of a difference. *matrix*: `matrices`, one
    per metric, target and all dimensions but the first two, which are `rows` and `columns`; `cells` holds a row of
    estimates for each of `rows`, null where there is none.
    """
    if shape == "summary":
        return json_value(result)
    head = {name: value for name, value in json_value(result).items() if name != "rows"}
    rows = json_rows(result)
    names = dimension_names(result)
    if shape == "trend":
        return {**head, "series": _trend(rows, names, result.cycles)}
    places = list(by) if by and set(by) <= set(names) else list(names)  # a found metric has dimensions of its own
    if shape == "ranking":
        return {**head, "lists": _rankings(rows, places[0] if places else "", names)}
    if len(places) < 2:
        raise SliceError(f"The rows of {', '.join(result.slice.metrics)} have one dimension.", "Ask for a ranking.")
    return {**head, "matrices": _matrices(rows, (places[0], places[1]), names)}


def _trend(rows: Iterable[Line], names: Sequence[str], cycles: Sequence[str]) -> list[Line]:
    place = [name for name in column_names(names) if name != "cycle"]
    groups = _grouped(rows, ("metric", "target", *place))
    return [{**key, "points": _points(found, (*key, "cycle"), cycles)} for key, found in groups]


def _points(found: Iterable[Line], without: Sequence[str], cycles: Sequence[str]) -> list[Line | None]:
    held = {row.get("cycle"): row for row in found}
    return [None if cycle not in held else {"cycle": cycle, **_less(held[cycle], without)} for cycle in cycles]


def _rankings(rows: Iterable[Line], ranked: str, names: Sequence[str]) -> list[Line]:
    others = [name for name in column_names(names) if name not in column_names([ranked])]
    groups = _grouped(rows, ("metric", "target", *others))
    return [{**key, "by": ranked, "rows": _ranked(found, ranked, tuple(key))} for key, found in groups]


def _ranked(found: Sequence[Line], ranked: str, without: Sequence[str]) -> list[Line]:
    order = sorted(found, key=lambda row: (row["value"] is None, -(row["value"] or 0.0)))
    values = [row["value"] for row in order]
    return [
        {
            "rank": None if row["value"] is None else values.index(row["value"]) + 1,
            **_less(row, without),
            "overlaps": [other[ranked] for other in order if other is not row and _overlap(row, other)],
        }
        for row in order
    ]


def _overlap(one: Line, other: Line) -> bool:
    ends = (one["low"], one["high"], other["low"], other["high"])
    return None not in ends and one["low"] <= other["high"] and other["low"] <= one["high"]


def _matrices(rows: Iterable[Line], sides: tuple[str, str], names: Sequence[str]) -> list[Line]:
    others = [name for name in column_names(names) if name not in column_names(sides)]
    return [
        {**key, **_matrix(found, sides, tuple(key))} for key, found in _grouped(rows, ("metric", "target", *others))
    ]


def _matrix(found: Sequence[Line], sides: tuple[str, str], without: Sequence[str]) -> Line:
    first, second = ("query_id" if side == "query" else side for side in sides)  # labels have the texts
    held = {(row[first], row[second]): row for row in found}
    down, across = (list(dict.fromkeys(place[at] for place in held)) for at in (0, 1))
    left_out = (*without, *column_names(sides))
    cells = [[_less(held[i, j], left_out) if (i, j) in held else None for j in across] for i in down]
    return {"by": list(sides), "rows": down, "columns": across, "cells": cells}


def _grouped(rows: Iterable[Line], names: Sequence[str]) -> list[tuple[Line, list[Line]]]:
    """The rows that agree in these fields, in order of first appearance; fields that rows do not have are left out."""
    groups: dict[tuple[Any, ...], tuple[Line, list[Line]]] = {}
    for row in rows:
        key = {name: row[name] for name in names if name in row}
        groups.setdefault(tuple(key.items()), (key, []))[1].append(row)
    return list(groups.values())


def _less(row: Mapping[str, Any], names: Sequence[str]) -> Line:
    return {name: value for name, value in row.items() if name not in names}
