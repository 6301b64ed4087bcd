"""Runs of paid engines against a transport that plays a script: retries, stops, second calls, ceilings, what is kept."""

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from citepoll.engines import load
from citepoll.engines.base import HttpResponse
from citepoll.model import Engine, Query, QuerySet
from citepoll.sampling import asking
from citepoll.sampling.asking import Asked
from citepoll.sampling.budget import Budget, Price
from citepoll.sampling.limiter import Limits
from citepoll.sampling.retry import Retries
from citepoll.sampling.sampler import plan_order, sample
from citepoll.sampling.transport import Unanswered
from citepoll.service.deriving import parse
from citepoll.store.attempts import attempts_of

BEGIN = datetime(2026, 11, 3, 9, tzinfo=UTC)
QUERIES = tuple(Query(f"query {n}") for n in range(4))
CHAT, CLAUDE, SEARCH = "openai:responses", "anthropic:messages", "google:ai-overview@serpapi"


@dataclass
class Clock:
    at: datetime = BEGIN

    def now(self):
        return self.at

    async def sleep(self, seconds):
        self.at += timedelta(seconds=seconds)
        await asyncio.sleep(0)


@dataclass
class Script:
    """Plays the replies in turn, the last one for ever. An exception is raised, a function is asked."""

    replies: list
    asked: list = field(default_factory=list)

    async def send(self, request):
        await asyncio.sleep(0)
        self.asked.append(request)
        reply = self.replies[min(len(self.asked), len(self.replies)) - 1]
        if callable(reply):
            reply = reply(request)
        if isinstance(reply, Exception):
            raise reply
        return reply


def made(body, status=200, headers=None):
    return HttpResponse(status, headers or {}, body if isinstance(body, bytes) else json.dumps(body).encode(), 0.01)


def said(words="Acme.", tokens=1000):
    part = {"type": "output_text", "text": words, "annotations": []}
    usage = {"input_tokens": tokens, "output_tokens": 0}
    return made({"status": "completed", "output": [{"type": "message", "content": [part]}], "usage": usage})


def wrong(status, message="no", headers=None, **more):
    return made({"error": {"message": message, **more}}, status, headers)


@pytest.fixture
def world(ledger):
    """Plans a cycle and polls it again and again; `engines` maps a name to its id and its script."""

    class World:
        def __init__(self):
            self.clock, self.told = Clock(), []

        def cycle(self, queries, **engines):
            found = QuerySet(QUERIES[:queries])
            ledger.lock(found, "queries.toml", BEGIN)
            self.engines = tuple(Engine(n, i, load(i).FACTS.surface, runs=1) for n, i in engines.items())
            self.made = ledger.create("c", "polled", self.engines, "seed", BEGIN, set_hash=found.hash)
            ledger.plan(self.made, plan_order(self.engines, found.queries, "seed", "c"))

        def poll(self, *, stop=None, budget=None, price=None, tell=None, **scripts):
            async def run():
                asked = {
                    e.name: Asked(e, load(e.id), scripts[e.name], Limits(at_once=4, start=2), Retries(), price)
                    for e in self.engines
                }
                return await asyncio.wait_for(
                    sample(
                        ledger, self.made, asked, {q.id: q for q in QUERIES}, clock=self.clock,
                        tell=tell or self.told.append, stop=stop or asyncio.Event(), budget=budget,
                    ),
                    20,
                )  # fmt: skip

            ledger.release(self.made)
            return asyncio.run(run())

        def statuses(self):
            return {p.engine: dict(p.statuses) for p in ledger.progress(self.made)}

        def attempts(self, run_id=1):
            return attempts_of(ledger, run_id)

        def answer(self):
            return parse(self.made, ledger.kept(self.made)[0])

    return World()


# ---------------------------------------------------------------- retries


def test_what_may_pass_is_tried_again_and_every_attempt_is_kept(world):
    world.cycle(1, a=CHAT)
    script = Script([wrong(500), Unanswered("ReadError: reset"), made(b"{", 200), said()])
    assert world.poll(a=script).recorded == 1
    kept = world.attempts()
    assert [(a.number, a.status, a.http_status) for a in kept] == [
        (1, "failed", 500), (2, "failed", None), (3, "failed", 200), (4, "answered", 200),
    ]  # fmt: skip
    assert kept[1].message == "ReadError: reset"
    assert kept[2].body == b"{"
    assert world.statuses() == {"a": {"answered": 1}}
    keys = {r.headers["Idempotency-Key"] for r in script.asked}
    assert len(keys) == 1


def test_attempts_are_bounded_and_the_run_ends_failed_with_a_reason(world):
    world.cycle(1, a=CHAT)
    script = Script([wrong(503, "overloaded")])
    world.poll(a=script)
    assert len(script.asked) == 4
    assert world.statuses() == {"a": {"failed": 1}}
    assert world.attempts()[-1].message == "overloaded"


def test_an_engine_that_is_down_is_not_asked_for_ever(world, monkeypatch):
    monkeypatch.setattr(asking, "MOST_LOST", 2)
    world.cycle(4, a=CHAT)
    script = Script([Unanswered("ConnectError: refused", sent=False)])
    outcome = world.poll(a=script)
    assert "2 runs in a row" in outcome.stopped["a"]
    assert "refused" in outcome.stopped["a"]
    assert sum(world.statuses()["a"].values()) < 4


def test_what_the_vendor_refuses_for_good_is_asked_once(world):
    world.cycle(1, a=CHAT)
    script = Script([wrong(400, "a field is wrong")])
    world.poll(a=script)
    assert (len(script.asked), world.statuses()) == (1, {"a": {"failed": 1}})


def test_a_vendor_who_says_when_holds_the_whole_engine(world):
    world.cycle(4, a=CHAT)
    times, first = [], []

    def reply(request):
        times.append(world.clock.at)
        first.append(request)
        return wrong(429, "slow down", {"retry-after": "30"}) if len(first) == 1 else said()

    world.poll(a=Script([reply]))
    assert world.statuses() == {"a": {"answered": 4}}
    later = [t for t in times if t > BEGIN]
    assert later
    assert min(later) >= BEGIN + timedelta(seconds=30)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (wrong(401, "Incorrect API key provided"), "Incorrect API key"),
        (wrong(429, "You exceeded your current quota", code="insufficient_quota"), "quota"),
        (wrong(404, "The model does not exist", code="model_not_found"), "model"),
        (wrong(429, "later", {"retry-after": "86400"}), "86400 s"),
    ],
)
def test_an_engine_that_cannot_succeed_stops_with_its_reason_and_the_others_go_on(world, reply, reason):
    world.cycle(4, a=CHAT, b=CHAT)
    script = Script([reply])
    outcome = world.poll(a=script, b=Script([said()]))
    assert reason in outcome.stopped["a"]
    assert len(script.asked) <= 2
    assert world.statuses() == {"a": {}, "b": {"answered": 4}}
    assert [e.engine for e in world.told if e.what == "stopped"] == ["a"]
    assert world.poll(a=Script([said()]), b=Script([said()])).recorded == 4


def test_a_body_is_kept_when_the_parser_fails(world, monkeypatch):
    world.cycle(1, a=CHAT)
    monkeypatch.setattr(load(CHAT), "parse", lambda *_: 1 / 0)
    world.poll(a=Script([said("paid for")]))
    assert world.statuses() == {"a": {"failed": 1}}
    assert b"paid for" in world.attempts()[0].body
    assert "ZeroDivisionError" in world.attempts()[0].message


def test_only_headers_of_the_list_are_kept_and_a_redaction_is_said(world):
    world.cycle(1, a=CHAT)
    headers = {"X-RateLimit-Remaining": "3", "Set-Cookie": "secret", "openai-organization": "me", "X-Request-Id": "r"}
    response = said()
    world.poll(a=Script([HttpResponse(200, headers, response.body, 0.01, redacted=True)]))
    kept = world.attempts()[0]
    assert set(kept.headers) == {"X-RateLimit-Remaining", "X-Request-Id"}
    assert kept.request["redacted"] == ["body"]


# ---------------------------------------------------------------- second calls


PAUSED = {"content": [{"type": "text", "text": "Let me look."}], "stop_reason": "pause_turn"}
CITED = [{"type": "text", "text": "Acme.", "citations": [{"url": "https://acme.com/x", "title": "X"}]}]
DONE = {"content": CITED, "stop_reason": "end_turn"}


def test_a_paused_turn_is_followed_and_its_bodies_are_read_together_again(world):
    world.cycle(1, a=CLAUDE)
    script = Script([made(PAUSED), wrong(529, "overloaded"), made(DONE)])
    assert world.poll(a=script).recorded == 1
    assert [a.status for a in world.attempts()] == ["deferred", "failed", "answered"]
    assert [len(r.json["messages"]) for r in script.asked] == [1, 2, 2]
    answer = world.answer()
    assert (answer.status, answer.text) == ("answered", "Let me look.\n\nAcme.")
    assert answer.text[answer.citations[0].start :] == "Acme."
    assert json.loads(world.attempts()[0].body) == PAUSED


def test_a_turn_that_never_ends_is_left_after_ten_calls(world):
    world.cycle(1, a=CLAUDE)
    script = Script([made(PAUSED)])
    world.poll(a=script)
    assert (len(script.asked), world.statuses()) == (10, {"a": {"deferred": 1}})


def test_an_answer_that_is_being_made_is_fetched_until_it_is_there(world):
    world.cycle(1, a=CHAT)
    queued = made({"id": "r1", "status": "queued", "output": []})
    script = Script([queued, queued, queued, said()])
    world.poll(a=script)
    assert [r.method for r in script.asked] == ["POST", "GET", "GET", "GET"]
    assert [a.status for a in world.attempts()] == ["deferred", "answered"]
    assert world.clock.at == BEGIN + timedelta(seconds=15)
    assert world.answer().text == "Acme."


def test_an_answer_that_is_never_ready_is_deferred_and_fetched_by_a_later_poll(world, ledger):
    world.cycle(1, a=CHAT)
    queued = made({"id": "r1", "status": "queued", "output": []})
    world.poll(a=Script([queued]))
    assert world.statuses() == {"a": {"deferred": 1}}
    ledger.release(world.made, retry=True)
    script = Script([said()])
    world.poll(a=script)
    assert [r.url.rsplit("/", 1)[1] for r in script.asked] == ["r1"]
    assert world.answer().text == "Acme."


def test_what_was_paid_before_a_kill_is_taken_up_and_not_asked_again(world):
    world.cycle(1, a=CLAUDE)

    class Killed(BaseException):
        pass

    def kill(request):
        raise Killed

    with pytest.raises(BaseExceptionGroup):
        world.poll(a=Script([made(PAUSED), kill]))
    assert world.statuses() == {"a": {}}
    script = Script([made(DONE)])
    world.poll(a=script)
    assert [len(r.json["messages"]) for r in script.asked] == [2]
    assert world.answer().text == "Let me look.\n\nAcme."


def test_a_page_token_is_followed_at_once_and_not_after_its_minute(world):
    token = made({"search_metadata": {"status": "Success"}, "ai_overview": {"page_token": "t1"}})
    blocks = [{"type": "paragraph", "snippet": "Acme.", "reference_indexes": [0]}]
    overview = {"text_blocks": blocks, "references": [{"index": 0, "link": "https://acme.com/x", "title": "X"}]}
    shown = made({"search_metadata": {"status": "Success"}, "ai_overview": overview})
    world.cycle(1, a=SEARCH)
    stop = asyncio.Event()

    def then_stop(request):
        stop.set()
        return token

    world.poll(a=Script([then_stop]), stop=stop)
    assert [a.status for a in world.attempts()] == ["deferred"]
    world.clock.at += timedelta(minutes=2)
    script = Script([token, shown])
    world.poll(a=script)
    assert ["page_token" in r.url for r in script.asked] == [False, True]
    assert [c.url for c in world.answer().citations] == ["https://acme.com/x"]


def test_an_interrupted_poll_leaves_a_waiting_run_to_the_next(world):
    world.cycle(1, a=CHAT)
    stop = asyncio.Event()

    def fail(request):
        stop.set()
        return wrong(500)

    outcome = world.poll(a=Script([fail]), stop=stop)
    assert (outcome.interrupted, outcome.recorded, world.statuses()) == (True, 0, {"a": {}})
    assert world.poll(a=Script([said()])).recorded == 1
    assert [a.number for a in world.attempts()] == [1, 2]


# ---------------------------------------------------------------- money


PRICE = Price(input=100.0, output=1.0, expected=0.1)


def test_the_ceiling_stops_before_it_is_passed_and_the_next_poll_goes_on(world, ledger):
    world.cycle(4, a=CHAT)
    script = Script([said(tokens=1000)])
    outcome = world.poll(a=script, price=PRICE, budget=Budget(0.35, expected={"a": 0.1}))
    assert "ceiling of 0.35 USD" in outcome.stopped["a"]
    assert (len(script.asked), world.statuses()) == (3, {"a": {"answered": 3}})
    assert ledger.progress(world.made)[0].cost == pytest.approx(0.3)
    assert not outcome.interrupted
    assert world.poll(a=script, price=PRICE, budget=Budget(9.0, spent={"a": 0.3}, expected={"a": 0.1})).recorded == 1


def test_the_spend_is_that_of_every_call_of_a_run(world, ledger):
    world.cycle(1, a=CLAUDE)
    price = Price(input=100.0, output=1.0)
    usage = {"usage": {"input_tokens": 1000, "output_tokens": 0}}
    world.poll(a=Script([made({**PAUSED, **usage}), wrong(529), made({**DONE, **usage})]), price=price)
    assert [a.cost for a in world.attempts()] == [pytest.approx(0.1), None, pytest.approx(0.1)]
    assert ledger.progress(world.made)[0].cost == pytest.approx(0.2)


def test_a_reply_that_cannot_be_read_may_have_been_paid_and_the_ceiling_counts_it(world):
    world.cycle(4, a=CHAT)
    script = Script([made(b'{"status": "comple', 200)])
    outcome = world.poll(a=script, price=PRICE, budget=Budget(0.25, expected={"a": 0.1}))
    assert len(script.asked) == 2
    assert "ceiling of 0.25 USD" in outcome.stopped["a"]
    assert {a.cost for run in (1, 2) for a in world.attempts(run)} == {None}


def test_an_answer_that_is_being_made_counts_and_is_fetched_although_the_ceiling_is_reached(world):
    world.cycle(4, a=CHAT)
    fetched = []

    def reply(request):
        if request.method == "GET":
            fetched.append(request.url)
            return said(tokens=1000)
        return made({"id": f"r{len(script.asked)}", "status": "queued", "output": []})

    script = Script([reply])
    outcome = world.poll(a=script, price=PRICE, budget=Budget(0.25, expected={"a": 0.1}))
    assert "ceiling of 0.25 USD" in outcome.stopped["a"]
    assert [r.method for r in script.asked].count("POST") == len(fetched) == 2
    assert world.statuses() == {"a": {"answered": 2}}


def test_a_wrong_key_ends_the_fetching_that_a_ceiling_does_not_end(world):
    world.cycle(4, a=CHAT)
    queued = made({"id": "r1", "status": "queued", "output": []})
    script = Script([lambda request: wrong(401, "Incorrect API key provided") if request.method == "GET" else queued])
    outcome = world.poll(a=script, price=PRICE, budget=Budget(0.25, expected={"a": 0.1}))
    assert outcome.stopped
    assert [r.method for r in script.asked].count("GET") <= 2
    assert world.statuses() == {"a": {}}


def test_a_call_that_is_paid_when_it_is_queued_is_fetched_without_a_second_charge(world, ledger):
    world.cycle(1, a=SEARCH)
    queued = made({"search_metadata": {"status": "Processing", "id": "s1"}})
    overview = {"text_blocks": [{"type": "paragraph", "snippet": "Acme."}], "references": []}
    shown = made({"search_metadata": {"status": "Success"}, "ai_overview": overview})
    world.poll(
        a=Script([queued, wrong(503), shown]), price=Price(per_call=0.1), budget=Budget(0.1, expected={"a": 0.1})
    )
    assert world.statuses() == {"a": {"answered": 1}}
    assert ledger.progress(world.made)[0].cost == pytest.approx(0.1)


def test_a_vendor_who_says_zero_seconds_is_not_asked_four_times_at_once(world):
    world.cycle(1, a=CHAT)
    script = Script([wrong(429, "slow down", {"retry-after": "0"})])
    world.poll(a=script)
    assert len(script.asked) == 4
    assert world.clock.at - BEGIN >= timedelta(seconds=3.5)
