"""The trend as an Altair definition: a point per cycle with its fixed-set interval as a ribbon, the other brands grey."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import altair as alt

from citepoll.model import Estimate
from citepoll.report.canvas import Layer, doors, finished, layer, pixel
from citepoll.report.charts import Kind, axis_end
from citepoll.report.numbers import words
from citepoll.report.palette import placeholder
from citepoll.report.printable import href, one_line
from citepoll.report.render import DOOR

LETTER = 6.2
"""The width of a letter of 11 px type in pixels, on the generous side: texts are placed before they are drawn."""
WORD_ROW, FOOT = 14, 22
BESIDE = 12
"""Letters of the newest number that fit beside the plot."""


@dataclass(frozen=True, slots=True)
class Line:
    """One brand over the cycles, oldest first; None where a cycle has no number. `doors` has one for each cycle, or none."""

    label: str
    estimates: tuple[Estimate | None, ...]
    tracked: bool = False
    doors: tuple[str | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """What is different from the cycle at this place (from 0) on; `severs`: no line is drawn through it."""

    place: int
    word: str
    severs: bool = False


@dataclass(frozen=True, slots=True)
class TrendFrame:
    """The size of a variant in pixels: of the whole, the plot's left and right edge, and the plot's height."""

    width: int
    left: int
    right: int
    height: int


WIDE_TREND = TrendFrame(width=560, left=46, right=444, height=150)
NARROW_TREND = TrendFrame(width=320, left=38, right=216, height=140)


@dataclass(frozen=True, slots=True)
class _Plot:
    """Where things stand: x of each cycle, y of a share, in pixels."""

    frame: TrendFrame
    head: float
    top: float
    x: tuple[float, ...]

    @property
    def height(self) -> float:
        return self.head + self.frame.height + FOOT

    @property
    def bottom(self) -> float:
        return self.head + self.frame.height

    def y(self, share: float) -> float:
        return self.bottom - min(share, self.top) / self.top * self.frame.height


def trend(
    lines: Sequence[Line], cycles: Sequence[str], rules: Sequence[Rule] = (), frame: TrendFrame = WIDE_TREND,
    kind: Kind = "api",
) -> alt.LayerChart:  # fmt: skip
    """The tracked brand in the accent with ribbon and points, the others as thin grey lines, cycles at equal distances.

    The axis starts at 0 and ends where `axis_end` says. A cycle without a number is a gap. Nothing is drawn past the
    newest cycle. Fewer than 2 cycles draw their point alone.
    """
    step = (frame.right - frame.left - 16) / max(1, len(cycles) - 1)
    x = tuple(frame.left + 8 + step * at for at in range(len(cycles)))
    words_of_rules = _placed(rules, x, frame)
    rows = 1 + max((int(str(row["row"])) for row in words_of_rules), default=-1)
    plot = _Plot(frame, 12 + WORD_ROW * rows, axis_end(_highest(lines)), x)
    return finished(
        [
            *_grid(plot),
            *_rules(words_of_rules, plot),
            *_others([line for line in lines if not line.tracked], rules, plot),
            *_ours([line for line in lines if line.tracked], rules, plot, kind),
            _cycle_names(cycles, plot),
            *_doors(lines, cycles, plot),
        ],
        frame.width,
        plot.height,
    )


def _highest(lines: Sequence[Line]) -> float:
    ends = [(one.high if line.tracked else one.value) or 0.0 for line in lines for one in line.estimates if one]
    return max(ends, default=1.0)


def _grid(plot: _Plot) -> list[Layer]:
    ticks = [plot.top * part / 2 for part in range(3)]
    rows = [{"y": plot.y(at), "text": f"{at * 100:g}" + (" %" if at == plot.top else "")} for at in ticks]
    base = layer(rows).encode(y=pixel("y", plot.height, "y"))
    lines = base.mark_rule(color=placeholder("line"), aria=False)
    texts = base.mark_text(align="right", baseline="middle", fontSize=11, color=placeholder("quiet"), aria=False)
    return [
        lines.encode(x=alt.value(plot.frame.left), x2=alt.value(plot.frame.right)),
        texts.encode(x=alt.value(plot.frame.left - 6), text="text:N"),
    ]


def _placed(rules: Sequence[Rule], x: Sequence[float], frame: TrendFrame) -> list[dict[str, object]]:
    """The rules with their words side by side where they fit, else in the next row."""
    ends: list[float] = []
    rows: list[dict[str, object]] = []
    for rule in sorted(rules, key=lambda rule: rule.place):
        if not 0 < rule.place < len(x):
            continue
        middle = (x[rule.place - 1] + x[rule.place]) / 2
        word = one_line(rule.word, 32)
        half = LETTER * len(word) / 2
        at = min(max(middle, half), frame.width - half)
        row = next((place for place, end in enumerate(ends) if at - half > end + 8), len(ends))
        ends[row : row + 1] = [at + half]
        rows.append({"x": middle, "text_x": at, "word": word, "row": row})
    return rows


def _rules(placed: Sequence[dict[str, object]], plot: _Plot) -> list[Layer]:
    if not placed:
        return []
    rows = [
        {**row, "y": 7 + WORD_ROW * int(str(row["row"])), "from": 14 + WORD_ROW * int(str(row["row"]))}
        for row in placed
    ]
    across, down = plot.frame.width, plot.height
    line = layer(rows).mark_rule(strokeDash=[3, 3], strokeWidth=1.5, color=placeholder("quiet"), aria=False)
    words = {"x": pixel("text_x", across), "y": pixel("y", down, "y"), "text": "word:N"}
    ground, ink = placeholder("page"), placeholder("ink")
    small = {"baseline": "middle", "fontSize": 11, "aria": False}
    return [
        line.encode(x=pixel("x", across), y=pixel("from", down, "y"), y2=alt.value(plot.bottom)),
        layer(rows).mark_text(color=ground, stroke=ground, strokeWidth=4, **small).encode(**words),
        layer(rows).mark_text(color=ink, **small).encode(**words),
    ]


def _points(line: Line, rules: Sequence[Rule], plot: _Plot) -> Iterator[dict[str, object]]:
    """A row per cycle with a number. `run` is the same along an unbroken piece of the line, and unique to it."""
    severed = {rule.place for rule in rules if rule.severs}
    run = 0
    for at, one in enumerate(line.estimates):
        run += at in severed or one is None or one.value is None
        if one is not None and one.value is not None:
            low, high = (one.value if end is None else end for end in (one.low, one.high))
            yield {
                "x": plot.x[at], "y": plot.y(one.value), "low": plot.y(low), "high": plot.y(high),
                "run": f"{line.label} {run}",
            }  # fmt: skip


def _others(lines: Sequence[Line], rules: Sequence[Rule], plot: _Plot) -> list[Layer]:
    rows = [{**row, "run": f"{at} {row['run']}"} for at, line in enumerate(lines) for row in _points(line, rules, plot)]
    if not rows:
        return []
    places = {"x": pixel("x", plot.frame.width), "y": pixel("y", plot.height, "y")}
    grey = {"color": placeholder("other"), "aria": False}
    line = layer(rows).mark_line(strokeWidth=1.25, opacity=0.7, **grey).encode(**places, detail="run:N")
    return [line, layer(_alone(rows)).mark_point(size=12, filled=True, opacity=0.7, **grey).encode(**places)]


def _alone(rows: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    """The points whose piece of the line has no other: a line would not show them."""
    pieces = [list(group) for _, group in groupby(rows, key=lambda row: row["run"])]
    return [piece[0] for piece in pieces if len(piece) == 1]


def _ours(lines: Sequence[Line], rules: Sequence[Rule], plot: _Plot, kind: Kind) -> list[Layer]:
    rows = [row for line in lines for row in _points(line, rules, plot)]
    if not rows:
        return []
    accent, down = placeholder("accent"), plot.height
    x = pixel("x", plot.frame.width)
    low = alt.Y("low:Q", axis=None, stack=None, scale=alt.Scale(domain=[0, down], range=[0, down], nice=False))
    base = layer(rows)
    ribbon = base.mark_area(color=accent, opacity=0.18, line=False, aria=False)
    whisker = base.mark_rule(color=accent, strokeWidth=2, opacity=0.6, aria=False)
    line = base.mark_line(color=accent, strokeWidth=2, aria=False)
    dot = base.mark_point(
        size=64, opacity=1, strokeWidth=2, stroke=accent, aria=False,
        fill=placeholder("page") if kind == "simulated" else accent,
    )  # fmt: skip
    return [
        ribbon.encode(x=x, y=low, y2="high:Q", detail="run:N"),
        whisker.encode(x=x, y=low, y2="high:Q"),
        line.encode(x=x, y=pixel("y", down, "y"), detail="run:N"),
        dot.encode(x=x, y=pixel("y", down, "y")),
        *(_last_number(line, plot) for line in lines if line.estimates and line.estimates[-1]),
    ]


def _last_number(line: Line, plot: _Plot) -> Layer:
    """The newest number beside its point."""
    last = line.estimates[-1]
    assert last is not None
    row = {
        "y": plot.y(last.value or 0.0),
        "text": _in_two(words(last)) if last.value is not None else "no estimate",
    }
    text = layer([row]).mark_text(
        align="left",
        lineBreak="\n",
        baseline="middle",
        fontSize=13,
        fontWeight="bold",
        color=placeholder("ink"),
        aria=False,
    )
    return text.encode(x=alt.value(plot.frame.right + 6), y=pixel("y", plot.height, "y"), text="text:N")


def _in_two(number: str) -> str:
    """A number that is too long for the room beside the plot, with its interval on a second line."""
    if len(number) <= BESIDE:
        return number
    return number.replace(", ", ",\n", 1).replace(" (", "\n(", 1)


def _cycle_names(cycles: Sequence[str], plot: _Plot) -> Layer:
    """The cycles' names under the axis: every one where they fit, else every second, third … back from the newest."""
    names = [one_line(name, 16) for name in cycles]
    room = plot.x[1] - plot.x[0] if len(plot.x) > 1 else float(plot.frame.width)
    widest = max((LETTER * len(name) for name in names), default=0.0) + 8
    step = max(1, int(-(-widest // room)))
    rows = [{"x": x, "text": name} for x, name in zip(plot.x[::-1][::step], names[::-1][::step], strict=True)]
    text = layer(rows).mark_text(baseline="middle", fontSize=11, color=placeholder("quiet"), aria=False)
    return text.encode(x=pixel("x", plot.frame.width), y=alt.value(plot.bottom + 12), text="text:N")


def _doors(lines: Sequence[Line], cycles: Sequence[str], plot: _Plot) -> list[Layer]:
    """A clear strip over each cycle that says the tracked brand's number, and links to its answers where it has a door."""
    half = (plot.x[1] - plot.x[0]) / 2 if len(plot.x) > 1 else 20.0
    rows = []
    for line in lines:
        for at, one in enumerate(line.estimates if line.tracked else ()):
            said = words(one) if one else "no estimate: not measured"
            row: dict[str, object] = {"x": plot.x[at], "description": one_line(f"{cycles[at]}: {line.label} {said}")}
            if line.doors and (door := line.doors[at]):
                row["href"] = f"{DOOR}{href(door)}"
            rows.append({**row, "left": plot.x[at] - half, "right": plot.x[at] + half})
    places = {
        "x": pixel("left", plot.frame.width),
        "x2": "right:Q",
        "y": alt.value(plot.head),
        "y2": alt.value(plot.bottom),
    }
    return doors(rows, lambda base: base.mark_rect(opacity=0).encode(**places))
