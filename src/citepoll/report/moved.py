"""What moved since an earlier cycle: the verdicts, and the trend over the cycles with its numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from citepoll.measure.verdicts import REAL
from citepoll.model import Estimate, Row
from citepoll.report.charts import Kind
from citepoll.report.data import Break, ReportData
from citepoll.report.evidence import Doors
from citepoll.report.numbers import noun, words
from citepoll.report.pairs import Pair, engines, pairs
from citepoll.report.panels import Picture
from citepoll.report.printable import one_line
from citepoll.report.sentences import TAGGED, kind_of
from citepoll.report.trends import NARROW_TREND, WIDE_TREND, Line, Rule, trend

FIRST_CYCLE = "First cycle: nothing to compare with yet."
CYCLES_SHOWN = 8


@dataclass(frozen=True, slots=True)
class MovedRow:
    """A brand on an engine: its shares in both cycles and the verdict; `warnings` stand beside it."""

    brand: str
    engine: str
    tag: str
    door: str | None
    before: str
    now: str
    verdict: str
    warnings: tuple[str, ...]
    tracked: bool
    moved: bool


@dataclass(frozen=True, slots=True)
class Moved:
    """The comparison with the cycle `since`. `shown` holds the tracked brand and whatever moved, `rest` the others;
    `category` all rows for questions like these."""

    since: str
    summary: str
    shown: tuple[MovedRow, ...]
    rest: tuple[MovedRow, ...]
    category: tuple[MovedRow, ...]


@dataclass(frozen=True, slots=True)
class TrendPanel:
    """The trend on one engine: the picture and a table of the same numbers, a row per brand (name, whether tracked, a
    number for each cycle), with a door for each number in `doors`."""

    title: str
    tag: str
    picture: Picture
    cycles: tuple[str, ...]
    rows: tuple[tuple[str, bool, tuple[str, ...]], ...]
    doors: tuple[tuple[str | None, ...], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict of a headline and the warnings beside it; `quiet` where there is nothing to judge yet."""

    sentence: str
    warnings: tuple[str, ...] = ()
    quiet: bool = False


def verdict_of(data: ReportData, engine: str) -> Verdict:
    """What to say below the headline of an engine, or blended: `No evidence of change since demo-2; a move under …`."""
    if data.changes is None:
        return Verdict(FIRST_CYCLE, quiet=True)
    found = [p for p in pairs(data.changes.rows) if p.brand == data.brand and p.engine == engine]
    if not found or not found[0].main.verdict:
        return Verdict(f"No comparison with {_since(data)}: nothing was compared here.", quiet=True)
    row = found[0].main
    return Verdict(_dated(row.verdict or "", _since(data)), _warnings(row))


def moved(data: ReportData, labels: Mapping[str, str], doors: Doors) -> Moved | None:
    """Every brand on every engine against the earlier cycle; None in a first one."""
    if data.changes is None:
        return None
    found = pairs(data.changes.rows)
    ordered = [pair for name in engines(found) for pair in _ours_first(found, name, data.brand)]
    rows = [_row(pair, pair.main, data, labels, doors) for pair in ordered]
    return Moved(
        since=_since(data),
        summary=_summary([pair.main for pair in ordered], _since(data)),
        shown=tuple(row for row in rows if row.tracked or row.moved),
        rest=tuple(row for row in rows if not (row.tracked or row.moved)),
        category=tuple(
            _row(pair, pair.category, data, labels, doors) for pair in ordered if pair.category and pair.fixed_set
        ),
    )


def trend_panels(data: ReportData, labels: Mapping[str, str], doors: Doors) -> tuple[TrendPanel, ...]:
    """A trend per engine, blended last, over the newest cycles; none with fewer than two of them."""
    cycles = data.trend.cycles[-CYCLES_SHOWN:] if data.trend else ()
    if data.trend is None or len(cycles) < 2:
        return ()
    found = [pair for pair in pairs(data.trend.rows) if pair.dimensions.get("cycle") in cycles]
    return tuple(_trend_panel(name, cycles, found, data, labels, doors) for name in engines(found))


def trend_notes(data: ReportData) -> tuple[str, ...]:
    """What holds for every trend: which cycles it shows, and what is different from one on, on all engines."""
    every = data.trend.cycles if data.trend else ()
    scope = f"These are the last {CYCLES_SHOWN} of {len(every)} cycles." if len(every) > CYCLES_SHOWN else ""
    shown = [one for one in data.breaks if one.engine is None and one.cycle in every[-CYCLES_SHOWN:][1:]]
    return tuple(note for note in dict.fromkeys([scope, *map(_sentence, shown)]) if note)


def _trend_panel(
    name: str, cycles: Sequence[str], found: Sequence[Pair], data: ReportData, labels: Mapping[str, str], doors: Doors
) -> TrendPanel:
    here = [pair for pair in found if pair.engine == name]
    numbers = {(pair.brand, str(pair.dimensions.get("cycle"))): pair.main.estimate for pair in here}
    brands = sorted(dict.fromkeys(pair.brand for pair in here), key=lambda brand: brand != data.brand)
    lines = [
        Line(
            one_line(brand, 60), tuple(numbers.get((brand, cycle)) for cycle in cycles), brand == data.brand,
            tuple(_door(doors, brand, name, cycle, data) for cycle in cycles),
        )
        for brand in brands
    ]  # fmt: skip
    breaks = [one for one in data.breaks if one.engine in (None, name) and one.cycle in cycles[1:]]
    rules = [Rule(cycles.index(one.cycle), one.word, one.severs) for one in _one_a_cycle(breaks)]
    label = labels.get(name, name)
    kind = cast(Kind, kind_of(name, data.engines))
    wide, narrow = (trend(lines, cycles, rules, frame, kind) for frame in (WIDE_TREND, NARROW_TREND))
    return TrendPanel(
        title=one_line(label, 120),
        tag=kind if kind in TAGGED and f"({kind})" not in label else "",
        picture=Picture(one_line(f"{data.brand} by cycle: {label}", 160), wide, narrow),
        cycles=tuple(one_line(cycle, 60) for cycle in cycles),
        rows=tuple((line.label, line.tracked, tuple(_cell(one) for one in line.estimates)) for line in lines),
        doors=tuple(line.doors for line in lines),
        notes=tuple(dict.fromkeys(_sentence(one) for one in breaks if one.engine and one.sentence)),
    )


def _door(doors: Doors, brand: str, engine: str, cycle: str, data: ReportData) -> str | None:
    return doors.engine(engine, cycle) if brand == data.brand else doors.brand(brand, engine, cycle)


def _one_a_cycle(breaks: Sequence[Break]) -> list[Break]:
    """The breaks of one cycle as one, their words joined."""
    found: dict[str, list[Break]] = {}
    for one in breaks:
        found.setdefault(one.cycle, []).append(one)
    return [
        Break(cycle, ", ".join(dict.fromkeys(one.word for one in several)), severs=any(one.severs for one in several))
        for cycle, several in found.items()
    ]


def _sentence(one: Break) -> str:
    return f"{one_line(one.sentence).rstrip('.')}." if one.sentence else ""


def _cell(one: Estimate | None) -> str:
    return words(one) if one else "not measured"


def _ours_first(found: Sequence[Pair], engine: str, brand: str) -> list[Pair]:
    return sorted((pair for pair in found if pair.engine == engine), key=lambda pair: pair.brand != brand)


def _row(pair: Pair, row: Row, data: ReportData, labels: Mapping[str, str], doors: Doors) -> MovedRow:
    change = row.change
    kind = kind_of(pair.engine, data.engines)
    label = labels.get(pair.engine, pair.engine)
    return MovedRow(
        brand=one_line(pair.brand, 60),
        engine=label.replace(f" ({kind})", "", 1),
        tag=kind if kind in TAGGED else "",
        door=doors.brand(pair.brand),
        before=words(change.before) if change else "not compared",
        now=words(change.after) if change else words(row.estimate),
        verdict=_started(row.verdict or "not compared"),
        warnings=_warnings(row),
        tracked=pair.brand == data.brand,
        moved=_moved(row),
    )


def _moved(row: Row) -> bool:
    """True where a change is real, or would count alone."""
    return row.change is not None and row.change.p is not None and row.change.p <= REAL


def _summary(rows: Sequence[Row], since: str) -> str:
    """`27 comparisons with demo-2: no real change, 1 that would count alone, 26 without evidence of change.`"""
    compared = [row for row in rows if row.change is not None and row.change.value is not None]
    real = sum(row.adjusted_p is not None and row.adjusted_p <= REAL for row in compared)
    alone = sum(_moved(row) for row in compared) - real
    parts = [
        noun(real, "real change") if real else "no real change",
        f"{alone} that would count alone" if alone else "",
        f"{len(compared) - real - alone} without evidence of change" if len(compared) > real + alone else "",
        f"{len(rows) - len(compared)} not comparable" if len(rows) > len(compared) else "",
    ]
    said = ", ".join(part for part in parts if part)
    return f"{noun(len(rows), 'comparison')} with {since}, brands × engines on these queries: {said}."


def _dated(verdict: str, since: str) -> str:
    """The verdict with the earlier cycle in it, as a sentence: before what follows the first colon or semicolon."""
    head, mark, rest = re.fullmatch(r"([^:;]*)([:;]?)(.*)", one_line(verdict), re.DOTALL).groups()  # type: ignore[union-attr]
    return f"{_started(head)} {'with' if head == 'no comparison' else 'since'} {since}{mark}{rest.rstrip('.')}."


def _warnings(row: Row) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one_line(text) for text in (row.change.warnings if row.change else ())))


def _since(data: ReportData) -> str:
    compare = data.changes.slice.compare if data.changes else None
    return one_line(compare or "the earlier cycle", 60)


def _started(text: str) -> str:
    return text[:1].upper() + text[1:]
