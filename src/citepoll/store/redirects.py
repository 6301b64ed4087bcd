"""Where the redirects lead that answers cite: beside the raw answers, which keep the redirect as it came."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from citepoll.store import schema
from citepoll.store.ledger import Cycle, Ledger, note, stamp

PAGE = 500
"""Redirects in one statement: SQLite bounds the parameters."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """A redirect of a cycle. `url` is None until it is resolved; then `reason` says why not, None: not tried yet.

    `again`: another try may bring it. `at` is the moment of the last try.
    """

    raw: str
    url: str | None
    reason: str | None
    again: bool
    at: str


def redirects_of(ledger: Ledger, cycle: Cycle, raws: Collection[str] | None = None) -> tuple[Redirect, ...]:
    """The redirects that answers of a cycle cite, as far as they were entered, in that order.

    With a few `raws`, those only (with more than `PAGE` all the same: the whole list is quicker then).
    """
    table = schema.redirects
    asked = sa.select(table.c.raw, table.c.url, table.c.reason, table.c.again, table.c.at)
    if raws is not None and len(raws) <= PAGE:
        asked = asked.where(table.c.raw.in_([raw for raw in raws if raw.isascii()]))
    with ledger.reading() as link:
        rows = link.execute(asked.where(table.c.cycle_id == cycle.id).order_by(table.c.id)).all()
    return tuple(Redirect(*row) for row in rows)


def revision(ledger: Ledger, cycle: Cycle) -> tuple[int, int]:
    """(redirects entered, redirects resolved) of a cycle. Both only grow, so equal numbers mean equal content."""
    table = schema.redirects
    asked = sa.select(sa.func.count(), sa.func.count(table.c.url)).where(table.c.cycle_id == cycle.id)
    with ledger.reading() as link:
        entered, resolved = link.execute(asked).one()
    return entered, resolved


def enter(ledger: Ledger, cycle: Cycle, raws: Iterable[str], at: datetime) -> None:
    """Enter redirects that the cycle does not have yet; one that another cycle resolved is resolved here too."""
    table = schema.redirects
    every = list(dict.fromkeys(raws))
    for begin in range(0, len(every), PAGE):
        page = every[begin : begin + PAGE]
        with ledger.writing() as link:
            asked = sa.select(table.c.cycle_id, table.c.raw, table.c.url).where(table.c.raw.in_(page))
            found = link.execute(asked).all()
            urls = {row.raw: row.url for row in found if row.url is not None}
            here = {row.raw for row in found if row.cycle_id == cycle.id}
            rows = [
                {"cycle_id": cycle.id, "raw": raw, "url": urls.get(raw), "again": raw not in urls, "at": stamp(at)}
                for raw in page
                if raw not in here
            ]
            if rows:
                link.execute(sa.insert(table), rows)


def settle(ledger: Ledger, cycle: Cycle, found: Sequence[Redirect]) -> None:
    """Keep what came of trying; one that is resolved stays so."""
    table = schema.redirects
    change = sa.update(table).where(
        table.c.cycle_id == cycle.id, table.c.raw == sa.bindparam("which"), table.c.url.is_(None)
    )
    rows = [{"which": r.raw, "to": r.url, "why": r.reason, "more": r.again, "when": r.at} for r in found]
    values = {"url": "to", "reason": "why", "again": "more", "at": "when"}
    if rows:
        with ledger.writing() as link:
            link.execute(change.values({column: sa.bindparam(name) for column, name in values.items()}), rows)


def conclude(ledger: Ledger, cycle: Cycle, at: datetime) -> None:
    """Enter into the history how many redirects of the cycle are resolved; what readers keep of it is stale then."""
    entered, resolved = revision(ledger, cycle)
    with ledger.writing() as link:
        note(link, at, cycle.name, "redirects", {"cited": entered, "resolved": resolved})
