"""How far cycles are: runs by what became of them, recent pace, the last failure. Counts only, no body is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from citepoll.model import FINAL
from citepoll.store import schema
from citepoll.store.ledger import Cycle, Ledger, stamp


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs by what became of them: `done` have a final answer, `failed` failed or were put off, `in_flight` are being
    asked, `todo` wait. `cost` is in US dollars, None where no attempt knows it."""

    done: int = 0
    failed: int = 0
    in_flight: int = 0
    todo: int = 0
    cost: float | None = None

    @property
    def planned(self) -> int:
        return self.done + self.failed + self.in_flight + self.todo

    @property
    def left(self) -> int:
        """Those that have no status yet."""
        return self.in_flight + self.todo


def runs_of_cycles(ledger: Ledger, cycles: Sequence[Cycle]) -> Mapping[str, Runs]:
    """Cycle → its runs; a cycle without a run has empty ones."""
    runs = schema.runs
    ids = [cycle.id for cycle in cycles]
    counted, spent = _counted(runs.c.cycle_id), _spent(runs.c.cycle_id)
    here = runs.c.cycle_id.in_(ids)
    with ledger.reading() as link:
        rows = link.execute(counted.where(here)).all()
        costs: dict[int, float | None] = dict(link.execute(spent.where(here)).all())
    found = {row[0]: row for row in rows}
    return {c.name: _runs(found.get(c.id), costs.get(c.id)) for c in cycles}


def runs_of_engines(ledger: Ledger, cycle: Cycle) -> Mapping[str, Runs]:
    """Engine → its runs in a cycle, in the order in which the engines entered it."""
    runs = schema.runs
    counted, spent = _counted(runs.c.engine), _spent(runs.c.engine)
    asked = sa.select(schema.engines.c.id, schema.engines.c.name).where(schema.engines.c.cycle_id == cycle.id)
    with ledger.reading() as link:
        names = dict(link.execute(asked.order_by(schema.engines.c.id)).all())
        rows = {row[0]: row for row in link.execute(counted.where(runs.c.cycle_id == cycle.id))}
        costs: dict[int, float | None] = dict(link.execute(spent.where(runs.c.cycle_id == cycle.id)).all())
    return {name: _runs(rows.get(key), costs.get(key)) for key, name in names.items()}


def recorded_since(ledger: Ledger, cycle: Cycle, since: datetime) -> int:
    """Attempts of a polled cycle that were asked at `since` (in UTC, as polls write it) or later."""
    runs, attempts = schema.runs, schema.attempts
    counted = (
        sa.select(sa.func.count())
        .select_from(attempts.join(runs, runs.c.id == attempts.c.run_id))
        .where(runs.c.cycle_id == cycle.id, attempts.c.asked_at >= stamp(since))
    )
    with ledger.reading() as link:
        return int(link.execute(counted).scalar_one())


def last_failures(ledger: Ledger, cycle: Cycle) -> Mapping[str, str]:
    """Engine → the words of its newest failed attempt, of runs that are failed still; the words are a vendor's."""
    runs, engines, attempts = schema.runs, schema.engines, schema.attempts
    newest = (
        sa.select(sa.func.max(attempts.c.id))
        .join(runs, runs.c.id == attempts.c.run_id)
        .where(runs.c.cycle_id == cycle.id, runs.c.status == "failed", attempts.c.status == "failed")
        .group_by(runs.c.engine)
    )
    told = (
        sa.select(engines.c.name, attempts.c.message)
        .join(runs, runs.c.id == attempts.c.run_id)
        .join(engines, engines.c.id == runs.c.engine)
        .where(attempts.c.id.in_(newest))
    )
    with ledger.reading() as link:
        return {name: message or "no reason was given" for name, message in link.execute(told)}


def _counted(by: sa.ColumnElement[int]) -> sa.Select[*tuple[int, int, int, int, int]]:
    runs = schema.runs
    final, waits = runs.c.status.in_(FINAL), runs.c.status.is_(None)
    asked = runs.c.claimed_at.is_not(None)

    def number(which: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.sum(sa.case((which, 1), else_=0))

    return sa.select(
        by, number(final), number(~final & ~waits), number(waits & asked), number(waits & ~asked)
    ).group_by(by)  # fmt: skip


def _spent(by: sa.ColumnElement[int]) -> sa.Select[*tuple[int, float | None]]:
    runs, attempts = schema.runs, schema.attempts
    return sa.select(by, sa.func.sum(attempts.c.cost)).join(runs, runs.c.id == attempts.c.run_id).group_by(by)


def _runs(row: Sequence[int] | sa.Row[*tuple[int, int, int, int, int]] | None, cost: float | None) -> Runs:
    if row is None:
        return Runs(cost=cost)
    _, done, failed, in_flight, todo = row
    return Runs(done or 0, failed or 0, in_flight or 0, todo or 0, cost)
