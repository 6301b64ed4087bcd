"""What every request of a program must fit before it is looked at: its project, its parameters, the type of its body."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler
from litestar.params import QueryParameter

from citepoll.surfaces.web.asking import needs_of, seen_room

JSON = "application/json"


def see_project(connection: ASGIConnection[Any, Any, Any, Any], route: BaseRouteHandler) -> None:
    """A project that one may not see is absent, whatever else is wrong with the request."""
    project = connection.query_params.get("project")
    if project is not None and needs_of(route) != "public":
        seen_room(connection.app.state.desk, connection.user, project)


async def know_parameters(connection: ASGIConnection[Any, Any, Any, Any], route: BaseRouteHandler) -> None:
    """A parameter with a slip in its name would be passed over in silence, so it is refused."""
    if needs_of(route) == "public":
        return
    known = parameters_of(route)
    for name in connection.query_params:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            listed = f"Known: {', '.join(sorted(known))}." if known else "Leave it out: there are none here."
            fix = f"Did you mean {near[0]}? {listed}" if near else listed
            raise refused(400, f"There is no parameter {name[:60]!r} here.", fix)


async def know_body(connection: ASGIConnection[Any, Any, Any, Any], route: BaseRouteHandler) -> None:
    """A body is of a type that the route reads; `takes` in its declaration names others than JSON."""
    if connection.scope.get("method") not in ("POST", "PUT", "PATCH"):
        return
    takes: tuple[str, ...] = route.opt.get("takes", (JSON,))
    kind = connection.headers.get("content-type", "").partition(";")[0].strip().lower()
    empty = connection.headers.get("content-length", "0") == "0" and "transfer-encoding" not in connection.headers
    if kind not in takes and (kind or not empty or "takes" in route.opt):
        raise refused(415, f"The body is {kind or 'of no stated type'}.", f"Send it as {' or '.join(takes)}.")


def parameters_of(route: BaseRouteHandler) -> frozenset[str]:
    """The query parameters that a route takes, itself or through what it depends on."""
    provided = route.resolve_dependencies()
    found: set[str] = set()
    waiting = [route.parsed_fn_signature]
    seen: set[str] = set()
    while waiting:
        for name, field in waiting.pop().parameters.items():
            if isinstance(field.kwarg_definition, QueryParameter):
                found.add(field.kwarg_definition.name or name)
            elif name in provided and name not in seen:
                seen.add(name)
                waiting.append(provided[name].parsed_fn_signature)
    return frozenset(found)


def refused(status: int, cause: str, fix: str) -> HTTPException:
    """A request that is turned away: what is wrong with it, and what to do."""
    return HTTPException(cause, status_code=status, extra={"fix": fix})
