"""Pages that a user named, read as their host's robots.txt allows, with a pause for each host."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from protego import Protego

from citepoll.errors import FetchError
from citepoll.fetch.guard import Guard
from citepoll.fetch.pages import Read, read_page
from citepoll.fetch.targets import Target

AGENT: Final = "citepoll"
LARGEST: Final = 2 * 2**20
"""Bytes of a robots.txt; RFC 9309 asks for 500 KiB at least."""
PAUSE: Final = 1.0
"""Seconds between two requests to one host."""


class Visitor:
    """Reads pages one after the other for one use case; a host's robots.txt is read once. Not for an event loop."""

    def __init__(
        self, guard: Guard, *, pause: float = PAUSE, clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        self._guard = guard
        self._pause = pause
        self._clock = clock
        self._sleep = sleep
        self._due: dict[str, float] = {}
        self._robots: dict[str, str | FetchError] = {}

    def read(self, url: str) -> Read:
        """The page at `url`, after redirects. Raises `FetchError` as `read_page` does, and where robots.txt forbids it.

        A page on the far side of a redirect has to be allowed there too, or it is not handed on.
        """
        asked = self._guard.check(url)
        self._check(asked)
        self._turn(asked)
        found = read_page(self._guard, url)
        if (arrived := self._guard.check(found.url)) != asked:
            self._check(arrived)
        return found

    def _check(self, target: Target) -> None:
        if target.place not in self._robots:
            self._turn(target)
            self._robots[target.place] = self._rules(target.place)
        rules = self._robots[target.place]
        if isinstance(rules, FetchError):
            raise rules
        if not permits(rules, target.path):
            raise FetchError(
                f"{target.place} asks programs not to read this page (robots.txt).",
                "Save the page as a file and add that, if you may.",
                refused=True,
            )

    def _rules(self, place: str) -> str | FetchError:
        """The host's robots.txt; "" where it has none. What fails forbids everything (RFC 9309, section 2.3.1)."""
        asking = self._guard.get(f"{place}/robots.txt", accept_bytes=LARGEST, redirects=5)
        try:
            page = asyncio.run(asking)
        except FetchError as wrong:
            return _unreadable(place, wrong.cause)
        if page.status >= 500 or page.status == 429:
            return _unreadable(place, f"HTTP {page.status}")
        return page.body.decode("utf-8-sig", "replace") if page.status == 200 else ""

    def _turn(self, target: Target) -> None:
        wait = self._due.get(target.host, 0.0) - self._clock()
        if wait > 0:
            self._sleep(wait)
        self._due[target.host] = self._clock() + self._pause


def _unreadable(place: str, why: str) -> FetchError:
    return FetchError(f"robots.txt of {place} cannot be read: {why.rstrip('.')}.", "Try again later.")


def permits(robots: str, path: str, agent: str = AGENT) -> bool:
    """Whether a robots.txt lets `agent` read a path (with its query), by RFC 9309; without a rule all is allowed."""
    return Protego.parse(robots).can_fetch(path, agent)
