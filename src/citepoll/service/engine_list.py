"""The engines of a project beside what is known of each: key, price, how the last cycle went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from citepoll.model import Engine
from citepoll.project import Project
from citepoll.sampling.budget import Price
from citepoll.service.costs import listed_price
from citepoll.service.engines import Listed, list_engines
from citepoll.store.ledger import Cycle, Ledger
from citepoll.store.progress import Runs, last_failures, runs_of_engines


@dataclass(frozen=True, slots=True)
class InProject:
    """An engine of the project. `facts` None: no registry entry of that id is here (recorded answers have none).

    `usd_a_call` is what a call is expected to cost in US dollars, None where nobody knows; `priced_on` the day of the
    price table. `runs` and `failure` (the engine's words) are those of the newest cycle that asked it, None before one.
    """

    engine: Engine
    facts: Listed | None
    usd_a_call: float | None = None
    priced_on: date | None = None
    cycle: Cycle | None = None
    runs: Runs | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Engines:
    """Those of the project, and all others that could stand in it."""

    used: tuple[InProject, ...]
    others: tuple[Listed, ...]


def engines_of_project(project: Project, ledger: Ledger) -> Engines:
    """Every engine that there is, the project's own with how they did in the newest cycle that asked them."""
    known = {listed.id: listed for listed in list_engines()}
    newest = _newest(ledger, {engine.name for engine in project.engines})
    used = tuple(_in_project(project, ledger, engine, known.get(engine.id), newest) for engine in project.engines)
    ids = {engine.id for engine in project.engines}
    return Engines(used, tuple(listed for key, listed in known.items() if key not in ids and key != "recorded"))


def _newest(ledger: Ledger, names: set[str]) -> Mapping[str, Cycle]:
    """Engine → the newest cycle that asked it."""
    found: dict[str, Cycle] = {}
    for cycle in reversed(ledger.cycles()):
        for engine in ledger.engines(cycle):
            found.setdefault(engine.name, cycle)
        if names <= found.keys():
            break
    return found


def _in_project(
    project: Project, ledger: Ledger, engine: Engine, facts: Listed | None, newest: Mapping[str, Cycle]
) -> InProject:
    price = (listed_price(project, engine) or Price()) if facts else Price()
    cycle = newest.get(engine.name)
    runs = runs_of_engines(ledger, cycle).get(engine.name) if cycle else None
    failure = last_failures(ledger, cycle).get(engine.name) if cycle and runs and runs.failed else None
    return InProject(engine, facts, price.of_a_call, price.date, cycle, runs, failure)
