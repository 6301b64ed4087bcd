"""The rounds of a polled cycle: which are whole, and how an engine's later ones are taken out of the plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec
import sqlalchemy as sa

from citepoll.store import schema
from citepoll.store.ledger import Cycle, Ledger, note

WIDTH_SET = "stop-at set"
ENDED_EARLY = "ended early"
"""Events of a cycle: the half-width that a poll was told to stop at, and an engine that reached it."""


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
