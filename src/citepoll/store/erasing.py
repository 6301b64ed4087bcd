"""What the ledger holds of a cycle, and the end of all that answers left in it."""

from __future__ import annotations

from collections.abc import Mapping
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


DROPPED = "payloads dropped"
"""The event of a cycle whose payloads retention took."""


def drop_bodies(ledger: Ledger, cycle: Cycle, at: datetime, **detail: object) -> Held:
    """Empty the bodies of a cycle's attempts, in one transaction with an event that says so; returns what they were.

    Statuses, costs, times and requests stay.
    """
    runs, attempts, gone = schema.runs, schema.attempts, held(ledger, cycle)
    ids = sa.select(runs.c.id).where(runs.c.cycle_id == cycle.id)
    with ledger.writing() as link:
        link.execute(sa.update(attempts).where(attempts.c.run_id.in_(ids)).values(body=ledger.pack(b"")))
        note(link, at, cycle.name, DROPPED, {"answers": gone.attempts, "bytes": gone.bytes, **detail})
    return gone


def dropped(ledger: Ledger) -> Mapping[str, Mapping[str, object]]:
    """Cycle → the event, of the cycles there are whose payloads were dropped."""
    found: dict[str, Mapping[str, object]] = {}
    for event in ledger.history():
        name = str(event["cycle"])
        if event["what"] == DROPPED:
            found[name] = event
        elif event["what"] == "dropped":  # another cycle may have the name now
            found.pop(name, None)
    return found
