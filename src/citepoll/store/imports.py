"""Entering recorded rows into the ledger: each batch is durable, and a row that is there already stays as it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from citepoll.model import Engine, Query, QuerySet, RawAnswer, Status
from citepoll.store import schema
from citepoll.store.ledger import Cycle, Ledger, add_engine, add_queries, attempt_row, lock_set, note, run_key, stamp


@dataclass(frozen=True, slots=True)
class Incoming:
    """A checked row: the engine's name, its query, what it said of itself, and the body to keep."""

    engine: Engine
    query: Query
    status: Status
    run: int | None
    asked_at: datetime | None
    row_hash: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Entered:
    """How many rows of a batch are new, and how many of the new ones state a run that another row had taken."""

    new: int
    known: int
    further: int


@dataclass(frozen=True, slots=True)
class IdConflicts:
    """The file's query ids that carry several texts, and the texts that carry several ids, out of how many."""

    ids: int
    ids_with_several_texts: int
    texts: int
    texts_with_several_ids: int


def enter(ledger: Ledger, cycle: Cycle, rows: Sequence[Incoming]) -> Entered:
    """Add the rows that the cycle does not hold yet, in one durable transaction.

    A row whose stated run is taken, or that states none, waits under a negative number for `number_further`; a cycle
    that got a row is open until `close_import`, so that nobody measures a part of a file.
    """
    with ledger.writing() as link:
        fresh = _fresh(link, cycle, rows)
        engines = _engine_ids(link, cycle, [row.engine for row in fresh])
        add_queries(link, [row.query for row in fresh])
        stated = _taken(link, engines.values(), fresh)
        values, further = [], 0
        sequence = _highest(link, schema.runs.c.sequence, cycle)
        for row in fresh:
            sequence += 1
            cell = (engines[row.engine.name], row.query.id)
            number = None if row.run is None or (*cell, row.run) in stated else row.run
            further += row.run is not None and number is None
            if number is not None:
                stated.add((*cell, number))
            values.append(_run_row(cycle, row, cell, sequence, number or -sequence))
        _insert(link, ledger, fresh, values)
    return Entered(len(fresh), len(rows) - len(fresh), further)


def _fresh(link: sa.Connection, cycle: Cycle, rows: Sequence[Incoming]) -> list[Incoming]:
    by_hash: dict[str, Incoming] = {}
    for row in rows:
        by_hash.setdefault(row.row_hash, row)
    asked = sa.select(schema.runs.c.row_hash).where(
        schema.runs.c.cycle_id == cycle.id, schema.runs.c.row_hash.in_(list(by_hash))
    )
    known = set(link.execute(asked).scalars())
    return [row for row_hash, row in by_hash.items() if row_hash not in known]


def _engine_ids(link: sa.Connection, cycle: Cycle, engines: Iterable[Engine]) -> dict[str, int]:
    table = schema.engines
    found = dict(link.execute(sa.select(table.c.name, table.c.id).where(table.c.cycle_id == cycle.id)).all())
    for engine in engines:
        if engine.name not in found:
            found[engine.name] = add_engine(link, cycle.id, engine)
    return found


def _taken(link: sa.Connection, engines: Collection[int], rows: Sequence[Incoming]) -> set[tuple[int, str, int]]:
    runs = schema.runs
    asked = sa.select(runs.c.engine, runs.c.query_id, runs.c.number).where(
        runs.c.engine.in_(engines),
        runs.c.query_id.in_({row.query.id for row in rows}),
        runs.c.number.in_({row.run for row in rows if row.run is not None}),
    )
    return set(link.execute(asked))


def _highest_numbers(link: sa.Connection, cells: set[tuple[int, str]]) -> Counter[tuple[int, str]]:
    runs = schema.runs
    asked = (
        sa.select(runs.c.engine, runs.c.query_id, sa.func.max(runs.c.number))
        .where(runs.c.engine.in_({e for e, _ in cells}), runs.c.query_id.in_({q for _, q in cells}), runs.c.number > 0)
        .group_by(runs.c.engine, runs.c.query_id)
    )
    return Counter({(engine, query): number for engine, query, number in link.execute(asked)})


def _highest(link: sa.Connection, column: sa.Column[int], cycle: Cycle | None = None) -> int:
    asked = sa.select(sa.func.coalesce(sa.func.max(column), 0))
    if cycle is not None:
        asked = asked.where(schema.runs.c.cycle_id == cycle.id)
    highest: int = link.execute(asked).scalar_one()
    return highest


def _run_row(cycle: Cycle, row: Incoming, cell: tuple[int, str], sequence: int, number: int) -> dict[str, object]:
    key = run_key(cycle.name, row.engine.name, row.query.id, number)
    return {
        "key": key, "cycle_id": cycle.id, "engine": cell[0], "query_id": cell[1], "number": number, "stated": row.run,
        "status": row.status, "sequence": sequence, "row_hash": row.row_hash, "ref": row.query.ref,
    }  # fmt: skip


def _insert(link: sa.Connection, ledger: Ledger, rows: Sequence[Incoming], values: list[dict[str, object]]) -> None:
    if not rows:
        return
    _begin(link, values[0]["cycle_id"], [row.asked_at for row in rows if row.asked_at])
    first = _highest(link, schema.runs.c.id) + 1
    for run_id, value in enumerate(values, first):
        value["id"] = run_id
    link.execute(sa.insert(schema.runs), values)
    raws = (RawAnswer(row.status, row.body, asked_at=row.asked_at) for row in rows)
    link.execute(sa.insert(schema.attempts), [attempt_row(i, 1, raw, ledger.pack) for i, raw in enumerate(raws, first)])


def _begin(link: sa.Connection, cycle_id: object, dates: Sequence[datetime]) -> None:
    """Open the cycle, and let it begin with its first dated answer."""
    cycles = schema.cycles
    here = cycles.c.id == cycle_id
    link.execute(sa.update(cycles).where(here).values(status="open"))
    if dates:
        first = stamp(min(date.astimezone(UTC) for date in dates))
        later = sa.or_(cycles.c.began_at.is_(None), cycles.c.began_at > first)
        link.execute(sa.update(cycles).where(here, later).values(began_at=first))


def number_further(ledger: Ledger, cycle: Cycle) -> int:
    """Give the waiting rows of a cycle the next run numbers of their cells, in file order; returns how many there were."""
    total = 0
    while True:
        with ledger.writing() as link:
            waiting = _waiting(link, cycle)
            _number(link, cycle, waiting)
        total += len(waiting)
        if not waiting:
            return total


def _waiting(link: sa.Connection, cycle: Cycle) -> Sequence[sa.Row[int, int, str, str]]:
    runs, engines = schema.runs, schema.engines
    asked = (
        sa.select(runs.c.id, runs.c.engine, runs.c.query_id, engines.c.name)
        .join(engines, engines.c.id == runs.c.engine)
        .where(runs.c.cycle_id == cycle.id, runs.c.number < 0)
        .order_by(runs.c.sequence)
        .limit(500)
    )
    return link.execute(asked).all()


def _number(link: sa.Connection, cycle: Cycle, waiting: Sequence[sa.Row[int, int, str, str]]) -> None:
    if not waiting:
        return
    highest = _highest_numbers(link, {(row.engine, row.query_id) for row in waiting})
    values = []
    for row in waiting:
        highest[row.engine, row.query_id] += 1
        number = highest[row.engine, row.query_id]
        values.append({"at": row.id, "n": number, "k": run_key(cycle.name, row.name, row.query_id, number)})
    update = sa.update(schema.runs).where(schema.runs.c.id == sa.bindparam("at"))
    link.execute(update.values(number=sa.bindparam("n"), key=sa.bindparam("k")), values)


def id_conflicts(ledger: Ledger, cycle: Cycle) -> IdConflicts:
    """How reliable the file's query ids are, over all rows of the cycle."""
    runs = schema.runs
    with ledger.reading() as link:

        def several(group: sa.Column[str], of: sa.Column[str]) -> tuple[int, int]:
            kinds = sa.func.count(sa.distinct(of))
            inner = (
                sa.select(kinds.label("kinds"))
                .where(runs.c.cycle_id == cycle.id, runs.c.ref.is_not(None))
                .group_by(group)
                .subquery()
            )
            asked = sa.select(
                sa.func.count(), sa.func.coalesce(sa.func.sum(sa.case((inner.c.kinds > 1, 1), else_=0)), 0)
            )
            total, more = link.execute(asked.select_from(inner)).one()
            return total, more

        return IdConflicts(*several(runs.c.ref, runs.c.query_id), *several(runs.c.query_id, runs.c.ref))


def asked_queries(ledger: Ledger, cycle: Cycle) -> tuple[Query, ...]:
    """The distinct queries of a cycle's runs with the ref that the first row gave, in file order."""
    runs, queries = schema.runs, schema.queries
    asked = (
        sa.select(queries.c.text, queries.c.language, queries.c.market, sa.func.min(runs.c.sequence), runs.c.ref)
        .join(queries, queries.c.id == runs.c.query_id)
        .where(runs.c.cycle_id == cycle.id)
        .group_by(runs.c.query_id)
        .order_by(sa.func.min(runs.c.sequence))
    )
    with ledger.reading() as link:
        return tuple(Query(text, language, market, ref=ref) for text, language, market, _, ref in link.execute(asked))


def close_import(ledger: Ledger, cycle: Cycle, queries: QuerySet, at: datetime, *, numbered: bool,
                 detail: dict[str, object]) -> None:  # fmt: skip
    """Lock the set that the cycle stands on, close the cycle, and enter the import into the history."""
    with ledger.writing() as link:
        lock_set(link, queries, f"import into {cycle.name}", at, numbered=numbered)
        table = schema.cycles
        link.execute(
            sa.update(table)
            .where(table.c.id == cycle.id)
            .values(set_hash=queries.hash, status="closed", closed_at=at.isoformat(timespec="milliseconds"))
        )
        note(link, at, cycle.name, "import", detail)
