"""Warming: what the first reader of a page would wait for, made when a server starts and when a cycle ends."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import date
from typing import Final

from citepoll.errors import CitepollError
from citepoll.surfaces.web.desk import Desk
from citepoll.surfaces.web.rooms import Room

EVERY: Final = 2.0
"""Seconds between two looks at the rooms; a look takes about a millisecond each."""
PATIENCE: Final = 5.0
"""Seconds that the value being made gets when the server ends."""
log = logging.getLogger("citepoll.web")

Ahead = Callable[[Room, Desk], Iterable[Callable[[], object]]]
"""The makers of a room's pages; each remembers what it made."""


class Warming:
    """Makes the pages of each room in turn, in one thread, whenever the room shows other cycles than before."""

    def __init__(self, desk: Desk, ahead: Ahead, *, every: float = EVERY) -> None:
        self._desk, self._ahead, self._every = desk, ahead, every
        self._warm: dict[str, tuple[str, date]] = {}
        self._over = threading.Event()

    @asynccontextmanager
    async def running(self, _: object = None) -> AsyncIterator[None]:
        """Within it, rooms are looked at."""
        self._over.clear()
        looking = threading.Thread(target=self._look, name="citepoll-warming", daemon=True)
        looking.start()
        try:
            yield
        finally:
            self._over.set()
            await asyncio.to_thread(looking.join, PATIENCE)

    def _look(self) -> None:
        while not self._over.wait(self._every):
            for room in self._desk.rooms.all():
                self.visit(room)

    def visit(self, room: Room) -> None:
        """Make the pages of one room, if it changed. What goes wrong is told to whoever opens the page."""
        try:
            state = (room.state(), self._desk.clock().date())  # an overview is written on a day
            if self._warm.get(room.id) == state:
                return
            self._warm[room.id] = state
            for make in self._ahead(room, self._desk):
                if self._over.is_set():
                    return
                make()
        except CitepollError as wrong:
            log.info("%s: %s", room.id, wrong.cause)
        except Exception as wrong:
            log.error("making the pages of %s failed", room.id, exc_info=wrong)
