"""Which cycle the schedule wants now, and which ones come. Decided from the ledger, so that no cycle begins twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from citepoll.project import Project
from citepoll.schedule import Schedule
from citepoll.service.background import open_cycle, remember
from citepoll.store.ledger import Cycle, Ledger

SET, OFF = "schedule set", "schedule off"
"""Events of a project: since when a schedule counts. One that is new owes no cycle for the times before it."""

PROMPT = timedelta(minutes=10)
"""How late a cycle may begin that is not to be caught up: a server looks every few seconds."""


@dataclass(frozen=True, slots=True)
class Due:
    """A cycle that should begin now, for the time `at`. `waits_for` is an open cycle that has to end first."""

    at: datetime
    waits_for: str | None = None


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A project's schedule: in words, the times to come, and the last time with the cycle that was begun since.

    `times` is () where there is no schedule or it is off; `counts_since` None where no server has seen it yet.
    """

    words: str | None
    enabled: bool
    times: tuple[datetime, ...] = ()
    over: str | None = None
    last: datetime | None = None
    begun: str | None = None
    counts_since: datetime | None = None


def heed(project: Project, ledger: Ledger, at: datetime) -> datetime | None:
    """Since when the project's schedule counts; None where it has none, or it is off.

    A schedule that was not there before, or reads differently, counts from now, and the history says so.
    """
    schedule, last = _on(project), _last(ledger)
    if schedule is None:
        if last is not None and last[0] != "":
            remember(ledger, OFF, None, at)
        return None
    if last is None or last[0] != schedule.words:
        remember(ledger, SET, None, at, schedule=schedule.words)
        return at
    return last[1]


def due(project: Project, ledger: Ledger, at: datetime) -> Due | None:
    """The cycle that the schedule wants begun now, at most one however many times have passed; None where none is due.

    A polled cycle that was begun at or after the time counts as its cycle, whoever began it.
    """
    since, schedule = heed(project, ledger, at), _on(project)
    if since is None or schedule is None:
        return None
    time = schedule.before(at)
    if time < since or (not schedule.catch_up and at - time > PROMPT) or _begun_since(ledger, time):
        return None
    busy = open_cycle(ledger)
    return Due(time, busy.name if busy else None)


def upcoming(project: Project, ledger: Ledger, at: datetime, number: int = 5) -> Upcoming:
    """The schedule as it stands; reads only."""
    schedule = project.schedule
    if schedule is None or not schedule.enabled:
        return Upcoming(schedule.words if schedule else None, False)
    last, noted = schedule.before(at), _last(ledger)
    begun = _begun_since(ledger, last)
    since = noted[1] if noted and noted[0] == schedule.words else None
    times = tuple(islice(schedule.times(at), number))
    return Upcoming(schedule.words, True, times, schedule.over, last, begun.name if begun else None, since)


def next_time(project: Project, at: datetime) -> datetime | None:
    """When the schedule begins a cycle; None where it does not."""
    schedule = _on(project)
    return schedule.after(at) if schedule else None


def _on(project: Project) -> Schedule | None:
    return project.schedule if project.schedule and project.schedule.enabled else None


def _last(ledger: Ledger) -> tuple[str, datetime] | None:
    """What the last event said, "" for off, and when."""
    events = [e for e in ledger.history() if e["what"] in (SET, OFF)]
    if not events:
        return None
    return str(events[-1].get("schedule", "")), datetime.fromisoformat(str(events[-1]["at"]))


def _begun_since(ledger: Ledger, time: datetime) -> Cycle | None:
    begun = (c for c in ledger.cycles() if c.kind == "polled" and datetime.fromisoformat(c.created_at) >= time)
    return next(begun, None)
