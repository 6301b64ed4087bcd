"""citepoll plan"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from citepoll.errors import InputError
from citepoll.measure.planning import DEFAULT_CORRELATION
from citepoll.model import Target
from citepoll.report.numbers import count, duration, money, noun, percent, price
from citepoll.report.printable import one_line
from citepoll.service.allocating import Allocation, allocation
from citepoll.service.outlays import outlay_lines
from citepoll.service.planning import DEFAULT_SHARE, MOST_RUNS, TARGETS, Asked, Basis, Line, Plan, Sight, make_plan
from citepoll.service.stopping import points
from citepoll.surfaces.cli.terminal import HERE, AsJson, ProjectDir, emit_json, now, opened, out, say, warn

QUESTIONS = {
    "fixed_set": "fixed_set: does it move on these queries?",
    "category": "category: does it move on questions like these?",
}


def plan(
    detect: Annotated[
        str, typer.Option(metavar="POINTS", help="The move to see: 5pp, 5% and 0.05 are the same.")
    ] = "5pp",
    power: Annotated[float, typer.Option(help="How often it is to be seen when it is there.")] = 0.8,
    target: Annotated[str, typer.Option(metavar="fixed_set|category|both", help="Of whom the plan speaks.")] = "both",
    runs: Annotated[int | None, typer.Option(min=1, metavar="N", help="Plan with so many runs a query.")] = None,
    queries: Annotated[int | None, typer.Option(min=1, metavar="N", help="Plan with so many queries.")] = None,
    share: Annotated[
        str | None, typer.Option(metavar="SHARE", help="Your share now (default: that of the last cycle).")
    ] = None,
    cost_per_call: Annotated[
        float | None, typer.Option(metavar="USD", min=0.0, help="Default: what past cycles cost, else the price table.")
    ] = None,
    stop_at: Annotated[
        str | None, typer.Option(metavar="POINTS", help="What `poll --stop-at` of this half-width would save.")
    ] = None,
    allocate: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Instead: share N runs an engine out, most where the last cycle was unsure."
        ),
    ] = None,
    project: ProjectDir = HERE,
    as_json: AsJson = False,
) -> None:
    """How many queries and runs see a move, what a cycle of them costs, and what the present ones see."""
    desk = opened(project)
    if allocate is not None:
        allotted = allocation(desk.project, desk.ledger, allocate, now())
        emit_json(allotted) if as_json else _tell_allocation(allotted)
        return
    asked = Asked(
        detect=points(detect, "--detect"),
        power=power,
        targets=_targets(target),
        runs=runs,
        queries=queries,
        share=points(share, "--share") if share else None,
        cost_per_call=cost_per_call,
        stop_at=points(stop_at, "--stop-at") if stop_at else None,
    )
    found = make_plan(desk.project, desk.ledger, asked, now())
    emit_json(found) if as_json else _tell(found)
    for warning in found.warnings:
        warn(warning)


def _targets(text: str) -> tuple[Target, ...]:
    if text == "both":
        return TARGETS
    found = tuple(target for target in TARGETS if target == text)
    if not found:
        raise InputError(f"--target is {text!r}.", "Say fixed_set, category or both.")
    return found


def _tell(plan: Plan) -> None:
    move, power = _points(plan.asked.detect), percent(plan.asked.power)
    out.print(Text(f"To see {plan.brand} move by {move} points between two cycles, {power} of the time"))
    out.print()
    out.print(_bases(plan.bases))
    for sentence in _sources(plan):
        out.print(Text(sentence))
    for target in plan.asked.targets:
        out.print()
        _tell_target(plan, target)
    out.print()
    _tell_present(plan)
    _tell_outlays(plan)


def _tell_outlays(plan: Plan) -> None:
    """Cost and time of a cycle of the present queries, those that name a brand among them."""
    if not plan.outlays:
        return
    known = [outlay.usd for outlay in plan.outlays if outlay.usd is not None]
    unknown = len(plan.outlays) - len(known)
    cost = money(sum(known)) if known else "an unknown price"
    more = f" and {noun(unknown, 'engine')} of unknown price" if known and unknown else ""
    time = "" if plan.seconds is None else f", about {duration(plan.seconds)}"
    out.print()
    out.print(
        Text(f"A cycle of them: {noun(sum(o.runs for o in plan.outlays), 'run')}, {cost}{more}{time}", style="bold")
    )
    for line in outlay_lines(plan.outlays):
        out.print(Text(line))


def _table(*heads: str) -> Table:
    """The first column is text, cut where it is long; the others are numbers."""
    table = Table(box=None, pad_edge=False)
    for at, head in enumerate(heads):
        wide = at in (0, len(heads) - 1) and head in ("engine", "query", "")
        table.add_column(head, justify="left" if wide else "right", no_wrap=True, overflow="ellipsis")
    return table


def _bases(bases: tuple[Basis, ...]) -> Table:
    table = _table("engine", "share", "ICC", "correlation", "a call")
    for basis in bases:
        cost = "unknown" if basis.cost is None else price(basis.cost)
        table.add_row(
            _labelled(basis), percent(basis.share), f"{basis.icc:.2f}", f"{basis.correlation:.2f}", cost,
        )  # fmt: skip
    return table


def _labelled(basis: Basis) -> Text:
    kind = f" ({basis.surface})" if basis.surface in ("simulated", "recorded") else ""
    return Text(one_line(basis.engine, 40) + kind)


def _sources(plan: Plan) -> Iterator[str]:
    """Where each presumed figure comes from."""
    bases = plan.bases
    shares = _names(name for b in bases for name in b.share_from)
    told = f"The share is that of {shares}" if shares != "--share" else "The share is the one given"
    yield f"{told}." if shares else f"No cycle tells the share: {percent(DEFAULT_SHARE)} is presumed."
    cycles = _names(name for b in bases for name in b.icc_from)
    if cycles:
        yield f"The ICC (how alike a query's runs are) is estimated from {cycles}."
    if any(not b.icc_from for b in bases):
        yield "Where no cycle tells the ICC it is .6; .4 to .8 is usual."
    pairs = _names(name for b in bases for name in b.correlation_from)
    if pairs:
        yield f"The correlation of a query between cycles is estimated from {pairs}."
    if any(not b.correlation_from for b in bases):
        yield f"Where two cycles do not tell the correlation it is {DEFAULT_CORRELATION:.1f}."


def _names(names: Iterator[str]) -> str:
    return ", ".join(dict.fromkeys(names))


def _tell_target(plan: Plan, target: Target) -> None:
    lines = [line for line in plan.lines if line.target == target]
    out.print(Text(QUESTIONS[target], style="bold"))
    if not lines:
        out.print(Text("No number of queries up to a million does it."))
        return
    table = _table("runs", "queries", "calls", "cost", "interval", "sees", "")
    for line in lines:
        table.add_row(
            str(line.runs), count(line.queries), count(line.calls), "" if line.cost is None else money(line.cost),
            _half(line.width), _move(line.detectable), _mark(line),
        )  # fmt: skip
    out.print(table)
    for line in lines:
        if line.icc_range:
            low, high = line.icc_range
            out.print(Text(f"With {line.runs} runs: {count(low)} to {count(high)} queries, for an ICC from .4 to .8."))
    _tell_sufficient(plan, target)


def _mark(line: Line) -> str:
    if line.cheapest:
        return "← cheapest"
    if line.cheapest_usual:
        return "← cheapest with 3 runs or more"
    return "" if line.enough else "not enough"


def _tell_sufficient(plan: Plan, target: Target) -> None:
    queries = plan.asked.queries or plan.queries
    if queries is None or (plan.asked.runs and plan.asked.queries):
        return
    whose = "With" if plan.asked.queries else "With your"
    line = next((line for line in plan.suffices if line.target == target), None)
    asked = f"{whose} {noun(queries, 'query', 'queries')}:"
    if line is None:
        out.print(Text(f"{asked} no number of runs up to {MOST_RUNS} is enough; more queries are."))
    else:
        cost = "" if line.cost is None else f", {money(line.cost)}"
        out.print(Text(f"{asked} {noun(line.runs, 'run')} a query, {noun(line.calls, 'call')} a cycle{cost}."))


def _tell_present(plan: Plan) -> None:
    if not plan.present:
        say("No query set is locked yet: what your own queries see will stand here.")
        return
    queries = noun(plan.present[0].queries, "query", "queries")
    branded = f" ({noun(plan.branded_out, 'branded one')} left out)" if plan.branded_out else ""
    out.print(Text(f"What {queries} see now{'' if plan.asked.queries else branded}", style="bold"))
    table = _table("engine", "runs", *(f"{t} {w}" for t in plan.asked.targets for w in ("±", "sees")))
    for basis in plan.bases:
        sights = [sight for sight in plan.present if sight.engine == basis.engine]
        table.add_row(Text(one_line(basis.engine, 24)), str(basis.runs), *(cell for s in sights for cell in _cells(s)))
    out.print(table)
    for stop in plan.stops:
        reach = f"{stop.engine}: ± {_points(stop.half_width)} points"
        when = (
            f"about round {stop.rounds} of {stop.cap}, {noun(stop.saved_calls, 'call')} saved"
            if stop.rounds
            else f"not within {stop.cap} runs: nothing saved"
        )
        out.print(Text(f"{reach} after {when}." if stop.rounds else f"{reach} {when}."))


def _cells(sight: Sight) -> tuple[str, str]:
    return _half(sight.width), _move(sight.detectable)


def _half(width: float) -> str:
    return f"± {width * 50:.1f}"


def _move(move: float | None) -> str:
    return "none" if move is None else f"{move * 100:.1f}"


def _points(fraction: float) -> str:
    return f"{fraction * 100:.3g}"


def _tell_allocation(found: Allocation) -> None:
    out.print(
        Text(f"{noun(found.runs, 'run')} an engine for the cycle after {found.cycle}, never for {found.cycle} itself")
    )
    for engine in dict.fromkeys(row.engine for row in found.rows):
        out.print()
        out.print(Text(engine, style="bold"))
        table = _table("runs", "cited", "query")
        for row in found.rows:
            if row.engine == engine:
                table.add_row(str(row.runs), f"{row.cited} of {row.valid}", Text(one_line(row.query, 60)))
        out.print(table)
    if found.branded_out:
        say(f"{noun(found.branded_out, 'branded query', 'branded queries')} left out")
    for name in found.left_out:
        warn(f"{name} was not asked in {found.cycle}: nothing to go by")
    say(f"`citepoll poll --allocate {found.runs}` asks so.")
