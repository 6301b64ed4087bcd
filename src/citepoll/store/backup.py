"""Consistent copies of what other processes write just now: SQLite files and derived tables."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from citepoll.errors import LedgerError
from citepoll.store.schema import ledger_errors

BUSY_SECONDS = 30.0


def copy_database(source: Path, target: Path) -> None:
    """A compact copy of an SQLite file as it is at one moment. Writers go on meanwhile; nothing is written to `source`.

    What was committed before the call is in it. Raises `LedgerError` for a damaged file.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with ledger_errors(source):
        with closing(sqlite3.connect(source, timeout=BUSY_SECONDS)) as link:
            link.execute("VACUUM INTO ?", (str(target),))
        with closing(sqlite3.connect(target)) as link:
            found = link.execute("PRAGMA integrity_check").fetchone()[0]
    if found != "ok":
        raise LedgerError(f"{source} failed its check: {found}.", "Restore it from an earlier backup.")


def copy_derived(source: Path, target: Path) -> None:
    """The whole versions of derived tables. One that is removed meanwhile is left out: it can be built again."""
    for made in sorted(source.glob("*/[!.]*/made.json")):
        version, copied = made.parent, target / made.parent.relative_to(source)
        if not _copied(version, copied):  # put in place again just then, or gone
            _copied(version, copied)


def _copied(version: Path, copied: Path) -> bool:
    try:
        shutil.copytree(version, copied)
        whole = _sizes(version) == _sizes(copied)
    except (FileNotFoundError, shutil.Error):
        whole = False
    if not whole:
        shutil.rmtree(copied, ignore_errors=True)
    return whole


def _sizes(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_size for file in folder.iterdir()}


def tables_of(path: Path) -> int:
    """The version of the tables in an SQLite file; 0 for an empty one."""
    with ledger_errors(path), closing(sqlite3.connect(path)) as link:
        return int(link.execute("PRAGMA user_version").fetchone()[0])


def shrink(path: Path) -> bool:
    """Rewrite an SQLite file without the room of deleted rows, and empty its write-ahead file.

    False where another connection kept that file in use: it is emptied when the last one closes.
    """
    with ledger_errors(path), closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as link:
        link.execute("PRAGMA secure_delete = ON")
        link.execute("VACUUM")
        busy, *_ = link.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy
