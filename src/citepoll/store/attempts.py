"""Attempts in the ledger: many recorded in one transaction, and those of a run, settled or not, read again.

An attempt that does not settle its run is a call that failed and is tried again, or a reply that another call follows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import sqlalchemy as sa
import zstandard

from citepoll.errors import LedgerError
from citepoll.model import FINAL, RawAnswer, Status
from citepoll.store import schema
from citepoll.store.ledger import Claim, Cycle, Ledger, attempt_row


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call of a run as recorded. `request` is as it was sent, without a key; `body` is verbatim; `latency` in seconds."""

    number: int
    status: Status
    asked_at: datetime | None
    http_status: int | None
    headers: Mapping[str, str]
    request: Mapping[str, object]
    cost: float | None
    message: str | None
    body: bytes
    latency: float | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """An attempt to be recorded. Where it `settles` its run, the run gets its status; else the run stays claimed."""

    claim: Claim
    raw: RawAnswer
    settles: bool = True


def record_all(ledger: Ledger, entries: Sequence[Entry]) -> None:
    """Store attempts, in one durable transaction for all: a disk that is waited for once serves them together.

    Raises `LedgerError` where a run is final already, and stores none then: it must not be asked twice.
    """
    runs = schema.runs
    rows = [attempt_row(e.claim.run_id, e.claim.attempt, e.raw, ledger.pack) for e in entries]
    settled = [{"run": e.claim.run_id, "to": e.raw.status} for e in entries if e.settles]
    with ledger.writing() as link:
        ids = [e.claim.run_id for e in entries]
        asked = sa.select(runs.c.id, runs.c.status).where(runs.c.id.in_(ids), runs.c.status.in_(FINAL))
        if found := link.execute(asked).first():
            raise LedgerError(
                f"Run {found.id} is final ({found.status}) and was asked again.", "Report this as a fault."
            )
        link.execute(sa.insert(schema.attempts), rows)
        if settled:
            change = sa.update(runs).where(runs.c.id == sa.bindparam("run"))
            link.execute(change.values(status=sa.bindparam("to"), claimed_at=None), settled)


def free(ledger: Ledger, claims: Sequence[Claim]) -> None:
    """Give up claims on runs that have no status: they can be asked again."""
    runs, ids = schema.runs, [claim.run_id for claim in claims]
    if ids:
        with ledger.writing() as link:
            link.execute(sa.update(runs).where(runs.c.id.in_(ids), runs.c.status.is_(None)).values(claimed_at=None))


def attempts_of(ledger: Ledger, run_id: int) -> tuple[Attempt, ...]:
    """Every attempt of a run, oldest first."""
    table, expand = schema.attempts, zstandard.ZstdDecompressor()
    with ledger.reading() as link:
        rows = link.execute(sa.select(table).where(table.c.run_id == run_id).order_by(table.c.number)).all()
    return tuple(
        Attempt(
            row.number,
            row.status,
            datetime.fromisoformat(row.asked_at) if row.asked_at else None,
            row.http_status,
            msgspec.json.decode(row.headers) if row.headers else {},
            msgspec.json.decode(row.request) if row.request else {},
            row.cost,
            row.message,
            expand.decompress(row.body),
            row.latency,
        )
        for row in rows
    )


@dataclass(frozen=True, slots=True)
class Took:
    """What a run of an engine took on average, all its calls added up: US dollars over the runs whose cost is known,
    seconds over those whose latency is. None where no run tells."""

    usd: float | None
    seconds: float | None


def took(ledger: Ledger, cycle: Cycle) -> Mapping[str, Took]:
    """Engine → what its runs in a cycle took so far; an engine that was never asked is left out."""
    runs, engines, attempts = schema.runs, schema.engines, schema.attempts
    each = (
        sa.select(runs.c.engine, sa.func.sum(attempts.c.cost).label("usd"), sa.func.sum(attempts.c.latency).label("s"))
        .join(runs, runs.c.id == attempts.c.run_id)
        .where(runs.c.cycle_id == cycle.id)
        .group_by(runs.c.id)
        .subquery()
    )
    asked = (
        sa.select(engines.c.name, sa.func.avg(each.c.usd), sa.func.avg(each.c.s))
        .join(engines, engines.c.id == each.c.engine)
        .group_by(engines.c.id)
    )
    with ledger.reading() as link:
        return {name: Took(usd, seconds) for name, usd, seconds in link.execute(asked)}


def last_failures(ledger: Ledger, cycle: Cycle) -> Mapping[str, str]:
    """Engine → what its newest attempt in a cycle said, of those whose newest attempt failed; "" where it said nothing."""
    runs, engines, attempts = schema.runs, schema.engines, schema.attempts
    newest = (
        sa.select(sa.func.max(attempts.c.id))
        .join(runs, runs.c.id == attempts.c.run_id)
        .where(runs.c.cycle_id == cycle.id)
        .group_by(runs.c.engine)
    )
    asked = (
        sa.select(engines.c.name, attempts.c.message)
        .join(runs, runs.c.id == attempts.c.run_id)
        .join(engines, engines.c.id == runs.c.engine)
        .where(attempts.c.id.in_(newest), attempts.c.status == "failed")
    )
    with ledger.reading() as link:
        return {name: message or "" for name, message in link.execute(asked)}
