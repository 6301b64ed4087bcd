"""What to do next: each opportunity with its evidence, its size, whose it is and how it stands; forms that change that.

`/p/PROJECT/todo?cycle=&status=&kind=&owner=&page=`; `#` and the beginning of an id leads to one of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.exceptions import NotFoundException
from litestar.params import Body, FromPath, FromQuery

from citepoll.errors import InputError
from citepoll.explain.opportunities import FORMULAS, STATUSES
from citepoll.hashing import short
from citepoll.measure.metrics import METRICS
from citepoll.project import zone
from citepoll.report.numbers import noun
from citepoll.report.printable import one_line
from citepoll.report.todos import KINDS, Aim, ToDoLine, aims_of, todo_line
from citepoll.service.cells import newest
from citepoll.service.opportunities import Todo, TodoList, list_todos, set_status, take_back
from citepoll.service.reporting import target_lines, todo_of
from citepoll.surfaces.dashboard.doors import answer_path, page_path
from citepoll.surfaces.dashboard.measured import (
    Choices,
    chosen_of,
    cycles_offered,
    engines_offered,
    part_of,
    tags_of,
    unmeasured,
)
from citepoll.surfaces.dashboard.page import Page, PageNow, own_path
from citepoll.surfaces.web.asking import DeskNow, RoomNow
from citepoll.surfaces.web.desk import Desk
from citepoll.surfaces.web.rooms import Room

WAITING = "Things to do, each with its evidence and its size, will stand here after the first cycle."
LISTED = 20
LONGEST = 2000
WORDS: Mapping[str, str] = {"open": "open", "in-work": "in work", "done": "done", "dismissed": "dismissed"}


@dataclass(frozen=True, slots=True)
class Marking:
    """What the form of one says. `back` is the page that it was sent from."""

    status: str
    owner: str = ""
    note: str = ""
    back: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """One thing to do. `line` has its words; `effects` what was measured since it was done, an engine each."""

    key: str
    line: ToDoLine
    status: str
    marked: str
    owner: str
    note: str
    undoable: bool
    queries: tuple[str, ...]
    pages: tuple[str, ...]
    engines: str
    formula: str
    measure: str
    effects: tuple[tuple[str, str], ...]
    no_effect: str
    answers: tuple[tuple[str, str], ...]
    answers_more: int


@dataclass(frozen=True, slots=True)
class Cards:
    """All cards of a cycle, and what may be chosen of them."""

    cycle: str
    cards: tuple[tuple[Todo, Card], ...]
    tags: tuple[str, ...]
    options: Mapping[str, Choices]
    warnings: tuple[str, ...]
    sentence: str
    aims: tuple[Aim, ...]


@get("/p/{project:str}/todo", needs="read", nav="To do", sync_to_thread=True)
def todo(
    page: PageNow, room: RoomNow, desk: DeskNow, cycle: FromQuery[str] = "", status: FromQuery[str] = "",
    kind: FromQuery[str] = "", owner: FromQuery[str] = "",
) -> Response[str]:  # fmt: skip
    """The list, the largest expected gain first; without a status those that wait for somebody."""
    if waiting := unmeasured(page, room, "To do", WAITING):
        return waiting
    return _list(page, room, desk, {"cycle": cycle, "status": status, "kind": kind, "owner": owner})


@post("/p/{project:str}/todo/{id:str}", needs="write", sync_to_thread=True)
def mark(
    page: PageNow, room: RoomNow, desk: DeskNow, id: FromPath[str],
    data: Annotated[Marking, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[Any]:  # fmt: skip
    """Sets status, owner and note."""
    note, owner = data.note.strip(), one_line(data.owner, 80)
    if len(note) > LONGEST:
        raise InputError(f"The note has more than {LONGEST} characters.", "Shorten it.", kept="Nothing was changed.")
    key, at = _key(room, desk, id), desk.clock()
    found = set_status(room.project, room.ledger, key, data.status, note, at, owner=owner)
    desk.note(page.reader, f"opportunity {found.status}", f"{room.id}: {found.id}", page.address)
    return page.go(
        _back(room, data.back, found.id), f"{WORDS[found.status].capitalize()}: {one_line(found.title, 160)}"
    )


@post("/p/{project:str}/todo/{id:str}/undo", needs="write", sync_to_thread=True)
def undo(
    page: PageNow, room: RoomNow, desk: DeskNow, id: FromPath[str],
    data: Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[Any]:  # fmt: skip
    """Takes the last change back."""
    key = _key(room, desk, id)
    now = take_back(room.ledger, key, desk.clock())
    desk.note(page.reader, "opportunity change taken back", f"{room.id}: {key}", page.address)
    return page.go(
        _back(room, data.get("back", ""), key), f"Taken back: it is {WORDS[now.status] if now else 'open'} again."
    )


def _key(room: Room, desk: Desk, id: str) -> str:
    """The whole id of the one that the address names. Raises `NotFoundException` where there is none."""
    found = [one.id for one, _ in shown(room, desk).cards if short(one.id) == id]
    if not found:
        raise NotFoundException(f"There is no opportunity {id[:60]!r}.")
    return found[0]


def _back(room: Room, back: str, id: str) -> str:
    """Where the form was sent from, at this one; else the list."""
    begun = page_path(room.id, "todo")
    path = own_path(back).partition("#")[0]
    return f"{path if path.startswith(begun) else begun}#t-{short(id)}"


# ---------------------------------------------------------------- the list


def _list(page: Page, room: Room, desk: Desk, asked: dict[str, str]) -> Response[str]:
    found = shown(room, desk, asked["cycle"])
    asked["cycle"] = found.cycle
    for name in ("status", "kind", "owner"):
        chosen_of(name, asked[name], found.options[name])
    cards = [card for todo, card in found.cards if _fits(todo, card, asked)]
    number = page.request.query_params.get("page", "")
    listed = part_of(cards, number, LISTED, room.id, "todo", asked)
    here = page_path(room.id, "todo", **asked, page=number)
    return page.show(
        "todo.html", "To do", found=found, listed=listed, asked=asked, here=here, room=room.id,
        statuses=[(name, WORDS[name]) for name in STATUSES],
        may=page.reader.may("write") and asked["cycle"] == newest(room.ledger, None).name,
    )  # fmt: skip


def _fits(todo: Todo, card: Card, asked: Mapping[str, str]) -> bool:
    waits = todo.status in ("open", "in-work") and todo.found is not None
    status = {"": waits or todo.status == "in-work", "all": True}.get(asked["status"], todo.status == asked["status"])
    return status and asked["kind"] in ("", todo.kind) and asked["owner"] in ("", card.owner)


def shown(room: Room, desk: Desk, cycle: str = "") -> Cards:
    """All of a cycle's, by default of the newest; `remember` forgets them when somebody changes one."""
    name = newest(room.ledger, cycle or None).name
    return room.remember(("todo", name), lambda: _made(room, desk, name))


def _made(room: Room, desk: Desk, name: str) -> Cards:
    found = list_todos(room.project, room.ledger, desk.clock(), cycle=name)
    cards = tuple((one, _card(room.id, one)) for one in found.todos)
    owners = sorted({card.owner for _, card in cards if card.owner})
    return Cards(
        cycle=found.cycle,
        cards=cards,
        tags=tags_of(room, room.ledger.cycle(name)),
        options={
            "cycle": cycles_offered(room),
            "status": (*WORDS.items(), ("all", "all")),
            "kind": tuple(KINDS.items()),
            "owner": tuple((owner, owner) for owner in owners),
        },
        warnings=found.warnings,
        sentence=_sentence(found),
        aims=_aims(room, desk, name),
    )


def _aims(room: Room, desk: Desk, name: str) -> tuple[Aim, ...]:
    """Where the project's targets stand; none where it has none."""
    cycle, at = room.ledger.cycle(name), desk.clock()
    lines = tuple(target_lines(room.project, room.ledger, cycle, at))
    return aims_of(lines, dict(engines_offered(room, cycle)), at.astimezone(zone(room.project.time_zone)).date())


def _sentence(found: TodoList) -> str:
    """`19 things found in cycle 2026-11: 14 open, 3 in work, 2 done.`"""
    here = [one for one in found.todos if one.found is not None]
    counts = [(word, sum(one.status == name for one in here)) for name, word in WORDS.items()]
    stands = ", ".join(f"{number} {word}" for word, number in counts if number)
    gone = len(found.todos) - len(here)
    more = f" {noun(gone, 'more')} marked earlier and no longer found." if gone else ""
    said = f"{noun(len(here), 'thing')} to do found in cycle {one_line(found.cycle, 60)}"
    return f"{said}{': ' + stands if stands else ''}.{more}"


def _card(project: str, one: Todo) -> Card:
    found, mark = one.found, one.mark
    return Card(
        key=short(one.id),
        line=todo_line(todo_of(one), {}),
        status=one.status,
        marked=f"{WORDS[mark.status]} since {mark.at[:10]}, cycle {one_line(mark.cycle, 60)}" if mark else "",
        owner=one_line(mark.owner, 80) if mark else "",
        note=mark.note if mark else "",
        undoable=bool(mark and mark.undoable),
        queries=tuple(one_line(text, 300) for text in one.texts.values()),
        pages=found.pages if found else (),
        engines=", ".join(one_line(name, 60) for name in found.engines) if found else "",
        formula=FORMULAS[found.kind] if found else "",
        measure=METRICS[found.measure].label.lower() if found else "",
        effects=tuple((one_line(effect.engine, 60), effect.sentence) for effect in one.effects),
        no_effect=one.no_effect or "",
        answers=_answers(project, found.answers if found else ()),
        answers_more=found.n_answers - len(found.answers) if found else 0,
    )


def _answers(project: str, ids: Iterable[int]) -> tuple[tuple[str, str], ...]:
    return tuple((f"answer {id}", answer_path(project, id)) for id in ids)


ROUTES = [todo, mark, undo]
