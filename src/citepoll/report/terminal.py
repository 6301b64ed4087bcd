"""A SliceResult as a table for the terminal: the interval drawn in characters, the number in words beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from citepoll.measure.metrics import METRICS, Unit
from citepoll.model import Estimate, Row, SliceResult
from citepoll.report.numbers import interval, part, unit_of, words
from citepoll.report.pairs import Pair, dimension_names, pairs, with_texts
from citepoll.report.printable import one_line

_BAR = "bar"
_MAIN = "these queries"
_EXTRAS = ("like these", "cited of answers", "grade")
_WIDEST = {_MAIN: 20}
_ASCII = {"–": "-", "…": "...", "\u202f": " ", "≥": ">=", "≤": "<=", "×": "x", "’": "'", "÷": "/"}


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters of an interval bar: rail, category interval, fixed-set interval, value."""

    rail: str
    thin: str
    thick: str
    dot: str


UNICODE = Glyphs("·", "─", "━", "●")
ASCII = Glyphs(".", "-", "=", "o")


def table(
    result: SliceResult,
    *,
    width: int,
    ascii_only: bool = False,
    kinds: Mapping[str, str] | None = None,
    tracked: str | None = None,
) -> Table:
    """A table that fits `width` columns (60 to 200), one row per place in the slice, both targets in it.

    `kinds` maps an engine to its surface: recorded and simulated ones are
    labelled so. The `tracked` brand is set in bold. A share gets a bar on a 0–100 % axis: thick for `fixed_set`, thin
    for `category`. Narrow terminals lose, in this order, the grade, the counts and the category interval.
    """
    result = with_texts(result)
    found = pairs(result.rows)
    lines = [_line(pair, dimension_names(result), kinds or {}) for pair in found]
    layout = _layout(lines, width)
    output = Table(box=box.ASCII if ascii_only else box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for title, columns in layout.items():
        head = axis(columns) if title == _BAR else title
        output.add_column(Text(head), no_wrap=title == _BAR, min_width=columns, max_width=columns, overflow="fold")
    glyphs = ASCII if ascii_only else UNICODE
    for pair, line in zip(found, lines, strict=True):
        if unit_of(pair.main.metric) == "share" and _BAR in layout:
            line[_BAR] = bar(_estimate(pair.fixed_set), _estimate(pair.category), layout[_BAR], glyphs)
        style = "bold" if tracked is not None and pair.brand == tracked else ""
        cells = (line[title] for title in layout)
        output.add_row(*(Text(to_ascii(cell) if ascii_only else cell, style=style) for cell in cells))
    return output


def bar(fixed_set: Estimate | None, category: Estimate | None, width: int, glyphs: Glyphs = UNICODE) -> str:
    """The interval of a share as `width` characters on a 0–100 % axis; blanks where there is no estimate."""
    main = fixed_set if fixed_set is not None else category
    if main is None or main.value is None:
        return " " * width
    cells = [glyphs.rail] * width
    for estimate, mark in ((category, glyphs.thin), (fixed_set, glyphs.thick)):
        if estimate is None or estimate.low is None or estimate.high is None:
            continue
        for place in range(_place(estimate.low, width), _place(estimate.high, width) + 1):
            cells[place] = mark
    cells[_place(main.value, width)] = glyphs.dot
    return "".join(cells)


def axis(width: int) -> str:
    """The head of the bar column: 0, 50 and 100 at their places."""
    middle = "50".center(width - 4) if width >= 12 else " " * (width - 4)
    return f"0{middle}100"


def to_ascii(text: str) -> str:
    """`text` for a terminal that shows ASCII only: known signs spelled, the rest as `?`."""
    for sign, spelled in _ASCII.items():
        text = text.replace(sign, spelled)
    return text.encode("ascii", "replace").decode()


def _line(pair: Pair, names: tuple[str, ...], kinds: Mapping[str, str]) -> dict[str, str]:
    row = pair.main
    unit = unit_of(row.metric)
    return {
        "metric": row.metric,
        **{name: _dimension(row, name, kinds) for name in names},
        _BAR: "",
        _MAIN: words(row.estimate, unit),
        "like these": _category(pair, unit),
        "cited of answers": part(row.estimate.cited, row.estimate.n)
        if METRICS[row.metric].estimator == "share"
        else "",
        "grade": row.grade or "",
    }


def _layout(lines: list[dict[str, str]], width: int) -> dict[str, int]:
    """Columns and their widths, in order. The bar takes what the texts leave; extras come while it keeps 20."""
    natural = {
        title: min(max(len(title), *(cell_len(line[title]) for line in lines)), _WIDEST.get(title, 34))
        for title in (lines[0] if lines else {})
        if title not in {_BAR, "metric"} or len({line[title] for line in lines}) > 1
    }
    chosen = {title: columns for title, columns in natural.items() if title not in _EXTRAS}
    for title in _EXTRAS:
        if title in natural and any(line[title] for line in lines) and _spare(chosen, width) - natural[title] >= 20:
            chosen[title] = natural[title]
    while chosen and _spare(chosen, width) < 12 and max(_texts(chosen).values()) > 8:
        texts = _texts(chosen)
        chosen[max(texts, key=texts.__getitem__)] -= 1
    columns = min(50, _spare(chosen, width))
    if columns >= 10:
        chosen[_BAR] = columns
    return {title: chosen[title] for title in (lines[0] if lines else {}) if title in chosen}


def _spare(chosen: dict[str, int], width: int) -> int:
    """Columns left for the bar: each column takes two more for its rule and padding, the frame one."""
    return width - sum(chosen.values()) - 2 * (len(chosen) + 1) - 2


def _texts(chosen: dict[str, int]) -> dict[str, int]:
    """The columns that may shrink: the dimensions and, last, a long reason for a missing estimate."""
    return {title: columns for title, columns in chosen.items() if title not in _EXTRAS}


def _estimate(row: Row | None) -> Estimate | None:
    return row.estimate if row else None


def _category(pair: Pair, unit: Unit) -> str:
    if pair.category is None:
        return ""
    estimate = pair.category.estimate
    return "no estimate" if estimate.value is None else interval(estimate, unit)


def _dimension(row: Row, name: str, kinds: Mapping[str, str]) -> str:
    value = row.metric if name == "metric" else row.dimensions.get(name)
    text = "" if value is None else one_line(str(value), 120)
    if name == "engine":
        kind = "simulated" if row.simulated else kinds.get(text, "")
        return f"{text} ({kind})" if kind in {"simulated", "recorded"} and f"({kind})" not in text else text
    return text


def _place(fraction: float, width: int) -> int:
    return min(width - 1, max(0, round(fraction * (width - 1))))
