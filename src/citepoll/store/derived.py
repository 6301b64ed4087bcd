"""Derived tables: Parquet, one folder per cycle and version, written whole, renamed into place, rebuildable."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import Any

import msgspec
import polars as pl
from filelock import FileLock

from citepoll.hashing import content_hash, short
from citepoll.store.ledger import Cycle
from citepoll.store.schema import ledger_errors

TABLES = ("answers", "citations", "hits")
KEPT_VERSIONS = 2
"""The version in use and the one before it, so that `rebuild --diff` has something to compare with."""

ABANDONED = 86_400
"""Seconds after which a draft is that of a killed process."""


@dataclass(frozen=True, slots=True)
class Built:
    """One version of a cycle's derived tables. `detail` says what they were made from."""

    path: Path
    hash: str
    built_at: str
    detail: Mapping[str, Any]

    def table(self, name: str) -> pl.LazyFrame:
        return pl.scan_parquet(self.path / f"{name}-*.parquet")


class Derived:
    """The derived tables of one project, below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def versions(self, cycle: Cycle) -> tuple[Built, ...]:
        """Every whole version of a cycle's tables, the newest last."""
        found = (self._built(path) for path in self._folder(cycle).glob("[!.]*/made.json"))
        return tuple(sorted((built for built in found if built), key=lambda built: built.built_at))

    def find(self, cycle: Cycle, detail: Mapping[str, Any]) -> Built | None:
        """The version made from just `detail`, or None."""
        return self._built(self._folder(cycle) / short(content_hash(detail)) / "made.json")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until no other thread or process makes tables of this project: it would make the same, in as much memory."""
        with ledger_errors(self.root):
            self.root.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.root.with_suffix(".lock"))
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def write(
        self, cycle: Cycle, detail: Mapping[str, Any], parts: Iterable[Mapping[str, pl.DataFrame]], at: datetime
    ) -> Built:
        """Write a version from its parts (each a frame per table) and put it into place in one step.

        Replaces a version of the same `detail`. Older ones beyond the one before are removed.
        """
        key = short(content_hash(detail))
        final = self._folder(cycle) / key
        draft = self._folder(cycle) / f".{key}.{token_hex(4)}"
        with ledger_errors(final):
            draft.mkdir(parents=True)
            try:
                for number, part in enumerate(parts):
                    for name in TABLES:
                        _write(part[name], draft / f"{name}-{number:05d}.parquet")
                made = {"hash": key, "built_at": at.isoformat(), "detail": dict(detail)}
                (draft / "made.json").write_bytes(msgspec.json.encode(made))
                shutil.rmtree(final, ignore_errors=True)
                _put(draft, final)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
        self._prune(cycle, key, at)
        return Built(final, key, at.isoformat(), detail)

    def keep_only(self, cycles: Iterable[Cycle]) -> None:
        """Remove the tables of every cycle but these."""
        kept = {self._folder(cycle) for cycle in cycles}
        for folder in self.root.glob("cycle-*"):
            if folder not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def _folder(self, cycle: Cycle) -> Path:
        return self.root / f"cycle-{cycle.id}"

    def _built(self, path: Path) -> Built | None:
        try:
            made = msgspec.json.decode(path.read_bytes())
            return Built(path.parent, made["hash"], made["built_at"], made["detail"])
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def _prune(self, cycle: Cycle, in_use: str, at: datetime) -> None:
        for draft in self._folder(cycle).glob(".*"):
            with suppress(FileNotFoundError):
                if draft.stat().st_mtime < at.timestamp() - ABANDONED:
                    shutil.rmtree(draft, ignore_errors=True)
        others = [built for built in self.versions(cycle) if built.hash != in_use]
        for built in others[: -(KEPT_VERSIONS - 1)]:
            shutil.rmtree(built.path, ignore_errors=True)


def _write(table: pl.DataFrame, path: Path) -> None:
    try:
        table.write_parquet(path, compression="zstd")
    except pl.exceptions.PolarsError as wrong:  # what it makes of a full disk
        raise OSError(str(wrong)) from wrong


def _put(draft: Path, final: Path) -> None:
    try:
        draft.rename(final)
    except OSError:
        if not (final / "made.json").exists():  # it does where another process was as quick, with the same tables
            raise
