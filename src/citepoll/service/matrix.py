"""The matrix query × engine: citing answers out of all, and which competitors are ahead in each field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from citepoll.explain.gaps import gaps
from citepoll.model import Engine, Query
from citepoll.project import Project
from citepoll.report.data import CellNote
from citepoll.service.cells import Cells, newest, read_cells
from citepoll.store.ledger import Ledger

Branded = Literal["no", "yes", "all"]
_WHERE = {"no": ("",), "yes": ("branded = true",), "all": ("", "branded = true")}


@dataclass(frozen=True, slots=True)
class Matrix:
    """A cycle's queries in the order of their set, its engines, and a note for each pair that has a valid answer.

    `left_out` queries name a brand of the project, or name none, and were not asked for.
    """

    cycle: str
    queries: tuple[Query, ...]
    engines: tuple[Engine, ...]
    cells: tuple[CellNote, ...]
    left_out: int


def matrix(
    project: Project, ledger: Ledger, at: datetime, *, cycle: str | None = None, branded: Branded = "no"
) -> Matrix:
    """The matrix of a cycle (default: the newest measurable one) over queries that name no brand of the project, or only
    those that do, or all. Raises `SliceError` where there is no such cycle."""
    here = newest(ledger, cycle)
    every = ledger.query_set(here).queries if here.set_hash else ()
    found = [read_cells(project, ledger, here, at, where) for where in _WHERE[branded]]
    shown = {query.id for cells in found for query in cells.queries}
    return Matrix(
        cycle=here.name,
        queries=tuple(query for query in every if query.id in shown),
        engines=ledger.engines(here),
        cells=tuple(note for cells in found for note in cell_notes(project, cells)),
        left_out=len(every) - len(shown),
    )


def cell_notes(project: Project, cells: Cells) -> Iterator[CellNote]:
    """A note for every pair of engine and query that has a valid answer, with the competitors that are ahead there."""
    for (engine, query), (valid, brands) in cells.counts.items():
        ours = brands.get(project.tracked.name, 0)
        theirs = {b.name: brands.get(b.name, 0) for b in project.brands[1:]}
        ahead = tuple(gap.competitor for gap in gaps(query, valid, ours, theirs) if gap.verdict != "none")
        yield CellNote(query, engine, ours, valid, ahead)
