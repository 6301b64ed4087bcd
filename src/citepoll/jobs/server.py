"""The jobs of one server: they begin and end with it, and look every few seconds what is due."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from citepoll.errors import CitepollError, LedgerError
from citepoll.jobs.chores import AfterCycle, Chore, Place, Places
from citepoll.jobs.durable import Durable, Ended
from citepoll.jobs.polls import WHO, Polls
from citepoll.project import zone
from citepoll.service.accounts import HERE, note
from citepoll.service.polling import new_name
from citepoll.service.scheduling import due
from citepoll.store.accounts import AccountFile

EVERY: Final = 10.0
"""Seconds between two looks at the schedules."""
PATIENCE: Final = 40.0
"""Seconds that the calls in flight get when the server ends: with the rest, less than the 90 that systemd waits."""
MORE: Final = 10.0
log = logging.getLogger("citepoll.jobs")


class Jobs:
    """Polls, schedules and chores of the projects in `places`; `polls` is the worker for the pages. `home` holds the file."""

    def __init__(self, places: Places, accounts: AccountFile, home: Path, clock: Callable[[], datetime], *,
                 after: Sequence[AfterCycle] = (), chores: Sequence[Chore] = ()) -> None:  # fmt: skip
        self.polls = Polls(places, accounts, clock, after)
        self._places, self._accounts, self._home, self._clock = places, accounts, home, clock
        self._chores = {chore.name: chore for chore in chores}
        self._turns: dict[tuple[str, str], int] = {}
        self._over, self._looked = threading.Event(), False
        self._ticks = threading.Thread(target=self._look, name="citepoll-schedules", daemon=True)

    @asynccontextmanager
    async def running(self, _: object = None) -> AsyncIterator[None]:
        """Within it, background work is carried out. Where it cannot be, the server runs without, and the pages say why."""
        await asyncio.to_thread(self.start)
        try:
            yield
        finally:
            await asyncio.to_thread(self.end)

    def start(self) -> None:
        durable = Durable(self._home, {"poll": self.polls.poll, "close": self.polls.close, "chore": self.chore})
        try:
            self.polls.durable = durable  # before the start, which takes up what an earlier server left
            durable.start()
        except CitepollError as wrong:
            self.polls.down = wrong
            log.warning("No background work: %s %s", wrong.cause, wrong.fix)
            return
        self.polls.down = None
        self._ticks.start()

    def end(self) -> None:
        """End everything within `PATIENCE` + `MORE` seconds and a little; twice does no harm."""
        durable, self.polls.durable = self.polls.durable, None
        if durable is None or self.polls.down is not None:
            return
        self.polls.down = LedgerError("The server is ending.", "Start it again.")
        self._over.set()
        self.polls.end(PATIENCE, MORE)
        durable.end(MORE)

    # ------------------------------------------------------------ what is due

    def _look(self) -> None:
        while not self._over.wait(EVERY if self._looked else 0.0):
            try:
                self.look()
            except Exception as wrong:  # a folder that cannot be listed just now
                log.error("looking what is due failed", exc_info=wrong)
            self._looked = True

    def look(self) -> None:
        """Start the cycles and chores that are due now. A project that cannot be read keeps no other from its turn."""
        for place in self._places.all():
            try:
                self._cycle(place)
                for chore in self._chores.values():
                    self._chore(place, chore)
            except CitepollError as wrong:
                log.info("%s: %s", place.id, wrong.cause)  # its pages say it too
            except Exception as wrong:
                log.error("looking what is due in %s failed", place.id, exc_info=wrong)

    def _cycle(self, place: Place) -> None:
        now = self._clock()
        found = due(place.project, place.ledger, now)
        if found is not None and found.waits_for is None:
            schedule = place.project.schedule
            here = schedule.zone if schedule else zone(place.project.time_zone)
            self.polls.start_due(place, found.at, new_name(place.ledger, now.astimezone(here)))

    def _chore(self, place: Place, chore: Chore) -> None:
        now, durable, key = self._clock(), self.polls.durable, (chore.name, place.id)
        turn = int(now.timestamp() // chore.every.total_seconds())
        if durable is None or self._turns.get(key) == turn or not chore.wants(place.project, place.ledger, now):
            return
        durable.put("chore", place.id, f"{chore.name}-{place.id}-{turn}", chore.name)
        self._turns[key] = turn

    def chore(self, project: str, name: str) -> str:
        """Work `chore`: carry one out for a project, and enter what it did, or why it failed, into the audit log."""
        place, chore = self._places.find(project), self._chores.get(name)
        if place is None or chore is None:
            return ""
        if self._over.is_set():
            raise Ended
        try:
            said = chore.do(place.project, place.ledger, self._clock())
        except Exception as wrong:
            said = f"failed: {self.polls.cause(wrong)}"
        if said:
            note(self._accounts, WHO, name, f"{project}: {said}", HERE, self._clock())
        return said
