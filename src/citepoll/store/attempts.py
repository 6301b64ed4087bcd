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
from citepoll.store.ledger import Claim, Ledger, attempt_row


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call of a run as recorded. `request` is as it was sent, without a key; `body` is verbatim."""

    number: int
    status: Status
    asked_at: datetime | None
    http_status: int | None
    headers: Mapping[str, str]
    request: Mapping[str, object]
    cost: float | None
    message: str | None
    body: bytes


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
        )
        for row in rows
    )
