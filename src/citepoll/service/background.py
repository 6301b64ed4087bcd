"""Polls that a server carries out: what is ordered, how it stands, and what the history says of it.

The ledger is the only memory of this: an order that was killed is carried out again, and asks what has no answer yet.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from citepoll.errors import InputError
from citepoll.project import Project
from citepoll.service import polling
from citepoll.service.corpus import check_documents
from citepoll.service.polling import Planned, Polled
from citepoll.store.ledger import Cycle, Ledger, note

STARTED, PAUSED, FAILED = "poll started", "poll paused", "poll failed"
"""Events of a cycle: a server began to poll it or went on with it, somebody paused it, it came to nothing."""


@dataclass(frozen=True, slots=True)
class Order:
    """A poll to start. `cycle` None: go on with what is open, else a new one named by the date; `over` as in `36h`.

    `stop_at` is a half-width, a fraction; `allocate` are runs an engine. `engines` (names; () is all) and `runs` a query
    (None: each engine's own) count for a new cycle only.
    """

    cycle: str | None = None
    over: str | None = None
    retry: bool = False
    stop_at: float | None = None
    allocate: int | None = None
    engines: tuple[str, ...] = ()
    runs: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What background work does for a project now. `reason` says why it does nothing, or what failed, in a sentence.

    `since` is when it came to this, None where nothing was ever started; `next_at` when the schedule begins a cycle.
    """

    state: Literal["idle", "running", "paused", "stopping", "failed"]
    cycle: str | None = None
    reason: str = ""
    since: datetime | None = None
    next_at: datetime | None = None


def preview(project: Project, ledger: Ledger, order: Order, at: datetime) -> Planned:
    """What the order would do, without doing it. Raises what `polling.plan` raises, `InputError` for an unknown engine."""
    return polling.plan(
        _narrowed(project, order), ledger, name=order.cycle, over=order.over, retry=order.retry, at=at,
        half_width=order.stop_at, allocate=order.allocate,
    )  # fmt: skip


def carry_out(project: Project, ledger: Ledger, order: Order, at: datetime, stop: threading.Event,
              abandon: threading.Event) -> Polled | None:  # fmt: skip
    """Poll as ordered; None where that was done before, so that nothing is left to ask. Raises as `poll` does."""
    begun = any(cycle.name == order.cycle for cycle in ledger.cycles())
    if begun and polling.resumable(ledger, order.cycle, retry=order.retry) is None:
        return None
    planned = preview(project, ledger, order, at)
    return polling.poll(project, ledger, planned, at=at, stop=stop, abandon=abandon, retry=order.retry)


def named(project: Project, ledger: Ledger, order: Order, at: datetime) -> Order:
    """The order with the name of its cycle, so that it means the same cycle when it is carried out again.

    Raises what would keep it from being carried out, a missing key included.
    """
    planned = preview(project, ledger, order, at)
    polling.check_keys(planned.engines)
    check_documents(project)
    return replace(order, cycle=planned.cycle)


def open_cycle(ledger: Ledger) -> Cycle | None:
    """The newest polled cycle that is open, None where all are done with."""
    return next((c for c in reversed(ledger.cycles()) if c.kind == "polled" and c.status == "open"), None)


def remember(ledger: Ledger, what: str, cycle: str | None, at: datetime, **detail: object) -> None:
    """Enter one of the events into the project's history."""
    with ledger.writing() as link:
        note(link, at, cycle, what, detail)


def last_event(ledger: Ledger) -> Mapping[str, object] | None:
    """The newest of the events, None before the first."""
    return next((e for e in reversed(ledger.history()) if e["what"] in (STARTED, PAUSED, FAILED)), None)


def is_paused(ledger: Ledger, cycle: str | None) -> bool:
    """Whether somebody paused that cycle, and nobody went on with it."""
    last = last_event(ledger)
    return last is not None and last["what"] == PAUSED and last["cycle"] == cycle


def resting(ledger: Ledger) -> Standing:
    """How a project stands that is not polled just now."""
    last, cycle = last_event(ledger), open_cycle(ledger)
    name = cycle.name if cycle else None
    if last is None:
        return Standing("idle", name)
    since = datetime.fromisoformat(str(last["at"]))
    closed = [c.closed_at for c in ledger.cycles() if c.kind == "polled" and c.closed_at]
    if last["what"] == FAILED and not any(datetime.fromisoformat(at) > since for at in closed):
        return Standing("failed", str(last["cycle"]), str(last["reason"]), since)
    if last["what"] == PAUSED and name == last["cycle"]:
        return Standing("paused", name, f"{name} was paused.", since)
    return Standing("idle", name, since=since)


def _narrowed(project: Project, order: Order) -> Project:
    known = [engine.name for engine in project.engines]
    if unknown := [name for name in order.engines if name not in known]:
        raise InputError(f"There is no engine {unknown[0]!r}.", f"Engines here: {', '.join(known)}.")
    if order.runs is not None and not 1 <= order.runs <= 1000:
        raise InputError(f"{order.runs} runs a query are not possible.", "Give 1 to 1000.")
    engines = [e for e in project.engines if not order.engines or e.name in order.engines]
    return replace(project, engines=tuple(replace(e, runs=order.runs or e.runs) for e in engines))
