"""The ledger: query sets, cycles, runs and their attempts. What it says happened, happened; a final run is never asked again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from threading import local
from typing import Any

import msgspec
import sqlalchemy as sa
import zstandard

from citepoll.errors import InputError, LedgerError, QuerySetError, SliceError
from citepoll.hashing import content_hash
from citepoll.model import FINAL, STATUSES, Engine, Query, QuerySet, RawAnswer, Status
from citepoll.store import schema
from citepoll.store.schema import ledger_errors

_json = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Cycle:
    """One pass: query set × engines × runs. `status` is open, stopped or closed; `kind` recorded or polled.

    `began_at` is the moment of the first answer of a recorded cycle, None where its answers have no date.
    """

    id: int
    name: str
    kind: str
    status: str
    set_hash: str | None
    seed: str
    created_at: str
    closed_at: str | None
    over_seconds: float | None
    began_at: str | None = None

    @property
    def place(self) -> tuple[datetime, int]:
        """Where it stands among the cycles of its project: by its first answer, else by when it was made here."""
        return datetime.fromisoformat(self.began_at or self.created_at).astimezone(UTC), self.id


@dataclass(frozen=True, slots=True)
class Version:
    """A locked query set as the ledger keeps it. `number` is None for the set of one imported cycle."""

    number: int | None
    hash: str
    locked_at: str
    origin: str
    queries: QuerySet


@dataclass(frozen=True, slots=True)
class Claim:
    """A run to be asked now; `attempt` counts from 1."""

    run_id: int
    engine: str
    query_id: str
    number: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A run with its last attempt, as recorded. `body` is verbatim."""

    run_id: int
    engine: str
    engine_id: str
    surface: str
    query_id: str
    number: int
    status: Status
    asked_at: datetime | None
    http_status: int | None
    headers: Mapping[str, str]
    body: bytes
    ref: str | None
    message: str | None


@dataclass(frozen=True, slots=True)
class Progress:
    """Runs of one engine in a cycle, by status; `todo` have no status yet, `cost` is in US dollars (None: unknown)."""

    engine: str
    planned: int
    todo: int
    statuses: Mapping[str, int]
    cost: float | None


def stamp(at: datetime) -> str:
    """A moment as the ledger writes it: ISO 8601 with its offset, to the millisecond."""
    return at.isoformat(timespec="milliseconds")


def run_key(cycle: str, engine: str, query_id: str, number: int) -> str:
    """The content hash that identifies a run for ever."""
    return content_hash([cycle, engine, query_id, number])


class _Zstd(local):
    """A compressor and a decompressor for each thread: python-zstandard's must not be shared between them."""

    def __init__(self) -> None:
        self.squeeze = zstandard.ZstdCompressor(level=3)
        self.expand = zstandard.ZstdDecompressor()


class Ledger:
    """All reads and writes of one project's ledger file. Safe for one writer and many readers at once, in any threads.

    `keep` connections stay open between uses: a server's way, where a command keeps none.
    """

    def __init__(self, path: Path, *, keep: int = 0) -> None:
        self.path = path
        self.db = schema.connect(path, keep=keep)
        self._zstd = _Zstd()
        self._queries = lru_cache(16)(lambda key: self.version(key).queries)  # a hash never names other queries

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        with ledger_errors(self.path), self.db.connect() as link, link.begin():
            yield link

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        with ledger_errors(self.path), self.db.connect() as link:
            link = link.execution_options(writes=True)
            with link.begin():
                yield link

    def pack(self, body: bytes) -> bytes:
        return self._zstd.squeeze.compress(body)

    def check(self) -> None:
        """SQLite's own integrity and foreign key checks. Raises `LedgerError` where one fails."""
        with self.reading() as link:
            found = link.exec_driver_sql("PRAGMA integrity_check").scalar_one()
            broken = link.exec_driver_sql("PRAGMA foreign_key_check").first()
        if found != "ok" or broken:
            raise LedgerError(
                f"The ledger failed its check: {found if found != 'ok' else broken}.", "Restore a backup."
            )

    # ------------------------------------------------------------ query sets

    def lock(self, queries: QuerySet, origin: str, at: datetime, *, numbered: bool = True) -> Version:
        """Freeze `queries` under their hash; the same content again changes nothing but may get a number."""
        with self.writing() as link:
            lock_set(link, queries, origin, at, numbered=numbered)
        return self.version(queries.hash)

    def version(self, set_hash: str) -> Version:
        with self.reading() as link:
            row = link.execute(sa.select(schema.query_sets).where(schema.query_sets.c.hash == set_hash)).one()
        return _version(row)

    def versions(self) -> tuple[Version, ...]:
        """The project's numbered versions, oldest first."""
        table = schema.query_sets
        with self.reading() as link:
            rows = link.execute(sa.select(table).where(table.c.number.is_not(None)).order_by(table.c.number)).all()
        return tuple(_version(row) for row in rows)

    def current(self) -> Version | None:
        """The newest numbered version, or None where nothing was locked yet."""
        every = self.versions()
        return every[-1] if every else None

    # ------------------------------------------------------------ cycles

    def create(self, name: str, kind: str, engines: Sequence[Engine], seed: str, at: datetime, *,
               set_hash: str | None = None, over_seconds: float | None = None,
               noted: Sequence[tuple[str, Mapping[str, object]]] = ()) -> Cycle:  # fmt: skip
        """Open a new cycle, with the events `noted` of it (what, detail) in the same transaction.

        Raises `LedgerError` where the name is taken, `InputError` where it is not usable.
        """
        check_name(name)
        if any(c.name == name for c in self.cycles()):
            raise LedgerError(f"There is a cycle {name!r} already.", "Choose another name with --cycle NAME.")
        values = {
            "name": name, "kind": kind, "status": "open", "set_hash": set_hash, "seed": seed,
            "created_at": stamp(at), "over_seconds": over_seconds,
        }  # fmt: skip
        with self.writing() as link:
            made = inserted(link, schema.cycles, values)
            for engine in engines:
                add_engine(link, made, engine)
            for what, detail in noted:
                note(link, at, name, what, detail)
        return self.cycle(name)

    def cycles(self) -> tuple[Cycle, ...]:
        """Every cycle in the order of time, by `Cycle.place`."""
        with self.reading() as link:
            rows = link.execute(sa.select(schema.cycles)).all()
        return tuple(sorted((Cycle(*row) for row in rows), key=lambda cycle: cycle.place))

    def cycle(self, name: str) -> Cycle:
        """The cycle of that name. Raises `SliceError` naming those that exist."""
        every = self.cycles()
        for cycle in every:
            if cycle.name == name:
                return cycle
        known = ", ".join(c.name for c in every) or "none yet"
        raise SliceError(f"There is no cycle {name!r}.", f"Cycles here: {known}.")

    def set_status(self, cycle: Cycle, status: str, at: datetime) -> None:
        closed = stamp(at) if status == "closed" else None
        with self.writing() as link:
            table = schema.cycles
            link.execute(sa.update(table).where(table.c.id == cycle.id).values(status=status, closed_at=closed))

    def drop(self, cycle: Cycle, at: datetime) -> int:
        """Delete a cycle with its runs and answers; returns how many runs it had."""
        with self.writing() as link:
            count = sa.select(sa.func.count()).select_from(schema.runs).where(schema.runs.c.cycle_id == cycle.id)
            held: int = link.execute(count).scalar_one()
            link.execute(sa.delete(schema.cycles).where(schema.cycles.c.id == cycle.id))
            note(link, at, cycle.name, "dropped", {"runs": held})
        return held

    def engines(self, cycle: Cycle) -> tuple[Engine, ...]:
        """The engines of a cycle, in the order in which they entered it."""
        table = schema.engines
        with self.reading() as link:
            rows = link.execute(sa.select(table).where(table.c.cycle_id == cycle.id).order_by(table.c.id)).all()
        return tuple(
            Engine(name=row.name, id=row.engine_id, surface=row.surface, **msgspec.json.decode(row.detail))
            for row in rows
        )

    def query_set(self, cycle: Cycle) -> QuerySet:
        """The set that the cycle stands on. Raises `QuerySetError` for one that has none yet."""
        if cycle.set_hash is None:
            raise QuerySetError(
                f"The cycle {cycle.name!r} has no query set: nothing was imported into it.", "Import a file."
            )
        return self._queries(cycle.set_hash)

    def history(self, cycle: str | None = None) -> tuple[Mapping[str, object], ...]:
        """What was done: imports, locks, drops; oldest first."""
        table = schema.events
        asked = sa.select(table).order_by(table.c.id)
        with self.reading() as link:
            rows = link.execute(asked if cycle is None else asked.where(table.c.cycle == cycle)).all()
        return tuple({"at": r.at, "cycle": r.cycle, "what": r.what, **msgspec.json.decode(r.detail)} for r in rows)

    def state(self) -> tuple[object, ...]:
        """Changes with all that measured cycles show: the history (of opportunities too), query sets, cycles and status.

        An open cycle behind them changes nothing, be it begun, paused or filled: it shows its progress only.
        """
        events, sets, table = schema.events, schema.query_sets, schema.cycles
        shown = sa.select(sa.func.max(table.c.id)).where(table.c.status != "open").scalar_subquery()
        coming = sa.select(table.c.name).where(table.c.id > sa.func.coalesce(shown, 0), table.c.status == "open")
        told = sa.or_(events.c.cycle.is_(None), events.c.cycle.not_in(coming))
        counted = sa.select(
            sa.select(sa.func.max(events.c.id)).where(told).scalar_subquery(),
            sa.select(sa.func.count(sets.c.number)).scalar_subquery(),
            sa.select(sa.func.count(sets.c.hash)).scalar_subquery(),
        )
        cycles = sa.select(table.c.id, table.c.name, table.c.status, table.c.closed_at, table.c.set_hash)
        with self.reading() as link:
            found = link.execute(counted).one()
            return (*found, *map(tuple, link.execute(cycles.where(table.c.id <= shown).order_by(table.c.id))))

    # ------------------------------------------------------------ runs

    def plan(self, cycle: Cycle, order: Iterable[tuple[str, str, int]]) -> int:
        """Enter the runs (engine name, query id, run number) in the order in which they will be asked; known ones stay."""
        with self.writing() as link:
            ids = {row.name: row.id for row in link.execute(
                sa.select(schema.engines).where(schema.engines.c.cycle_id == cycle.id))}  # fmt: skip
            known = set(link.execute(sa.select(schema.runs.c.key).where(schema.runs.c.cycle_id == cycle.id)).scalars())
            rows = [
                {
                    "key": key,
                    "cycle_id": cycle.id,
                    "engine": ids[name],
                    "query_id": query,
                    "number": number,
                    "sequence": at,
                }
                for at, (name, query, number) in enumerate(order, len(known))
                if (key := run_key(cycle.name, name, query, number)) not in known
            ]
            if rows:
                link.execute(sa.insert(schema.runs), rows)
        return len(rows)

    def claim(
        self, cycle: Cycle, number: int, limit: int, at: datetime, *, without: Sequence[str] = ()
    ) -> tuple[Claim, ...]:
        """Take up to `limit` unasked runs of round `number`, in plan order, but for the engines `without`.

        A claim that is not recorded is free again after `release`.
        """
        runs, engines = schema.runs, schema.engines
        tried = sa.select(sa.func.count()).where(schema.attempts.c.run_id == runs.c.id).scalar_subquery()
        free = (
            sa.select(runs.c.id, engines.c.name, runs.c.query_id, runs.c.number, tried + 1)
            .join(engines, engines.c.id == runs.c.engine)
            .where(
                runs.c.cycle_id == cycle.id,
                runs.c.number == number,
                runs.c.status.is_(None),
                runs.c.claimed_at.is_(None),
            )
            .where(engines.c.name.not_in(without))
            .order_by(runs.c.sequence)
            .limit(limit)
        )
        with self.writing() as link:
            claims = tuple(Claim(*row) for row in link.execute(free))
            ids = [c.run_id for c in claims]
            link.execute(sa.update(runs).where(runs.c.id.in_(ids)).values(claimed_at=stamp(at)))
        return claims

    def release(self, cycle: Cycle, *, retry: bool = False) -> int:
        """Free the claims that a killed poll left behind and, with `retry`, failed and deferred runs; returns how many."""
        runs = schema.runs
        again = sa.and_(runs.c.status.is_(None), runs.c.claimed_at.is_not(None))
        if retry:
            again = sa.or_(again, runs.c.status.in_(set(STATUSES) - FINAL))
        with self.writing() as link:
            freed = link.execute(
                sa.update(runs).where(runs.c.cycle_id == cycle.id, again).values(status=None, claimed_at=None)
            )
        return freed.rowcount

    def record(self, claim: Claim, raw: RawAnswer) -> None:
        """Store an attempt and the status it gives its run, in one durable transaction.

        Raises `LedgerError` where the run is final already: it must not be asked twice.
        """
        runs = schema.runs
        with self.writing() as link:
            status = link.execute(sa.select(runs.c.status).where(runs.c.id == claim.run_id)).scalar_one()
            if status in FINAL:
                raise LedgerError(
                    f"Run {claim.run_id} is final ({status}) and was asked again.", "Report this as a fault."
                )
            link.execute(sa.insert(schema.attempts).values(attempt_row(claim.run_id, claim.attempt, raw, self.pack)))
            link.execute(sa.update(runs).where(runs.c.id == claim.run_id).values(status=raw.status, claimed_at=None))

    def progress(self, cycle: Cycle) -> tuple[Progress, ...]:
        """Per engine of the cycle: planned, still to ask, and the count of every status."""
        runs, engines, attempts = schema.runs, schema.engines, schema.attempts
        counted = (
            sa.select(engines.c.name, runs.c.status, sa.func.count())
            .join(engines, engines.c.id == runs.c.engine)
            .where(runs.c.cycle_id == cycle.id)
            .group_by(engines.c.id, runs.c.status)
            .order_by(engines.c.id)
        )
        spent = (
            sa.select(engines.c.name, sa.func.sum(attempts.c.cost))
            .join(runs, runs.c.id == attempts.c.run_id)
            .join(engines, engines.c.id == runs.c.engine)
            .where(runs.c.cycle_id == cycle.id)
            .group_by(engines.c.id)
        )
        with self.reading() as link:
            rows = link.execute(counted).all()
            costs = dict(link.execute(spent).all())
        found: dict[str, dict[str | None, int]] = {}
        for name, status, count in rows:
            found.setdefault(name, {})[status] = count
        return tuple(
            Progress(name, sum(by.values()), by.get(None, 0), {s: by[s] for s in STATUSES if s in by}, costs.get(name))
            for name, by in found.items()
        )

    def runs_per_query(self, cycle: Cycle) -> Mapping[str, int]:
        """Engine → runs of a query that it was asked, as a rounded mean over its queries."""
        runs, engines = schema.runs, schema.engines
        asked = (
            sa.select(engines.c.name, sa.func.count(), sa.func.count(sa.distinct(runs.c.query_id)))
            .join(engines, engines.c.id == runs.c.engine)
            .where(runs.c.cycle_id == cycle.id)
            .group_by(engines.c.id)
        )
        with self.reading() as link:
            return {name: round(number / queries) for name, number, queries in link.execute(asked)}

    def revision(self, cycle: Cycle) -> tuple[int, int]:
        """(recorded attempts, highest attempt id) of a cycle: changes whenever an answer is added."""
        attempts, runs = schema.attempts, schema.runs
        asked = sa.select(sa.func.count(), sa.func.coalesce(sa.func.max(attempts.c.id), 0)).join(
            runs, runs.c.id == attempts.c.run_id
        )
        with self.reading() as link:
            count, highest = link.execute(asked.where(runs.c.cycle_id == cycle.id)).one()
        return count, highest

    def refs(self, cycle: Cycle) -> Mapping[str, str]:
        """Query id -> the id that an imported file gave it (the first one, in file order)."""
        runs = schema.runs
        asked = sa.select(runs.c.query_id, runs.c.ref).where(runs.c.cycle_id == cycle.id, runs.c.ref.is_not(None))
        with self.reading() as link:
            rows = link.execute(asked.order_by(runs.c.sequence.desc())).all()
        return dict(rows)

    def kept(
        self, cycle: Cycle, *, after: int = 0, limit: int = 500, run_ids: Sequence[int] | None = None
    ) -> list[Kept]:
        """Recorded runs with their last attempt, by run id from above `after`: a page of at most `limit`, empty at the end."""
        runs, engines, attempts = schema.runs, schema.engines, schema.attempts
        tries = attempts.alias()
        last = (
            sa.select(sa.func.max(tries.c.number)).where(tries.c.run_id == runs.c.id).correlate(runs).scalar_subquery()
        )
        asked = (
            sa.select(
                runs.c.id, engines.c.name, engines.c.engine_id, engines.c.surface, runs.c.query_id, runs.c.number,
                runs.c.status, attempts.c.asked_at, attempts.c.http_status, attempts.c.headers, attempts.c.body,
                runs.c.ref, attempts.c.message,
            )
            .join(engines, engines.c.id == runs.c.engine)
            .join(attempts, sa.and_(attempts.c.run_id == runs.c.id, attempts.c.number == last))
            .where(runs.c.cycle_id == cycle.id, runs.c.id > after, runs.c.status.is_not(None))
            .order_by(runs.c.id)
            .limit(limit)
        )  # fmt: skip
        if run_ids is not None:
            asked = asked.where(runs.c.id.in_(run_ids))
        with self.reading() as link:
            rows = link.execute(asked).all()
        return [self._kept(row) for row in rows]

    def run(self, run_id: int) -> tuple[Cycle, Kept]:
        """One recorded run. Raises `SliceError` where there is none of that id."""
        runs = schema.runs
        with self.reading() as link:
            found = link.execute(sa.select(runs.c.cycle_id).where(runs.c.id == run_id)).scalar_one_or_none()
        for cycle in self.cycles():
            if cycle.id == found and (kept := self.kept(cycle, run_ids=[run_id])):
                return cycle, kept[0]
        raise SliceError(f"There is no recorded answer {run_id}.", "`citepoll answers` lists them with their numbers.")

    def _kept(self, row: sa.Row[*tuple[Any, ...]]) -> Kept:
        values: list[Any] = list(row)
        values[7] = datetime.fromisoformat(row.asked_at) if row.asked_at else None
        values[9] = msgspec.json.decode(row.headers) if row.headers else {}
        values[10] = self._zstd.expand.decompress(row.body)
        return Kept(*values)


LONGEST_NAME = 200


def check_name(name: str) -> None:
    """Raises `InputError` for what cannot name a cycle."""
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise InputError(
            f"{name[:40]!r} cannot name a cycle.",
            f"Use 1 to {LONGEST_NAME} characters that can be printed, as in --cycle 2026-11.",
        )


# ---------------------------------------------------------------- rows, shared with imports


def add_engine(link: sa.Connection, cycle_id: int, engine: Engine) -> int:
    """Enter an engine into a cycle; returns its row id."""
    detail = {
        "model": engine.model, "country": engine.country, "language": engine.language,
        "weight": engine.weight, "runs": engine.runs, "settings": dict(engine.settings),
    }  # fmt: skip
    row = {
        "cycle_id": cycle_id, "name": engine.name, "engine_id": engine.id, "surface": engine.surface,
        "detail": _json(detail).decode(),
    }  # fmt: skip
    return inserted(link, schema.engines, row)


def inserted(link: sa.Connection, table: sa.Table, values: Mapping[str, object]) -> int:
    """Insert one row; returns its id."""
    key = link.execute(sa.insert(table).values(values)).inserted_primary_key
    return int(key[0]) if key else 0


def lock_set(link: sa.Connection, queries: QuerySet, origin: str, at: datetime, *, numbered: bool) -> None:
    """Store a query set and its queries, giving it the next number if asked and not yet numbered."""
    table = schema.query_sets
    found = link.execute(sa.select(table.c.number).where(table.c.hash == queries.hash)).first()
    number = None
    if numbered and (found is None or found.number is None):
        number = (link.execute(sa.select(sa.func.max(table.c.number))).scalar() or 0) + 1
    add_queries(link, queries.queries)
    if found is None:
        body = _json([msgspec.to_builtins(q) for q in queries.queries]).decode()
        values = {"hash": queries.hash, "number": number, "locked_at": stamp(at), "origin": origin, "queries": body}
        link.execute(sa.insert(table).values(values))
    elif number is not None:
        link.execute(sa.update(table).where(table.c.hash == queries.hash).values(number=number, locked_at=stamp(at)))


def add_queries(link: sa.Connection, queries: Sequence[Query]) -> None:
    """Enter queries that the ledger does not know yet."""
    table = schema.queries
    wanted = {q.id: q for q in queries}
    ids = list(wanted)
    known: set[str] = set()
    for at in range(0, len(ids), 500):
        known.update(link.execute(sa.select(table.c.id).where(table.c.id.in_(ids[at : at + 500]))).scalars())
    rows = [
        {"id": i, "text": q.text, "language": q.language, "market": q.market}
        for i, q in wanted.items()
        if i not in known
    ]
    if rows:
        link.execute(sa.insert(table), rows)


def attempt_row(run_id: int, number: int, raw: RawAnswer, pack: object) -> dict[str, object]:
    """A row of `attempts`; `pack` compresses the body."""
    return {
        "run_id": run_id, "number": number, "status": raw.status,
        "asked_at": stamp(raw.asked_at) if raw.asked_at else None,
        "latency": raw.latency, "cost": raw.cost, "http_status": raw.http_status,
        "headers": _json(dict(raw.headers)).decode() if raw.headers else None,
        "request": _json(dict(raw.request)).decode() if raw.request else None,
        "message": raw.message, "body": pack(raw.body),  # type: ignore[operator]
    }  # fmt: skip


def note(link: sa.Connection, at: datetime, cycle: str | None, what: str, detail: Mapping[str, object]) -> None:
    """Enter an event into the project's history."""
    values = {"at": stamp(at), "cycle": cycle, "what": what, "detail": _json(dict(detail)).decode()}
    link.execute(sa.insert(schema.events).values(values))


def _version(row: sa.Row[*tuple[Any, ...]]) -> Version:
    queries = tuple(Query(**q) for q in msgspec.json.decode(row.queries))
    return Version(row.number, row.hash, row.locked_at, row.origin, QuerySet(queries))
