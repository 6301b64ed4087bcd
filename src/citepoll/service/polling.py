"""Polling: open a cycle or go on with one, ask what has no answer yet, close it, derive its tables."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime

from filelock import FileLock, Timeout

from citepoll.engines import load
from citepoll.errors import EngineError, InputError, LedgerError, ProjectError, QuerySetError
from citepoll.model import FINAL, Engine
from citepoll.project import FILE, Pace, Project, key_of
from citepoll.sampling.asking import Asked
from citepoll.sampling.budget import Budget, Estimate, Price, estimate, price_of
from citepoll.sampling.http import HttpTransport
from citepoll.sampling.limiter import Limits
from citepoll.sampling.local.transport import LocalTransport
from citepoll.sampling.retry import Retries
from citepoll.sampling.sampler import Event, Outcome, plan_order, sample
from citepoll.service.deriving import derive
from citepoll.service.stopping import Looks, check_caps
from citepoll.store.ledger import Cycle, Ledger, Progress
from citepoll.store.rounds import EndedEarly, ended_early, set_stop_at, stop_at


class SystemClock:
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Planned:
    """What a poll would do: the cycle (`resumes` if it exists), its set, engines and the runs still to ask.

    `stop_at` is the half-width (a fraction) at which an engine ends before its runs are used up. `estimates` are what
    the runs still to ask may cost, engine by engine, and `ceiling` what the cycle may cost at most, in US dollars.
    """

    cycle: str
    resumes: bool
    set_hash: str
    version: int | None
    queries: int
    engines: tuple[Engine, ...]
    runs: int
    todo: int
    over_seconds: float | None = None
    stop_at: float | None = None
    estimates: tuple[Estimate, ...] = ()
    ceiling: float | None = None


@dataclass(frozen=True, slots=True)
class Polled:
    """How a poll ended. `status` is that of the cycle: closed when every run has a final answer, stopped where some failed.

    `ended_early` names the engines that `stop_at` ended in this cycle, by this poll or one before.
    """

    cycle: str
    status: str
    progress: tuple[Progress, ...]
    recorded: int
    interrupted: bool
    stopped: Mapping[str, str] = field(default_factory=dict)
    simulated: bool = False
    ended_early: tuple[EndedEarly, ...] = ()


def span(text: str | None) -> float | None:
    """Seconds of a span such as `90m`, `36h`, `3d`, `1w`; None for None. Raises `InputError` for other text."""
    if text is None:
        return None
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhdw])\s*", text)
    if not found:
        raise InputError(f"{text!r} is not a span of time.", "Write it like 90m, 36h, 3d or 1w.")
    return float(found[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}[found[2]]


def resumable(ledger: Ledger, name: str | None, *, retry: bool) -> Cycle | None:
    """The polled cycle to go on with: the one named, else the newest that is open, or stopped with runs to ask."""
    polled = [c for c in ledger.cycles() if c.kind == "polled" and name in (None, c.name)]
    for cycle in reversed(polled):
        todo = any(p.todo or (retry and set(p.statuses) - FINAL) for p in ledger.progress(cycle))
        if cycle.status == "open" or (cycle.status == "stopped" and todo):
            return cycle
    return None


def plan(project: Project, ledger: Ledger, *, name: str | None, over: str | None, retry: bool, at: datetime,
         half_width: float | None = None) -> Planned:  # fmt: skip
    """What `poll` would do now, without doing it. Raises what `poll` would raise before its first call."""
    cycle = resumable(ledger, name, retry=retry)
    if cycle is not None:
        progress = ledger.progress(cycle)
        engines = ledger.engines(cycle)
        half_width = half_width or stop_at(ledger, cycle)
        check_caps(engines, half_width)
        queries = ledger.query_set(cycle)
        again = sum(_again(p) for p in progress) if retry else 0
        total = sum(len(queries.queries) * e.runs for e in engines)
        entered = sum(p.planned for p in progress)
        check_keys(engines)
        left = {p.engine: p.todo + (_again(p) if retry else 0) for p in progress}
        estimates = estimated(
            project, engines, {e.name: left.get(e.name, len(queries.queries) * e.runs) for e in engines}
        )
        return Planned(
            cycle.name, True, queries.hash, ledger.version(queries.hash).number, len(queries.queries), engines, total,
            total - entered + sum(p.todo for p in progress) + again, cycle.over_seconds, half_width,
            estimates, project.budget,
        )  # fmt: skip
    if name is not None and any(c.name == name for c in ledger.cycles()):
        raise InputError(
            f"The cycle {name!r} is complete.", "Leave --cycle away to begin a new one, or give a new name."
        )
    engines = _pollable(project)
    check_caps(engines, half_width)
    version = ledger.current()
    if version is None:
        raise QuerySetError("No query set is locked yet.", "Write queries.toml, then run `citepoll queries lock`.")
    for engine in engines:
        load(engine.id).request(version.queries.queries[0], {**engine.settings, **_given(engine)})
    check_keys(engines)
    runs = sum(len(version.queries.queries) * e.runs for e in engines)
    chosen = name or new_name(ledger, at)
    estimates = estimated(project, engines, {e.name: len(version.queries.queries) * e.runs for e in engines})
    return Planned(
        chosen, False, version.hash, version.number, len(version.queries.queries), engines, runs, runs, span(over),
        half_width, estimates, project.budget,
    )  # fmt: skip


def _again(progress: Progress) -> int:
    return sum(n for status, n in progress.statuses.items() if status not in FINAL)


def _given(engine: Engine) -> dict[str, object]:
    return {"model": engine.model, "country": engine.country, "language": engine.language}


def check_keys(engines: Iterable[Engine]) -> None:
    """Raises `EngineError` naming every engine whose key is in neither the environment nor the keyring."""
    facts = [(engine.name, load(engine.id).FACTS) for engine in engines]
    missing = [
        (n, f.key_variable) for n, f in facts if f.key_variable and not f.key_optional and not key_of(f.key_variable)
    ]
    if missing:
        raise EngineError(
            f"No key for {', '.join(f'{name} ({variable})' for name, variable in missing)}.",
            f"Set {' and '.join(dict.fromkeys(str(v) for _, v in missing))} in the environment, or in the keyring under "
            f'the service citepoll. To try citepoll without a key, leave only id = "local:bm25" in {FILE}.',
        )


def estimated(project: Project, engines: Sequence[Engine], left: Mapping[str, int]) -> tuple[Estimate, ...]:
    """What the runs `left` to ask of each engine may cost.

    Raises `ProjectError` where a ceiling is set and nobody knows what a call costs that it would have to hold.
    """
    held = {e.name for e in engines if project.budget or _ceiling(project, e)}
    found = tuple(estimate(engine, _price(project, engine), left[engine.name]) for engine in engines)
    unknown = [e.engine for e in found if e.usd is None and e.engine in held]
    if unknown:
        raise ProjectError(
            f"[budget] sets a ceiling, and the price of a call to {', '.join(unknown)} is not known.",
            f'Write [prices."{unknown[0]}"] with expected = 0.02 (US dollars a call) in {FILE}, or take the ceiling away.',
        )
    return found


def _price(project: Project, engine: Engine) -> Price | None:
    model = engine.model or load(engine.id).FACTS.default_model
    return price_of(engine, model, project.prices)


def new_name(ledger: Ledger, at: datetime) -> str:
    """The date, with a number behind it from the second cycle of a day on."""
    taken = {c.name for c in ledger.cycles()}
    day = at.date().isoformat()
    names = [day, *(f"{day}-{n}" for n in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)


def _pollable(project: Project) -> tuple[Engine, ...]:
    engines = tuple(e for e in project.engines if e.surface != "recorded")
    if not engines:
        raise EngineError(
            "citepoll.toml names no engine that can be asked.", "Add an [[engine]] table, e.g. local:bm25."
        )
    return engines


def poll(project: Project, ledger: Ledger, planned: Planned, *, at: datetime, stop: asyncio.Event | None = None,
         retry: bool = False, tell: Callable[[Event], None] = lambda event: None) -> Polled:  # fmt: skip
    """Carry out `planned`. One poll at a time per project; a second one raises `LedgerError`.

    Derived tables are written when the cycle closes or stops; after an interruption it stays open and can be gone on with.
    """
    lock = FileLock(project.data / "poll.lock", timeout=0)
    try:
        with lock:
            cycle = _opened(project, ledger, planned, at)
            ledger.release(cycle, retry=retry)
            outcome = _sampled(project, ledger, cycle, stop or asyncio.Event(), tell, planned.stop_at)
            return _ended(project, ledger, cycle, outcome)
    except Timeout:
        raise LedgerError("Another `citepoll poll` is at work in this project.", "Wait for it, or end it.") from None


def _opened(project: Project, ledger: Ledger, planned: Planned, at: datetime) -> Cycle:
    if planned.resumes:
        cycle = ledger.cycle(planned.cycle)
        if cycle.status != "open":
            ledger.set_status(cycle, "open", at)
    else:
        cycle = ledger.create(
            planned.cycle, "polled", planned.engines, project.seed, at,
            set_hash=planned.set_hash, over_seconds=planned.over_seconds,
        )  # fmt: skip
    if planned.stop_at is not None and planned.stop_at != stop_at(ledger, cycle):
        set_stop_at(ledger, cycle, planned.stop_at, at)
    queries = ledger.query_set(cycle).queries
    ledger.plan(cycle, plan_order(ledger.engines(cycle), queries, cycle.seed, cycle.name))
    return ledger.cycle(cycle.name)


def _sampled(project: Project, ledger: Ledger, cycle: Cycle, stop: asyncio.Event,
             tell: Callable[[Event], None], half_width: float | None) -> Outcome:  # fmt: skip
    looks = Looks(project, ledger, cycle, half_width, tell) if half_width else lambda number: True
    queries = {q.id: q for q in ledger.query_set(cycle).queries}

    async def asking() -> Outcome:
        async with AsyncExitStack() as opened:
            asked = {e.name: await _asked(project, e, opened) for e in ledger.engines(cycle)}
            budget = _budget(project, ledger, cycle, asked.values())
            return await sample(
                ledger,
                cycle,
                asked,
                queries,
                clock=SystemClock(),
                tell=tell,
                stop=stop,
                after_round=looks,
                budget=budget,
            )

    try:
        return asyncio.run(asking())
    except BaseExceptionGroup as wrongs:
        raise _first(wrongs) from None


async def _asked(project: Project, engine: Engine, opened: AsyncExitStack) -> Asked:
    """The engine with its way of being asked: on this machine, or over the network with its key."""
    module = load(engine.id)
    if engine.surface == "simulated":
        return Asked(engine, module, LocalTransport(project.data / "corpus.db"))
    facts = module.FACTS
    pace = project.paces.get(engine.name) or project.paces.get(engine.id) or Pace()
    key = key_of(facts.key_variable) if facts.key_variable else None
    transport = await opened.enter_async_context(HttpTransport(facts.auth, key, at_once=pace.at_once))
    limits = Limits(at_once=pace.at_once, per_minute=pace.per_minute)
    return Asked(engine, module, transport, limits, Retries(), _price(project, engine))


def _budget(project: Project, ledger: Ledger, cycle: Cycle, asked: Collection[Asked]) -> Budget:
    """The ceilings of the project, with what the cycle has cost so far."""
    spent = {p.engine: p.cost for p in ledger.progress(cycle) if p.cost is not None}
    ceilings = {a.engine.name: c for a in asked if (c := _ceiling(project, a.engine)) is not None}
    expected = {a.engine.name: a.price.of_a_call if a.price else None for a in asked}
    return Budget(project.budget, ceilings, spent, expected)


def _ceiling(project: Project, engine: Engine) -> float | None:
    return project.engine_budgets.get(engine.name, project.engine_budgets.get(engine.id))


def _first(wrongs: BaseExceptionGroup[BaseException]) -> BaseException:
    wrong = wrongs.exceptions[0]
    return _first(wrong) if isinstance(wrong, BaseExceptionGroup) else wrong


def _ended(project: Project, ledger: Ledger, cycle: Cycle, outcome: Outcome) -> Polled:
    progress = ledger.progress(cycle)
    todo = sum(p.todo for p in progress)
    unfinished = todo or any(s not in FINAL for p in progress for s in p.statuses)
    begun = todo < sum(p.planned for p in progress)
    status = "open" if todo and (outcome.interrupted or not begun) else "stopped" if unfinished else "closed"
    at = datetime.now(UTC)
    ledger.set_status(cycle, status, at)
    if status != "open":
        derive(project, ledger, ledger.cycle(cycle.name), at)
    simulated = all(e.surface == "simulated" for e in ledger.engines(cycle))
    return Polled(
        cycle.name, status, progress, outcome.recorded, outcome.interrupted, outcome.stopped, simulated,
        ended_early(ledger, cycle),
    )  # fmt: skip


def close(project: Project, ledger: Ledger, name: str, at: datetime) -> Cycle:
    """Close a polled cycle as it is, with whatever runs have no answer. A closed one stays as it is.

    Raises `InputError` for a cycle whose import did not come to its end.
    """
    cycle = ledger.cycle(name)
    if cycle.kind == "recorded" and cycle.status == "open":
        raise InputError(
            f"The import into {name!r} did not come to its end.",
            "Import the file again: rows that are here already are passed over.",
        )
    if cycle.status != "closed":
        ledger.set_status(cycle, "closed", at)
        derive(project, ledger, ledger.cycle(name), at)
    return ledger.cycle(name)
