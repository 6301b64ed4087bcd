"""Writes that programs may send again: each key with what was asked and what was answered, kept in the desk's file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from citepoll.store.accounts import AccountFile
from citepoll.store.accounts_schema import repeats as table


@dataclass(frozen=True, slots=True)
class Repeat:
    """A write seen before: the hash of what was asked, and its answer; `status` None while it is not answered yet."""

    asked: str
    status: int | None
    body: bytes


def claim(
    accounts: AccountFile, key: str, asked: str, at: datetime, *, forget: datetime, abandoned: datetime
) -> Repeat | None:
    """Take a key for a write; None where it is free, else what stands under it.

    What is older than `forget`, and what was not answered since `abandoned`, is gone.
    """
    old = sa.or_(table.c.at < _utc(forget), sa.and_(table.c.status.is_(None), table.c.at < _utc(abandoned)))
    with accounts.writing() as link:
        link.execute(sa.delete(table).where(old))
        row = link.execute(sa.select(table).where(table.c.key == key)).first()
        if row is not None:
            return Repeat(row.asked, row.status, row.body or b"")
        link.execute(sa.insert(table).values(key=key, asked=asked, at=_utc(at)))
    return None


def keep(accounts: AccountFile, key: str, status: int, body: bytes) -> None:
    """Enter the answer to the write that took the key."""
    with accounts.writing() as link:
        link.execute(sa.update(table).where(table.c.key == key).values(status=status, body=body))


def free(accounts: AccountFile, key: str) -> None:
    """Give a key back whose write changed nothing."""
    with accounts.writing() as link:
        link.execute(sa.delete(table).where(table.c.key == key))


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")
