"""A project that is open: its settings and its ledger. What `citepoll.open` returns."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from citepoll.model import Slice
from citepoll.project import Project, read_project
from citepoll.service.deriving import derive
from citepoll.service.importing import ImportSummary, import_file
from citepoll.service.measuring import Measured
from citepoll.service.reading import read
from citepoll.store.ledger import Cycle, Ledger


class OpenProject:
    """One project folder. Methods return values of `citepoll.model`; nothing is cached but the ledger's connection."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.ledger = Ledger(project.data / "ledger.db")

    @property
    def cycles(self) -> tuple[Cycle, ...]:
        return self.ledger.cycles()

    def measure(self, slice: Slice | None = None) -> Measured:
        """The answer to a slice, of counted or of found metrics; without one, share of citation by brand and engine of the
        latest cycle.

        Raises `SliceError` for an unknown metric, field or cycle, and for metrics that do not go together.
        """
        return read(self.project, self.ledger, slice or Slice(), datetime.now(UTC))

    def import_file(self, path: str | Path, cycle: str, *, engine: str | None = None) -> ImportSummary:
        """Import recorded answers, as `citepoll import` does, and derive the cycle's tables."""
        now = datetime.now(UTC)
        summary = import_file(self.project, self.ledger, Path(path), cycle, at=now, engine=engine)
        derive(self.project, self.ledger, self.ledger.cycle(cycle), now)
        return summary


def open_project(root: str | Path = ".") -> OpenProject:
    """Open the project in the folder `root`. Raises `ProjectError` with line, cause and fix where its file has a mistake."""
    return OpenProject(read_project(Path(root)))
