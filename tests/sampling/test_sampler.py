import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from citepoll.engines import local
from citepoll.engines.base import HttpResponse
from citepoll.errors import EngineError, LedgerError
from citepoll.model import Engine, Query, QuerySet
from citepoll.sampling import recording
from citepoll.sampling.asking import Asked
from citepoll.sampling.sampler import due_at, plan_order, sample

QUERIES = tuple(Query(f"query {n}") for n in range(4))
ENGINES = (Engine("narrow", "local:bm25", "simulated", runs=3), Engine("broad", "local:bm25", "simulated", runs=2))
BEGIN = datetime(2026, 11, 3, 9, tzinfo=UTC)


@dataclass
class Clock:
    at: datetime = BEGIN
    slept: float = 0.0

    def now(self):
        return self.at

    async def sleep(self, seconds):
        self.slept += seconds
        self.at += timedelta(seconds=seconds)
        await asyncio.sleep(0)


@dataclass
class Transport:
    """Answers at once; `wrong` may map a query's text to an exception or a status code. Counts what is in flight."""

    wrong: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)
    flying: int = 0
    most: int = 0

    async def send(self, request):
        self.asked.append(request)
        self.flying += 1
        self.most = max(self.most, self.flying)
        await asyncio.sleep(0)
        self.flying -= 1
        wrong = self.wrong.get(request.json["query"], 200)
        if isinstance(wrong, Exception):
            raise wrong
        body = json.dumps({"answer": f"about {request.json['query']}"}).encode()
        return HttpResponse(wrong, {"Date": "x", "Set-Cookie": "secret"}, body, 0.01)


@pytest.fixture
def cycle(ledger):
    queries = QuerySet(QUERIES)
    ledger.lock(queries, "queries.toml", BEGIN)
    made = ledger.create("2026-11", "polled", ENGINES, "seed", BEGIN, set_hash=queries.hash)
    ledger.plan(made, plan_order(ENGINES, QUERIES, "seed", "2026-11"))
    return made


def ask(ledger, cycle, transport, *, clock=None, tell=lambda event: None, stop=None):
    async def run():
        asked = {e.name: Asked(e, local, transport) for e in ENGINES}
        queries = {q.id: q for q in QUERIES}
        return await sample(
            ledger, cycle, asked, queries, clock=clock or Clock(), tell=tell, stop=stop or asyncio.Event()
        )

    return asyncio.run(run())


# ---------------------------------------------------------------- the plan


def test_the_order_goes_round_by_round_and_is_fixed_by_the_seed():
    order = list(plan_order(ENGINES, QUERIES, "seed", "c"))
    assert [n for _, _, n in order] == [1] * 8 + [2] * 8 + [3] * 4
    assert len(set(order)) == len(order)
    assert order == list(plan_order(ENGINES, tuple(reversed(QUERIES)), "seed", "c"))
    rounds = [[q for e, q, n in order if n == number and e == "narrow"] for number in (1, 2, 3)]
    assert rounds[0] != rounds[1] or rounds[1] != rounds[2]
    assert order != list(plan_order(ENGINES, QUERIES, "other", "c"))


def test_no_engine_is_no_plan():
    assert list(plan_order((), QUERIES, "seed", "c")) == []


def test_rounds_are_spread_over_the_span(ledger):
    cycle = ledger.create("c", "polled", ENGINES, "seed", BEGIN, over_seconds=3600.0)
    assert [due_at(cycle, n, 3) for n in (1, 2, 3)] == [BEGIN + timedelta(minutes=m) for m in (0, 20, 40)]


# ---------------------------------------------------------------- sampling


def test_every_run_is_asked_once_and_recorded(ledger, cycle):
    transport, told = Transport(), []
    outcome = ask(ledger, cycle, transport, tell=told.append)
    assert (outcome.recorded, outcome.stopped, outcome.interrupted) == (20, {}, False)
    assert [p.statuses for p in ledger.progress(cycle)] == [{"answered": 12}, {"answered": 8}]
    assert Counter(e.what for e in told) == {"recorded": 20}
    assert 1 < transport.most <= 8
    assert len({r.json["seed"] for r in transport.asked}) == 20


def test_a_record_holds_the_request_and_no_header_that_may_be_secret(ledger, cycle):
    ask(ledger, cycle, Transport())
    kept = ledger.kept(cycle)[0]
    assert kept.headers == {"Date": "x"}
    assert kept.asked_at == BEGIN
    assert json.loads(kept.body)["answer"].startswith("about query")


def test_a_second_call_asks_nothing(ledger, cycle):
    ask(ledger, cycle, Transport())
    transport = Transport()
    assert ask(ledger, cycle, transport).recorded == 0
    assert transport.asked == []


def test_a_round_ends_before_the_next_begins(ledger, cycle):
    rounds = []
    ask(ledger, cycle, Transport(), tell=lambda event: rounds.append(event.round))
    assert rounds == sorted(rounds)


def test_a_transport_that_fails_is_a_failed_run_and_can_be_asked_again(ledger, cycle):
    transport = Transport({"query 1": ConnectionError("reset"), "query 2": 500})
    ask(ledger, cycle, transport)
    assert ledger.progress(cycle)[0].statuses == {"answered": 6, "failed": 6}
    messages = {k.message for k in ledger.kept(cycle) if k.status == "failed"}
    assert "ConnectionError: reset" in messages
    assert ask(ledger, cycle, Transport()).recorded == 0
    ledger.release(cycle, retry=True)
    assert ask(ledger, cycle, Transport()).recorded == 10
    assert ledger.progress(cycle)[0].statuses == {"answered": 12}
    assert ledger.revision(cycle)[0] == 30


def test_an_engine_that_cannot_be_asked_stops_and_the_others_go_on(ledger, cycle):
    class Broken(Transport):
        async def send(self, request):
            if request.json["cite"] == 1:
                raise EngineError("No key.", "Set it.")
            return await super().send(request)

    async def run():
        asked = {
            "narrow": Asked(Engine("narrow", "local:bm25", "simulated", settings={"cite": 1}), local, Broken()),
            "broad": Asked(ENGINES[1], local, Broken()),
        }
        told = []
        outcome = await sample(
            ledger, cycle, asked, {q.id: q for q in QUERIES}, clock=Clock(), tell=told.append, stop=asyncio.Event()
        )
        return outcome, [e.reason for e in told if e.what == "stopped"]

    outcome, reasons = asyncio.run(run())
    assert outcome.stopped == {"narrow": "No key.\nSet it."}
    assert set(reasons) == {"No key."}
    assert [p.todo for p in ledger.progress(cycle)] == [12, 0]


def test_stop_lets_the_calls_in_flight_finish(ledger, cycle):
    stop = asyncio.Event()
    transport = Transport()

    def tell(event):
        if event.what == "recorded":
            stop.set()

    outcome = ask(ledger, cycle, transport, tell=tell, stop=stop)
    assert outcome.interrupted
    assert outcome.recorded == len(transport.asked) <= 8
    assert ledger.release(cycle) == 0


def test_stop_is_seen_within_a_second_of_a_long_wait(ledger):
    queries = QuerySet(QUERIES)
    ledger.lock(queries, "queries.toml", BEGIN)
    made = ledger.create("slow", "polled", ENGINES, "seed", BEGIN, set_hash=queries.hash, over_seconds=3e5)
    ledger.plan(made, plan_order(ENGINES, QUERIES, "seed", "slow"))
    stop, clock = asyncio.Event(), Clock()

    def tell(event):
        if event.what == "waiting":
            stop.set()

    assert ask(ledger, made, Transport(), clock=clock, tell=tell, stop=stop).recorded == 8
    assert clock.slept <= 1


def test_the_wait_ends_when_the_round_is_due(ledger):
    queries = QuerySet(QUERIES)
    ledger.lock(queries, "queries.toml", BEGIN)
    made = ledger.create("slow", "polled", ENGINES, "seed", BEGIN, set_hash=queries.hash, over_seconds=30)
    ledger.plan(made, plan_order(ENGINES, QUERIES, "seed", "slow"))
    clock = Clock()
    assert ask(ledger, made, Transport(), clock=clock).recorded == 20
    assert clock.slept == pytest.approx(20)


def test_a_ledger_that_fails_ends_the_poll(ledger, cycle, monkeypatch):
    def full(*_):
        raise LedgerError("The disk is full")

    monkeypatch.setattr(recording, "record_all", full)
    with pytest.raises(ExceptionGroup) as caught:
        ask(ledger, cycle, Transport())
    assert caught.group_contains(LedgerError, match="disk is full")
