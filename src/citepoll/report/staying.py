"""How long citations stay, as a picture: the part that is still cited after so many cycles, with its interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import altair as alt

from citepoll.report.canvas import Layer, doors, finished, layer, pixel
from citepoll.report.palette import placeholder
from citepoll.report.printable import one_line

HEAD, HEIGHT, FOOT, LEFT, RIGHT = 10.0, 140.0, 24.0, 44.0, 12.0
"""Pixels: above the plot, of the plot, for the names of the cycles, beside it."""


@dataclass(frozen=True, slots=True)
class Step:
    """The part (a fraction) that is still cited after so many cycles, with its interval; None where it is undefined."""

    cycles: int
    value: float
    low: float | None
    high: float | None


def staying(curve: Sequence[Step], width: int = 560) -> alt.LayerChart:
    """A falling line of steps from all at 0 cycles, as far as the curve goes; the ribbon is the interval where there is one."""
    last = max((step.cycles for step in curve), default=1) + 1
    whole = Step(0, 1.0, None, None)
    pieces = [(one, other.cycles) for one, other in pairwise([whole, *curve, Step(last, 0.0, None, None)])]
    across, bottom = (width - LEFT - RIGHT) / last, HEAD + HEIGHT

    def x(cycles: float) -> float:
        return LEFT + across * cycles

    def y(part: float) -> float:
        return bottom - HEIGHT * part

    rows: list[dict[str, object]] = [
        {
            "x": x(step.cycles), "x2": x(until), "y": y(step.value),
            "low": y(step.value if step.low is None else step.low),
            "high": y(step.value if step.high is None else step.high),
            "description": one_line(said(step)),
        }
        for step, until in pieces
    ]  # fmt: skip
    falls: list[dict[str, object]] = [
        {"x": x(b.cycles), "y": y(a.value), "y2": y(b.value)} for a, b in pairwise([whole, *curve])
    ]
    names: list[dict[str, object]] = [{"x": x(cycles), "text": f"{cycles}"} for cycles in range(last + 1)]
    down = bottom + FOOT
    return finished(
        [*_grid(width, down, y), *_names(names, width, bottom), *_curve(rows, falls, width, down)], width, down
    )


def said(step: Step) -> str:
    """`after 2 cycles 38 % are still cited (27–50)`."""
    cycles = "1 cycle" if step.cycles == 1 else f"{step.cycles} cycles"
    bounds = "" if step.low is None or step.high is None else f" ({step.low * 100:.0f}–{step.high * 100:.0f})"
    return f"after {cycles} {step.value * 100:.0f} % are still cited{bounds}"


def _grid(width: int, down: float, y: Callable[[float], float]) -> list[Layer]:
    rows = [{"y": y(part), "text": text} for part, text in ((0.0, "0"), (0.5, "50"), (1.0, "100 %"))]
    base = layer(rows).encode(y=pixel("y", down, "y"))
    texts = base.mark_text(align="right", baseline="middle", fontSize=11, color=placeholder("quiet"), aria=False)
    lines = base.mark_rule(color=placeholder("line"), aria=False)
    return [
        lines.encode(x=alt.value(LEFT), x2=alt.value(width - RIGHT)),
        texts.encode(x=alt.value(LEFT - 6), text="text:N"),
    ]


def _names(rows: list[dict[str, object]], width: int, bottom: float) -> list[Layer]:
    step = 1 + len(rows) // 14
    text = layer(rows[::step]).mark_text(baseline="middle", fontSize=11, color=placeholder("quiet"), aria=False)
    return [text.encode(x=pixel("x", width), y=alt.value(bottom + 12), text="text:N")]


def _curve(rows: list[dict[str, object]], falls: list[dict[str, object]], width: int, down: float) -> list[Layer]:
    accent = placeholder("accent")
    across = {"x": pixel("x", width), "x2": "x2:Q"}
    base = layer(rows)
    line = {"color": accent, "strokeWidth": 2, "aria": False}
    return [
        base.mark_rect(color=accent, opacity=0.18, aria=False).encode(**across, y=pixel("low", down, "y"), y2="high:Q"),
        base.mark_rule(**line).encode(**across, y=pixel("y", down, "y")),
        layer(falls).mark_rule(**line).encode(x=pixel("x", width), y=pixel("y", down, "y"), y2="y2:Q"),
        *doors(
            rows,
            lambda clear: clear.mark_rect(opacity=0).encode(**across, y=alt.value(HEAD), y2=alt.value(HEAD + HEIGHT)),
        ),
    ]
