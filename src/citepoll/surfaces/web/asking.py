"""Who is asking, what a route needs, and whether they may: the only place where both meet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

from litestar.concurrency import sync_to_thread
from litestar.connection import ASGIConnection, Request
from litestar.di import NamedDependency
from litestar.exceptions import (
    ImproperlyConfiguredException,
    NotAuthorizedException,
    NotFoundException,
    PermissionDeniedException,
    ValidationException,
)
from litestar.handlers import BaseRouteHandler
from litestar.middleware.authentication import AbstractAuthenticationMiddleware, AuthenticationResult
from litestar.params import FromPath, FromQuery

from citepoll.service.accounts import NOBODY, Reader, Right
from citepoll.surfaces.web.desk import Desk
from citepoll.surfaces.web.rim import is_program
from citepoll.surfaces.web.rooms import Room

if TYPE_CHECKING:
    from litestar import Litestar
    from litestar.types import ASGIApp

Asked = Request[Reader, Any, Any]
"""A request as the handlers of this app see it: `request.user` is the `Reader`."""

DeskNow = NamedDependency[Desk]
ReaderNow = NamedDependency[Reader]
RoomNow = NamedDependency[Room]
"""How a handler asks for what the app provides: `def page(room: RoomNow, reader: ReaderNow, desk: DeskNow)`."""

NEEDS = (*get_args(Right), "public")


class Identify(AbstractAuthenticationMiddleware):
    """Puts the `Reader` into `scope["user"]`: by bearer token on the programs' paths, by session elsewhere.

    The API takes both, MCP a bearer only. A bearer that is wrong is nobody, whatever cookie came along.
    """

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        super().__init__(app)
        self.desk = desk

    async def authenticate_request(self, connection: ASGIConnection[Any, Any, Any, Any]) -> AuthenticationResult:
        return AuthenticationResult(user=await self._reader(connection), auth=None)

    async def _reader(self, connection: ASGIConnection[Any, Any, Any, Any]) -> Reader:
        path = connection.scope["path"]
        kind, _, secret = connection.headers.get("authorization", "").partition(" ")
        if is_program(path) and kind:
            if kind.lower() != "bearer":
                return NOBODY
            return await sync_to_thread(self.desk.reader_of_bearer, secret.strip())
        cookie = connection.cookies.get(self.desk.cookie)
        if not cookie or path.startswith("/mcp"):
            return NOBODY
        return await sync_to_thread(self.desk.reader_of_cookie, cookie)


def guard(connection: ASGIConnection[Any, Any, Any, Any], route: BaseRouteHandler) -> None:
    """Let the request through if its reader may do what the route `needs`, in the project that its path names."""
    need = needs_of(route)
    if need == "public":
        return
    if need is None:
        raise ImproperlyConfiguredException(f"{route} does not say what it needs.")
    reader: Reader = connection.user
    if reader.via == "nobody":
        raise NotAuthorizedException("Nobody is logged in.")
    project = connection.path_params.get("project")
    if project is not None:
        seen_room(connection.app.state.desk, reader, project)
    if not reader.may(need):
        raise PermissionDeniedException(f"{reader.name} may not do this: it needs the right to {need}.")


def seen_room(desk: Desk, reader: Reader, id: str) -> Room:
    """The room of that id. One that the reader may not see is as absent as one that does not exist."""
    room = desk.rooms.find(id) if reader.sees(id) else None
    if room is None:
        raise NotFoundException(f"There is no project {id[:60]!r} here.")
    return room


def seen_rooms(desk: Desk, reader: Reader) -> tuple[Room, ...]:
    """The rooms that the reader may see."""
    return tuple(room for room in desk.rooms.all() if reader.sees(room.id))


def room_of_path(desk: DeskNow, reader: ReaderNow, project: FromPath[str]) -> Room:
    """The dependency `room` of pages: the room that the path names."""
    return seen_room(desk, reader, project)


def room_asked(desk: DeskNow, reader: ReaderNow, project: FromQuery[str | None] = None) -> Room:
    """The dependency `room` of the API: that of `?project=ID`, or the only one that the reader sees."""
    if project is not None:
        return seen_room(desk, reader, project)
    rooms = seen_rooms(desk, reader)
    if len(rooms) != 1:
        known = ", ".join(room.id for room in rooms) or "none"
        raise ValidationException(f"Say which project, with ?project=ID. Projects here: {known}.")
    return rooms[0]


def needs_of(route: BaseRouteHandler) -> Right | Literal["public"] | None:
    """What a route says it needs. Litestar's own answers to OPTIONS name methods only, and are public."""
    if getattr(route, "http_methods", None) == {"OPTIONS"}:
        return "public"
    found: Right | Literal["public"] | None = route.opt.get("needs")
    return found


def check_needs(app: Litestar) -> None:
    """Raises where a route does not say what it needs: such a route must not be served."""
    for route in app.routes:
        for handler in getattr(route, "route_handlers", [getattr(route, "route_handler", None)]):
            if handler is not None and needs_of(handler) not in NEEDS:
                raise ImproperlyConfiguredException(f"{route.path} ({handler}) does not say what it needs.")
