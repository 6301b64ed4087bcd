"""What the ledger holds of a cycle, and the end of all that answers left in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from citepoll.store import schema
from citepoll.store.ledger import Cycle, Ledger, note


@dataclass(frozen=True, slots=True)
class Held:
    """What a cycle holds: runs planned, recorded attempts, and bytes of their bodies as compressed."""

    cycle: str
    runs: int
    attempts: int
    bytes: int


def held(ledger: Ledger, cycle: Cycle) -> Held:
    """Counts over one cycle; zeros for an empty one."""
    runs, attempts = schema.runs, schema.attempts
    size = sa.func.coalesce(sa.func.sum(sa.func.length(attempts.c.body)), 0)
    recorded = sa.select(sa.func.count(), size).join(runs, runs.c.id == attempts.c.run_id)
    planned = sa.select(sa.func.count()).select_from(runs).where(runs.c.cycle_id == cycle.id)
    with ledger.reading() as link:
        number, size_of = link.execute(recorded.where(runs.c.cycle_id == cycle.id)).one()
        return Held(cycle.name, link.execute(planned).scalar_one(), number, size_of)


def erase_all(ledger: Ledger, at: datetime) -> None:
    """Delete every cycle with its answers, what people decided about them, and the history, in one transaction.

    Query sets stay. One event says that this was done.
    """
    with ledger.writing() as link:
        cycles = link.execute(sa.select(sa.func.count()).select_from(schema.cycles)).scalar_one()
        for table in (schema.cycles, schema.opportunities, schema.experiments, schema.events):
            link.execute(sa.delete(table))
        note(link, at, None, "deleted", {"cycles": cycles})
