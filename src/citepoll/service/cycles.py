"""The cycles of a project: how far each is, at what pace, what may be done with it, and what was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from filelock import FileLock, Timeout

from citepoll.errors import LedgerError
from citepoll.model import Engine
from citepoll.project import Project
from citepoll.report.numbers import count
from citepoll.service import polling
from citepoll.store.ledger import Cycle, Ledger
from citepoll.store.progress import Runs, last_failures, recorded_since, runs_of_cycles, runs_of_engines

LOOKED_BACK = timedelta(minutes=2)
"""The pace of a poll is that of its last minutes: engines slow down and stop."""


@dataclass(frozen=True, slots=True)
class CycleLine:
    """A cycle in a list. `version` is the number of its query set, None for that of an import."""

    cycle: Cycle
    runs: Runs
    version: int | None
    simulated: bool


@dataclass(frozen=True, slots=True)
class CycleState:
    """One cycle now. `engines` and `runs` have the same order; `failures` are a vendor's words by engine.

    `a_minute` are runs recorded a minute lately, None where nothing was; `seconds_left` until all are asked at that
    pace, and not before the span of --over is through; None where nothing is left or there is no pace.
    """

    line: CycleLine
    engines: tuple[Engine, ...]
    runs: Mapping[str, Runs]
    failures: Mapping[str, str]
    queries: int
    a_minute: float | None = None
    seconds_left: float | None = None


def list_cycles(ledger: Ledger, cycles: Sequence[Cycle]) -> tuple[CycleLine, ...]:
    """A line for each of these cycles, in their order."""
    runs = runs_of_cycles(ledger, cycles)
    numbers = {version.hash: version.number for version in ledger.versions()}
    return tuple(
        CycleLine(
            cycle,
            runs[cycle.name],
            numbers.get(cycle.set_hash or ""),
            any(engine.surface == "simulated" for engine in ledger.engines(cycle)),
        )
        for cycle in cycles
    )


def cycle_state(ledger: Ledger, name: str, at: datetime) -> CycleState:
    """How a cycle stands at a moment. Raises `SliceError` for an unknown one."""
    cycle = ledger.cycle(name)
    line = list_cycles(ledger, (cycle,))[0]
    pace = _pace(ledger, cycle, at) if cycle.status == "open" else None
    return CycleState(
        line,
        ledger.engines(cycle),
        runs_of_engines(ledger, cycle),
        last_failures(ledger, cycle) if line.runs.failed else {},
        len(ledger.query_set(cycle).queries) if cycle.set_hash else 0,
        a_minute=pace,
        seconds_left=_seconds_left(line, pace, at),
    )


def _pace(ledger: Ledger, cycle: Cycle, at: datetime) -> float | None:
    since = max(at - LOOKED_BACK, datetime.fromisoformat(cycle.created_at))
    recorded = recorded_since(ledger, cycle, since)
    minutes = (at - since).total_seconds() / 60.0
    return recorded / minutes if recorded and minutes > 0 else None


def _seconds_left(line: CycleLine, pace: float | None, at: datetime) -> float | None:
    if not pace or not line.runs.left:
        return None
    asked = line.runs.left / pace * 60.0
    begun = datetime.fromisoformat(line.cycle.created_at)
    return max(asked, (line.cycle.over_seconds or 0.0) - (at - begun).total_seconds())


def close_cycle(project: Project, ledger: Ledger, name: str, at: datetime) -> Cycle:
    """Close a cycle as it is, if nobody polls it. Raises `LedgerError` while a poll is at work in the project."""
    try:
        with FileLock(project.data / "poll.lock", timeout=0):
            return polling.close(project, ledger, name, at)
    except Timeout:
        raise LedgerError("A poll is at work in this project.", "Pause or stop it first.") from None


RUN_STATES = {"done": "done", "failed": "failed", "flying": "in flight", "todo": "to do"}
"""The states of a run while it is polled, with their words."""


def run_states(runs: Runs) -> dict[str, int]:
    """State → how many runs are in it."""
    return {"done": runs.done, "failed": runs.failed, "flying": runs.in_flight, "todo": runs.todo}


def runs_words(runs: Runs) -> str:
    """`96 done, 2 failed, 4 in flight, 18 to do`; what does not occur is left out."""
    said = [f"{count(number)} {RUN_STATES[state]}" for state, number in run_states(runs).items() if number]
    return ", ".join(said) or "nothing planned yet"


def told(event: Mapping[str, object]) -> str:
    """What an event of the history says beside its name: `runs 40, hash sha256:…`; empty where it says no more."""
    kept = {k: v for k, v in event.items() if k not in ("at", "cycle", "what") and not isinstance(v, dict)}
    return ", ".join(f"{k} {v}" for k, v in kept.items())
