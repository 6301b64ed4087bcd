"""Listening: the socket that a server is given, so that a port in use is told in words before anything starts."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import h11
import uvicorn
from litestar.concurrency import set_asyncio_executor
from uvicorn.protocols.http.h11_impl import H11Protocol

from citepoll.errors import InputError
from citepoll.surfaces.web.desk import Settings

if TYPE_CHECKING:
    from litestar import Litestar


TO_ASK, TO_SEND = 15.0, 180.0
"""Seconds for the head of a request, and for its body; who takes longer is cut off."""
MOST = 512
"""Connections at once. Further ones are closed, so that they cannot take the files that the ledgers need."""
THREADS = 32
"""For what touches SQLite or Polars, so that readers who wait for a number do not keep others from a login."""


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 takes a free one. Raises `InputError` where that cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        made = socket.create_server((host, port), family=family, backlog=2048)
        # asyncio turns Nagle's algorithm off only for sockets it makes itself; with it, each page waits 40 ms for an ACK.
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made
    except OSError as wrong:
        raise InputError(
            f"{host}:{port} cannot be listened at: {wrong.strerror or wrong}.", "Choose another with --port, or --host."
        ) from None


def server(app: Litestar, settings: Settings, started: Callable[[], None]) -> uvicorn.Server:
    """A server of the app; `run(sockets=[…])` serves until a signal ends it, and calls `started` once it answers.

    No request line is logged: addresses may hold a token. Forwarded headers count from the trusted proxies only.
    """
    set_asyncio_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="citepoll"))
    config = uvicorn.Config(
        app,
        http=_Connection,
        ws="none",
        access_log=False,
        log_level=logging.WARNING,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=10,
    )
    return _Server(config, started)


class _Connection(H11Protocol):
    """A connection whose requests have to be whole in time: uvicorn itself waits for ever, and its `limit_concurrency`
    keeps the connections that it turns away."""

    _state: object = None
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MOST:
            transport.abort()
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._deadline is not None:
            self._deadline.cancel()

    def _watch(self) -> None:
        """A new deadline where the request came to another state; none while it is answered."""
        state = self.conn.their_state
        if state is self._state:
            return
        self._state = state
        if self._deadline is not None:
            self._deadline.cancel()
        seconds = {h11.IDLE: TO_ASK, h11.SEND_BODY: TO_SEND}.get(state)
        self._deadline = None if seconds is None else self.loop.call_later(seconds, self.transport.abort)


class _Server(uvicorn.Server):
    """A server that says when it answers."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._tell = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._tell()
