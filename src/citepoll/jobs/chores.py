"""Chores: what a server does for each project from time to time, such as retention."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from citepoll.project import Project
from citepoll.store.ledger import Cycle, Ledger


class Place(Protocol):
    """A project that the server shows. `project` and `ledger` may raise `CitepollError` where its files are not usable."""

    @property
    def id(self) -> str: ...

    @property
    def project(self) -> Project: ...

    @property
    def ledger(self) -> Ledger: ...


class Places(Protocol):
    """The projects of a server."""

    def all(self) -> tuple[Place, ...]: ...

    def find(self, id: str) -> Place | None: ...


AfterCycle = Callable[[Project, Ledger, Cycle, datetime], object]
"""Called when a server's poll ended and its cycle is closed or stopped. What it raises is told, and does no harm."""


@dataclass(frozen=True, slots=True)
class Chore:
    """`do` is carried out once in a span `every` for each project that `wants` it, which is asked every few seconds. What
    it returns is a sentence for the audit log, or "" where nothing is worth one; what it raises is told there too."""

    name: str
    wants: Callable[[Project, Ledger, datetime], bool]
    do: Callable[[Project, Ledger, datetime], str]
    every: timedelta = timedelta(days=1)
