"""The worker of `citepoll mcp`: polls in threads of this process, and gives them up to the next start when it ends."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime

from citepoll.errors import CitepollError, InputError, LedgerError
from citepoll.service import background, polling
from citepoll.service.background import FAILED, PAUSED, STARTED, Order, Standing
from citepoll.surfaces.web.rooms import Room, Rooms

log = logging.getLogger("citepoll.mcp")

PATIENCE = 30.0
"""Seconds that the calls in flight get when the process ends."""


@dataclass(slots=True)
class _Poll:
    """A poll under way. `close` is what to do with its cycle once the calls in flight are through."""

    cycle: str
    since: datetime
    thread: threading.Thread | None = None
    close: bool = False
    stop: threading.Event = field(default_factory=threading.Event)
    abandon: threading.Event = field(default_factory=threading.Event)


class Polls:
    """Polls one cycle at a time per project; a `Worker`. What is not asked when the process ends waits in the ledger."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._polls: dict[str, _Poll] = {}
        self._lock = threading.Lock()

    def start(self, project: str, order: Order) -> Standing:
        room = self._room(project)
        with self._lock:
            if project in self._polls:
                raise LedgerError(f"{self._polls[project].cycle} is being polled.", "Wait for it, or stop it.")
            now = _now()
            given = background.named(room.project, room.ledger, order, now)
            poll = self._polls[project] = _Poll(str(given.cycle), now)
            poll.thread = threading.Thread(target=self._carry_out, args=(room, given, poll), daemon=True)
            background.remember(room.ledger, STARTED, given.cycle, now)
            poll.thread.start()
        return self.standing(project)

    def pause(self, project: str) -> Standing:
        poll, room = self._under_way(project), self._room(project)
        poll.stop.set()
        background.remember(room.ledger, PAUSED, poll.cycle, _now())
        return self.standing(project)

    def resume(self, project: str) -> Standing:
        return self.start(project, Order())

    def stop(self, project: str) -> Standing:
        """Close the cycle as it is, after the calls in flight."""
        poll = self._under_way(project)
        poll.close = True
        poll.stop.set()
        return self.standing(project)

    def standing(self, project: str) -> Standing:
        room, poll = self._room(project), self._polls.get(project)
        if poll is None:
            return background.resting(room.ledger)
        return Standing("stopping" if poll.stop.is_set() else "running", poll.cycle, since=poll.since)

    def end(self) -> None:
        """Let the calls in flight finish, within `PATIENCE`; the cycles stay open, and the next start goes on with them."""
        under_way = list(self._polls.values())
        for poll in under_way:
            poll.stop.set()
        for poll in under_way:
            if poll.thread is not None:
                poll.thread.join(PATIENCE)
            poll.abandon.set()

    def _carry_out(self, room: Room, order: Order, poll: _Poll) -> None:
        try:
            background.carry_out(room.project, room.ledger, order, poll.since, poll.stop, poll.abandon)
            if poll.close:
                polling.close(room.project, room.ledger, poll.cycle, _now())
        except Exception as wrong:
            cause = wrong.cause if isinstance(wrong, CitepollError) else "citepoll failed; its own output says more."
            log.warning("polling %s failed", poll.cycle, exc_info=wrong)
            background.remember(room.ledger, FAILED, poll.cycle, _now(), reason=cause)
        finally:
            with self._lock:
                self._polls.pop(room.id, None)

    def _under_way(self, project: str) -> _Poll:
        poll = self._polls.get(project)
        if poll is None:
            raise InputError("Nothing is being polled here.", "Start a cycle first.")
        return poll

    def _room(self, project: str) -> Room:
        room = self._rooms.find(project)
        if room is None:
            raise InputError(f"There is no project {project!r} here.", "It may have been moved away.")
        return room


def _now() -> datetime:
    return datetime.now(UTC)
