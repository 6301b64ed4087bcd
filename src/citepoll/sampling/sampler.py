"""The sampler: claims runs, asks, records. Whole rounds, one process; the ledger is the only state that survives it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from citepoll.engines.base import EngineModule, HttpRequest, HttpResponse, draw_seed
from citepoll.errors import EngineError
from citepoll.hashing import content_hash
from citepoll.model import Answer, Engine, Query, RawAnswer
from citepoll.sampling.transport import Transport
from citepoll.store.ledger import Claim, Cycle, Ledger

AT_ONCE = 8
"""Calls in flight over all engines."""

KEPT_HEADERS = frozenset({"content-type", "date", "request-id", "x-request-id", "retry-after"})
"""Response headers that a record may hold; all others could carry a secret."""


class Clock(Protocol):
    def now(self) -> datetime: ...

    async def sleep(self, seconds: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """An engine of a cycle with its module and its transport."""

    engine: Engine
    module: EngineModule
    transport: Transport


@dataclass(frozen=True, slots=True)
class Event:
    """What is told while a poll works: a run `recorded`, an engine `stopped` or with `enough` runs, a round `waiting`."""

    what: str
    engine: str = ""
    status: str = ""
    reason: str = ""
    round: int = 0
    due: datetime | None = None


@dataclass(slots=True)
class Outcome:
    """How a poll ended: runs recorded by this call, engines that stopped with their reason, and whether it was interrupted."""

    recorded: int = 0
    stopped: dict[str, str] = field(default_factory=dict)
    interrupted: bool = False


def plan_order(
    engines: Sequence[Engine], queries: Sequence[Query], seed: str, cycle: str
) -> Iterator[tuple[str, str, int]]:
    """Every run (engine name, query id, run number) of a cycle: round by round, the queries of each shuffled by the seed.

    A repeat of a cycle repeats the order; a round asks every query once on each engine that has so many runs.
    """
    for number in range(1, max((e.runs for e in engines), default=0) + 1):
        ids = sorted(q.id for q in queries)
        random.Random(content_hash([seed, cycle, number])).shuffle(ids)
        yield from ((e.name, query_id, number) for query_id in ids for e in engines if number <= e.runs)


async def sample(ledger: Ledger, cycle: Cycle, asked: Mapping[str, Asked], queries: Mapping[str, Query], *,
                 clock: Clock, tell: Callable[[Event], None], stop: asyncio.Event,
                 after_round: Callable[[int], bool] = lambda number: True) -> Outcome:  # fmt: skip
    """Ask every run of the cycle that has no answer yet, in whole rounds, and record each answer before the next claim.

    `stop`, once set, lets the calls in flight finish and claims no more. An engine that cannot be asked at all stops
    with its reason; the others go on. `after_round` is called between rounds; where it returns False no more is asked.
    Raises `LedgerError` where the ledger cannot be written.
    """
    outcome = Outcome()
    rounds = max((a.engine.runs for a in asked.values()), default=0)
    for number in range(1, rounds + 1):
        await _wait(cycle, number, rounds, clock, tell, stop)
        workers = [_work(ledger, cycle, asked, queries, number, clock, tell, stop, outcome) for _ in range(AT_ONCE)]
        async with asyncio.TaskGroup() as group:
            for worker in workers:
                group.create_task(worker)
        if not stop.is_set() and not after_round(number):
            break
    outcome.interrupted = stop.is_set()
    return outcome


def due_at(cycle: Cycle, number: int, rounds: int) -> datetime:
    """When round `number` of `rounds` may start: the rounds are spread evenly over the cycle's span."""
    spread = timedelta(seconds=(cycle.over_seconds or 0.0) * (number - 1) / max(rounds, 1))
    return datetime.fromisoformat(cycle.created_at) + spread


async def _wait(cycle: Cycle, number: int, rounds: int, clock: Clock, tell: Callable[[Event], None],
                stop: asyncio.Event) -> None:  # fmt: skip
    due = due_at(cycle, number, rounds)
    while not stop.is_set() and (seconds := (due - clock.now()).total_seconds()) > 0:
        tell(Event("waiting", round=number, due=due))
        await clock.sleep(min(seconds, 1.0))  # so that `stop` is seen


async def _work(ledger: Ledger, cycle: Cycle, asked: Mapping[str, Asked], queries: Mapping[str, Query], number: int,
                clock: Clock, tell: Callable[[Event], None], stop: asyncio.Event, outcome: Outcome) -> None:  # fmt: skip
    while not stop.is_set():
        claims = ledger.claim(cycle, number, 1, clock.now(), without=tuple(outcome.stopped))
        if not claims:
            return
        claim = claims[0]
        try:
            raw = await _ask(asked[claim.engine], queries[claim.query_id], cycle, claim, clock)
        except EngineError as wrong:
            outcome.stopped.setdefault(claim.engine, str(wrong))
            tell(Event("stopped", engine=claim.engine, reason=wrong.cause))
            continue
        ledger.record(claim, raw)
        outcome.recorded += 1
        tell(Event("recorded", engine=claim.engine, status=raw.status, round=number))


async def _ask(asked: Asked, query: Query, cycle: Cycle, claim: Claim, clock: Clock) -> RawAnswer:
    engine = asked.engine
    settings = {
        **engine.settings,
        "model": engine.model,
        "country": engine.country,
        "language": engine.language,
        "seed": draw_seed(cycle.seed, cycle.name, claim.query_id, claim.number, engine.name),
    }
    request = asked.module.request(query, settings)
    at = clock.now()
    response = await _sent(asked.transport.send, request)
    if isinstance(response, str):
        return RawAnswer("failed", b"", asked_at=at, request=_kept(request), message=response)
    answer: Answer = asked.module.parse(response.status_code, response.headers, response.body)
    return RawAnswer(
        status=answer.status,
        body=response.body,
        asked_at=at,
        http_status=response.status_code,
        headers={k: v for k, v in response.headers.items() if k.lower() in KEPT_HEADERS},
        request=_kept(request),
        latency=response.latency,
        cost=answer.cost,
        message=answer.message,
    )


async def _sent(send: Callable[[HttpRequest], Awaitable[HttpResponse]], request: HttpRequest) -> HttpResponse | str:
    try:
        return await send(request)
    except (OSError, TimeoutError) as wrong:
        return f"{type(wrong).__name__}: {wrong}"


def _kept(request: HttpRequest) -> dict[str, object]:
    return {"method": request.method, "url": request.url, "headers": dict(request.headers), "json": request.json}
