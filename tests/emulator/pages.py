"""The way to the emulator for the guard: redirects that an emulated engine cites lead to its pages, over the loopback."""

from __future__ import annotations

from collections.abc import Sequence

import httpx2

from citepoll.fetch.guard import Guard

SOMEWHERE = "93.184.216.34"
"""A public address, so that the guard opens what the emulator stands for."""


class _ToEmulator(httpx2.AsyncBaseTransport):
    def __init__(self, base_url: str) -> None:
        self._base = base_url
        self._plain = httpx2.AsyncHTTPTransport(trust_env=False)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        host, path = request.headers["host"], request.url.raw_path.decode()
        there = httpx2.Request(request.method, f"{self._base}/{host}{path}", extensions=dict(request.extensions))
        return await self._plain.handle_async_request(there)

    async def aclose(self) -> None:
        await self._plain.aclose()


def guard_to(base_url: str) -> Guard:
    """A guard for which every name is public and every connection goes to the emulator at `base_url`."""

    async def lookup(host: str, port: int) -> Sequence[str]:
        return [SOMEWHERE]

    return Guard(lookup=lookup, transport=lambda: _ToEmulator(base_url))
