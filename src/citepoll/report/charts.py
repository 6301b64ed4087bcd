"""The pictures as Altair definitions: a dot is the share, the thick line its fixed-set, the thin its category interval.

Rows are placed in pixels, so that a wide and a narrow variant come from the same layers. Colours are placeholders of
`palette`; marks link to anchors inside the page, or paths of the desk, through `render.DOOR`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import altair as alt

from citepoll.model import Estimate, Surface
from citepoll.report.canvas import Layer, doors, finished, layer, pixel
from citepoll.report.numbers import interval, percent, words
from citepoll.report.palette import placeholder
from citepoll.report.printable import href, one_line
from citepoll.report.render import DOOR

Kind = Surface | Literal["mixed"]

SHAPES: dict[str, str] = {
    "api": "circle", "ui": "square", "serp": "diamond", "recorded": "triangle-up", "simulated": "circle",
    "mixed": "cross",
}  # fmt: skip
"""The mark of each kind of surface; a simulated one is hollow."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One row of a picture. `door` is the id of the element that holds the answers behind the number, or a path of the
    desk; `note` stands in small type under the label."""

    label: str
    fixed_set: Estimate | None
    category: Estimate | None = None
    kind: Kind = "api"
    tracked: bool = True
    apart: bool = False
    door: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """The size of a variant in pixels. In a stacked one label and number stand above the interval. `note` is the
    height that a row gains where marks have notes."""

    width: int
    label: int
    number: int
    row: int
    note: int
    stacked: bool = False


WIDE = Frame(width=560, label=186, number=134, row=34, note=8)
LONG = 18
"""Letters of a number that fit beside the axis; `100 %, at least 86 %` takes more room."""
NARROW = Frame(width=320, label=0, number=0, row=40, note=15, stacked=True)
TARGET_ROW = 16
"""The height that a target's words take under the rows, in pixels."""


def shares_by_engine(marks: Sequence[Mark], frame: Frame = WIDE, *, targets: Sequence[float] = ()) -> alt.LayerChart:
    """The tracked brand on each engine, blended last and set apart, on a 0–100 % axis; `targets` are dashed lines."""
    return _intervals(marks, frame, top=1.0, targets=targets)


def competitors(marks: Sequence[Mark], frame: Frame = WIDE) -> alt.LayerChart:
    """Every brand on one engine or blended, the largest share first; the tracked brand in the accent, others grey."""
    ranked = sorted(marks, key=lambda mark: -_value(mark))
    return _intervals(ranked, frame, top=1.0)


def sources(marks: Sequence[Mark], frame: Frame = WIDE) -> alt.LayerChart:
    """Domains by their share of slots, the largest first. The axis starts at 0 and ends where `axis_end` says."""
    ranked = sorted(marks, key=lambda mark: -_value(mark))
    highest = max((mark.fixed_set.high or 0.0 for mark in ranked if mark.fixed_set), default=1.0)
    return _intervals(ranked, frame, top=axis_end(highest))


def in_order(marks: Sequence[Mark], frame: Frame = WIDE) -> alt.LayerChart:
    """Small shares in the order given, as one source by engine: the axis as in `sources`."""
    highest = max((mark.fixed_set.high or 0.0 for mark in marks if mark.fixed_set), default=1.0)
    return _intervals(marks, frame, top=axis_end(highest))


def axis_end(highest: float) -> float:
    """Where an axis ends that starts at 0 and has to hold a share: .1, .2, .4, .6, .8 or 1."""
    return next((end for end in (0.1, 0.2, 0.4, 0.6, 0.8) if highest <= end), 1.0)


def _intervals(marks: Sequence[Mark], frame: Frame, *, top: float, targets: Sequence[float] = ()) -> alt.LayerChart:
    head = 22
    rows: list[dict[str, object]] = []
    if any(mark.note for mark in marks):
        frame = replace(frame, row=frame.row + frame.note)
    y = float(head)
    for mark in marks:
        y += 14 if mark.apart and rows else 0
        rows.append(_row(mark, y, frame))
        y += frame.row
    y += TARGET_ROW * len(targets)
    if not frame.stacked and any(len(str(row["number"])) > LONG for row in rows):
        frame = replace(frame, number=frame.number + 28)
    layers = [
        *_grid(frame, top, head, y - TARGET_ROW * len(targets)),
        *_targets(targets, frame, top, head, y),
        _lines(rows, frame, y, top, "thin", 2.0),
        _lines(rows, frame, y, top, "thick", 6.0),
        *_dots(rows, frame, y, top),
        *_texts(rows, frame, y),
        *_doors(rows, frame, y),
    ]
    return finished(layers, frame.width, y + 2)


def _row(mark: Mark, y: float, frame: Frame) -> dict[str, object]:
    main = mark.fixed_set or mark.category
    thick, thin = _bounds(mark.fixed_set), _bounds(mark.category)
    number = words(main) if main else "no estimate"
    known = main is not None and main.value is not None
    return {
        "y": y + (frame.row - 12 if frame.stacked else frame.row / 2),
        "label_y": y + (14 if frame.stacked else frame.row / 2 - (7 if mark.note else 0)),
        "note_y": y + (30 if frame.stacked else frame.row / 2 + 9),
        "number_y": y + (14 if frame.stacked else frame.row / 2),
        "middle": y + frame.row / 2,
        "label": one_line(mark.label, 60),
        "note": one_line(mark.note, 60),
        "number": number if known else "",
        "gone": "" if known else one_line(number, 44),
        "value": main.value if main else None,
        "thick_low": thick[0], "thick_high": thick[1], "thin_low": thin[0], "thin_high": thin[1],
        "colour": placeholder("accent" if mark.tracked else "other"),
        "fill": placeholder("page") if mark.kind == "simulated" else placeholder("accent" if mark.tracked else "other"),
        "shape": SHAPES[mark.kind],
        "weight": "bold" if mark.tracked else "normal",
        "description": one_line(f"{_named(mark)}: {number}{_like_these(mark)}"),
        **({"href": f"{DOOR}{href(mark.door)}"} if mark.door else {}),
    }  # fmt: skip


def _grid(frame: Frame, top: float, head: int, height: float) -> list[Layer]:
    ticks = [{"at": top * step / 4, "text": _tick(top * step / 4, step == 4)} for step in range(5)]
    base = layer(ticks).encode(x=_axis("at", frame, top))
    lines = base.mark_rule(color=placeholder("line"), aria=False).encode(y=alt.value(head), y2=alt.value(height))
    return [lines, *(_tick_label(base, at, place) for at, place in ((0, "left"), (1, "center"), (4, "right")))]


def _targets(targets: Sequence[float], frame: Frame, top: float, head: int, height: float) -> list[Layer]:
    """A dashed line per target, its words under the rows, each in a row of its own."""
    if not targets:
        return []
    rows = [
        {"at": at, "y": height - TARGET_ROW * (len(targets) - place) + 8, "text": f"target {percent(at)}"}
        for place, at in enumerate(sorted(targets))
    ]
    base = layer(rows).encode(x=_axis("at", frame, top))
    line = base.mark_rule(strokeDash=[4, 3], strokeWidth=1.5, color=placeholder("ink"), aria=False)
    texts = base.mark_text(
        baseline="top", dy=3, fontSize=11, aria=False, color=placeholder("ink"),
        align=alt.ExprRef(f"datum.at < {top / 8} ? 'left' : datum.at > {top * 7 / 8} ? 'right' : 'center'"),
    )  # fmt: skip
    return [
        line.encode(y=pixel("y", height, "y"), y2=alt.value(head)),
        texts.encode(y=pixel("y", height, "y"), text="text:N"),
    ]


def _tick_label(base: Layer, at: int, align: str) -> Layer:
    chosen = {0: "datum.at == 0", 4: "indexof(datum.text, '%') >= 0"}.get(
        at, "datum.at > 0 && indexof(datum.text, '%') < 0"
    )
    return (
        base.transform_filter(chosen)
        .mark_text(align=align, fontSize=11, color=placeholder("quiet"), aria=False)
        .encode(y=alt.value(10), text="text:N")
    )


def _tick(fraction: float, last: bool) -> str:
    return f"{fraction * 100:g}" + (" %" if last else "")


def _lines(rows: list[dict[str, object]], frame: Frame, height: float, top: float, name: str, size: float) -> Layer:
    known = [row for row in rows if row[f"{name}_low"] is not None]
    return (
        layer(known)
        .mark_rule(strokeWidth=size, strokeCap="butt" if size > 3 else "round", clip=False, aria=False)
        .encode(
            x=_axis(f"{name}_low", frame, top), x2=f"{name}_high:Q", y=pixel("y", height, "y"),
            color=alt.Color("colour:N", scale=None),
        )
    )  # fmt: skip


def _dots(rows: list[dict[str, object]], frame: Frame, height: float, top: float) -> list[Layer]:
    known = [row for row in rows if row["value"] is not None]
    base = layer(known).encode(
        x=_axis("value", frame, top), y=pixel("y", height, "y"), shape=alt.Shape("shape:N", scale=None)
    )
    halo = base.mark_point(size=100, opacity=1, filled=True, color=placeholder("page"), aria=False)
    dot = base.mark_point(size=60, opacity=1, strokeWidth=2, aria=False).encode(
        fill=alt.Fill("fill:N", scale=None), stroke=alt.Stroke("colour:N", scale=None)
    )
    return [halo, dot]


def _texts(rows: list[dict[str, object]], frame: Frame, height: float) -> list[Layer]:
    limit = frame.width - 124 if frame.stacked else frame.label - 12
    ink, quiet, weight = placeholder("ink"), placeholder("quiet"), alt.ExprRef("datum.weight")
    start = 8 if frame.stacked else frame.label + 6
    base = layer(rows)
    left = base.mark_text(align="left", fontSize=13, fontWeight=weight, limit=limit, color=ink, aria=False)
    small = base.mark_text(align="left", fontSize=11, limit=max(limit, 160), color=quiet, aria=False)
    right = base.mark_text(align="right", fontSize=13, fontWeight=weight, color=ink, aria=False)
    gone = base.mark_text(align="left", fontSize=12, color=quiet, aria=False)
    return [
        left.encode(x=alt.value(0), y=pixel("label_y", height, "y"), text="label:N"),
        small.encode(x=alt.value(0), y=pixel("note_y", height, "y"), text="note:N"),
        right.encode(x=alt.value(frame.width), y=pixel("number_y", height, "y"), text="number:N"),
        gone.encode(x=alt.value(start), y=pixel("y", height, "y"), text="gone:N"),
    ]


def _doors(rows: list[dict[str, object]], frame: Frame, height: float) -> list[Layer]:
    """A clear bar over each row: the link and the words that a screen reader says, once per row."""
    places = {"x": alt.value(0), "x2": alt.value(frame.width), "y": pixel("middle", height, "y")}
    return doors(rows, lambda base: base.mark_bar(height=frame.row - 4, opacity=0, cornerRadius=4).encode(**places))


def _axis(field: str, frame: Frame, top: float) -> alt.X:
    start, end = (8, frame.width - 8) if frame.stacked else (frame.label, frame.width - frame.number)
    scale = alt.Scale(domain=[0, top], range=[start, end], clamp=True, nice=False, zero=True)
    return alt.X(f"{field}:Q", axis=None, scale=scale)


def _bounds(estimate: Estimate | None) -> tuple[float | None, float | None]:
    return (None, None) if estimate is None else (estimate.low, estimate.high)


def _named(mark: Mark) -> str:
    return f"{mark.label} ({mark.note})" if mark.note else mark.label


def _like_these(mark: Mark) -> str:
    if mark.fixed_set is None or mark.category is None or mark.category.value is None:
        return ""
    return f"; on questions like these {interval(mark.category)}"


def _value(mark: Mark) -> float:
    main = mark.fixed_set or mark.category
    return -1.0 if main is None or main.value is None else main.value
