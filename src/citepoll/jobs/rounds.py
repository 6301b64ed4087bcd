"""Rounds: what a server looks after in each project every few minutes, such as alerts that wait. Nothing of it must last."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

from citepoll.errors import CitepollError
from citepoll.jobs.chores import Place, Places
from citepoll.jobs.polls import WHO
from citepoll.project import Project
from citepoll.service.accounts import HERE, note
from citepoll.store.accounts import AccountFile
from citepoll.store.ledger import Ledger

EVERY: Final = 120.0
"""Seconds between two rounds."""
PATIENCE: Final = 5.0
"""Seconds that a round gets to end when the server does; what it did not send is sent by the next server."""
log = logging.getLogger("citepoll.jobs")

Step = Callable[[Project, Ledger, datetime], str]
"""Returns what it did in a sentence for the audit log, "" for nothing."""


class Rounds:
    """Carries `step` out for each project in turn, in a thread of its own. `name` stands in the audit log."""

    def __init__(self, name: str, step: Step, places: Places, accounts: AccountFile, clock: Callable[[], datetime], *,
                 every: float = EVERY) -> None:  # fmt: skip
        self._name, self._step, self._every = name, step, every
        self._places, self._accounts, self._clock = places, accounts, clock
        self._over = threading.Event()

    @asynccontextmanager
    async def running(self, _: object = None) -> AsyncIterator[None]:
        """Within it, rounds are made."""
        self._over.clear()
        going = threading.Thread(target=self._go_round, name=f"citepoll-{self._name}", daemon=True)
        going.start()
        try:
            yield
        finally:
            self._over.set()
            await asyncio.to_thread(going.join, PATIENCE)

    def _go_round(self) -> None:
        while not self._over.wait(self._every):
            for place in self._places.all():
                if not self._over.is_set():
                    self.visit(place)

    def visit(self, place: Place) -> None:
        """Carry the step out for one project. What goes wrong in it keeps no other from its turn."""
        now = self._clock()
        try:
            if said := self._step(place.project, place.ledger, now):
                note(self._accounts, WHO, self._name, f"{place.id}: {said}", HERE, now)
        except CitepollError as wrong:
            log.info("%s: %s", place.id, wrong.cause)  # its pages say it too
        except Exception as wrong:
            log.error("%s in %s failed", self._name, place.id, exc_info=wrong)
