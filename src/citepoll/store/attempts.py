"""Attempts that do not settle their run: calls that failed and are tried again, replies that another call follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec
import sqlalchemy as sa
import zstandard

from citepoll.model import RawAnswer, Status
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


def note_attempt(ledger: Ledger, claim: Claim, raw: RawAnswer) -> None:
    """Store an attempt in one durable transaction; its run stays claimed and has no status yet."""
    with ledger.writing() as link:
        link.execute(sa.insert(schema.attempts).values(attempt_row(claim.run_id, claim.attempt, raw, ledger.pack)))


def free(ledger: Ledger, claim: Claim) -> None:
    """Give up the claim on a run that has no status: it can be asked again."""
    runs = schema.runs
    with ledger.writing() as link:
        link.execute(sa.update(runs).where(runs.c.id == claim.run_id, runs.c.status.is_(None)).values(claimed_at=None))


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
