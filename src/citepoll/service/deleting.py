"""Deleting answers for good: of one cycle, or all that a project has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from filelock import FileLock, Timeout

from citepoll.errors import LedgerError
from citepoll.project import Project
from citepoll.store.backup import shrink
from citepoll.store.derived import Derived
from citepoll.store.erasing import Held, erase_all, held
from citepoll.store.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Deletion:
    """What a deletion takes, before it or after it. `emptied`: nothing of it is left in the ledger's files; False where
    another program held one open, which then empties it as it closes; None before the deletion."""

    cycles: tuple[Held, ...]
    emptied: bool | None = None

    @property
    def answers(self) -> int:
        return sum(cycle.attempts for cycle in self.cycles)

    @property
    def bytes(self) -> int:
        return sum(cycle.bytes for cycle in self.cycles)


def doomed(ledger: Ledger, cycle: str | None = None) -> Deletion:
    """What would go: one cycle, or with None every one. Raises `SliceError` for a cycle that is not there."""
    cycles = ledger.cycles() if cycle is None else (ledger.cycle(cycle),)
    return Deletion(tuple(held(ledger, one) for one in cycles))


def delete_cycle(project: Project, ledger: Ledger, name: str, at: datetime) -> Deletion:
    """Delete a cycle with its answers, payloads, redirects and derived tables. It cannot be undone.

    The history keeps that there was one. Raises `LedgerError` while a poll is at work in the project.
    """
    with _alone(project):
        gone = doomed(ledger, name)
        ledger.drop(ledger.cycle(name), at)
        Derived(project.data / "derived").keep_only(ledger.cycles())
        return Deletion(gone.cycles, shrink(ledger.path))


def delete_project(project: Project, ledger: Ledger, at: datetime) -> Deletion:
    """Delete all answers, payloads and what was derived or decided from them: cycles, derived tables, statuses of
    opportunities, experiments, history. It cannot be undone.

    Project file, queries, locked query sets and the corpus stay. Raises `LedgerError` while a poll is at work.
    """
    with _alone(project):
        gone = doomed(ledger)
        erase_all(ledger, at)
        Derived(project.data / "derived").keep_only(())
        return Deletion(gone.cycles, shrink(ledger.path))


@contextmanager
def _alone(project: Project) -> Iterator[None]:
    """Nobody polls meanwhile, here or in another process."""
    try:
        with FileLock(project.data / "poll.lock", timeout=0):
            yield
    except Timeout:
        cause = "A poll is at work in this project."
        raise LedgerError(cause, "Stop it, or wait for it; then delete.", kept="Nothing was deleted.") from None
