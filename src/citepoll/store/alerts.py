"""Alerts that were raised, and their way to each channel. Kept in the ledger file; they go with their cycle."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from citepoll.report.alerts import STATES, Kind, Notice
from citepoll.store import schema
from citepoll.store.ledger import Cycle, Ledger, inserted, stamp

MOST_TRIES = 5
"""Of sending an alert to a channel; then it is given up until somebody asks for another try."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """An alert on its way to a channel. `problem` says why the last try brought nothing, or what it left undone."""

    alert: int
    channel: str
    tries: int
    next_at: datetime
    sent_at: datetime | None
    problem: str | None

    @property
    def given_up(self) -> bool:
        return self.sent_at is None and self.tries >= MOST_TRIES


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as it was told. `ended_at` is when a state was over, None while it lasts and for what is no state."""

    id: int
    notice: Notice
    raised_at: datetime
    ended_at: datetime | None
    deliveries: tuple[Delivery, ...] = ()

    @property
    def lasts(self) -> bool:
        return self.notice.kind in STATES and self.ended_at is None


def enter(
    ledger: Ledger, cycle: Cycle, notices: Iterable[Notice], channels: Sequence[str], at: datetime
) -> tuple[int, ...]:
    """Keep what was not told yet of this cycle, and put it on its way to the channels, in one transaction.

    A state that lasts since an earlier cycle is not told again. Returns the ids of those that are new.
    """
    table, made = schema.alerts, []
    with ledger.writing() as link:
        known = set(link.execute(sa.select(table.c.key).where(table.c.cycle_id == cycle.id)).scalars())
        lasting = sa.select(table.c.key).where(table.c.kind.in_(STATES), table.c.ended_at.is_(None))
        known.update(link.execute(lasting).scalars())
        for notice in notices:
            if notice.key not in known:
                known.add(notice.key)
                made.append(inserted(link, table, _row(notice, cycle, at)))
        ways = [{"alert_id": id, "channel": name, "tries": 0, "next_at": stamp(at)} for id in made for name in channels]
        if ways:
            link.execute(sa.insert(schema.deliveries), ways)
    return tuple(made)


def end(ledger: Ledger, kind: Kind, lasting: Iterable[str], at: datetime) -> None:
    """States of that kind whose key is not among the `lasting` ones are over."""
    table = schema.alerts
    over = sa.and_(table.c.kind == kind, table.c.ended_at.is_(None), table.c.key.not_in(tuple(lasting)))
    with ledger.reading() as link:
        ids = link.execute(sa.select(table.c.id).where(over)).scalars().all()
    if ids:
        with ledger.writing() as link:
            link.execute(sa.update(table).where(table.c.id.in_(ids)).values(ended_at=stamp(at)))


def alerts(ledger: Ledger, limit: int | None = None, ids: Sequence[int] | None = None) -> tuple[Alert, ...]:
    """Alerts with their deliveries, the newest first; at most `limit`, or those of `ids`."""
    table, cycles, ways = schema.alerts, schema.cycles, schema.deliveries
    asked = sa.select(table, cycles.c.name.label("cycle")).join(cycles, cycles.c.id == table.c.cycle_id)
    asked = asked.order_by(table.c.id.desc()).limit(limit)
    if ids is not None:
        asked = asked.where(table.c.id.in_(ids))
    with ledger.reading() as link:
        rows = link.execute(asked).all()
        wanted = sa.select(ways).where(ways.c.alert_id.in_([row.id for row in rows])).order_by(ways.c.id)
        sent: dict[int, list[Delivery]] = {}
        for row in link.execute(wanted):
            sent.setdefault(row.alert_id, []).append(_delivery(row))
    return tuple(_alert(row, sent.get(row.id, ())) for row in rows)


def by_moment(found: Iterable[Alert]) -> tuple[Alert, ...]:
    """The newest moment first; alerts of one moment in the order in which they were raised."""
    return tuple(sorted(sorted(found, key=lambda one: one.id), key=lambda one: one.raised_at, reverse=True))


def unsent(ledger: Ledger) -> tuple[Delivery, ...]:
    """Every delivery that has not arrived, the oldest first; those that were given up too."""
    table = schema.deliveries
    with ledger.reading() as link:
        rows = link.execute(sa.select(table).where(table.c.sent_at.is_(None)).order_by(table.c.id)).all()
    return tuple(_delivery(row) for row in rows)


def settle(ledger: Ledger, channel: str, ids: Sequence[int], at: datetime, problem: str | None = None) -> None:
    """Alerts that a channel took; `problem` is what it left undone."""
    _update(ledger, channel, ids, sent_at=stamp(at), problem=problem, tries=schema.deliveries.c.tries + 1)


def postpone(ledger: Ledger, channel: str, ids: Sequence[int], next_at: datetime, problem: str) -> None:
    """Alerts that a channel did not take: the next try, if there is one, from `next_at` on."""
    _update(ledger, channel, ids, next_at=stamp(next_at), problem=problem, tries=schema.deliveries.c.tries + 1)


def revive(ledger: Ledger, at: datetime) -> None:
    """Give what was given up its tries again, from now on."""
    table = schema.deliveries
    with ledger.writing() as link:
        waiting = sa.and_(table.c.sent_at.is_(None), table.c.tries > 0)
        link.execute(sa.update(table).where(waiting).values(tries=0, next_at=stamp(at)))


def forget(ledger: Ledger, channels: Sequence[str]) -> None:
    """Drop what waits for a channel that there is no more."""
    table = schema.deliveries
    gone = sa.and_(table.c.sent_at.is_(None), table.c.channel.not_in(channels))
    with ledger.writing() as link:
        link.execute(sa.delete(table).where(gone))


def _update(ledger: Ledger, channel: str, ids: Sequence[int], **values: object) -> None:
    table = schema.deliveries
    mine = sa.and_(table.c.channel == channel, table.c.alert_id.in_(ids))
    with ledger.writing() as link:
        link.execute(sa.update(table).where(mine).values(values))


def _row(notice: Notice, cycle: Cycle, at: datetime) -> dict[str, object]:
    kept = {name: value for name, value in msgspec.to_builtins(notice).items() if name not in _OWN}
    return {
        "cycle_id": cycle.id, "kind": notice.kind, "key": notice.key, "title": notice.title,
        "detail": msgspec.json.encode(kept).decode(), "raised_at": stamp(at),
    }  # fmt: skip


_OWN = ("kind", "key", "title", "cycle")
"""Of a notice, what has a column of its own."""


def _alert(row: sa.Row[*tuple[Any, ...]], deliveries: Iterable[Delivery]) -> Alert:
    own = {name: getattr(row, name) for name in _OWN}
    notice = msgspec.convert({**msgspec.json.decode(row.detail), **own}, Notice)
    ended = datetime.fromisoformat(row.ended_at) if row.ended_at else None
    return Alert(row.id, notice, datetime.fromisoformat(row.raised_at), ended, tuple(deliveries))


def _delivery(row: sa.Row[*tuple[Any, ...]]) -> Delivery:
    sent = datetime.fromisoformat(row.sent_at) if row.sent_at else None
    return Delivery(row.alert_id, row.channel, row.tries, datetime.fromisoformat(row.next_at), sent, row.problem)
