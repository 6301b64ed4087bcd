"""The ledger's tables (SQLAlchemy Core, portable statements) and how its SQLite file is opened."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from citepoll.errors import LedgerError

VERSION = 6
"""Of the tables below. A file with a higher one was written by a later citepoll and is not touched; one with a lower
one gets the tables and columns that it lacks (2 added opportunities and experiments, 3 redirects, 4 the owner of an
opportunity and the mark before, 5 alerts)."""

metadata = sa.MetaData()

query_sets = sa.Table(
    "query_sets",
    metadata,
    sa.Column("hash", sa.Text, primary_key=True),
    sa.Column(
        "number", sa.Integer, unique=True
    ),  # the project's versions 1, 2, …; null for the set of one imported cycle
    sa.Column("locked_at", sa.Text, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("queries", sa.Text, nullable=False),  # JSON list of {text, language, market, intent, topic, ref}
)

cycles = sa.Table(
    "cycles",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False),  # recorded | polled
    sa.Column("status", sa.Text, nullable=False),  # open | stopped | closed
    sa.Column("set_hash", sa.Text, sa.ForeignKey("query_sets.hash")),
    sa.Column("seed", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("closed_at", sa.Text),
    sa.Column("over_seconds", sa.Float),
    sa.Column("began_at", sa.Text),  # UTC: the first dated answer of a recorded cycle
)

engines = sa.Table(  # an engine as it stands in a cycle
    "engines",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("cycle_id", sa.Integer, sa.ForeignKey("cycles.id", ondelete="CASCADE"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("engine_id", sa.Text, nullable=False),
    sa.Column("surface", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),  # JSON: model, country, language, weight, runs, settings
    sa.UniqueConstraint("cycle_id", "name"),
)

queries = sa.Table(
    "queries",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("market", sa.Text, nullable=False),
)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),  # content hash of (cycle, engine, query, run number)
    sa.Column("cycle_id", sa.Integer, sa.ForeignKey("cycles.id", ondelete="CASCADE"), nullable=False),
    sa.Column("engine", sa.Integer, sa.ForeignKey("engines.id", ondelete="CASCADE"), nullable=False),
    sa.Column("query_id", sa.Text, sa.ForeignKey("queries.id"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),  # from 1; below 0 while an import has yet to number it
    sa.Column("stated", sa.Integer),  # the run number that a recorded row gave
    sa.Column("status", sa.Text),  # null until an answer is recorded
    sa.Column("due_at", sa.Text),
    sa.Column("sequence", sa.Integer, nullable=False),  # the order in which a plan asks, or a file lists
    sa.Column("claimed_at", sa.Text),
    sa.Column("row_hash", sa.Text),
    sa.Column("ref", sa.Text),  # the file's query_id
    sa.UniqueConstraint("engine", "query_id", "number"),
    sa.UniqueConstraint("cycle_id", "row_hash"),
)
sa.Index("runs_open", runs.c.cycle_id, runs.c.status, runs.c.sequence)

attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("run_id", sa.Integer, sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("asked_at", sa.Text),
    sa.Column("latency", sa.Float),
    sa.Column("cost", sa.Float),
    sa.Column("http_status", sa.Integer),
    sa.Column("headers", sa.Text),
    sa.Column("request", sa.Text),
    sa.Column("message", sa.Text),
    sa.Column("body", sa.LargeBinary, nullable=False),  # zstd
    sa.UniqueConstraint("run_id", "number"),
)

redirects = sa.Table(  # the redirects that the answers of a cycle cite, and where they lead
    "redirects",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("cycle_id", sa.Integer, sa.ForeignKey("cycles.id", ondelete="CASCADE"), nullable=False),
    sa.Column("raw", sa.Text, nullable=False),
    sa.Column("url", sa.Text),  # null until it is resolved
    sa.Column("reason", sa.Text),  # why it is not; null while it was never tried to its end
    sa.Column("again", sa.Boolean, nullable=False),  # whether another try may bring it
    sa.Column("at", sa.Text, nullable=False),
    sa.UniqueConstraint("cycle_id", "raw"),
)
sa.Index("redirects_raw", redirects.c.raw)

events = sa.Table(
    "events",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("cycle", sa.Text),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
)

opportunities = sa.Table(  # those that somebody set a status on; what was never touched is open, and has no row
    "opportunities",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # content hash of (kind, brand, subject)
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("queries", sa.Text, nullable=False),  # JSON list of query ids
    sa.Column("status", sa.Text, nullable=False),  # open | in-work | done | dismissed
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("cycle", sa.Text, nullable=False),  # the newest measured one when the status was set
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False, server_default=""),
    sa.Column("before", sa.Text),  # JSON: the mark that this one replaced, or null for none; no value: nothing to undo
)

experiments = sa.Table(
    "experiments",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("change", sa.Text, nullable=False),
    sa.Column("cycle", sa.Text, nullable=False),  # the cycle before the change
    sa.Column("treat", sa.Text, nullable=False),  # JSON list of query ids
    sa.Column("control", sa.Text, nullable=False),
    sa.Column("power", sa.Text, nullable=False),  # JSON: what the design could see, as stated at the start
    sa.Column("started_at", sa.Text, nullable=False),
    sa.Column("ended_at", sa.Text),
    sa.Column("last_cycle", sa.Text),  # the last one that counts; null: all that follow
)


alerts = sa.Table(  # what was worth a message, in the words in which it was told
    "alerts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("cycle_id", sa.Integer, sa.ForeignKey("cycles.id", ondelete="CASCADE"), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # change | loss | engine | budget | late
    sa.Column("key", sa.Text, nullable=False),  # what it is about, so that it is told once
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),  # JSON: sentences, earlier, engine, brand, query
    sa.Column("raised_at", sa.Text, nullable=False),
    sa.Column("ended_at", sa.Text),  # of a state: when it was over; null while it lasts
    sa.UniqueConstraint("cycle_id", "key"),
)

deliveries = sa.Table(  # an alert on its way to a channel
    "deliveries",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("alert_id", sa.Integer, sa.ForeignKey("alerts.id", ondelete="CASCADE"), nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("next_at", sa.Text, nullable=False),
    sa.Column("sent_at", sa.Text),
    sa.Column("problem", sa.Text),  # why the last try brought nothing, or what it left undone
    sa.UniqueConstraint("alert_id", "channel"),
)


def connect(path: Path, tables: sa.MetaData = metadata, version: int = VERSION, *, keep: int = 0) -> sa.Engine:
    """Open the ledger file, or another one of `tables`, making them where there are none.

    WAL, synchronous=FULL and foreign keys on. `keep` connections stay open between uses (a server's; a command keeps
    none). Raises `LedgerError` for a file that is damaged, newer, or not to be written.
    """
    pool: dict[str, Any] = {"pool_size": keep, "max_overflow": 64} if keep else {"poolclass": sa.pool.NullPool}
    with ledger_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)), **pool)
        event.listen(engine, "connect", _pragmas)
        event.listen(engine, "begin", _begin)
        with engine.begin() as link:
            lacking = _lacks_tables(link, path, version)
        if lacking:
            with engine.execution_options(writes=True).begin() as link:
                tables.create_all(link)
                _add_columns(link, tables)
                link.exec_driver_sql(f"PRAGMA user_version = {version}")
    return engine


def _pragmas(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy's events send BEGIN, so that a read then a write is one transaction
    for pragma in ("busy_timeout=30000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(link: sa.Connection) -> None:
    link.exec_driver_sql("BEGIN IMMEDIATE" if link.get_execution_options().get("writes") else "BEGIN")


def _add_columns(link: sa.Connection, tables: sa.MetaData) -> None:
    """Columns that came later; each allows null or has a default of the server's."""
    seen = sa.inspect(link)
    for table in tables.sorted_tables:
        there = {column["name"] for column in seen.get_columns(table.name)}
        for column in table.columns:
            if column.name not in there:
                made = sa.schema.CreateColumn(column).compile(dialect=link.dialect)
                link.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {made}")


def _lacks_tables(link: sa.Connection, path: Path, version: int) -> bool:
    found: int = link.exec_driver_sql("PRAGMA user_version").scalar_one()
    if found > version:
        raise LedgerError(
            f"{path} was written by a later citepoll (tables {found}, known here {version}).", "Upgrade citepoll."
        )
    return found < version


@contextmanager
def ledger_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite and the disk raise into a `LedgerError` that says cause and fix."""
    try:
        yield
    except (DBAPIError, sqlite3.Error, OSError) as wrong:
        raise _ledger_error(wrong, path) from wrong


ROOM = 2**20
"""Bytes below which a disk is called full."""
_KEPT = "Every answer recorded before this is kept."
_CAUSES = (
    ("disk is full", "The disk is full", "Free some room and run the command again: it goes on where it stopped."),
    ("no space left", "The disk is full", "Free some room and run the command again: it goes on where it stopped."),
    ("readonly", "The folder cannot be written to", "Give yourself write access to it, or copy the project elsewhere."),
    ("read-only", "The folder cannot be written to", "Give yourself write access to it, or copy the project elsewhere."),
    ("permission denied", "The folder cannot be written to", "Give yourself write access to it, or copy the project elsewhere."),
    ("unable to open", "The ledger cannot be opened", "Check that the folder exists and that you may write to it."),
    ("locked", "Another citepoll command is writing", "Wait for it to end, then run this one again."),
    ("malformed", "The ledger file is damaged", "Restore it from a backup; nothing was written to it."),
    ("not a database", "The ledger file is damaged", "Restore it from a backup; nothing was written to it."),
)  # fmt: skip


def _ledger_error(wrong: Exception, path: Path) -> LedgerError:
    text = str(wrong).lower()
    if "disk i/o error" in text and shutil.disk_usage(path.parent).free < ROOM:
        text = "disk is full"  # SQLite says so only where a write of its own fails, not where it opens its files
    for sign, cause, fix in _CAUSES:
        if sign in text:
            return LedgerError(f"{cause}: {path}", fix, kept="" if "damaged" in cause else _KEPT)
    return LedgerError(f"The ledger failed: {path}: {str(wrong).splitlines()[0]}", "Check the disk and the file.")
