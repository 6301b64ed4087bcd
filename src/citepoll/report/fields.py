"""Query by query: the heat map's fields and where each competitor is ahead, as the page shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from citepoll.model import INTENTS
from citepoll.report.data import Ahead, CellNote, ReportData
from citepoll.report.evidence import Doors
from citepoll.report.numbers import noun, part, percent
from citepoll.report.palette import heat
from citepoll.report.printable import one_line, web_link

PAGES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Field:
    """One field: `text` is `2/3` or `none`, `words` the same in a sentence, `shade` the colour token."""

    text: str
    words: str
    shade: str
    ahead: bool
    door: str | None


@dataclass(frozen=True, slots=True)
class HeatLine:
    query: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class HeatGroup:
    """The queries of one intent."""

    name: str
    lines: tuple[HeatLine, ...]


@dataclass(frozen=True, slots=True)
class HeatMap:
    engines: tuple[str, ...]
    groups: tuple[HeatGroup, ...]


@dataclass(frozen=True, slots=True)
class AheadLine:
    query: str
    door: str | None
    engine: str
    theirs: str
    ours: str
    evidence: str
    pages: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class AheadGroup:
    """A competitor and the queries on which it is ahead."""

    competitor: str
    summary: str
    lines: tuple[AheadLine, ...]


def heat_map(data: ReportData, labels: Mapping[str, str], doors: Doors) -> HeatMap | None:
    """Queries by intent, in the order of `INTENTS`, those without one last; None without cells."""
    if not data.cells:
        return None
    cells = {(cell.query_id, cell.engine): cell for cell in data.cells}
    names = [note.name for note in data.engines if any(cell.engine == note.name for cell in data.cells)]
    lines: dict[str, list[HeatLine]] = {}
    for query in data.queries:
        fields = tuple(
            field(cell := cells.get((query.id, name)), labels[name], doors.cell(query.id, name) if cell else None)
            for name in names
        )
        lines.setdefault(query.intent or "", []).append(HeatLine(one_line(query.text, 300), fields))
    order = sorted(lines, key=lambda intent: INTENTS.index(intent) if intent in INTENTS else len(INTENTS))
    groups = tuple(HeatGroup(intent or "no intent given", tuple(lines[intent])) for intent in order)
    return HeatMap(tuple(labels[name] for name in names), groups)


def field(cell: CellNote | None, label: str, door: str | None) -> Field:
    """One field of the heat map; `label` is the engine's name for people. Without a valid answer it says so."""
    if cell is None or cell.valid == 0:
        return Field("none", f"{label}: no valid answer", "none", False, door)
    ahead = f"; ahead: {', '.join(one_line(name, 60) for name in cell.ahead)}" if cell.ahead else ""
    sentence = f"{label}: cited in {cell.cited} of {noun(cell.valid, 'valid answer')}{ahead}"
    return Field(f"{cell.cited}/{cell.valid}", sentence, heat(cell.cited, cell.valid), bool(cell.ahead), door)


def ahead_groups(data: ReportData, labels: Mapping[str, str], doors: Doors) -> tuple[AheadGroup, ...]:
    """Competitors by the number of queries on which they are ahead, the most first; their leads by what they are worth."""
    texts = {query.id: query.text for query in data.queries}
    found: dict[str, list[Ahead]] = {}
    for one in data.ahead:
        found.setdefault(one.competitor, []).append(one)
    ranked = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(
        AheadGroup(
            one_line(name, 60),
            _summary(cases, len(data.queries)),
            tuple(_ahead_line(case, texts, labels, doors, data) for case in sorted(cases, key=_most_worth)),
        )
        for name, cases in ranked
    )


def _summary(cases: Sequence[Ahead], queries: int) -> str:
    confirmed = sum(case.confirmed for case in cases)
    ahead = len({case.query_id for case in cases})
    proof = f", {confirmed} confirmed" if any(case.probability is not None for case in cases) else ""
    return f"ahead on {ahead} of {noun(queries, 'query', 'queries')}{proof}"


def _ahead_line(
    case: Ahead, texts: Mapping[str, str], labels: Mapping[str, str], doors: Doors, data: ReportData
) -> AheadLine:
    names = [case.engine] if case.engine else [note.name for note in data.engines]
    return AheadLine(
        query=one_line(texts.get(case.query_id, case.query_id), 300),
        door=doors.query(case.query_id, names),
        engine=labels.get(case.engine, case.engine) if case.engine else "",
        theirs=part(case.theirs, case.valid),
        ours=part(case.ours, case.valid),
        evidence=_evidence(case),
        pages=tuple((one_line(url, 90), web_link(url)) for url in case.pages[:PAGES_SHOWN]),
    )


def _evidence(case: Ahead) -> str:
    word = "confirmed" if case.confirmed else "candidate"
    if case.probability is None:
        return word
    worth = "" if case.weight is None else f", worth {case.worth:.1f}"
    return f"{word}, probability {percent(case.probability)}{worth}"


def _most_worth(case: Ahead) -> tuple[float, bool, str]:
    return -case.worth, not case.confirmed, case.query_id
