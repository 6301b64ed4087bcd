"""What runs are expected to cost and how long they take, engine by engine, and where each figure is from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from citepoll.engines import known, load
from citepoll.errors import ProjectError
from citepoll.model import Engine
from citepoll.project import FILE, Pace, Project
from citepoll.sampling.asking import FOUR
from citepoll.sampling.budget import Price, fitting, price_of
from citepoll.store.attempts import took
from citepoll.store.ledger import Ledger

SECONDS = 15.0
"""What a run is presumed to take where no cycle tells: an engine that searches the web before it answers."""
SIMULATED_SECONDS = 0.01
"""The same for the local engine, whose answers took 0.001 to 0.007 s from two dozen documents."""


NEWEST = 10
"""Cycles that are looked at for what runs cost and took."""


@dataclass(frozen=True, slots=True)
class Outlay:
    """What `runs` of an engine are expected to cost and to take, if it were asked alone.

    `usd_a_run` and `usd` are US dollars, None where nobody knows; `cost_from` says in words who does: --cost-per-call,
    a cycle, [prices], the price table with its date, or that the engine is simulated. `dated` is the price table's day.
    `seconds_a_run` is a run with its further calls, `latency_from` the cycle that tells it, None where it is presumed.
    `seconds` are those of all runs under the limits of `at_once` and `per_minute`; None for recorded answers. `ceiling` is
    what the project lets the engine cost in a cycle, in US dollars (None: no ceiling), `affordable` how many of the runs
    fit below it at that price, after what the cycle has cost already; None where there is no ceiling or no price.
    """

    engine: str
    runs: int
    usd: float | None = None
    usd_a_run: float | None = None
    cost_from: str | None = None
    dated: date | None = None
    seconds: float | None = None
    seconds_a_run: float | None = None
    latency_from: str | None = None
    ceiling: float | None = None
    affordable: int | None = None


def outlays(
    project: Project, ledger: Ledger, engines: Sequence[Engine], runs: Mapping[str, int], given: float | None = None,
    spent: Mapping[str, float] | None = None,
) -> tuple[Outlay, ...]:  # fmt: skip
    """The outlay for the `runs` of each engine (by its name). `given` is what a call costs, whatever is known; `spent`
    is what the cycle has cost already, in US dollars by engine.

    The newest cycle of the same engine and model that knows tells cost and latency; else the project's [prices], else the
    price table tell the cost.
    """
    told = _told(ledger, engines)
    return tuple(
        _held(project, engine, _outlay(project, engine, runs[engine.name], told[engine.name], given), spent or {})
        for engine in engines
    )


@dataclass(slots=True)
class _Told:
    """What past cycles tell of a run: the figure with the newest cycle that has it."""

    usd: tuple[float, str] | None = None
    seconds: tuple[float, str] | None = None


def _told(ledger: Ledger, engines: Sequence[Engine]) -> Mapping[str, _Told]:
    """By engine name; another engine or model of that name tells nothing."""
    told = {engine.name: _Told() for engine in engines}
    for cycle in reversed(ledger.cycles()[-NEWEST:]):
        then = {(e.name, e.id, e.model) for e in ledger.engines(cycle)}
        figures = took(ledger, cycle)
        for engine in engines:
            if (engine.name, engine.id, engine.model) in then and (found := figures.get(engine.name)):
                mine = told[engine.name]
                mine.usd = mine.usd or ((found.usd, cycle.name) if found.usd is not None else None)
                mine.seconds = mine.seconds or ((found.seconds, cycle.name) if found.seconds is not None else None)
    return told


def _outlay(project: Project, engine: Engine, runs: int, told: _Told, given: float | None) -> Outlay:
    each, source, dated = _cost(project, engine, told) if given is None else (given, "--cost-per-call", None)
    found = Outlay(engine.name, runs, None if each is None else each * runs, each, source, dated)
    if not engine.id or engine.surface == "recorded":
        return found
    presumed = SIMULATED_SECONDS if engine.surface == "simulated" else SECONDS
    seconds, cycle = told.seconds or (presumed, None)
    taken = runs / _rate(project, engine, seconds)
    return replace(found, seconds=taken, seconds_a_run=seconds, latency_from=cycle)


def _held(project: Project, engine: Engine, found: Outlay, spent: Mapping[str, float]) -> Outlay:
    """The outlay with the engine's ceiling and the runs that fit below it."""
    ceiling = ceiling_of(project, engine)
    if ceiling is None or found.usd_a_run is None:
        return replace(found, ceiling=ceiling)
    fit = fitting(ceiling - spent.get(engine.name, 0.0), found.usd_a_run)
    return replace(found, ceiling=ceiling, affordable=found.runs if fit is None else min(found.runs, fit))


def _cost(project: Project, engine: Engine, told: _Told) -> tuple[float | None, str | None, date | None]:
    """Dollars of a run, who says so, and the day of the price table if that does."""
    if engine.surface == "simulated":
        return 0.0, "simulated", None
    if told.usd:
        return told.usd[0], f"cycle {told.usd[1]}", None
    price = listed_price(project, engine)
    if price is None or price.of_a_call is None:
        return None, None, None
    if engine.name in project.prices or engine.id in project.prices:
        return price.of_a_call, "[prices]", None
    return price.of_a_call, f"price table of {price.date}", price.date


def _rate(project: Project, engine: Engine, seconds: float) -> float:
    """Runs a second: what the places for calls at once allow, and no more than `per_minute`."""
    pace = Pace(FOUR.at_once) if engine.surface == "simulated" else pace_of(project, engine)
    allowed = pace.at_once / max(seconds, 1e-3)
    return min(allowed, pace.per_minute / 60.0) if pace.per_minute else allowed


def together(engines: Sequence[Engine], outlays: Sequence[Outlay]) -> float | None:
    """Seconds until all engines are through side by side: each round takes as long as the slowest of its engines.

    None where an engine has none, or there is no engine.
    """
    a_round = {o.engine: o.seconds for o in outlays}
    if not engines or None in a_round.values():
        return None
    last = max(e.runs for e in engines)
    return sum(
        max((a_round[e.name] or 0.0) / e.runs for e in engines if e.runs >= number) for number in range(1, last + 1)
    )


def pace_of(project: Project, engine: Engine) -> Pace:
    return project.paces.get(engine.name) or project.paces.get(engine.id) or Pace()


def listed_price(project: Project, engine: Engine) -> Price | None:
    """The price of an engine by [prices] and the price table, None where neither has it."""
    model = engine.model or (load(engine.id).FACTS.default_model if engine.id in known() else None)
    return price_of(engine, model, project.prices)


def ceiling_of(project: Project, engine: Engine) -> float | None:
    """What the project lets an engine cost in a cycle, in US dollars."""
    return project.engine_budgets.get(engine.name, project.engine_budgets.get(engine.id))


def check_prices(project: Project, engines: Sequence[Engine]) -> None:
    """Raises `ProjectError` where a ceiling is set and nobody knows what a call costs that it would have to hold."""
    held = [e for e in engines if e.surface != "simulated" and (project.budget or ceiling_of(project, e))]
    prices = {e.name: listed_price(project, e) for e in held}
    unknown = [name for name, price in prices.items() if price is None or price.of_a_call is None]
    if unknown:
        raise ProjectError(
            f"[budget] sets a ceiling, and the price of a call to {', '.join(unknown)} is not known.",
            f'Write [prices."{unknown[0]}"] with expected = 0.02 (US dollars a call) in {FILE}, or take the ceiling away.',
        )
