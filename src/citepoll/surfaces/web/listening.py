"""Listening: the socket that a server is given, so that a port in use is told in words before anything starts."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import uvicorn
from litestar.concurrency import set_asyncio_executor

from citepoll.errors import InputError
from citepoll.surfaces.web.desk import Settings

if TYPE_CHECKING:
    from litestar import Litestar


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
        access_log=False,
        log_level=logging.WARNING,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=10,
    )
    return _Server(config, started)


class _Server(uvicorn.Server):
    """A server that says when it answers."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._tell = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._tell()
