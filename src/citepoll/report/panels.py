"""Pictures with their numbers beside them: shares by engine, competitors, further metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

import altair as alt

from citepoll.measure.metrics import METRICS
from citepoll.model import SliceResult
from citepoll.report import charts
from citepoll.report.charts import NARROW, WIDE, Frame, Kind, Mark
from citepoll.report.data import ReportData
from citepoll.report.evidence import Doors
from citepoll.report.numbers import count, counted, unit_of, words
from citepoll.report.pairs import Pair, engines, leading, pairs
from citepoll.report.printable import one_line
from citepoll.report.sentences import TAGGED, kind_of, kinds, label_and_note
from citepoll.report.todos import targets_of

BRANDS_DRAWN = (10, 5)
"""Brands in the wide and in the narrow picture; the table has all."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart in two variants; the style sheet shows the one that fits."""

    label: str
    wide: alt.LayerChart
    narrow: alt.LayerChart


@dataclass(frozen=True, slots=True)
class NumberRow:
    """A line of the table under a picture. `note` says whose a domain is; `tag` simulated or recorded."""

    label: str
    door: str | None
    fixed_set: str
    category: str
    part: str
    queries: str
    grade: str
    tracked: bool
    tag: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """A picture and its table. `kinds` are the surfaces that occur, for the legend; `undrawn` counts the rows of the
    table that the wide and the narrow picture lack."""

    title: str
    picture: Picture
    rows: tuple[NumberRow, ...]
    kinds: tuple[str, ...]
    left_out: int = 0
    undrawn: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class MetricTable:
    """One further metric: a column per engine, a row per brand (one row without a name for metrics of the engine)."""

    label: str
    formula: str
    engines: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def engine_panel(data: ReportData, labels: Mapping[str, str], doors: Doors) -> Panel | None:
    """The tracked brand on each engine, blended last."""
    found = [pair for pair in pairs(data.shares.rows) if pair.brand == data.brand]
    ordered = [pair for name in engines(found) for pair in found if pair.engine == name]
    return panel_of(
        f"{data.brand} by engine",
        [mark_of(pair, labels[pair.engine], data, doors.engine(pair.engine), two_lines=True) for pair in ordered],
        ordered,
        data,
        partial(charts.shares_by_engine, targets=targets_of(data, data.metric)),
    )


def competitor_panels(data: ReportData, labels: Mapping[str, str], doors: Doors) -> tuple[Panel, ...]:
    """All brands where the headline stands: blended, or on each engine that gave an estimate."""
    found = pairs(data.shares.rows)
    made = []
    for name in leading(found, kinds(data)):
        here = sorted((pair for pair in found if pair.engine == name), key=largest_first)
        if all(pair.main.estimate.value is None for pair in here):
            continue
        marks = [mark_of(pair, pair.brand, data, doors.brand(pair.brand, name)) for pair in here]
        made.append(panel_of(f"All brands: {labels[name]}", marks, here, data, charts.competitors, most=BRANDS_DRAWN))
    return tuple(panel for panel in made if panel is not None)


def metric_tables(result: SliceResult | None, labels: Mapping[str, str]) -> tuple[MetricTable, ...]:
    """Further metrics, one table each, in the order of the rows."""
    found = pairs(result.rows) if result else ()
    return tuple(
        metric_table(metric, [pair for pair in found if pair.main.metric == metric], labels, lambda pair: pair.brand)
        for metric in dict.fromkeys(pair.main.metric for pair in found)
    )


def metric_table(
    metric: str, found: Sequence[Pair], labels: Mapping[str, str], row_of: Callable[[Pair], str]
) -> MetricTable:
    """One metric with a column per engine; `row_of` names the row that a pair stands in."""
    names = engines(found)
    cells = {(row_of(pair), pair.engine): words(pair.main.estimate, unit_of(metric)) for pair in found}
    rows = tuple(
        (one_line(row, 60), tuple(cells.get((row, name), "") for name in names))
        for row in dict.fromkeys(row_of(pair) for pair in found)
    )
    known = METRICS[metric]
    return MetricTable(known.label, known.formula, tuple(labels.get(name, name) for name in names), rows)


def panel_of(
    title: str,
    marks: Sequence[Mark],
    found: Sequence[Pair],
    data: ReportData,
    draw: Callable[[Sequence[Mark], Frame], alt.LayerChart],
    *,
    left_out: int = 0,
    most: tuple[int, int] | None = None,
) -> Panel | None:
    """A picture of the marks and a table row for each; None without marks. `most` bounds the wide and narrow picture."""
    if not marks:
        return None
    wide, narrow = (_drawn(marks, number) for number in most or (len(marks), len(marks)))
    return Panel(
        title=one_line(title, 120),
        picture=Picture(one_line(title, 120), draw(wide, WIDE), draw(narrow, NARROW)),
        rows=tuple(_number_row(mark, pair, data) for mark, pair in zip(marks, found, strict=True)),
        kinds=tuple(dict.fromkeys(mark.kind for mark in marks)),
        left_out=left_out,
        undrawn=(len(marks) - len(wide), len(marks) - len(narrow)),
    )


def _drawn(marks: Sequence[Mark], most: int) -> Sequence[Mark]:
    """The first marks, the tracked one always among them."""
    if len(marks) <= most or any(mark.tracked for mark in marks[:most]):
        return marks[:most]
    ours = [mark for mark in marks[most:] if mark.tracked]
    return [*marks[: most - len(ours[:1])], *ours[:1]]


def mark_of(pair: Pair, label: str, data: ReportData, door: str | None, *, two_lines: bool = False) -> Mark:
    """The pair as a mark, in the accent where it is the tracked brand's; `two_lines` puts the kind under the name."""
    owner = data.owners.get(domain_of(pair)) if "domain" in pair.dimensions else pair.brand
    name, note = label_and_note(label) if two_lines else (label, "")
    return Mark(
        label=one_line(name, 90),
        note=note,
        fixed_set=pair.fixed_set.estimate if pair.fixed_set else None,
        category=pair.category.estimate if pair.category else None,
        kind=cast(Kind, kind_of(pair.engine, data.engines)),
        tracked=owner == data.brand,
        apart=two_lines and pair.is_blended,
        door=door,
    )


def _number_row(mark: Mark, pair: Pair, data: ReportData) -> NumberRow:
    row = pair.main
    unit = unit_of(row.metric)
    other = pair.category if pair.fixed_set else None
    domain = domain_of(pair)
    return NumberRow(
        label=_in_one_line(mark),
        door=mark.door,
        fixed_set=words(row.estimate, unit),
        category=words(other.estimate, unit) if other else "",
        part=counted(row.estimate),
        queries=count(row.estimate.n_queries),
        grade=row.grade or "",
        tracked=mark.tracked,
        tag=mark.kind if mark.kind in TAGGED else "",
        note=one_line(data.owners.get(domain, ""), 60) if domain else "",
    )


def _in_one_line(mark: Mark) -> str:
    """Label and note without the kind, which stands behind them as a tag."""
    note = mark.note.removeprefix(mark.kind).lstrip(", ") if mark.kind in TAGGED else mark.note
    return f"{mark.label}, {note}" if note else mark.label


def domain_of(pair: Pair) -> str:
    """The domain of a pair, empty where it has none."""
    return str(pair.dimensions.get("domain") or "")


def largest_first(pair: Pair) -> float:
    """A sorting key: the largest share first, no estimate last."""
    value = pair.main.estimate.value
    return 1.0 if value is None else -value
