"""How many calls an engine gets at once, and how soon after each other: slow start, then additive increase and
multiplicative decrease, as TCP does (RFC 5681), with calls in place of segments."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from citepoll.sampling.transport import Clock

Ended = Literal["fine", "busy", "other"]
"""How a call went: well; turned away or lost, so that fewer at once are called for; neither."""

GLANCE = 1.0
"""Seconds after which a wait looks whether the poll was stopped."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`at_once` calls in flight at most, `start` at the beginning; `per_minute` spaces their beginnings, None: no spacing."""

    at_once: int = 8
    start: int = 2
    per_minute: float | None = None


class Limiter:
    """The calls in flight to one engine. `enter` before each, `leave` after it."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._limits, self._clock = limits, clock
        self._window = float(min(limits.start, limits.at_once))
        self._threshold = float(limits.at_once)
        self._flying = 0
        self._due: datetime | None = None
        self._cut: datetime | None = None
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def window(self) -> int:
        """Calls that may be in flight now."""
        return int(self._window)

    @property
    def room(self) -> int:
        """Places that are free now."""
        return max(self.window - self._flying, 0)

    async def enter(self, halted: Callable[[], bool]) -> bool:
        """Wait for room and for the engine's due time, and take a place; False, and no place, once `halted`."""
        while not halted():
            if (seconds := self._seconds()) > 0:
                await self._clock.sleep(min(seconds, GLANCE))
            elif self._flying >= self.window:
                await self._room()
            else:
                self._flying += 1
                self._space()
                return True
        self._wake()
        return False

    def leave(self, ended: Ended, began: datetime) -> None:
        """Give the place back. `began` is when the call did: many that were turned away together are one sign."""
        self._flying -= 1
        if ended == "fine":
            grown = self._window + (1.0 if self._window < self._threshold else 1.0 / self._window)
            self._window = min(grown, float(self._limits.at_once))
        elif ended == "busy" and (self._cut is None or began >= self._cut):
            self._threshold = self._window = max(self._window / 2.0, 1.0)
            self._cut = self._clock.now()
        self._wake()

    def hold(self, seconds: float) -> None:
        """Begin no call for so many seconds: what a vendor asks for."""
        due = self._clock.now() + timedelta(seconds=seconds)
        self._due = due if self._due is None else max(self._due, due)

    def _seconds(self) -> float:
        return 0.0 if self._due is None else (self._due - self._clock.now()).total_seconds()

    def _space(self) -> None:
        if self._limits.per_minute:
            self.hold(60.0 / self._limits.per_minute)

    async def _room(self) -> None:
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        await place

    def _wake(self) -> None:
        free = max(self.window - self._flying, 1)
        while self._waiting and free > 0:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                free -= 1
