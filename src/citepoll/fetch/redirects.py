"""Redirects that hide the cited page: followed politely until they leave the hosts that hide it, no further."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from citepoll.errors import FetchError
from citepoll.fetch.guard import REDIRECTS, Guard, Page
from citepoll.fetch.targets import joined
from citepoll.fetch.turns import Turns

MOST_HOPS: Final = 5
AT_ONCE: Final = 4
PAUSE: Final = 0.1
"""Seconds between the beginnings of two requests to one host."""
SECONDS: Final = 10.0
"""For one request."""
MOST_TROUBLES: Final = 10
"""Failures in a row, of the kind that may pass, after which the others are left for another time."""
_GONE: Final = frozenset({404, 410})


@dataclass(frozen=True, slots=True)
class Led:
    """Where a redirect leads: `url`, or None with the reason. `again`: another try may bring it."""

    raw: str
    url: str | None
    reason: str | None = None
    again: bool = False


class Follower:
    """Follows redirects for one use case, a few at a time, with a pause for each host.

    The address that it looks for is the first one that begins with none of the prefixes `hides`: the one that the
    engine cited. That page is not asked for, only its form is checked by the guard. Engines that cite pages openly are
    not followed further either, so that their URLs compare.
    """

    def __init__(self, guard: Guard, hides: Sequence[str], *, pause: float = PAUSE) -> None:
        self._guard = guard
        self._hides = tuple(hides)
        self._turns = Turns(pause)
        self._room = asyncio.Semaphore(AT_ONCE)
        self._troubles = 0

    async def follow_all(
        self, raws: Iterable[str], tell: Callable[[Led], None], *, seconds: float,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:  # fmt: skip
        """`tell` where each one leads, as it is found. What is not told when the time is over, after `stop`, or after
        many failures in a row was not tried to its end."""

        async def one(raw: str) -> None:
            async with self._room:
                if stop() or self._troubles >= MOST_TROUBLES:
                    return
                led = await self.follow(raw)
            self._troubles = self._troubles + 1 if led.again else 0
            tell(led)

        try:
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
                for raw in raws:
                    group.create_task(one(raw))
        except TimeoutError:
            return

    async def follow(self, raw: str) -> Led:
        """Where one redirect leads. Never raises."""
        url = raw
        try:
            for _ in range(MOST_HOPS):
                page = await self._asked(url)
                location = page.headers.get("location")
                if page.status not in REDIRECTS or not location:
                    return Led(
                        raw, None, f"HTTP {page.status} and no redirect", page.status == 429 or page.status >= 500
                    )
                url = joined(url, location)
                if not url.startswith(self._hides):
                    return Led(raw, self._guard.check(url).url)
        except FetchError as wrong:
            return Led(raw, None, wrong.cause, not wrong.refused)
        return Led(raw, None, f"more than {MOST_HOPS} redirects")

    async def _asked(self, url: str) -> Page:
        """HEAD, and GET where HEAD is refused; no body is read."""
        await self._turns.take(url)
        page = await self._guard.head(url, seconds=SECONDS)
        refused = page.status == 501 or (400 <= page.status < 500 and page.status not in {429, *_GONE})
        if not refused:
            return page
        await self._turns.take(url)
        return await self._guard.get(url, seconds=SECONDS)
