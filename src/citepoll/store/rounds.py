"""The rounds of a polled cycle: which runs they hold, which are whole, and how later ones are taken out of the plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import sqlalchemy as sa

from citepoll.model import Engine
from citepoll.store import schema
from citepoll.store.ledger import Cycle, Ledger, note

WIDTH_SET = "stop-at set"
ENDED_EARLY = "ended early"
ALLOTTED = "runs allotted"
"""Events of a cycle: the half-width that a poll was told to stop at, an engine that reached it, runs by query."""


@dataclass(frozen=True, slots=True)
class Allotment:
    """Runs that differ by query, shared out by the answers of the closed cycle `after`.

    `budget` runs for each engine, over the queries that name no brand. `runs` is engine → query id → runs, all queries
    of the engines that `after` asked; an engine that is not in it asks every query equally often.
    """

    after: str
    budget: int
    runs: Mapping[str, Mapping[str, int]]

    def total(self, engine: Engine, queries: int) -> int:
        """The runs of an engine of the cycle over its `queries`."""
        mine = self.runs.get(engine.name)
        return queries * engine.runs if mine is None else sum(mine.values())


@dataclass(frozen=True, slots=True)
class EndedEarly:
    """An engine whose interval was narrow enough after `rounds` of `planned` rounds: `calls` were never made.

    `half_width` is the one reached, a fraction.
    """

    engine: str
    rounds: int
    planned: int
    calls: int
    half_width: float


def begin(ledger: Ledger, name: str, engines: Sequence[Engine], seed: str, at: datetime, *, set_hash: str,
          over_seconds: float | None = None, half_width: float | None = None,
          allotment: Allotment | None = None) -> Cycle:  # fmt: skip
    """Open a polled cycle, in one transaction with all that decides which runs it gets: a poll that is killed after it
    is gone on with as if it had not been. Raises what `Ledger.create` raises."""
    noted: list[tuple[str, Mapping[str, object]]] = []
    if half_width is not None:
        noted.append((WIDTH_SET, {"half_width": half_width}))
    if allotment is not None:
        noted.append((ALLOTTED, msgspec.to_builtins(allotment)))
    return ledger.create(
        name, "polled", engines, seed, at, set_hash=set_hash, over_seconds=over_seconds, noted=noted,
    )  # fmt: skip


def allotment_of(ledger: Ledger, cycle: Cycle) -> Allotment | None:
    """The runs by query that the cycle was begun with, or None where each engine asks every query equally often."""
    events = _events(ledger, cycle, ALLOTTED)
    return msgspec.convert(events[-1], Allotment) if events else None


def planned_runs(ledger: Ledger, cycle: Cycle) -> Mapping[str, Mapping[str, int]]:
    """Engine → query id → runs that are planned or were asked."""
    runs, engines = schema.runs, schema.engines
    counted = (
        sa.select(engines.c.name, runs.c.query_id, sa.func.count())
        .join(engines, engines.c.id == runs.c.engine)
        .where(runs.c.cycle_id == cycle.id)
        .group_by(engines.c.id, runs.c.query_id)
    )
    found: dict[str, dict[str, int]] = {}
    with ledger.reading() as link:
        for engine, query, number in link.execute(counted):
            found.setdefault(engine, {})[query] = number
    return found


def whole_rounds(ledger: Ledger, cycle: Cycle) -> Mapping[str, int]:
    """Engine → the round that it has just finished: all runs up to it recorded, none after it ever asked.

    An engine that stands within a round, or has runs of an earlier one still to ask, is left out; 0 before the first.
    """
    runs, engines, attempts = schema.runs, schema.engines, schema.attempts
    tried = sa.exists().where(attempts.c.run_id == runs.c.id)
    asked = (
        sa.select(
            engines.c.name, runs.c.number, sa.func.count() - sa.func.count(runs.c.status),
            sa.func.sum(sa.case((tried, 1), else_=0)),
        )
        .join(engines, engines.c.id == runs.c.engine)
        .where(runs.c.cycle_id == cycle.id)
        .group_by(engines.c.id, runs.c.number)
    )  # fmt: skip
    with ledger.reading() as link:
        rows = link.execute(asked).all()
    last: dict[str, int] = {}
    for engine, number, _, attempted in rows:
        last[engine] = max(last.get(engine, 0), number if attempted else 0)
    broken = {engine for engine, number, missing, _ in rows if missing and number <= last[engine]}
    return {engine: number for engine, number in last.items() if engine not in broken}


def end_early(ledger: Ledger, cycle: Cycle, engine: str, rounds: int, half_width: float, at: datetime) -> EndedEarly:
    """Take the runs after round `rounds` of an engine out of the plan; those that were ever asked stay.

    One transaction: the engine's runs a query become `rounds`, so that nobody misses the others, and an event keeps
    what was planned.
    """
    runs, engines, attempts = schema.runs, schema.engines, schema.attempts
    here = sa.and_(engines.c.cycle_id == cycle.id, engines.c.name == engine)
    with ledger.writing() as link:
        row = link.execute(sa.select(engines.c.id, engines.c.detail).where(here)).one()
        detail = msgspec.json.decode(row.detail)
        unasked = sa.and_(
            runs.c.engine == row.id, runs.c.number > rounds, ~sa.exists().where(attempts.c.run_id == runs.c.id)
        )
        calls = link.execute(sa.delete(runs).where(unasked)).rowcount
        ended = EndedEarly(engine, rounds, detail["runs"], calls, half_width)
        shortened = msgspec.json.encode({**detail, "runs": rounds}).decode()
        link.execute(sa.update(engines).where(engines.c.id == row.id).values(detail=shortened))
        note(link, at, cycle.name, ENDED_EARLY, msgspec.to_builtins(ended))
    return ended


def ended_early(ledger: Ledger, cycle: Cycle) -> tuple[EndedEarly, ...]:
    """The engines of a cycle that ended early, in the order in which they did."""
    return tuple(msgspec.convert(event, EndedEarly) for event in _events(ledger, cycle, ENDED_EARLY))


def set_stop_at(ledger: Ledger, cycle: Cycle, half_width: float, at: datetime) -> None:
    """Remember the half-width (a fraction) at which the cycle's engines may end, for the poll that goes on with it."""
    with ledger.writing() as link:
        note(link, at, cycle.name, WIDTH_SET, {"half_width": half_width})


def stop_at(ledger: Ledger, cycle: Cycle) -> float | None:
    """The half-width set last, or None where the cycle asks all that is planned."""
    events = _events(ledger, cycle, WIDTH_SET)
    return msgspec.convert(events[-1]["half_width"], float) if events else None


def _events(ledger: Ledger, cycle: Cycle, what: str) -> list[Mapping[str, object]]:
    """Those of this cycle, not of a dropped one that had the same name."""
    history = ledger.history(cycle.name)
    begun = max((at for at, event in enumerate(history, 1) if event["what"] == "dropped"), default=0)
    return [event for event in history[begun:] if event["what"] == what]
