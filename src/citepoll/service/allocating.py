"""More runs next cycle where the last one was uncertain: Neyman's allocation, from closed cycles only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from citepoll.errors import InputError, SliceError
from citepoll.measure.budgeting import allocate
from citepoll.model import Query
from citepoll.project import Project
from citepoll.service.cells import Cells, read_cells
from citepoll.service.history import counts
from citepoll.service.measuring import brands_named
from citepoll.store.ledger import Cycle, Ledger

FLOOR = 2
"""Runs that every query gets."""


@dataclass(frozen=True, slots=True)
class Allotted:
    """The runs of one query on one engine in the next cycle; `cited` of `valid` answers in the last one."""

    engine: str
    query_id: str
    query: str
    cited: int
    valid: int
    runs: int


@dataclass(frozen=True, slots=True)
class Allocation:
    """`runs` an engine over the current queries that name no brand, from the answers of `cycle`, the newest closed one.

    It is for the cycle after that one, never for more runs in it. `rows` run by engine, most runs first; engines that
    the cycle did not ask are `left_out`.
    """

    cycle: str
    runs: int
    rows: tuple[Allotted, ...]
    branded_out: int
    left_out: tuple[str, ...]


def allocation(project: Project, ledger: Ledger, runs: int, at: datetime) -> Allocation:
    """Share `runs` an engine out over the queries. Raises `SliceError` without a closed cycle, `InputError` for too few."""
    cycle = last_closed(ledger)
    current = ledger.current()
    every = (current.queries if current else ledger.query_set(cycle)).queries
    named = brands_named(project.brands)
    queries = [q for q in every if not named(q.text)]
    if runs < FLOOR * len(queries):
        raise InputError(
            f"{runs} runs an engine do not give {len(queries)} queries {FLOOR} each.",
            f"Give --allocate {FLOOR * len(queries)} or more.",
        )
    cells = read_cells(project, ledger, cycle, at)
    asked = {e.name for e in ledger.engines(cycle)}
    wanted = [e.name for e in project.engines if e.surface != "recorded"] or sorted(asked)
    rows = [row for name in wanted if name in asked for row in _rows(project, cells, name, queries, runs)]
    left_out = tuple(name for name in wanted if name not in asked)
    return Allocation(cycle.name, runs, tuple(rows), len(every) - len(queries), left_out)


def last_closed(ledger: Ledger) -> Cycle:
    """The newest closed cycle: one that is open or stopped may still be asked, and must not steer its own runs."""
    closed = [c for c in ledger.cycles() if c.status == "closed" and c.set_hash]
    if not closed:
        raise SliceError(
            "There is no closed cycle to allot runs from.", "Poll one and close it (`citepoll cycles close NAME`)."
        )
    return closed[-1]


def _rows(project: Project, cells: Cells, engine: str, queries: list[Query], runs: int) -> list[Allotted]:
    cited, valid = counts(cells, engine, project.tracked.name, [q.id for q in queries])
    allotted = zip(queries, cited, valid, allocate(cited, valid, runs, FLOOR), strict=True) if queries else ()
    found = [Allotted(engine, q.id, q.text, k, n, own) for q, k, n, own in allotted]
    return sorted(found, key=lambda row: -row.runs)
