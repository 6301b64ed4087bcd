"""Retention: the payloads of old cycles may go, and their numbers stay as they were derived."""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from filelock import FileLock, Timeout

from citepoll.errors import InputError, SliceError
from citepoll.project import FILE, Project
from citepoll.report.numbers import noun
from citepoll.service.deriving import derive
from citepoll.store.backup import shrink
from citepoll.store.erasing import Held, drop_bodies, dropped, held
from citepoll.store.ledger import Cycle, Ledger


@dataclass(frozen=True, slots=True)
class Retention:
    """What retention takes, before it or after it: payloads of cycles closed before `before`, of `months` months.

    `emptied`: the ledger's file gave the room back; False where others use it, and the room serves answers to come;
    None before.
    """

    months: int
    before: datetime
    cycles: tuple[Held, ...]
    emptied: bool | None = None


def outlived(project: Project, ledger: Ledger, at: datetime, months: int | None = None) -> Retention:
    """The closed cycles whose payloads are older than `months` (None: the project's rule) and still there.

    Raises `InputError` without a rule: payloads are kept for ever unless somebody says otherwise.
    """
    months = months or project.raw_months
    if months is None:
        raise InputError(
            "This project keeps its payloads for ever.", f"Set [retention] raw_months in {FILE}, or give --older-than."
        )
    before, gone = months_before(at, months), dropped(ledger)
    old = [
        c for c in ledger.cycles()
        if c.status == "closed" and c.name not in gone and datetime.fromisoformat(c.closed_at or c.created_at) < before
    ]  # fmt: skip
    return Retention(months, before, tuple(held(ledger, cycle) for cycle in old))


def retain(project: Project, ledger: Ledger, at: datetime, months: int | None = None) -> Retention:
    """Drop the payloads of those cycles. Their tables are derived first, for the brands of now, and then stay as they are.

    It cannot be undone. Polls may go on meanwhile.
    """
    found = outlived(project, ledger, at, months)
    for one in found.cycles:
        cycle = ledger.cycle(one.cycle)
        derive(project, ledger, cycle, at)
        drop_bodies(ledger, cycle, at, months=found.months, brands=project.brands_hash)
    return Retention(found.months, found.before, found.cycles, bool(found.cycles) and _shrunk(project, ledger))


def _shrunk(project: Project, ledger: Ledger) -> bool:
    """Whether the file could be rewritten: a poll must not wait for that."""
    try:
        with FileLock(project.data / "poll.lock", timeout=0):
            return shrink(ledger.path)
    except Timeout:
        return False


def wants(project: Project, ledger: Ledger, at: datetime) -> bool:
    """Whether the project's rule takes something now."""
    return project.raw_months is not None and bool(outlived(project, ledger, at).cycles)


def retain_daily(project: Project, ledger: Ledger, at: datetime) -> str:
    """`retain` as a server does it by itself; a sentence on what went."""
    cycles = retain(project, ledger, at).cycles
    names = ", ".join(one.cycle for one in cycles)
    return f"{noun(sum(one.attempts for one in cycles), 'payload')} dropped, of {names}" if cycles else ""


def losses(project: Project, ledger: Ledger, cycles: Sequence[Cycle]) -> Iterator[str]:
    """A warning for each cycle that stands without its payloads, and for what it therefore cannot know."""
    gone = dropped(ledger)
    for cycle in cycles:
        if event := gone.get(cycle.name):
            said = f"{cycle.name}: its payloads were dropped on {str(event['at'])[:10]}, so its numbers stay as derived then"
            if event.get("brands") != project.brands_hash:
                said += ", with the brands of then: one that was added or changed since is not counted in it"
            yield said


def check_kept(ledger: Ledger, cycle: Cycle) -> None:
    """Raises `SliceError` where the payloads of a cycle are gone, for what cannot be had without them."""
    if event := dropped(ledger).get(cycle.name):
        raise SliceError(
            f"The payloads of {cycle.name} were dropped on {str(event['at'])[:10]}, by retention.",
            "Its counts are there; for its answers, restore a backup from before that day.",
        )


def months_before(at: datetime, months: int) -> datetime:
    """The same day and time of day so many months earlier; the last of the month where there is no such day."""
    year, month = divmod(at.year * 12 + at.month - 1 - months, 12)
    return at.replace(year=year, month=month + 1, day=min(at.day, calendar.monthrange(year, month + 1)[1]))
