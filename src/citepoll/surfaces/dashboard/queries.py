"""The matrix: questions down, engines across, and behind each field its runs.

`/p/PROJECT/queries?cycle=&group=intent|topic&engine=&intent=&topic=&branded=no|yes|all&only=ahead`
`/p/PROJECT/queries/cell?cycle=&engine=&query=` is one field: a page of its own, and for htmx the panel beside the matrix.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from litestar import Response, get
from litestar.exceptions import NotFoundException

from citepoll.errors import CitepollError, SliceError
from citepoll.model import INTENTS, Query
from citepoll.report.data import CellNote, EngineNote
from citepoll.report.fields import Field, field
from citepoll.report.numbers import noun
from citepoll.report.printable import one_line
from citepoll.report.sentences import TAGGED, engine_label
from citepoll.service.answers import Listed, Wanted, browse
from citepoll.service.matrix import Branded, Matrix, matrix
from citepoll.service.measuring import measurable
from citepoll.service.queries import unlocked_edits
from citepoll.surfaces.dashboard.doors import answer_path, answers_path, cell_path, queries_path
from citepoll.surfaces.dashboard.page import PageNow
from citepoll.surfaces.web.asking import DeskNow, RoomNow
from citepoll.surfaces.web.desk import Desk
from citepoll.surfaces.web.rooms import Room

RUNS = 50
"""Runs in a panel; the list of answers has the others."""
BRANDED = (("no", "left out"), ("yes", "only those"), ("all", "all"))
GROUPS = (("intent", "intent"), ("topic", "topic"))


@dataclass(frozen=True, slots=True)
class Filters:
    """What of the matrix is to be shown; empty: all of the newest cycle, by intent, without questions that name a brand."""

    cycle: str = ""
    group: str = "intent"
    engine: str = ""
    intent: str = ""
    topic: str = ""
    branded: str = "no"
    only: str = ""

    def __post_init__(self) -> None:
        for name, choices in (("group", dict(GROUPS)), ("branded", dict(BRANDED)), ("only", ("", "ahead"))):
            if getattr(self, name) not in choices:
                raise SliceError(f"{name} is {getattr(self, name)[:40]!r}.", f"Choose one of {', '.join(choices)}.")


@dataclass(frozen=True, slots=True)
class Line:
    query: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """The queries of one intent or topic."""

    name: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a field."""

    href: str
    number: int
    status: str
    words: str


@get("/p/{project:str}/queries", needs="read", nav="Queries", sync_to_thread=True)
def queries(page: PageNow, room: RoomNow, desk: DeskNow) -> Response[str]:
    """The matrix, or what is to be done before there can be one."""
    ready = measurable(room.ledger)
    edits = _edits(room)
    if not ready:
        current = room.ledger.current()
        told = f"Version {current.number} is locked: {_queries(len(current.queries.queries))}." if current else ""
        return page.show("queries_none.html", "Queries", project=room.id, locked=told, edits=edits)
    asked = _asked(page.request.query_params)
    found = whole(room, desk, asked)
    labels = _labels(found)
    engines = [name for name in labels if asked.engine in ("", name)]
    groups = _groups(room.id, found, asked, engines, labels)
    kinds = {engine.surface for engine in found.engines}
    return page.show(
        "queries.html", "Queries", project=room.id, asked=asked, edits=edits, brand=one_line(room.project.tracked.name, 60),
        cycle=found.cycle, cycles=[(one.name, one_line(one.name, 60)) for one in reversed(ready)],
        kinds=[kind if kinds == {kind} else f"partly {kind}" for kind in sorted(kinds & TAGGED)],
        engines=[labels[name] for name in engines], groups=groups, sentence=_sentence(found, asked, groups, engines),
        choices={"engine": list(labels.items()), "topic": _topics(found.queries), "intent": _names(INTENTS)},
        folded=Filters(asked.cycle, engine=asked.engine, only=asked.only) != asked,
        branded=BRANDED, grouped=GROUPS, every=queries_path(room.id, asked.cycle),
    )  # fmt: skip


@get("/p/{project:str}/queries/cell", needs="read", sync_to_thread=True)
def cell(page: PageNow, room: RoomNow, desk: DeskNow) -> Response[str]:
    """The runs of one field, each with the way to its answer."""
    cycle, engine, query = (page.request.query_params.get(name, "") for name in ("cycle", "engine", "query"))
    found = whole(room, desk, Filters(cycle, branded="all"))
    labels = _labels(found)
    text = next((one.text for one in found.queries if one.id == query), None)
    if text is None or engine not in labels:
        raise NotFoundException(f"Cycle {found.cycle[:60]!r} did not ask this engine that question.")
    note = next((one for one in found.cells if (one.query_id, one.engine) == (query, engine)), None)
    wanted = Wanted(cycle=found.cycle, engine=engine, query=query)
    batch = room.remember(("cell", wanted), lambda: browse(room.project, room.ledger, wanted, desk.clock(), limit=RUNS))
    shown: dict[str, Any] = {
        "question": one_line(text, 300), "words": field(note, labels[engine], None).words,
        "runs": [_run(room.id, one) for one in batch.answers], "total": noun(batch.total, "run"),
        "every": answers_path(room.id, cycle=found.cycle, engine=engine, query=query),
        "matrix": queries_path(room.id, found.cycle),
    }  # fmt: skip
    if "hx-request" in page.request.headers:
        return page.part("cell.html", part=True, **shown)
    return page.show("cell_page.html", one_line(text, 120), part=False, **shown)


def _run(project: str, one: Listed) -> Run:
    return Run(answer_path(project, one.id), one.run, one.status, _cited(one.brands, one.citations))


def _asked(params: Mapping[str, str]) -> Filters:
    """Raises `SliceError` for a choice that there is not."""
    given = {name: value.strip()[:300] for name in Filters.__dataclass_fields__ if (value := params.get(name, ""))}
    return Filters(**given)


def whole(room: Room, desk: Desk, asked: Filters = Filters()) -> Matrix:
    """The matrix of a cycle, by default of the newest."""
    branded = cast(Branded, asked.branded)
    return room.remember(
        ("matrix", asked.cycle, branded),
        lambda: matrix(room.project, room.ledger, desk.clock(), cycle=asked.cycle or None, branded=branded),
    )


def _edits(room: Room) -> str:
    """What the query file has that the locked set does not, or why it cannot be read."""
    try:
        found = room.remember("edits", lambda: unlocked_edits(room.project, room.ledger))
    except CitepollError as wrong:
        return f"The query file cannot be used: {wrong.cause}"
    return f"The query file differs from the locked set: {found}." if found else ""


def _labels(found: Matrix) -> dict[str, str]:
    return {engine.name: engine_label(EngineNote(engine.name, engine.surface)) for engine in found.engines}


def _groups(
    project: str, found: Matrix, asked: Filters, engines: Iterable[str], labels: Mapping[str, str]
) -> tuple[Rows, ...]:
    """The lines that the filters leave, in their groups: intents in their order, topics by name, those without one last."""
    cells = {(note.query_id, note.engine): note for note in found.cells}
    groups: dict[str, list[Line]] = {}
    for query in found.queries:
        here = [(labels[name], cells.get((query.id, name)), name) for name in engines]
        if _fits(query, asked, [note for _, note, _ in here]):
            fields = tuple(
                field(note, label, cell_path(project, found.cycle, name, query.id)) for label, note, name in here
            )
            name = cast(str | None, getattr(query, cast(Literal["intent", "topic"], asked.group)))
            groups.setdefault(name or "", []).append(Line(one_line(query.text, 300), fields))
    order = sorted(groups, key=lambda name: (not name, INTENTS.index(name) if name in INTENTS else len(INTENTS), name))
    return tuple(Rows(one_line(name, 60) or f"no {asked.group} given", tuple(groups[name])) for name in order)


def _fits(query: Query, asked: Filters, notes: Iterable[CellNote | None]) -> bool:
    return (
        asked.intent in ("", query.intent)
        and asked.topic in ("", query.topic)
        and (asked.only != "ahead" or any(note and note.ahead for note in notes))
    )


def _sentence(found: Matrix, asked: Filters, groups: tuple[Rows, ...], engines: list[str]) -> str:
    shown = sum(len(group.lines) for group in groups)
    of = f" of {noun(len(found.queries), 'query', 'queries')}" if shown < len(found.queries) else ""
    left = ""
    if found.left_out:
        names = "name a brand and are left out" if asked.branded == "no" else "name no brand and are left out"
        left = f" {found.left_out} more {names}."
    start = str(shown) if of else _queries(shown)
    return f"{start}{of} × {noun(len(engines), 'engine')}, cycle {one_line(found.cycle, 60)}.{left}"


def _queries(number: int) -> str:
    return noun(number, "query", "queries")


def _cited(brands: Iterable[str], citations: int) -> str:
    names = ", ".join(one_line(name, 60) for name in brands)
    if names:
        return f"cites {names}"
    return f"cites none of the brands, {noun(citations, 'citation')}" if citations else "no citation"


def _topics(found: Iterable[Query]) -> list[tuple[str, str]]:
    return [(name, one_line(name, 60)) for name in sorted({query.topic for query in found if query.topic})]


def _names(names: Iterable[str]) -> list[tuple[str, str]]:
    return [(name, name) for name in names]


ROUTES = [queries, cell]
