"""Backup of a project while it is polled, and its restoration into a new folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from citepoll import __version__
from citepoll.errors import CitepollError, InputError
from citepoll.project import DATA, FILE, Project, read_project
from citepoll.store import accounts, schema
from citepoll.store.archive import FORMAT, Manifest, Written, item_of, read_archive, write_archive
from citepoll.store.backup import copy_database, copy_derived, tables_of
from citepoll.store.corpus import CORPUS_FILE
from citepoll.store.ledger import Cycle, Ledger, note

LEDGER = "ledger.db"
SUFFIX = ".citepoll-backup.tar.zst"
MADE = "backup"
"""The event of a backup in the project's history."""


@dataclass(frozen=True, slots=True)
class Restored:
    """A project as it came back: where it is, when its backup was made, its cycles, and its recorded answers.

    `desk` is the file of accounts that the backup held, None without one.
    """

    root: Path
    made_at: str
    cycles: tuple[Cycle, ...]
    answers: int
    desk: Path | None


def backup_name(project: Project, at: datetime) -> str:
    """`acme-2026-11-03T0900Z.citepoll-backup.tar.zst`"""
    return f"{project.root.resolve().name}-{at:%Y-%m-%dT%H%M%SZ}{SUFFIX}"


def back_up(project: Project, ledger: Ledger, path: Path, at: datetime, *, desk: Path | None = None) -> Written:
    """Write the ledger, the corpus, derived tables, project file and queries into one file; with `desk`, the folder
    that holds the desk's accounts, these too.

    Polls go on meanwhile: what they recorded before the call is in it. The project's history notes it. Needs as much
    room beside `path` as the ledger has. Raises `InputError` where `path` exists or cannot be written, `LedgerError`
    for a damaged ledger.
    """
    if path.exists():
        raise InputError(f"{path} is there already.", "Give another name; a backup is never overwritten.")
    with _staging(path.parent) as folder:
        _gather(project, ledger, folder, desk)
        items = tuple(item_of(folder, file) for file in sorted(folder.rglob("*")) if file.is_file())
        detail = {"project": project.root.resolve().name, "brand": project.tracked.name}
        tables = tables_of(folder / DATA / LEDGER)
        manifest = Manifest(FORMAT, f"citepoll {__version__}", at.isoformat(), tables, items, detail)
        written = write_archive(path, folder, manifest)
    with ledger.writing() as link:
        note(link, at, None, MADE, {"file": path.name, "bytes": written.size})
    return written


def restore(path: Path, root: Path) -> Restored:
    """Unpack a backup into the folder `root`, which must not be there or be empty; all of it or nothing.

    Raises `InputError` for a file that is damaged or no backup, of a later citepoll, and for a folder that holds
    something; `LedgerError` where the ledger within fails its check.
    """
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise InputError(f"{root} holds something already.", "Name a new folder: nothing is overwritten.")
    with _staging(root.absolute().parent) as folder:
        made = folder / "project"
        made.mkdir()
        manifest = read_archive(path, made)
        if manifest.tables > schema.VERSION:
            raise InputError(f"{path} was written by a later citepoll ({manifest.product}).", "Upgrade citepoll.")
        ledger = _checked(made, path)
        cycles = ledger.cycles()
        answers = sum(ledger.revision(cycle)[0] for cycle in cycles)
        ledger.db.dispose()
        with suppress(FileNotFoundError):
            root.rmdir()
        made.rename(root)
    desk = root / DATA / accounts.FILE
    return Restored(root, manifest.made_at, cycles, answers, desk if desk.exists() else None)


def last_backup(ledger: Ledger) -> datetime | None:
    """When the project was backed up last; None where it never was."""
    made = [event for event in ledger.history() if event["what"] == MADE]
    return datetime.fromisoformat(str(made[-1]["at"])) if made else None


def _gather(project: Project, ledger: Ledger, folder: Path, desk: Path | None) -> None:
    copy_database(ledger.path, folder / DATA / LEDGER)
    if (corpus := project.data / CORPUS_FILE).exists():
        copy_database(corpus, folder / DATA / CORPUS_FILE)
    copy_derived(project.data / "derived", folder / DATA / "derived")
    for file in (project.root / FILE, project.query_file):
        if file.is_file():
            target = folder / _below(file, project.root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
    if desk is not None:
        if not (desk / accounts.FILE).is_file():
            raise InputError(f"There is no {accounts.FILE} in {desk}.", "Name the folder that `citepoll serve` uses.")
        copy_database(desk / accounts.FILE, folder / DATA / accounts.FILE)


def _below(file: Path, root: Path) -> Path:
    try:
        return file.resolve().relative_to(root.resolve())
    except ValueError:
        raise InputError(
            f"{file} is outside of the project's folder, so a backup cannot hold it.", f"Move it, and mend {FILE}."
        ) from None


def _checked(made: Path, path: Path) -> Ledger:
    try:
        ledger = Ledger(made / DATA / LEDGER)
        ledger.check()
        read_project(made)
    except CitepollError as wrong:
        raise InputError(f"The project within {path} cannot be used: {wrong.cause}", "Use another backup.") from None
    return ledger


@contextmanager
def _staging(beside: Path) -> Iterator[Path]:
    """A folder for its owner's eyes on the same disk, gone when the block ends."""
    try:
        beside.mkdir(parents=True, exist_ok=True)
        held = TemporaryDirectory(prefix=".citepoll-", dir=beside)
    except OSError as wrong:
        raise InputError(f"{beside} cannot be written to: {wrong.strerror}.", "Give another place.") from None
    with held as folder:
        yield Path(folder)
