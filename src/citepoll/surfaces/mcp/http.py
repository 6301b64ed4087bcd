"""/mcp: the server over streamable HTTP. The app around it checks hosts, origins, tokens and rates; a session it has none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, asgi
from litestar.exceptions import MethodNotAllowedException
from litestar.handlers import ASGIRouteHandler
from litestar.types import Receive, Scope, Send
from mcp.server.transport_security import TransportSecuritySettings

from citepoll.surfaces.mcp.calling import Caller, Visitor
from citepoll.surfaces.mcp.server import build
from citepoll.surfaces.web.application import LARGEST, Lifespan
from citepoll.surfaces.web.desk import Desk


def mount(desk: Desk) -> tuple[ASGIRouteHandler, Lifespan]:
    """The route of a desk's server, and the lifespan within which it answers.

    There are two servers behind it: readers who may not write get one that has no tool for it.
    """
    servers = {writes: build(lambda request: _visitor(desk, request), writes=writes) for writes in (False, True)}

    # Not as a mount: that takes /mcp off the path before the middleware looks at it, and then a cookie would do.
    @asgi("/mcp", copy_scope=True, needs="read")
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("method") != "POST":  # there are no sessions, so nothing to listen to and nothing to end
            raise MethodNotAllowedException(headers={"Allow": "POST"})
        writes: bool = scope["user"].may("write")
        await servers[writes].session_manager.handle_request(scope, receive, send)  # type: ignore[arg-type]

    @asynccontextmanager
    async def running(_: Litestar) -> AsyncIterator[None]:
        for server in servers.values():
            server.streamable_http_app(
                stateless_http=True, json_response=True, max_request_body_size=LARGEST, transport_security=_names(desk)
            )
        async with servers[False].session_manager.run(), servers[True].session_manager.run():
            yield

    return answer, running


def _visitor(desk: Desk, request: Any) -> Caller:
    """The request's own reader, as the app's middleware found them."""
    return Visitor(desk, request.scope["user"], request.client.host if request.client else "nowhere")


def _names(desk: Desk) -> TransportSecuritySettings:
    hosts = [f"[{host}]" if ":" in host else host for host in sorted(desk.settings.hosts)]
    origins = [f"http://{host}{port}" for host in hosts for port in ("", ":*")]
    public = [desk.settings.public_url] if desk.settings.public_url else []
    return TransportSecuritySettings(
        allowed_hosts=[name for host in hosts for name in (host, f"{host}:*")], allowed_origins=[*origins, *public]
    )
