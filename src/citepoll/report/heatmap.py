"""The heat map as an Altair definition: queries down in their groups, engines across."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from citepoll.report.canvas import Layer, doors, finished, layer, pixel
from citepoll.report.palette import heat, placeholder
from citepoll.report.printable import href, one_line
from citepoll.report.render import DOOR

HEAD, GROUP, ROW = 32.0, 26.0, 28.0
"""Heights in pixels: the engines' names, the head of a group, a query."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One field of the heat map: `cited` of `valid` runs; `ahead` where a competitor is ahead."""

    query: str
    engine: str
    cited: int
    valid: int
    ahead: bool = False
    group: str = ""
    door: str | None = None


def heatmap(cells: Sequence[Cell], width: int = 560) -> alt.LayerChart:
    """Each field says `2/3` and is shaded by it; a ring where a competitor is ahead. Groups keep their order."""
    places = _places(cells)
    label = round(width * 0.55)
    engines = list(dict.fromkeys(cell.engine for cell in cells))
    step = (width - label) / max(1, len(engines))
    middles = {name: label + step * (at + 0.5) for at, name in enumerate(engines)}
    height = max(places.values(), default=HEAD) + ROW
    rows = [_field(cell, middles[cell.engine], places[_place(cell)]) for cell in cells]
    heads = [{"text": one_line(name, 20), "x": x} for name, x in middles.items()]
    top = layer(heads).mark_text(fontSize=12, limit=step - 4, color=placeholder("quiet"), aria=False)
    return finished(
        [
            _titles(places, label, height),
            top.encode(x=pixel("x", width), y=alt.value(8), text="text:N"),
            *_fields(rows, width, height),
        ],
        width,
        height,
    )


def _titles(places: dict[tuple[str, str], float], label: int, height: float) -> Layer:
    rows = [
        {"text": one_line(query or group, 60), "y": y, "weight": "normal" if query else "bold"}
        for (group, query), y in places.items()
    ]
    weight = alt.ExprRef("datum.weight")
    text = layer(rows).mark_text(
        align="left", limit=label - 16, fontSize=12, fontWeight=weight, color=placeholder("ink"), aria=False
    )
    return text.encode(x=alt.value(0), y=pixel("y", height, "y"), text="text:N")


def _fields(rows: list[dict[str, object]], width: float, height: float) -> list[Layer]:
    places = {"x": pixel("x", width), "y": pixel("y", height, "y")}
    colours = {"fill": alt.Fill("fill:N", scale=None), "stroke": alt.Stroke("stroke:N", scale=None)}
    box = layer(rows).mark_point(shape="square", size=480, opacity=1, strokeWidth=2, aria=False)
    text = layer(rows).mark_text(fontSize=11, color=placeholder("ink"), aria=False)
    return [
        box.encode(**places, **colours),
        text.encode(**places, text="text:N"),
        *doors(rows, lambda base: base.mark_point(shape="square", size=900, opacity=0, filled=True).encode(**places)),
    ]


def _place(cell: Cell) -> tuple[str, str]:
    return cell.group, cell.query


def _places(cells: Sequence[Cell]) -> dict[tuple[str, str], float]:
    """The height of each group's head (its query is empty) and of each query, in order of first appearance."""
    groups: dict[str, dict[str, None]] = {}
    for cell in cells:
        groups.setdefault(cell.group, {})[cell.query] = None
    places: dict[tuple[str, str], float] = {}
    y = HEAD
    for group, queries in groups.items():
        if group:
            places[group, ""] = y
            y += GROUP
        for query in queries:
            places[group, query] = y
            y += ROW
    return places


def _field(cell: Cell, x: float, y: float) -> dict[str, object]:
    note = ", a competitor is ahead" if cell.ahead else ""
    return {
        "x": x,
        "y": y,
        "text": f"{cell.cited}/{cell.valid}" if cell.valid else "none",
        "fill": placeholder(heat(cell.cited, cell.valid)),
        "stroke": placeholder("ring" if cell.ahead else "line"),
        "description": one_line(
            f"{cell.query}, {cell.engine}: cited in {cell.cited} of {cell.valid} valid answers{note}"
        ),
        **({"href": f"{DOOR}{href(cell.door)}"} if cell.door else {}),
    }
