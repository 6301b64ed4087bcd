"""What past cycles tell a planner about an engine: share, correlation of runs and of cycles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import fmean

from citepoll.measure import planning
from citepoll.measure.contrasts import read_cycles
from citepoll.model import Engine
from citepoll.project import Project
from citepoll.service.cells import Cells, read_cells
from citepoll.service.measuring import measurable
from citepoll.store.ledger import Cycle, Ledger


@dataclass(frozen=True, slots=True)
class Past:
    """One engine's past, of the tracked brand, on queries that name no brand.

    `cycles` are the newest two with valid answers, newest first: `share` is of the first, ICC and correlation of both
    (the correlation needs both). None where they do not tell. `informative` queries differ in their answers; `runs`
    are those planned, or for recorded answers the mean. `lent_by` are the engines whose mean these figures are, where
    the engine has none of its own.
    """

    engine: Engine
    runs: int
    cycles: tuple[str, ...] = ()
    share: float | None = None
    icc: float | None = None
    correlation: float | None = None
    informative: float = 0.0
    lent_by: tuple[str, ...] = ()


def past_of(project: Project, ledger: Ledger, engines: Sequence[Engine], at: datetime) -> tuple[Past, ...]:
    """The past of each engine, found by its name; empty for one that was never asked."""
    held: dict[int, Cells] = {}

    def cells(cycle: Cycle) -> Cells:
        if cycle.id not in held:
            held[cycle.id] = read_cells(project, ledger, cycle, at)
        return held[cycle.id]

    cycles = [(c, {e.name for e in ledger.engines(c)}) for c in reversed(measurable(ledger))]
    return tuple(
        _past(project, engine, [cells(c) for c, names in cycles if engine.name in names][:2]) for engine in engines
    )


def lent(project: Project, ledger: Ledger, pasts: Sequence[Past], at: datetime) -> tuple[Past, ...]:
    """The pasts, where an engine has none the mean of the engines of the newest cycle; unchanged without a cycle."""
    cycles = measurable(ledger)
    if not cycles or all(past.cycles for past in pasts):
        return tuple(pasts)
    told = [one for one in past_of(project, ledger, ledger.engines(cycles[-1]), at) if one.cycles]
    return tuple(past if past.cycles or not told else _mean(past, told) for past in pasts)


def _mean(past: Past, told: Sequence[Past]) -> Past:
    shares, iccs, correlations = (
        [value for one in told if (value := getattr(one, name)) is not None] for name in ("share", "icc", "correlation")
    )
    return replace(
        past,
        cycles=max((one.cycles for one in told), key=len),
        share=fmean(shares) if shares else None,
        icc=fmean(iccs) if iccs else None,
        correlation=fmean(correlations) if correlations else None,
        informative=fmean(one.informative for one in told),
        lent_by=tuple(one.engine.name for one in told),
    )


def counts(cells: Cells, engine: str, brand: str, queries: Sequence[str]) -> tuple[list[int], list[int]]:
    """Citing and valid answers of an engine by query, 0 where there are none."""
    found = [cells.counts.get((engine, query), (0, {})) for query in queries]
    return [brands.get(brand, 0) for _, brands in found], [valid for valid, _ in found]


def _past(project: Project, engine: Engine, newest: Sequence[Cells]) -> Past:
    told = [cells for cells in newest if any(name == engine.name for name, _ in cells.counts)]
    if not told:
        return Past(engine, engine.runs)
    ids = list(dict.fromkeys(q.id for cells in told for q in cells.queries))
    cited, valid = zip(*(counts(cells, engine.name, project.tracked.name, ids) for cells in told), strict=True)
    last = read_cycles(cited[:1], valid[:1])
    both = read_cycles(cited, valid)
    f = both.fractions
    return Past(
        engine=engine,
        runs=engine.runs if engine.surface != "recorded" else max(1, round(float(last.runs.mean()))),
        cycles=tuple(cells.cycle.name for cells in told),
        share=float(last.fractions.mean()),
        icc=planning.icc_of(both),
        correlation=planning.correlation_of(both) if len(told) == 2 else None,
        informative=float(min((f > 0).any(axis=0).sum(), (f < 1).any(axis=0).sum())),
    )
