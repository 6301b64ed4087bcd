"""More runs next cycle where the last one was uncertain: Neyman's allocation, from closed cycles only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from citepoll.errors import InputError, SliceError
from citepoll.measure.budgeting import allocate
from citepoll.model import Engine, Query
from citepoll.project import Project
from citepoll.service.cells import Cells, read_cells
from citepoll.service.history import counts
from citepoll.service.measuring import brands_named
from citepoll.store.ledger import Cycle, Ledger
from citepoll.store.rounds import Allotment

FLOOR = 2
"""Runs that every query gets."""
MOST = 1000
"""Runs a query, as an engine of the project may have at most."""


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
    """Share `runs` an engine out over the queries. Raises `SliceError` without a closed cycle.

    Raises `InputError` where there are too few, more than `MOST` a query, or no query without a brand's name.
    """
    cycle = last_closed(ledger)
    current = ledger.current()
    every = (current.queries if current else ledger.query_set(cycle)).queries
    named = brands_named(project.brands)
    queries = [q for q in every if not named(q.text)]
    _check(runs, len(queries))
    cells = read_cells(project, ledger, cycle, at)
    asked = {e.name for e in ledger.engines(cycle)}
    wanted = [e.name for e in project.engines if e.surface != "recorded"] or sorted(asked)
    rows = [row for name in wanted if name in asked for row in _rows(project, cells, name, queries, runs)]
    left_out = tuple(name for name in wanted if name not in asked)
    return Allocation(cycle.name, runs, tuple(rows), len(every) - len(queries), left_out)


def _check(runs: int, queries: int) -> None:
    if not queries:
        raise InputError("Every query names a brand, and runs are shared out over those that do not.", "Add queries.")
    if runs < FLOOR * queries:
        raise InputError(
            f"{runs} runs an engine do not give {queries} queries {FLOOR} each.",
            f"Give --allocate {FLOOR * queries} or more.",
        )
    if runs > MOST * queries:
        raise InputError(f"{runs} runs an engine are more than {MOST} a query.", "Give fewer.")


def allotment(project: Project, ledger: Ledger, engines: Sequence[Engine], runs: int, at: datetime) -> Allotment:
    """`allocation` as a poll carries it out on these engines: a query that names a brand keeps the engine's runs.

    Raises what `allocation` raises.
    """
    found = allocation(project, ledger, runs, at)
    current = ledger.current()
    every = current.queries.queries if current else ()
    shared: dict[str, dict[str, int]] = {e.name: {q.id: e.runs for q in every} for e in engines}
    for row in found.rows:
        shared[row.engine][row.query_id] = row.runs
    for name in found.left_out:
        del shared[name]
    return Allotment(found.cycle, runs, shared)


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
