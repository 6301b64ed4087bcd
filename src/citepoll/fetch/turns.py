"""Politeness: a pause between the beginnings of two requests to one host."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit


class Turns:
    """The turns of requests to hosts, within one event loop; `pause` in seconds."""

    def __init__(self, pause: float) -> None:
        self._pause = pause
        self._due: dict[str, float] = {}

    async def take(self, url: str) -> None:
        """Wait until a request to the host of `url` may begin. The others of that host wait for the pause from then on."""
        host, now = urlsplit(url).netloc, asyncio.get_running_loop().time()
        due = max(now, self._due.get(host, now))
        self._due[host] = due + self._pause
        await asyncio.sleep(due - now)
