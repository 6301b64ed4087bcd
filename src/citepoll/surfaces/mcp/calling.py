"""Who calls a tool, what they may do, and how a tool that fails tells why."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, ParamSpec, Protocol, TypeAlias, TypeVar

from litestar.exceptions import NotFoundException
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from citepoll.errors import CitepollError, InputError
from citepoll.report.printable import printable
from citepoll.service.accounts import Reader
from citepoll.surfaces.web.asking import seen_room, seen_rooms
from citepoll.surfaces.web.desk import Desk
from citepoll.surfaces.web.rooms import Room, Rooms
from citepoll.surfaces.web.worker import Worker

P = ParamSpec("P")
T = TypeVar("T")


class Caller(Protocol):
    """On whose behalf a tool works."""

    @property
    def may_write(self) -> bool: ...

    @property
    def worker(self) -> Worker | None: ...

    def at(self) -> datetime: ...

    def rooms(self) -> tuple[Room, ...]: ...

    def find(self, project: str) -> Room | None: ...

    def note(self, what: str, about: str) -> None:
        """Enter a write into the audit log, where there is one."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """The reader of a desk who sent an HTTP request from `address`."""

    desk: Desk
    reader: Reader
    address: str

    @property
    def may_write(self) -> bool:
        return self.reader.may("write")

    @property
    def worker(self) -> Worker | None:
        return self.desk.worker

    def at(self) -> datetime:
        return self.desk.clock()

    def rooms(self) -> tuple[Room, ...]:
        return seen_rooms(self.desk, self.reader)

    def find(self, project: str) -> Room | None:
        try:
            return seen_room(self.desk, self.reader, project)
        except NotFoundException:
            return None

    def note(self, what: str, about: str) -> None:
        self.desk.note(self.reader, what, about, self.address)


@dataclass(frozen=True, slots=True)
class Local:
    """Whoever started `citepoll mcp` on this machine. As with other commands, the ledger's history tells of writes."""

    shelf: Rooms
    may_write: bool
    worker: Worker | None = field(default=None, repr=False)

    def at(self) -> datetime:
        return datetime.now(UTC)

    def rooms(self) -> tuple[Room, ...]:
        return self.shelf.all()

    def find(self, project: str) -> Room | None:
        return self.shelf.find(project)

    def note(self, what: str, about: str) -> None:
        pass


Callers: TypeAlias = Callable[[Any], Caller]
"""The caller of a request; of stdio, where there is no request, it gets None."""

Ctx: TypeAlias = Context[Callers, Any]
ProjectId: TypeAlias = Annotated[
    str | None, Field(description="The id of a project, from list_projects. May be left out where there is only one.")
]


def caller_of(ctx: Ctx) -> Caller:
    here = ctx.request_context
    return here.lifespan_context(here.request)


def room_of(ctx: Ctx, project: str | None) -> Room:
    """The room of that id, or the only one. Raises `InputError`; one that the caller may not see is as absent as any."""
    caller = caller_of(ctx)
    if project is not None:
        room = caller.find(project)
        if room is None:
            raise InputError(f"There is no project {project[:60]!r} here.", "list_projects has those that there are.")
        return room
    rooms = caller.rooms()
    if len(rooms) != 1:
        known = ", ".join(room.id for room in rooms[:25]) or "none"
        raise InputError("Say which project.", f"Projects here: {known}.")
    return rooms[0]


def writer_of(ctx: Ctx) -> Caller:
    """The caller of a tool that changes something. Raises `InputError` where they may not."""
    caller = caller_of(ctx)
    if not caller.may_write:
        raise InputError(
            "This connection is read-only.",
            "Use a token with the write scope, or start `citepoll mcp` with --allow-writes.",
        )
    return caller


def tool(work: Callable[P, T]) -> Callable[P, T]:
    """The function as a tool: an error of ours is told with cause and fix, and without a path of this machine."""

    @functools.wraps(work)
    def told(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return work(*args, **kwargs)
        except CitepollError as wrong:
            found = next((each for each in (*args, *kwargs.values()) if isinstance(each, Context)), None)
            raise ToolError(_told(wrong, caller_of(found).rooms() if found else ())) from wrong

    return told


def _told(wrong: CitepollError, rooms: tuple[Room, ...]) -> str:
    text = printable(str(wrong))
    for room in rooms:
        text = text.replace(f"{room.root}/", "").replace(str(room.root), room.id)
    return text
