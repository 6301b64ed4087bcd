"""What people decided: the status of an opportunity, an experiment and its arms. Kept in the ledger file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from citepoll.errors import InputError
from citepoll.store import schema
from citepoll.store.ledger import Ledger, inserted, note, stamp

_json = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Mark:
    """What somebody decided on an opportunity. `queries` are those that it was about; `cycle` was the newest when the
    status was set, which was `at`. `undoable`: the decision before it is still known."""

    id: str
    kind: str
    subject: str
    title: str
    queries: tuple[str, ...]
    status: str
    note: str
    cycle: str
    at: str
    owner: str = ""
    undoable: bool = False


@dataclass(frozen=True, slots=True)
class Experiment:
    """A content change under test. `cycle` is the one before it; `treat` and `control` hold query ids.

    `power` is what the design could see, as stated at the start. `last_cycle` is the last that counts, None: all.
    """

    id: int
    change: str
    cycle: str
    treat: tuple[str, ...]
    control: tuple[str, ...]
    power: Mapping[str, object]
    started_at: str
    ended_at: str | None = None
    last_cycle: str | None = None


def marks(ledger: Ledger) -> dict[str, Mark]:
    """Every opportunity that has a mark, by id, the oldest status first."""
    table = schema.opportunities
    with ledger.reading() as link:
        rows = link.execute(sa.select(table).order_by(table.c.at, table.c.id)).all()
    return {row.id: _mark(dict(row._mapping)) for row in rows}


def set_mark(ledger: Ledger, mark: Mark, at: datetime) -> None:
    """Keep a mark in place of the one before, which `take_back` can bring back; the history keeps all."""
    table = schema.opportunities
    with ledger.writing() as link:
        old = link.execute(sa.select(table).where(table.c.id == mark.id)).one_or_none()
        before = {name: value for name, value in old._mapping.items() if name != "before"} if old else None
        link.execute(sa.delete(table).where(table.c.id == mark.id))
        link.execute(sa.insert(table).values({**_row(mark), "before": _json(before).decode()}))
        note(link, at, mark.cycle, "opportunity", _told(mark))


def take_back(ledger: Ledger, key: str, at: datetime) -> Mark | None:
    """Undo the last change of a mark; returns the one that stands now, None where there was none before.

    Raises `InputError` where there is nothing to undo: no mark, or its last change was undone already.
    """
    table = schema.opportunities
    with ledger.writing() as link:
        row = link.execute(sa.select(table).where(table.c.id == key)).one_or_none()
        if row is None or row.before is None:
            raise InputError("There is no change to take back.", "Set the status as it should be.")
        before = msgspec.json.decode(row.before)
        link.execute(sa.delete(table).where(table.c.id == key))
        if before:
            link.execute(sa.insert(table).values(before))
        now = _mark({**before, "before": None}) if before else None
        told = _told(now) if now else {"id": key, "status": "open", "title": row.title, "note": ""}
        note(link, at, row.cycle, "opportunity", {**told, "undone": row.status})
    return now


def _mark(row: Mapping[str, Any]) -> Mark:
    values = {name: value for name, value in row.items() if name != "before"}
    values["queries"] = tuple(msgspec.json.decode(row["queries"]))
    return Mark(**values, undoable=row["before"] is not None)


def _row(mark: Mark) -> dict[str, object]:
    values = {name: value for name, value in msgspec.to_builtins(mark).items() if name != "undoable"}
    return {**values, "queries": _json(mark.queries).decode()}


def _told(mark: Mark) -> dict[str, object]:
    return {name: getattr(mark, name) for name in ("id", "status", "title", "note", "owner")}


def start(
    ledger: Ledger, change: str, cycle: str, treat: Sequence[str], control: Sequence[str],
    power: Mapping[str, object], at: datetime,
) -> Experiment:  # fmt: skip
    """Enter an experiment; returns it with its number."""
    values = {
        "change": change, "cycle": cycle, "treat": _json(list(treat)).decode(),
        "control": _json(list(control)).decode(), "power": _json(dict(power)).decode(), "started_at": stamp(at),
    }  # fmt: skip
    with ledger.writing() as link:
        made = inserted(link, schema.experiments, values)
        note(link, at, cycle, "experiment started", {"id": made, "change": change})
    return experiment(ledger, made)


def experiments(ledger: Ledger) -> tuple[Experiment, ...]:
    """Every experiment, in the order of their start."""
    table = schema.experiments
    with ledger.reading() as link:
        rows = link.execute(sa.select(table).order_by(table.c.id)).all()
    return tuple(_experiment(dict(row._mapping)) for row in rows)


def experiment(ledger: Ledger, number: int) -> Experiment:
    """The experiment of that number. Raises `InputError` where there is none."""
    for found in experiments(ledger):
        if found.id == number:
            return found
    raise InputError(f"There is no experiment {number}.", "`citepoll experiment list` shows them with their numbers.")


def end(ledger: Ledger, found: Experiment, last_cycle: str, at: datetime) -> Experiment:
    """Close an experiment: no cycle after `last_cycle` counts for it."""
    table = schema.experiments
    values = {"ended_at": stamp(at), "last_cycle": last_cycle}
    with ledger.writing() as link:
        link.execute(sa.update(table).where(table.c.id == found.id).values(values))
        note(link, at, last_cycle, "experiment ended", {"id": found.id, "change": found.change})
    return experiment(ledger, found.id)


def _experiment(row: Mapping[str, Any]) -> Experiment:
    read = {key: msgspec.json.decode(row[key]) for key in ("treat", "control", "power")}
    arms = {key: tuple(read[key]) for key in ("treat", "control")}
    return Experiment(**{**row, **read, **arms})
