"""Pictures with their numbers beside them: shares by engine, competitors, sources, further metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import altair as alt

from citepoll.measure.metrics import METRICS
from citepoll.model import SliceResult
from citepoll.report import charts
from citepoll.report.charts import NARROW, WIDE, Frame, Kind, Mark
from citepoll.report.data import ReportData
from citepoll.report.evidence import Doors
from citepoll.report.numbers import count, part, unit_of, words
from citepoll.report.pairs import Pair, engines, leading, pairs
from citepoll.report.printable import one_line
from citepoll.report.sentences import TAGGED, kind_of, kinds, label_and_note

SOURCES_SHOWN = 20


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
    """A picture and its table. `kinds` are the surfaces that occur, for the legend."""

    title: str
    picture: Picture
    rows: tuple[NumberRow, ...]
    kinds: tuple[str, ...]
    left_out: int = 0


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
    return _panel(
        f"{data.brand} by engine",
        [_mark(pair, labels[pair.engine], data, doors.engine(pair.engine), two_lines=True) for pair in ordered],
        ordered,
        data,
        charts.shares_by_engine,
    )


def competitor_panels(data: ReportData, labels: Mapping[str, str], doors: Doors) -> tuple[Panel, ...]:
    """All brands where the headline stands: blended, or on each engine that gave an estimate."""
    found = pairs(data.shares.rows)
    made = []
    for name in leading(found, kinds(data)):
        here = sorted((pair for pair in found if pair.engine == name), key=_largest_first)
        if all(pair.main.estimate.value is None for pair in here):
            continue
        marks = [_mark(pair, pair.brand, data, doors.brand(pair.brand)) for pair in here]
        made.append(_panel(f"All brands: {labels[name]}", marks, here, data, charts.competitors))
    return tuple(panel for panel in made if panel is not None)


def shown_domains(data: ReportData) -> frozenset[str]:
    """The domains whose share stands in the report."""
    found = pairs(data.sources.rows) if data.sources else ()
    return frozenset(
        _domain(pair) for name in leading(found, kinds(data)) for pair in _top_sources(found, name)[:SOURCES_SHOWN]
    )


def source_panels(data: ReportData, labels: Mapping[str, str], doors: Doors) -> tuple[Panel, ...]:
    """Domains by share, where the headline stands; at most `SOURCES_SHOWN` each."""
    found = pairs(data.sources.rows) if data.sources else ()
    made = []
    for name in leading(found, kinds(data)):
        everywhere = _top_sources(found, name)
        here = everywhere[:SOURCES_SHOWN]
        marks = [_mark(pair, _domain(pair), data, doors.domain(_domain(pair))) for pair in here]
        title = f"Sources: {labels.get(name, name)}" if name else "Sources"
        made.append(_panel(title, marks, here, data, charts.sources, left_out=len(everywhere) - len(here)))
    return tuple(panel for panel in made if panel is not None)


def metric_tables(result: SliceResult | None, labels: Mapping[str, str]) -> tuple[MetricTable, ...]:
    """Further metrics, one table each, in the order of the rows."""
    found = pairs(result.rows) if result else ()
    return tuple(
        _metric_table(metric, [pair for pair in found if pair.main.metric == metric], labels)
        for metric in dict.fromkeys(pair.main.metric for pair in found)
    )


def _metric_table(metric: str, found: Sequence[Pair], labels: Mapping[str, str]) -> MetricTable:
    names = engines(found)
    cells = {(pair.brand, pair.engine): words(pair.main.estimate, unit_of(metric)) for pair in found}
    brands = dict.fromkeys(pair.brand for pair in found)
    rows = tuple((one_line(brand, 60), tuple(cells.get((brand, name), "") for name in names)) for brand in brands)
    known = METRICS[metric]
    return MetricTable(known.label, known.formula, tuple(labels.get(name, name) for name in names), rows)


def _panel(
    title: str,
    marks: Sequence[Mark],
    found: Sequence[Pair],
    data: ReportData,
    draw: Callable[[Sequence[Mark], Frame], alt.LayerChart],
    *,
    left_out: int = 0,
) -> Panel | None:
    if not marks:
        return None
    picture = Picture(one_line(title, 120), draw(marks, WIDE), draw(marks, NARROW))
    rows = tuple(_number_row(mark, pair, data) for mark, pair in zip(marks, found, strict=True))
    return Panel(one_line(title, 120), picture, rows, tuple(dict.fromkeys(mark.kind for mark in marks)), left_out)


def _mark(pair: Pair, label: str, data: ReportData, door: str | None, *, two_lines: bool = False) -> Mark:
    owner = data.owners.get(_domain(pair)) if "domain" in pair.dimensions else pair.brand
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
    domain = _domain(pair)
    return NumberRow(
        label=_in_one_line(mark),
        door=mark.door,
        fixed_set=words(row.estimate, unit),
        category=words(other.estimate, unit) if other else "",
        part=part(row.estimate.cited, row.estimate.n),
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


def _top_sources(found: Sequence[Pair], engine: str) -> list[Pair]:
    return sorted((pair for pair in found if pair.engine == engine), key=_largest_first)


def _domain(pair: Pair) -> str:
    return str(pair.dimensions.get("domain") or "")


def _largest_first(pair: Pair) -> float:
    value = pair.main.estimate.value
    return 1.0 if value is None else -value
