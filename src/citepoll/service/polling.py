"""Polling: open a cycle or go on with one, ask what has no answer yet, close it, derive its tables."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from filelock import FileLock, Timeout

from citepoll.engines import load
from citepoll.errors import CitepollError, EngineError, InputError, LedgerError, QuerySetError
from citepoll.fetch.guard import Guard
from citepoll.model import FINAL, Engine
from citepoll.project import FILE, Project, key_of
from citepoll.sampling.asking import Asked
from citepoll.sampling.budget import Budget
from citepoll.sampling.http import HttpTransport
from citepoll.sampling.limiter import GLANCE, Limits
from citepoll.sampling.local.transport import LocalTransport
from citepoll.sampling.retry import Retries
from citepoll.sampling.sampler import Event, Outcome, plan_order, sample
from citepoll.schedule import span
from citepoll.service.allocating import allotment
from citepoll.service.costs import Outlay, ceiling_of, check_prices, listed_price, outlays, pace_of, together
from citepoll.service.deriving import derive
from citepoll.service.resolving import Resolved, resolve
from citepoll.service.stopping import Looks, check_caps
from citepoll.store.ledger import Cycle, Ledger, Progress, check_name, note
from citepoll.store.rounds import (
    Allotment,
    EndedEarly,
    allotment_of,
    begin,
    ended_early,
    set_stop_at,
    stop_at,
)


class SystemClock:
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Planned:
    """What a poll would do: the cycle (`resumes` if it exists), its set, engines and the runs still to ask.

    `stop_at` is the half-width (a fraction) at which an engine ends before its runs are used up. `allotment` are runs
    that differ by query; an engine's `runs` are then the most that a query gets. `estimates` are what the runs still to
    ask may cost and take, engine by engine, `ceiling` what the cycle may cost at most, in US dollars; `seconds` what is
    left until all engines are through, None where nothing tells. `missing_keys` is engine → environment variable.
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
    estimates: tuple[Outlay, ...] = ()
    ceiling: float | None = None
    allotment: Allotment | None = None
    seconds: float | None = None
    missing_keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Polled:
    """How a poll ended. `status` is that of the cycle: closed when every run has a final answer, stopped where some failed.

    `ended_early` names the engines that `stop_at` ended in this cycle, by this poll or one before. `redirects` are those
    that its answers cite.
    """

    cycle: str
    status: str
    progress: tuple[Progress, ...]
    recorded: int
    interrupted: bool
    stopped: Mapping[str, str] = field(default_factory=dict)
    simulated: bool = False
    ended_early: tuple[EndedEarly, ...] = ()
    redirects: Resolved | None = None


def resumable(ledger: Ledger, name: str | None, *, retry: bool) -> Cycle | None:
    """The polled cycle to go on with: the one named, else the newest that is open, or stopped with runs to ask."""
    polled = [c for c in ledger.cycles() if c.kind == "polled" and name in (None, c.name)]
    for cycle in reversed(polled):
        todo = any(p.todo or (retry and set(p.statuses) - FINAL) for p in ledger.progress(cycle))
        if cycle.status == "open" or (cycle.status == "stopped" and todo):
            return cycle
    return None


def plan(project: Project, ledger: Ledger, *, name: str | None, over: str | None, retry: bool, at: datetime,
         half_width: float | None = None, allocate: int | None = None) -> Planned:  # fmt: skip
    """What `poll` would do now, without doing it. Raises what `poll` would raise before its first call, but for keys
    that are missing: those are named in the plan."""
    if allocate is not None and half_width is not None:
        raise InputError(*_NOT_BOTH)
    cycle = resumable(ledger, name, retry=retry)
    if cycle is not None:
        return _resumed(project, ledger, cycle, retry, at, half_width, allocate)
    if name is not None and any(c.name == name for c in ledger.cycles()):
        raise InputError(
            f"The cycle {name!r} is complete.", "Leave --cycle away to begin a new one, or give a new name."
        )
    if name is not None:
        check_name(name)
    return _new(project, ledger, name or new_name(ledger, at), span(over), at, half_width, allocate)


_NOT_BOTH = (
    "--stop-at and --allocate do not go together: the one looks at whole rounds, and with the other later rounds ask "
    "only some of the queries.",
    "Give one of them.",
)


def _resumed(project: Project, ledger: Ledger, cycle: Cycle, retry: bool, at: datetime, half_width: float | None,
             allocate: int | None) -> Planned:  # fmt: skip
    allotted = allotment_of(ledger, cycle)
    _check_begun(cycle, allotted, half_width, allocate)
    progress, engines, queries = ledger.progress(cycle), ledger.engines(cycle), ledger.query_set(cycle)
    half_width = half_width or stop_at(ledger, cycle)
    check_caps(engines, half_width)
    totals = _totals(engines, len(queries.queries), allotted)
    left = {**totals, **{p.engine: p.todo + (_again(p) if retry else 0) for p in progress}}
    due = at - datetime.fromisoformat(cycle.created_at)
    planned = Planned(
        cycle.name, True, queries.hash, ledger.version(queries.hash).number, len(queries.queries), engines,
        sum(totals.values()), sum(left.values()), cycle.over_seconds, half_width, allotment=allotted,
    )  # fmt: skip
    return _estimated(
        project, ledger, planned, left, (cycle.over_seconds or 0.0) - due.total_seconds(), _spent(progress)
    )


def _check_begun(cycle: Cycle, allotted: Allotment | None, half_width: float | None, allocate: int | None) -> None:
    """Raises `InputError` where a cycle that was begun is to get other runs than it was begun with."""
    if allotted and half_width is not None:
        raise InputError(f"The cycle {cycle.name!r} was begun with --allocate. {_NOT_BOTH[0]}", "Leave --stop-at away.")
    if allocate is not None and allocate != (allotted.budget if allotted else None):
        begun = f"with --allocate {allotted.budget}" if allotted else "without --allocate"
        raise InputError(
            f"The cycle {cycle.name!r} was begun {begun}, and its runs stay as they were planned.",
            "Leave --allocate away to go on with it, or begin another cycle with --cycle NAME.",
        )


def _new(project: Project, ledger: Ledger, name: str, over_seconds: float | None, at: datetime,
         half_width: float | None, allocate: int | None) -> Planned:  # fmt: skip
    engines = _pollable(project)
    check_caps(engines, half_width)
    version = ledger.current()
    if version is None:
        raise QuerySetError("No query set is locked yet.", "Write queries.toml, then run `citepoll queries lock`.")
    for engine in engines:
        load(engine.id).request(version.queries.queries[0], {**engine.settings, **_given(engine)})
    allotted = allotment(project, ledger, engines, allocate, at) if allocate is not None else None
    engines = tuple(replace(e, runs=max(allotted.runs[e.name].values())) if allotted and e.name in allotted.runs else e
                    for e in engines)  # fmt: skip
    totals = _totals(engines, len(version.queries.queries), allotted)
    runs = sum(totals.values())
    planned = Planned(
        name, False, version.hash, version.number, len(version.queries.queries), engines, runs, runs, over_seconds,
        half_width, allotment=allotted,
    )  # fmt: skip
    return _estimated(project, ledger, planned, totals, over_seconds or 0.0)


def _totals(engines: Iterable[Engine], queries: int, allotted: Allotment | None) -> dict[str, int]:
    """Engine → all its runs in the cycle."""
    return {e.name: allotted.total(e, queries) if allotted else queries * e.runs for e in engines}


def _estimated(project: Project, ledger: Ledger, planned: Planned, left: Mapping[str, int], span: float,
               spent: Mapping[str, float] | None = None) -> Planned:  # fmt: skip
    """The plan with what its runs `left` to ask cost and take, at least the `span` in seconds that is left of --over."""
    check_prices(project, planned.engines)
    estimates = outlays(project, ledger, planned.engines, left, spent=spent)
    seconds = together(planned.engines, estimates)
    return replace(
        planned,
        estimates=estimates,
        ceiling=project.budget,
        seconds=None if seconds is None else max(seconds, span),
        missing_keys=missing_keys(planned.engines),
    )


def _again(progress: Progress) -> int:
    return sum(n for status, n in progress.statuses.items() if status not in FINAL)


def _given(engine: Engine) -> dict[str, object]:
    return {"model": engine.model, "country": engine.country, "language": engine.language}


def missing_keys(engines: Iterable[Engine]) -> dict[str, str]:
    """Engine → variable of its key, for those whose key is in neither the environment nor the keyring."""
    facts = [(engine.name, load(engine.id).FACTS) for engine in engines]
    return {n: f.key_variable for n, f in facts if f.key_variable and not f.key_optional and not key_of(f.key_variable)}


def check_keys(engines: Iterable[Engine]) -> None:
    """Raises `EngineError` naming every engine whose key is missing."""
    if missing := missing_keys(engines):
        raise EngineError(
            f"No key for {', '.join(f'{name} ({variable})' for name, variable in missing.items())}.",
            f"Set {' and '.join(dict.fromkeys(missing.values()))} in the environment, or in the keyring under "
            f'the service citepoll. To try citepoll without a key, leave only id = "local:bm25" in {FILE}.',
        )


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


def poll(project: Project, ledger: Ledger, planned: Planned, *, at: datetime, stop: threading.Event | None = None,
         abandon: threading.Event | None = None, retry: bool = False, tell: Callable[[Event], None] = lambda event: None,
         guard: Guard | None = None) -> Polled:  # fmt: skip
    """Carry out `planned`. One poll at a time per project; a second one raises `LedgerError`, a missing key `EngineError`.

    `stop` may be set from any thread: the calls in flight finish, and no more are made. `abandon` gives these up too, and
    then `CitepollError` is raised; their runs are asked again by the poll that goes on.
    Redirects that hide cited pages are followed when all is asked, through `guard`. Derived tables are written when the
    cycle closes or stops; after an interruption it stays open and can be gone on with.
    """
    stop, abandon = stop or threading.Event(), abandon or threading.Event()
    check_keys(planned.engines)
    lock = FileLock(project.data / "poll.lock", timeout=0)
    try:
        with lock:
            cycle = _opened(project, ledger, planned, at)
            ledger.release(cycle, retry=retry)
            outcome = _sampled(project, ledger, cycle, (stop, abandon), tell, planned.stop_at)
            redirects = resolve(
                ledger, cycle, datetime.now(UTC), guard=guard, stop=stop.is_set, begin=lambda: tell(Event("resolving"))
            )
            return replace(_ended(project, ledger, cycle, outcome), redirects=redirects)
    except Timeout:
        raise LedgerError("Another `citepoll poll` is at work in this project.", "Wait for it, or end it.") from None


def _opened(project: Project, ledger: Ledger, planned: Planned, at: datetime) -> Cycle:
    if planned.resumes:
        cycle = ledger.cycle(planned.cycle)
        if cycle.status != "open":
            ledger.set_status(cycle, "open", at)
        if planned.stop_at is not None and planned.stop_at != stop_at(ledger, cycle):
            set_stop_at(ledger, cycle, planned.stop_at, at)
    else:
        cycle = begin(
            ledger, planned.cycle, planned.engines, project.seed, at, set_hash=planned.set_hash,
            over_seconds=planned.over_seconds, half_width=planned.stop_at, allotment=planned.allotment,
        )  # fmt: skip
    queries, allotted = ledger.query_set(cycle).queries, allotment_of(ledger, cycle)
    ledger.plan(cycle, plan_order(ledger.engines(cycle), queries, cycle.seed, cycle.name, allotted))
    return ledger.cycle(cycle.name)


def _sampled(project: Project, ledger: Ledger, cycle: Cycle, ends: tuple[threading.Event, threading.Event],
             tell: Callable[[Event], None], half_width: float | None) -> Outcome:  # fmt: skip
    looks = Looks(project, ledger, cycle, half_width, tell) if half_width else lambda number: True
    queries = {q.id: q for q in ledger.query_set(cycle).queries}
    stop, abandon = ends

    async def asking() -> Outcome:
        async with AsyncExitStack() as opened:
            asked = {e.name: await _asked(project, e, opened) for e in ledger.engines(cycle)}
            budget = _budget(project, ledger, cycle, asked.values())
            sampling = sample(
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
            return await _unless(abandon, sampling)

    try:
        return asyncio.run(asking())
    except BaseExceptionGroup as wrongs:
        raise _first(wrongs) from None


async def _unless(abandon: threading.Event, sampling: Coroutine[Any, Any, Outcome]) -> Outcome:
    task = asyncio.create_task(sampling)
    while not task.done():
        await asyncio.wait({task}, timeout=GLANCE)
        if abandon.is_set() and not task.done():
            task.cancel()
            await asyncio.wait({task})
            raise CitepollError(
                "The calls in flight were given up.", "Poll again: it goes on.", kept="What was recorded is kept."
            )
    return task.result()


async def _asked(project: Project, engine: Engine, opened: AsyncExitStack) -> Asked:
    """The engine with its way of being asked: on this machine, or over the network with its key."""
    module = load(engine.id)
    if engine.surface == "simulated":
        return Asked(engine, module, LocalTransport(project.data / "corpus.db"))
    facts = module.FACTS
    pace = pace_of(project, engine)
    key = key_of(facts.key_variable) if facts.key_variable else None
    transport = await opened.enter_async_context(HttpTransport(facts.auth, key, at_once=pace.at_once))
    limits = Limits(at_once=pace.at_once, per_minute=pace.per_minute)
    return Asked(engine, module, transport, limits, Retries(), listed_price(project, engine))


def _spent(progress: Iterable[Progress]) -> dict[str, float]:
    """Engine → what the cycle has cost on it so far, in US dollars."""
    return {p.engine: p.cost for p in progress if p.cost is not None}


def _budget(project: Project, ledger: Ledger, cycle: Cycle, asked: Collection[Asked]) -> Budget:
    """The ceilings of the project, with what the cycle has cost so far."""
    spent = _spent(ledger.progress(cycle))
    ceilings = {a.engine.name: c for a in asked if (c := ceiling_of(project, a.engine)) is not None}
    expected = {a.engine.name: a.price.of_a_call if a.price else None for a in asked}
    return Budget(project.budget, ceilings, spent, expected)


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
    _note_stops(ledger, cycle, outcome.stopped, at)
    ledger.set_status(cycle, status, at)
    if status != "open":
        derive(project, ledger, ledger.cycle(cycle.name), at)
    simulated = all(e.surface == "simulated" for e in ledger.engines(cycle))
    return Polled(
        cycle.name, status, progress, outcome.recorded, outcome.interrupted, outcome.stopped, simulated,
        ended_early(ledger, cycle),
    )  # fmt: skip


ENGINE_STOPPED = "engine stopped"
"""The event of an engine that a poll could not ask any more, with the reason."""


def _note_stops(ledger: Ledger, cycle: Cycle, stopped: Mapping[str, str], at: datetime) -> None:
    if stopped:
        with ledger.writing() as link:
            for engine, reason in stopped.items():
                note(link, at, cycle.name, ENGINE_STOPPED, {"engine": engine, "reason": reason})


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
