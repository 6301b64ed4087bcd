"""The sampler: claims runs, asks, records. Whole rounds, one process; the ledger is the only state that survives it."""

from __future__ import annotations

import asyncio
import random
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from citepoll.hashing import content_hash
from citepoll.model import Engine, Query
from citepoll.sampling.asking import Asked, Asker
from citepoll.sampling.budget import Budget
from citepoll.sampling.limiter import GLANCE
from citepoll.sampling.recording import Recorder
from citepoll.sampling.transport import Clock
from citepoll.store.attempts import free
from citepoll.store.ledger import Claim, Cycle, Ledger
from citepoll.store.rounds import Allotment

MOST_CLAIMED = 32
"""Runs claimed in one transaction."""


@dataclass(frozen=True, slots=True)
class Event:
    """What is told while a poll works: a run `recorded`, an engine `stopped` or with `enough` runs, a round `waiting`,
    and, when all is asked, `resolving` of redirects."""

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
    engines: Sequence[Engine], queries: Sequence[Query], seed: str, cycle: str, allotment: Allotment | None = None
) -> Iterator[tuple[str, str, int]]:
    """Every run (engine name, query id, run number) of a cycle: round by round, the queries of each shuffled by the seed.

    A repeat of a cycle repeats the order; a round asks every query once on each engine that has so many runs, and with
    an `allotment` those queries that have so many.
    """
    allotted = allotment.runs if allotment else {}
    for number in range(1, max((e.runs for e in engines), default=0) + 1):
        ids = sorted(q.id for q in queries)
        random.Random(content_hash([seed, cycle, number])).shuffle(ids)
        for query_id in ids:
            runs = ((e.name, allotted.get(e.name, {}).get(query_id, e.runs)) for e in engines)
            yield from ((name, query_id, number) for name, most in runs if number <= most)


async def sample(ledger: Ledger, cycle: Cycle, asked: Mapping[str, Asked], queries: Mapping[str, Query], *,
                 clock: Clock, tell: Callable[[Event], None], stop: threading.Event,
                 after_round: Callable[[int], bool] = lambda number: True, budget: Budget | None = None) -> Outcome:  # fmt: skip
    """Ask every run of the cycle that has no answer yet, in whole rounds; each reply is durable before the next step.

    `stop`, once set, lets the calls in flight finish and makes no more. An engine that cannot be asked, or whose next
    call could pass a ceiling of `budget`, stops with its reason; the others go on. `after_round` is called between
    rounds; where it returns False no more is asked. Raises `LedgerError` where the ledger cannot be written.
    """
    outcome, budget = Outcome(), budget or Budget()

    def stopped(name: str) -> Callable[[str, str], None]:
        def on_stop(reason: str, cause: str) -> None:
            outcome.stopped[name] = reason
            tell(Event("stopped", engine=name, reason=cause))

        return on_stop

    recorder = Recorder(ledger)
    askers = [Asker(ledger, recorder, cycle, a, clock, budget, stop, stopped(name)) for name, a in asked.items()]
    rounds = max((a.engine.runs for a in asked.values()), default=0)
    for number in range(1, rounds + 1):
        await _wait(cycle, number, rounds, clock, tell, stop)
        async with asyncio.TaskGroup() as group:
            for asker in askers:
                others = tuple(name for name in asked if name != asker.engine)
                turn = _Turn(ledger, cycle, asker, others, queries, number, outcome, tell)
                group.create_task(turn.go(group, clock))
        if not stop.is_set() and not after_round(number):
            break
    outcome.interrupted = stop.is_set()
    return outcome


def due_at(cycle: Cycle, number: int, rounds: int) -> datetime:
    """When round `number` of `rounds` may start: the rounds are spread evenly over the cycle's span."""
    spread = timedelta(seconds=(cycle.over_seconds or 0.0) * (number - 1) / max(rounds, 1))
    return datetime.fromisoformat(cycle.created_at) + spread


async def _wait(cycle: Cycle, number: int, rounds: int, clock: Clock, tell: Callable[[Event], None],
                stop: threading.Event) -> None:  # fmt: skip
    due = due_at(cycle, number, rounds)
    while not stop.is_set() and (seconds := (due - clock.now()).total_seconds()) > 0:
        tell(Event("waiting", round=number, due=due))
        await clock.sleep(min(seconds, GLANCE))  # so that `stop` is seen


@dataclass(frozen=True, slots=True)
class _Turn:
    """One engine's part of a round."""

    ledger: Ledger
    cycle: Cycle
    asker: Asker
    others: tuple[str, ...]
    queries: Mapping[str, Query]
    number: int
    outcome: Outcome
    tell: Callable[[Event], None]

    async def go(self, group: asyncio.TaskGroup, clock: Clock) -> None:
        """Claim runs as calls may be made, until none is left or the engine stops; claims not asked are given up."""
        room = asyncio.Semaphore(self.asker.most_open)
        claims: deque[Claim] = deque()
        while not self.asker.halted():
            await room.acquire()
            reserved = await self.asker.admit()
            if reserved is None:
                break
            if not claims:
                limit = min(self.asker.room + 1, MOST_CLAIMED)
                claims.extend(self.ledger.claim(self.cycle, self.number, limit, clock.now(), without=self.others))
            if not claims:
                self.asker.give_back(reserved)
                break
            group.create_task(self._asked(claims.popleft(), reserved, room))
        free(self.ledger, claims)

    async def _asked(self, claim: Claim, reserved: float, room: asyncio.Semaphore) -> None:
        status = await self.asker.ask(claim, self.queries[claim.query_id], reserved)
        room.release()
        if status is not None:
            self.outcome.recorded += 1
            self.tell(Event("recorded", engine=claim.engine, status=status, round=self.number))
