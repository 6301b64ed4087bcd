"""The first page: every project with its headline, and the form that makes one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.exceptions import PermissionDeniedException
from litestar.params import Body

from citepoll.errors import CitepollError, InputError
from citepoll.model import Slice
from citepoll.newproject import Start
from citepoll.report.pairs import Pair, leading, pairs
from citepoll.report.sentences import headline
from citepoll.service.accounts import Reader
from citepoll.service.measuring import measurable, measure
from citepoll.surfaces.dashboard.page import Page, PageNow, room_name
from citepoll.surfaces.web.asking import DeskNow, ReaderNow, seen_rooms
from citepoll.surfaces.web.desk import Desk
from citepoll.surfaces.web.rooms import Room


@dataclass(frozen=True, slots=True)
class Line:
    """A project in the list. `tags` say whose answers the number stands on, where no engine was asked."""

    id: str
    name: str
    sentence: str
    note: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NewProject:
    brand: str = ""
    domains: str = ""
    category: str = ""
    competitors: str = ""


@get("/", needs="read", sync_to_thread=True)
def projects(page: PageNow, desk: DeskNow, reader: ReaderNow) -> Response[str]:
    """The projects that the reader sees."""
    return _list(page, desk, reader)


@post("/projects", needs="write", sync_to_thread=True)
def make_project(
    page: PageNow, desk: DeskNow, reader: ReaderNow,
    data: Annotated[NewProject, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[Any]:  # fmt: skip
    """Makes a project in a folder that the server chooses; the form again where something is missing."""
    if reader.projects is not None:
        raise PermissionDeniedException("Your account is for some projects only, and cannot make another.")
    try:
        made = desk.rooms.make(start_of(data))
    except CitepollError as wrong:
        return _list(page, desk, reader, form=data, error=wrong)
    desk.note(reader, "project made", made.id, page.address)
    return page.go(f"/p/{made.id}/", f"{room_name(made)} is made. Its questions come next.")


def _list(
    page: Page, desk: Desk, reader: Reader, form: NewProject = NewProject(), error: CitepollError | None = None
) -> Response[str]:
    may_make = reader.may("write") and reader.projects is None and desk.rooms.shelf is not None
    lines = [_line(room, desk) for room in seen_rooms(desk, reader)]
    return page.show("projects.html", "Projects", status=422 if error else 200, projects=lines, may_make=may_make,
                     form=form, error=error)  # fmt: skip


def start_of(form: NewProject) -> Start:
    """What the form says. Raises `InputError` where a line is not understood."""
    rivals = [line.partition("=") for line in form.competitors.splitlines() if line.strip()]
    for name, equals, domain in rivals:
        if not (equals and name.strip() and domain.strip()):
            raise InputError(
                f"{name.strip()[:60]!r} is not a competitor.", "Write one to a line, as Other = other.com."
            )
    if not form.brand.strip() or not form.domains.split():
        raise InputError("The brand or its domains are missing.", "Give both.")
    competitors = tuple((name.strip(), domain.strip()) for name, _, domain in rivals)
    return Start(form.brand.strip(), tuple(form.domains.replace(",", " ").split()), competitors, form.category.strip())


def _line(room: Room, desk: Desk) -> Line:
    """A project that cannot be read says why, and does not hide the others."""
    try:
        return room.remember("headline", lambda: _measured(room, desk))
    except CitepollError as wrong:
        return Line(room.id, room_name(room), wrong.cause, wrong.fix)


def _measured(room: Room, desk: Desk) -> Line:
    project, ledger = room.project, room.ledger
    name = room_name(room)
    ready = measurable(ledger)
    if not ready:
        return Line(room.id, name, "Nothing is measured yet: the share will stand here after the first cycle.")
    found = measure(project, ledger, Slice(), desk.clock())
    kinds = {engine.name: engine.surface for engine in ledger.engines(ready[-1])}
    ours = [pair for pair in pairs(found.rows) if pair.brand == project.tracked.name]
    first = next((pair for name in leading(ours, kinds) for pair in ours if pair.engine == name), None)
    if first is None:
        return Line(room.id, name, "The last cycle has no answers.", ready[-1].name)
    return Line(room.id, name, headline(project.tracked.name, first.main), _note(first, ready[-1].name), _tags(kinds))


def _note(pair: Pair, cycle: str) -> str:
    return f"{pair.engine}, cycle {cycle}"


def _tags(kinds: Mapping[str, str]) -> tuple[str, ...]:
    found = [kind for kind in dict.fromkeys(kinds.values()) if kind in ("simulated", "recorded")]
    return tuple(kind if set(kinds.values()) == {kind} else f"partly {kind}" for kind in found)


ROUTES = [projects, make_project]
