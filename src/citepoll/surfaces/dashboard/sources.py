"""Which sources engines cite: domains by share of citation slots, their classes, whom they name, how alike engines are.

`/p/PROJECT/sources?cycle=&engine=&source_class=&names=yes&page=` and `/p/PROJECT/sources/DOMAIN?cycle=`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from litestar import Response, get
from litestar.params import FromPath, FromQuery
from markupsafe import Markup

from citepoll.report import charts
from citepoll.report.evidence import Doors
from citepoll.report.numbers import noun, percent, unit_of, words
from citepoll.report.pairs import Pair, engines, is_blended, leading, pairs
from citepoll.report.panels import Panel, domain_of, largest_first, mark_of, panel_of
from citepoll.report.printable import one_line
from citepoll.report.sentences import engine_labels, kinds
from citepoll.report.sources import (
    class_panels,
    class_table,
    class_words,
    concentration_sentence,
    source_panels,
    sources_definition,
)
from citepoll.service.cells import newest
from citepoll.service.cited import Asked, Cited, Domain, cited, domain
from citepoll.service.sources import NO_QUERY_OF_BOTH, Engines, Reason
from citepoll.service.sources import class_words as class_meanings
from citepoll.surfaces.dashboard.doors import answers_path, page_path, source_path
from citepoll.surfaces.dashboard.measured import (
    Part,
    cycles_offered,
    drawn_part,
    engines_offered,
    part_of,
    tags_of,
    unmeasured,
)
from citepoll.surfaces.dashboard.page import PageNow
from citepoll.surfaces.web.asking import DeskNow, RoomNow
from citepoll.surfaces.web.desk import Desk
from citepoll.surfaces.web.rooms import Room

FIRST = Asked()
WAITING = "The sites that engines cite will stand here, with the share of each and its kind, after the first cycle."
LISTED = 50
GROUNDS: Mapping[str, str] = {
    "brand": "by the brands of the project", "override": "by citepoll.toml", "table": "known site",
    "rule": "by a rule", "fallback": "a guess",
}  # fmt: skip
"""What decided the class of a source, in words."""


@dataclass(frozen=True, slots=True)
class Line:
    """A domain in the list. `cells` has a share and its door for each engine, blended last."""

    domain: str
    href: str
    kind: str
    why: str
    ours: bool
    cells: tuple[tuple[str, str | None], ...]
    names: str


@get("/p/{project:str}/sources", needs="read", nav="Sources", sync_to_thread=True)
def sources(
    page: PageNow, room: RoomNow, desk: DeskNow, cycle: FromQuery[str] = "", engine: FromQuery[str] = "",
    source_class: FromQuery[str] = "", names: FromQuery[str] = "",
) -> Response[str]:  # fmt: skip
    """The ranking, the kinds of sources, and how concentrated and alike the engines' citations are."""
    if waiting := unmeasured(page, room, "Sources", WAITING):
        return waiting
    number = page.request.query_params.get("page", "")
    ranking = shown(room, desk, Asked(cycle, engine, source_class, names == "yes"), number)
    return page.show("sources.html", "Sources", shown=ranking, room=room.id)


def shown(room: Room, desk: Desk, asked: Asked = FIRST, number: str = "") -> Markup:
    """The sources as asked, by default of the newest cycle."""
    asked = replace(asked, cycle=newest(room.ledger, asked.cycle or None).name)
    return room.remember(("sources", asked, number), lambda: _sources(room, desk, asked, number))


@get("/p/{project:str}/sources/{name:str}", needs="read", sync_to_thread=True)
def source(
    page: PageNow, room: RoomNow, desk: DeskNow, name: FromPath[str], cycle: FromQuery[str] = ""
) -> Response[str]:
    """One domain: its class and why, its share by engine, its pages, the queries on which it is cited."""
    if waiting := unmeasured(page, room, "Sources", WAITING):
        return waiting
    asked = name[:253], newest(room.ledger, cycle or None).name
    shown = room.remember(("source", *asked), lambda: _source(room, desk, *asked))
    return page.show("sources.html", one_line(name, 80), shown=shown, room=room.id)


# ---------------------------------------------------------------- the list


def _sources(room: Room, desk: Desk, asked: Asked, number: str) -> Markup:
    found = cited(room.project, room.ledger, asked, desk.clock())
    cycle = room.ledger.cycle(asked.cycle)
    labels = engine_labels(found.data)
    doors = Doors(lambda to: _lead(room.id, asked.cycle, to))
    lines = _lines(room, found, asked)
    given = {
        "cycle": asked.cycle,
        "engine": asked.engine,
        "source_class": asked.source_class,
        "names": "yes" if asked.names else "",
    }
    listed: Part[Line] = part_of(lines, number, LISTED, room.id, "sources", given)
    return drawn_part(
        "sources_list.html", room=room.id, asked=asked, listed=listed, brand=room.project.tracked.name,
        columns=[labels.get(name, name) for name in _columns(found)], tags_=tags_of(room, cycle),
        panels=() if listed.first > 1 else source_panels(found.data, labels, doors),
        classes=class_panels(found.data, labels), class_table=class_table(found.data, labels),
        class_meanings=[(class_words(name), text) for name, text in class_meanings().items()],
        definition=sources_definition(found.data), concentration=concentration_sentence(found.data.concentration, labels),
        alike=_alike(found.compared, labels), warnings=found.data.shares.warnings,
        options={"cycle": cycles_offered(room), "engine": engines_offered(room, cycle),
                 "source_class": [(name, class_words(name)) for name in class_meanings()]},
        sentence=_sentence(found, asked),
    )  # fmt: skip


def _lead(project: str, cycle: str, to: Mapping[str, str]) -> str:
    """A domain leads to its page, all else to the answers."""
    if "domain" in to:
        return source_path(project, to["domain"], cycle)
    return answers_path(project, **{"cycle": cycle, **to})


def _sentence(found: Cited, asked: Asked) -> str:
    shown = len({row.dimensions["domain"] for row in found.data.shares.rows})
    which = f" of the kind {class_words(asked.source_class)}" if asked.source_class else ""
    names = " with a page that is cited where competitors are named, and you are not" if asked.names else ""
    on = f" by {asked.engine}" if asked.engine else ""
    return f"{noun(shown, 'domain')}{which}{names}, cited{on} in cycle {one_line(asked.cycle, 60)}."


def _columns(found: Cited) -> tuple[str, ...]:
    return engines(pairs(found.data.shares.rows))


def _lines(room: Room, found: Cited, asked: Asked) -> list[Line]:
    """Every domain, by its share where the headline stands; those that it lacks there follow by their largest share."""
    every = pairs(found.data.shares.rows)
    first = leading(every, kinds(found.data))[:1]
    places: dict[str, dict[str, Pair]] = {}
    for pair in sorted(every, key=lambda pair: (pair.engine not in first, largest_first(pair))):
        places.setdefault(domain_of(pair), {})[pair.engine] = pair
    columns = _columns(found)
    return [_line(room, name, here, found, asked, columns) for name, here in places.items()]


def _line(
    room: Room, name: str, here: Mapping[str, Pair], found: Cited, asked: Asked, columns: tuple[str, ...]
) -> Line:  # fmt: skip
    named = found.naming.get(name)
    reason = found.reasons.get(name)
    return Line(
        domain=one_line(name, 100),
        href=source_path(room.id, name, asked.cycle),
        kind=class_words(reason.source_class) if reason else "",
        why=_why(reason),
        ours=found.data.owners.get(name) == found.data.brand,
        cells=tuple(_cell(room.id, here.get(engine), name, asked.cycle) for engine in columns),
        names=", ".join(one_line(brand, 60) for brand in named.competitors) if named else "",
    )


def _cell(project: str, pair: Pair | None, name: str, cycle: str) -> tuple[str, str | None]:
    if pair is None:
        return "", None
    engine = None if is_blended(pair.engine) else pair.engine
    door = answers_path(project, cycle=cycle, domain=name, engine=engine, status="valid")
    return words(pair.main.estimate, unit_of(pair.main.metric)), door


def _why(reason: Reason | None) -> str:
    return f"{one_line(reason.reason, 120)} ({GROUNDS[reason.ground]})" if reason else ""


@dataclass(frozen=True, slots=True)
class Alike:
    """How alike engines are: a row for each engine with a cell for each; the diagonal is an engine with itself."""

    engines: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def _alike(found: Engines, labels: Mapping[str, str]) -> Alike | None:
    if not found.engines:
        return None
    known = {frozenset({one.engine}): (one.run_overlap, "no pair of runs") for one in found.engines}
    known |= {frozenset(pair.engines): (pair.overlap, NO_QUERY_OF_BOTH) for pair in found.overlaps}
    names = [one.engine for one in found.engines]
    rows = tuple(
        (labels.get(a, a), tuple(_overlap(*known[frozenset({a, b})]) for b in names)) for a in names
    )  # fmt: skip
    return Alike(tuple(labels.get(name, name) for name in names), rows)


def _overlap(value: float | None, reason: str) -> str:
    return reason if value is None else percent(value)


# ---------------------------------------------------------------- one domain


def _source(room: Room, desk: Desk, name: str, cycle: str) -> Markup:
    found = domain(room.project, room.ledger, name, desk.clock(), cycle=cycle)
    labels = engine_labels(found.data)
    return drawn_part(
        "source.html", room=room.id, found=found, cycle=cycle, brand=found.data.brand, why=_why(found.reason),
        kind=class_words(found.reason.source_class) if found.reason else "", panel=_panel(room, found, labels),
        rows=_by_engine(found, labels), tags_=tags_of(room, room.ledger.cycle(cycle)),
        owner=found.data.owners.get(name, ""), answers=answers_path(room.id, cycle=cycle, domain=name, status="valid"),
        page_door=lambda url: answers_path(room.id, cycle=cycle, url=url, status="valid"),
        query_door=lambda query: answers_path(room.id, cycle=cycle, domain=name, query=query.id, status="valid"),
        back=page_path(room.id, "sources", cycle=cycle), labels=labels,
    )  # fmt: skip


def _panel(room: Room, found: Domain, labels: Mapping[str, str]) -> Panel | None:
    """The domain's share on each engine, blended last, as one picture."""
    every = pairs(found.data.shares.rows)
    here = [pair for engine in engines(every) for pair in every if pair.engine == engine]
    doors = [_cell(room.id, pair, found.name, found.cycle)[1] for pair in here]
    marks = [
        mark_of(pair, labels.get(pair.engine, pair.engine), found.data, door, two_lines=True)
        for pair, door in zip(here, doors, strict=True)
    ]
    return panel_of("Share of citation slots by engine", marks, here, found.data, charts.in_order)


def _by_engine(found: Domain, labels: Mapping[str, str]) -> Sequence[tuple[str, str]]:
    """The share of valid answers that cite the domain, engine by engine, blended last."""
    every = pairs(found.of_answers.rows)
    return [
        (labels.get(engine, engine), words(pair.main.estimate, unit_of(pair.main.metric)))
        for engine in engines(every)
        for pair in every
        if pair.engine == engine
    ]


ROUTES = [sources, source]
