"""Planning: how many queries and runs see a move, what the present ones see, and what past cycles say about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from citepoll.errors import InputError
from citepoll.measure import planning
from citepoll.measure.budgeting import FIRST_LOOK
from citepoll.measure.grades import DEFAULT_ICC
from citepoll.model import Engine, Surface, Target
from citepoll.project import Project
from citepoll.report.numbers import percent
from citepoll.service.costs import Outlay, outlays, together
from citepoll.service.history import Past, lent, past_of
from citepoll.service.measuring import brands_named, measurable
from citepoll.service.stopping import check_caps
from citepoll.store.ledger import Ledger

DEFAULT_SHARE = 0.15
ICC_RANGE = (0.4, 0.8)
MOST_RUNS = 50
RELIABLE = 50
"""Queries below which planned power is approximate (STATISTICS section 2.2)."""
TARGETS: tuple[Target, ...] = ("fixed_set", "category")


SIMULATED: tuple[tuple[int, float, float, float], ...] = (
    (20, 0.05, 0.1, 0.076), (20, 0.05, 0.2, 0.390), (20, 0.05, 0.3, 0.763), (20, 0.30, 0.1, 0.103),
    (20, 0.30, 0.2, 0.353), (50, 0.05, 0.1, 0.539), (50, 0.05, 0.2, 0.962), (50, 0.30, 0.1, 0.329),
    (50, 0.30, 0.2, 0.855), (200, 0.05, 0.1, 0.996), (200, 0.30, 0.1, 0.915),
)  # fmt: skip
"""Queries, share, move and simulated power of the category target, of STATISTICS section 2.3: 3 runs, ICC .6, 40 % of
the queries redrawn, so that these carry the whole move."""
REDRAWN = 0.4


@dataclass(frozen=True, slots=True)
class Simulated:
    """What this planner says of a design (`planned`), and the part of simulated cycles that saw the move."""

    queries: int
    share: float
    move: float
    planned: float
    simulated: float


@dataclass(frozen=True, slots=True)
class Asked:
    """What a plan is asked for. Moves, shares and half-widths are fractions; None leaves a figure to the plan."""

    detect: float = 0.05
    power: float = planning.DEFAULT_POWER
    targets: tuple[Target, ...] = TARGETS
    runs: int | None = None
    queries: int | None = None
    share: float | None = None
    cost_per_call: float | None = None
    stop_at: float | None = None


@dataclass(frozen=True, slots=True)
class Basis:
    """What is presumed of one engine. The `…_from` name the cycles behind a figure, `--share`, or nothing (a default).

    ICC and correlation are drawn towards the defaults where few queries tell; `…_seen` are the bare estimates. `runs`
    are those of the project, `cost` is in US dollars a call, None where nobody knows it, and `cost_from` says who does.
    `lent_by` are the engines whose mean stands in for an engine that no cycle asked.
    """

    engine: str
    surface: Surface
    runs: int
    share: float
    share_from: tuple[str, ...]
    icc: float
    icc_seen: float | None
    icc_from: tuple[str, ...]
    correlation: float
    correlation_seen: float | None
    correlation_from: tuple[str, ...]
    cost: float | None
    cost_from: str | None = None
    lent_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A design of one cycle over all engines, judged by the engine that it serves worst.

    `width` is the full width of the interval, `detectable` the least move seen with the power asked for (None: none);
    `enough` says whether that is the move asked for. `icc_range`: the queries it takes for an ICC of .4 to .8.
    """

    target: Target
    runs: int
    queries: int
    calls: int
    cost: float | None
    width: float
    detectable: float | None
    enough: bool
    cheapest: bool = False
    cheapest_usual: bool = False
    icc_range: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Sight:
    """What one engine's present queries and runs see."""

    engine: str
    target: Target
    queries: int
    runs: int
    width: float
    detectable: float | None


@dataclass(frozen=True, slots=True)
class Stop:
    """When `poll --stop-at` is expected to end an engine: after `rounds` of `cap`; None where the cap comes first."""

    engine: str
    half_width: float
    rounds: int | None
    cap: int
    saved_calls: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The answer. `lines` split each target's budget between queries and runs; `suffices` has the runs that do with
    the present queries (no line: up to 50 do not); `present` is empty without a locked set; `outlays` are what a cycle of
    the present queries, the branded ones among them, costs and takes engine by engine, and `seconds` all of them side by
    side (None: recorded answers); `measured` is how well such plans were kept in simulation."""

    asked: Asked
    brand: str
    queries: int | None
    branded_out: int
    bases: tuple[Basis, ...]
    lines: tuple[Line, ...]
    suffices: tuple[Line, ...]
    present: tuple[Sight, ...]
    stops: tuple[Stop, ...]
    outlays: tuple[Outlay, ...]
    seconds: float | None
    warnings: tuple[str, ...]
    measured: tuple[Simulated, ...]


def make_plan(project: Project, ledger: Ledger, asked: Asked, at: datetime) -> Plan:
    """Plan the cycles of a project. Raises `InputError` for a move or power that is not possible."""
    queries, branded_out = headline_queries(project, ledger)
    engines = engines_of(project, ledger)
    known = asked.queries or queries
    branded = 0 if asked.queries else branded_out
    costs = outlays(
        project, ledger, engines, {e.name: e.runs * ((known or 0) + branded) for e in engines}, asked.cost_per_call
    )
    pasts = lent(project, ledger, past_of(project, ledger, engines, at), at)
    bases = tuple(_basis(past, cost, asked) for past, cost in zip(pasts, costs, strict=True))
    lines = tuple(line for target in asked.targets for line in _lines(asked, bases, target))
    suffices = (_sufficient(asked, bases, target, known) for target in asked.targets) if known else ()
    present = tuple(_sights(asked, bases, known)) if known else ()
    return Plan(
        asked=asked,
        brand=project.tracked.name,
        queries=queries,
        branded_out=branded_out,
        bases=bases,
        lines=lines,
        suffices=tuple(line for line in suffices if line),
        present=present,
        stops=_stops(asked.stop_at, engines, bases, known, branded),
        outlays=costs if known else (),
        seconds=together(engines, costs) if known else None,
        warnings=(*_lent(bases), *_warnings(asked, bases, lines, known)),
        measured=measured(),
    )


def headline_queries(project: Project, ledger: Ledger) -> tuple[int | None, int]:
    """The locked queries that name no brand (None: nothing is locked and no cycle has a set), and those that do."""
    current = ledger.current()
    sets = [ledger.query_set(c) for c in measurable(ledger) if c.set_hash]
    found = current.queries if current else sets[-1] if sets else None
    if found is None:
        return None, 0
    named = brands_named(project.brands)
    branded = sum(bool(named(q.text)) for q in found.queries)
    return len(found.queries) - branded or None, branded


def engines_of(project: Project, ledger: Ledger) -> tuple[Engine, ...]:
    """The engines that can be asked, else those of the newest cycle, else one that stands for any."""
    pollable = tuple(e for e in project.engines if e.surface != "recorded")
    cycles = measurable(ledger)
    return pollable or (ledger.engines(cycles[-1]) if cycles else ()) or (Engine("any engine", "", "api"),)


# ---------------------------------------------------------------- what is presumed


def _basis(past: Past, cost: Outlay, asked: Asked) -> Basis:
    share, source = past.share, past.cycles[:1]
    if asked.share is not None:
        share, source = asked.share, ("--share",)
    pair = past.cycles[:2]
    return Basis(
        engine=past.engine.name,
        surface=past.engine.surface,
        runs=past.runs,
        share=DEFAULT_SHARE if share is None else share,
        share_from=() if share is None else source,
        icc=planning.toward(past.icc, DEFAULT_ICC, past.informative),
        icc_seen=past.icc,
        icc_from=pair if past.icc is not None else (),
        correlation=planning.toward(past.correlation, planning.DEFAULT_CORRELATION, past.informative),
        correlation_seen=past.correlation,
        correlation_from=pair if past.correlation is not None else (),
        cost=cost.usd_a_run,
        cost_from=cost.cost_from,
        lent_by=past.lent_by,
    )


# ---------------------------------------------------------------- designs


def _lines(asked: Asked, bases: Sequence[Basis], target: Target) -> Iterator[Line]:
    """A line for each number of runs that any number of queries makes enough, the cheapest ones marked."""
    found = []
    for runs in (asked.runs,) if asked.runs else planning.RUNS:
        queries = asked.queries or _least_queries(asked, bases, target, runs)
        if queries:
            found.append(_line(asked, bases, target, queries, runs))
    enough = [line for line in found if line.enough]
    cheapest = min(enough, key=lambda line: line.calls, default=None)
    usual = min((line for line in enough if line.runs >= FIRST_LOOK), key=lambda line: line.calls, default=None)
    for line in found:
        marked = replace(line, cheapest=line is cheapest, cheapest_usual=line is usual)
        yield replace(marked, icc_range=_icc_range(asked, bases, line)) if line is usual else marked


def _line(asked: Asked, bases: Sequence[Basis], target: Target, queries: int, runs: int) -> Line:
    moves = [_detectable(asked, b, target, queries, runs) for b in bases]
    worst = max((m for m in moves if m is not None), default=None) if None not in moves else None
    costs = [b.cost for b in bases]
    spent = sum(c for c in costs if c is not None) * queries * runs if None not in costs else None
    return Line(
        target=target,
        runs=runs,
        queries=queries,
        calls=queries * runs * len(bases),
        cost=spent,
        width=max(planning.planned_width(b.share, queries, runs, target=target, icc=b.icc) for b in bases),
        detectable=worst,
        enough=worst is not None and worst <= asked.detect,
    )


def _detectable(asked: Asked, basis: Basis, target: Target, queries: int, runs: int) -> float | None:
    return planning.detectable(
        _start(basis, asked), queries, runs, target=target, icc=basis.icc, r=basis.correlation, power=asked.power
    )


def _start(basis: Basis, asked: Asked) -> float:
    """The share that a move starts from. A fall from .97 is the mirror image of a rise from .03."""
    if asked.detect > max(basis.share, 1.0 - basis.share):
        move, share = f"{asked.detect * 100:g} points", percent(basis.share)
        raise InputError(f"a move of {move} is not possible, up or down, from {share}", "Give a smaller one.")
    return basis.share if asked.detect <= 1.0 - basis.share else 1.0 - basis.share


def _least_queries(asked: Asked, bases: Sequence[Basis], target: Target, runs: int) -> int | None:
    """So many that the move is seen on every engine; None where a million would not do on one of them."""
    needed = []
    for basis in bases:
        options = planning.design(
            asked.detect, mu=_start(basis, asked), target=target, power=asked.power, icc=basis.icc,
            r=basis.correlation, runs=(runs,),
        )  # fmt: skip
        if not options:
            return None
        needed.append(options[0].queries)
    return max(needed)


def _icc_range(asked: Asked, bases: Sequence[Basis], line: Line) -> tuple[int, int] | None:
    """The queries it takes over the usual range of the ICC, where that of some engine is a default."""
    if asked.queries or all(b.icc_from for b in bases):
        return None
    found = [
        _least_queries(asked, [b if b.icc_from else replace(b, icc=icc) for b in bases], line.target, line.runs)
        for icc in ICC_RANGE
    ]
    low, high = sorted(queries or 0 for queries in found)
    return (low, high) if low else None


def _sufficient(asked: Asked, bases: Sequence[Basis], target: Target, queries: int) -> Line | None:
    """The least runs that see the move with these queries."""
    lines = (_line(asked, bases, target, queries, runs) for runs in range(1, MOST_RUNS + 1))
    return next((line for line in lines if line.enough), None)


def _sights(asked: Asked, bases: Sequence[Basis], queries: int) -> Iterator[Sight]:
    for basis in bases:
        for target in asked.targets:
            width = planning.planned_width(basis.share, queries, basis.runs, target=target, icc=basis.icc)
            move = _detectable(asked, basis, target, queries, basis.runs)
            yield Sight(basis.engine, target, queries, basis.runs, width, move)


def _stops(
    half_width: float | None, engines: Sequence[Engine], bases: Sequence[Basis], queries: int | None, branded: int
) -> tuple[Stop, ...]:
    """Where the planned fixed-set interval is narrow enough first; branded queries are asked, and not looked at.

    Raises `InputError` for a cap below three runs.
    """
    if half_width is None or not queries:
        return ()
    check_caps(engines, half_width)
    found = []
    for basis in bases:
        cap = basis.runs
        widths = {
            n: planning.planned_width(basis.share, queries, n, target="fixed_set", icc=basis.icc)
            for n in range(FIRST_LOOK, cap + 1)
        }
        rounds = next((n for n, width in widths.items() if width / 2.0 <= half_width), None)
        found.append(Stop(basis.engine, half_width, rounds, cap, (cap - (rounds or cap)) * (queries + branded)))
    return tuple(found)


# ---------------------------------------------------------------- warnings


def measured() -> tuple[Simulated, ...]:
    """The simulated designs of section 2.3 beside what this planner says of them."""
    return tuple(
        Simulated(
            queries, share, move, planning.power(move, share, queries, 3, target="category", r=1 - REDRAWN), simulated
        )
        for queries, share, move, simulated in SIMULATED
    )


def _lent(bases: Sequence[Basis]) -> Iterator[str]:
    for others in dict.fromkeys(basis.lent_by for basis in bases if basis.lent_by):
        names = ", ".join(basis.engine for basis in bases if basis.lent_by == others)
        yield f"no cycle has answers of {names}: presumed to be like the mean of {', '.join(others)}"


def _warnings(asked: Asked, bases: Sequence[Basis], lines: Sequence[Line], queries: int | None) -> Iterator[str]:
    used = [line.queries for line in lines if line.enough] + ([queries] if queries else [])
    if used and min(used) < RELIABLE:
        yield f"below {RELIABLE} queries these figures are approximate"
    if used and "category" in asked.targets:
        yield _kept_to(min(used), bases)
    if any(line.cheapest and line.runs < FIRST_LOOK for line in lines):
        yield (
            "fewer than three runs a query are cheapest here, but tell little about these queries, their correlation "
            "and the gaps: three are the usual least"
        )
    if not any(line.enough for line in lines):
        yield f"no design shown sees a move of {asked.detect * 100:.3g} points with a power of {asked.power * 100:.0f} %"


def _kept_to(queries: int, bases: Sequence[Basis]) -> str:
    """The measured line nearest to a plan, in words."""
    share = sum(b.share for b in bases) / len(bases)
    tier = max((row.queries for row in measured() if row.queries <= queries), default=min(row[0] for row in SIMULATED))
    near = min((row for row in measured() if row.queries == tier), key=lambda row: (abs(row.share - share), row.move))
    return (
        "category figures presume that all queries move a little, and are optimistic where few carry the move: with "
        f"{REDRAWN * 100:.0f} % of {near.queries} queries redrawn, {near.move * 100:.0f} points from "
        f"{near.share * 100:.0f} % were planned at a power of {near.planned * 100:.0f} % and seen in "
        f"{near.simulated * 100:.0f} % of simulated cycles"
    )
