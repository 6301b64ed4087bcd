"""The polls of a server: the port that pages and programs start them through, and how one is carried out."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from secrets import token_hex
from typing import Final, Literal

import msgspec

from citepoll.errors import CitepollError, EngineError, InputError, LedgerError
from citepoll.jobs.chores import AfterCycle, Place, Places
from citepoll.jobs.durable import Durable, Ended
from citepoll.service import polling
from citepoll.service.accounts import HERE, note
from citepoll.service.background import (
    FAILED,
    PAUSED,
    STARTED,
    Order,
    Standing,
    carry_out,
    is_paused,
    named,
    open_cycle,
    remember,
    resting,
)
from citepoll.service.scheduling import next_time
from citepoll.store.accounts import AccountFile

WAITS: Final = (60.0, 600.0)
"""Seconds before a poll that failed is tried again; after the last one it is given up, and somebody has to look."""

WHO: Final = "background work"
log = logging.getLogger("citepoll.jobs")


@dataclass(slots=True)
class _Work:
    """A poll that is waiting for its turn or under way. `wish` is what to do once the calls in flight are through."""

    cycle: str
    since: datetime
    begun: bool = False
    wish: Literal["go on", "pause", "close", "end"] = "go on"
    stop: threading.Event = field(default_factory=threading.Event)
    abandon: threading.Event = field(default_factory=threading.Event)

    def ask(self, wish: Literal["pause", "close", "end"]) -> None:
        self.wish = wish
        self.stop.set()


class Polls:
    """Polls one cycle at a time per project; the worker of `surfaces/web/worker.py`. `down` says why none is carried out."""

    def __init__(self, places: Places, accounts: AccountFile, clock: Callable[[], datetime],
                 after: Sequence[AfterCycle] = ()) -> None:  # fmt: skip
        self.down: CitepollError | None = LedgerError("The server is starting.", "Try again in a moment.")
        self.ending = False
        self.durable: Durable | None = None
        self._places, self._accounts, self._clock, self._after = places, accounts, clock, after
        self._works: dict[str, _Work] = {}
        self._lock = threading.Lock()

    # ------------------------------------------------------------ the port

    def start(self, project: str, order: Order) -> Standing:
        """Start a cycle, or go on with one. Raises what keeps it from being carried out: a missing key, no locked set."""
        place = self._place(project)
        with self._lock:
            self._check_free(project)
            given = named(place.project, place.ledger, order, self._clock())
            self._put(place, given, f"poll-{project}-{token_hex(8)}")
        return self.standing(project)

    def start_due(self, place: Place, time: datetime, name: str) -> None:
        """Start the scheduled cycle of that time, once; what keeps it from being carried out is told by its failure."""
        with self._lock:
            if self.down is not None or place.id in self._works:
                return
            key = f"scheduled-{place.id}-{time.astimezone(UTC):%Y%m%dT%H%MZ}"
            if not self._given().knows(key):
                schedule = place.project.schedule
                self._put(place, Order(cycle=name, over=schedule.over if schedule else None), key)
                self._note(place.id, "poll started", f"{name}, by its schedule")

    def pause(self, project: str) -> Standing:
        """Let the calls in flight finish, and leave the cycle open until somebody resumes or stops it."""
        place = self._place(project)
        with self._lock:
            work = self._works.get(project)
            if work is None or work.wish != "go on":
                raise InputError("Nothing is being polled here.", "Start a cycle first.")
            self._ask(place, work, "pause")
        return self.standing(project)

    def resume(self, project: str) -> Standing:
        """Go on with the cycle that is open."""
        cycle = open_cycle(self._place(project).ledger)
        if cycle is None:
            raise InputError("There is no cycle to go on with.", "Start one.")
        return self.start(project, Order(cycle=cycle.name))

    def stop(self, project: str) -> Standing:
        """Close the cycle as it is, after the calls in flight."""
        place = self._place(project)
        with self._lock:
            work = self._works.get(project)
            if work is None:
                cycle = open_cycle(place.ledger)
                if cycle is None:
                    raise InputError("There is no cycle to stop.", "Cycles that are closed stay as they are.")
                self._works[project] = _Work(cycle.name, self._clock(), wish="close")
                self._given().put("close", project, f"close-{project}-{token_hex(8)}", cycle.name)
            else:
                self._ask(place, work, "close")
        return self.standing(project)

    def standing(self, project: str) -> Standing:
        """What the project's work does now. Progress stands in the ledger."""
        place = self._places.find(project)
        if place is None:
            return Standing("idle")
        work = self._works.get(project)
        if work is not None:
            state: Literal["running", "stopping"] = "running" if work.wish == "go on" else "stopping"
            found = Standing(state, work.cycle, since=work.since)
        else:
            found = resting(place.ledger)
            if self.down is not None and found.state == "idle":
                found = replace(found, reason=self.down.cause)
        return replace(found, next_at=next_time(place.project, self._clock()))

    # ------------------------------------------------------------ carried out, in a thread of DBOS

    def poll(self, project: str, order: str) -> str:
        """Work `poll`: carry an order out, and try again a few times where it fails. Returns how it ended."""
        given = msgspec.json.decode(order, type=Order)
        place = self._places.find(project)
        if place is None:
            return "the project is gone"
        work = self._taken(project, given)
        try:
            return self._tried(place, given, work)
        finally:
            with self._lock:
                self._works.pop(project, None)

    def close(self, project: str, cycle: str) -> str:
        """Work `close`: close a cycle that nobody polls."""
        place = self._places.find(project)
        try:
            if place is not None:
                self._close(place, cycle)
        except Exception as wrong:  # as in a poll: told, and the server goes on
            self._fail(place, cycle, wrong, len(WAITS) + 1)
        finally:
            with self._lock:
                self._works.pop(project, None)
        return "closed"

    def end(self, seconds: float, more: float) -> None:
        """End what is under way: after the calls in flight, or after `seconds` without them, and `more` for the rest.

        It is not done, and the next server goes on with it.
        """
        self.ending = True
        with self._lock:
            works = list(self._works.values())
            for work in works:
                if work.wish == "go on":
                    work.ask("end")
        self._wait(seconds)
        for work in works:
            work.abandon.set()
        self._wait(more)

    def _wait(self, seconds: float) -> None:
        ended = threading.Event()
        for _ in range(int(seconds * 10)):
            if not any(work.begun for work in list(self._works.values())):
                return
            ended.wait(0.1)

    def _tried(self, place: Place, order: Order, work: _Work) -> str:
        for number, wait in enumerate((*WAITS, None), 1):
            if is_paused(place.ledger, order.cycle):
                break
            try:
                return self._polled(place, order, work)
            except Exception as wrong:  # whatever it is, it is told, and the server goes on
                if work.wish == "end":
                    raise Ended from None
                self._fail(place, order.cycle, wrong, number)
            if wait is None or work.stop.wait(wait):
                break
        return self._wished(place, order.cycle or "", work)

    def _polled(self, place: Place, order: Order, work: _Work) -> str:
        polled = carry_out(place.project, place.ledger, order, self._clock(), work.stop, work.abandon)
        if polled is None or polled.status == "closed" or (polled.status == "stopped" and work.wish != "close"):
            self._tell(place, order.cycle)
            return "complete"
        if polled.stopped and work.wish == "go on":
            raise EngineError("; ".join(f"{name}: {reason}" for name, reason in polled.stopped.items()))
        return self._wished(place, polled.cycle, work)

    def _wished(self, place: Place, cycle: str, work: _Work) -> str:
        """What to do with a cycle that is left open."""
        if work.wish == "end":
            raise Ended
        if work.wish == "close":
            self._close(place, cycle)
            return "closed"
        return "left open"

    def _close(self, place: Place, cycle: str) -> None:
        if any(known.name == cycle for known in place.ledger.cycles()):  # a poll may be stopped before it begins
            polling.close(place.project, place.ledger, cycle, self._clock())
            self._tell(place, cycle)

    def _tell(self, place: Place, name: str | None) -> None:
        """What follows a cycle's end: alerts. None of it may undo the cycle."""
        for step in self._after:
            try:
                cycle = place.ledger.cycle(name or "")
                step(place.project, place.ledger, cycle, self._clock())
            except Exception as wrong:  # a message that cannot be sent is no reason to poll again
                self._note(place.id, "after a cycle", self.cause(wrong))

    # ------------------------------------------------------------ within

    def _ask(self, place: Place, work: _Work, wish: Literal["pause", "close"]) -> None:
        remember(place.ledger, PAUSED, work.cycle, self._clock())  # first: after a kill the cycle is not gone on with
        work.ask(wish)

    def _put(self, place: Place, order: Order, key: str) -> None:
        durable = self._given()
        at = self._clock()
        remember(place.ledger, STARTED, order.cycle, at)
        self._works[place.id] = _Work(order.cycle or "", at)
        try:
            durable.put("poll", place.id, key, msgspec.json.encode(order).decode())
        except BaseException:
            del self._works[place.id]
            raise

    def _taken(self, project: str, order: Order) -> _Work:
        """The work that was put in here, or a new one for what an earlier server left."""
        with self._lock:
            work = self._works.setdefault(project, _Work(order.cycle or "", self._clock()))
            if self.ending:
                work.ask("end")
            work.begun = True
            return work

    def _check_free(self, project: str) -> None:
        if work := self._works.get(project):
            raise InputError(f"{work.cycle} is being polled.", "Wait for it, pause it, or stop it.")

    def _given(self) -> Durable:
        if self.down is not None or self.durable is None:
            raise self.down or LedgerError("The server is ending.")
        return self.durable

    def _place(self, project: str) -> Place:
        place = self._places.find(project)
        if place is None:
            raise InputError(f"There is no project {project!r}.", "Check its name.")
        return place

    def _fail(self, place: Place | None, cycle: str | None, wrong: Exception, number: int) -> None:
        if place is None:
            return
        cause, last = self.cause(wrong), number > len(WAITS)
        try:
            self._note(place.id, "poll failed", f"{cycle}, attempt {number}: {cause}")
            remember(place.ledger, FAILED, cycle, self._clock(), reason=cause, attempt=number, given_up=last)
        except CitepollError as worse:  # a full disk, most often: then the log is all there is
            log.error("%s: the poll of %s failed: %s And it cannot be noted: %s", place.id, cycle, cause, worse.cause)

    def cause(self, wrong: Exception) -> str:
        """A sentence for people. What is not an error of ours may hold anything, and goes to the server's log only."""
        if isinstance(wrong, CitepollError):
            return wrong.cause
        log.error("background work failed", exc_info=wrong)
        return f"{type(wrong).__name__}; the server's log says where."

    def _note(self, project: str, what: str, about: str) -> None:
        note(self._accounts, WHO, what, f"{project}: {about}", HERE, self._clock())
