"""What the emulator counts: answers, money, repeats; and the plan of faults."""

import http.client
import json
from dataclasses import replace

import pytest
from tests.emulator import (
    CONTINUED,
    HARMLESS,
    PASSING,
    SURFACES,
    Emulator,
    Price,
    Seeded,
)
from tests.emulator.client import IDS, OF_VENDOR, QUICK, answered, asked, counted, keyed, sent
from tests.emulator.plans import FAULTS

from citepoll.engines.base import HttpRequest, continued
from citepoll.hashing import canonical_json
from citepoll.model import Query


def test_a_plan_is_the_same_whatever_the_order_and_keeps_its_share():
    plan = Seeded("s", 0.2)
    calls = [(engine, f"q{at}", nth) for engine in IDS for at in range(60) for nth in range(3)]
    drawn = {call: plan.fault(*call, SURFACES[call[0]].possible()) for call in calls}
    assert drawn == {call: plan.fault(*call, SURFACES[call[0]].possible()) for call in reversed(calls)}
    share = sum(fault is not None for fault in drawn.values()) / len(calls)
    assert 0.17 < share < 0.23  # 2,880 calls: standard error 0.0075
    assert set(drawn.values()) == {None, *PASSING, *HARMLESS, *CONTINUED}
    assert Seeded("s", 0.0).fault("a", "b", 0, FAULTS) is None


def test_an_unknown_fault_is_named(emulator):
    with pytest.raises(ValueError, match="no fault 'reste'"):
        emulator.desk.script("xai:grok", "reste")
    request = HttpRequest("POST", f"{emulator.url}/__emulator__/script", json={"xai:grok": ["reste"]})
    assert sent(emulator, request)[0] == 400


TOLD = ("perplexity:agent", "xai:grok", *sorted(OF_VENDOR))
"""Engines whose bodies say what was paid."""


def test_a_round_with_faults_on_one_call_in_five_ends_and_the_money_agrees():
    names = tuple(name for name in (*PASSING, *HARMLESS, *CONTINUED) if name not in ("stalled", "slow"))
    settings = replace(QUICK, plan=Seeded("round", 0.2, names))
    paid = dict.fromkeys(IDS, 0.0)
    with Emulator(settings) as running:
        for engine_id in IDS:
            for at in range(8):
                answer, cost = persisted(running, engine_id, asked(engine_id, Query(f"fork number {at}")))
                assert answer.status == "answered", (engine_id, at, answer)
                paid[engine_id] += cost
        state = running.desk.state()
    assert sum(sum(one["faults"].values()) for one in state["engines"].values()) > 15
    for engine_id in IDS:
        one = state["engines"][engine_id]
        assert one["finished"] - one["lost"] == 8
        if engine_id in TOLD:
            assert paid[engine_id] == pytest.approx(one["charged_usd"] - one["lost_usd"], abs=1e-9)
    assert state["total"]["finished"] == sum(one["finished"] for one in state["engines"].values())


def persisted(emulator, engine_id, request, most=12):
    """The answer after as many calls as it takes, and what the bodies that arrived say was paid."""
    cost = 0.0
    for _ in range(most):
        try:
            answer = answered(emulator, engine_id, request, headers={"Connection": "close"})
        except (OSError, http.client.HTTPException):
            continue
        cost += answer.cost or 0.0
        if answer.follow_up:
            request = continued(request, answer.follow_up)
        elif answer.status != "failed":
            break
    return answer, cost


def test_a_price_can_be_set_and_usage_times_price_is_the_charge():
    price = Price(input=2.0, output=8.0, search=0.01)
    with Emulator(replace(QUICK, prices={"anthropic:messages": price})) as running:
        running.desk.script("anthropic:messages", "paused", None, None)
        first = answered(running, "anthropic:messages", asked("anthropic:messages"))
        second = continued(asked("anthropic:messages"), first.follow_up)
        both = [first, answered(running, "anthropic:messages", second)]
        told = sum(cost_of(answer.usage, price) for answer in both)
        state = counted(running, "anthropic:messages")
    assert state["charged_usd"] == pytest.approx(told, abs=1e-9)
    assert (state["finished"], state["legs"], state["searches"]) == (1, 1, 2)


def cost_of(usage, price):
    tokens = (usage["input_tokens"] * price.input + usage["output_tokens"] * price.output) / 1e6
    return tokens + usage["server_tool_use"]["web_search_requests"] * price.search


def test_a_repeated_key_is_charged_once_where_the_vendor_honours_it():
    with Emulator(QUICK) as running:
        for engine_id in ("openai:responses", "xai:grok"):
            made = keyed(engine_id, asked(engine_id))
            bodies = [sent(running, made, headers={"Idempotency-Key": "run-1"})[2] for _ in range(2)]
            sent(running, made, headers={"Idempotency-Key": "run-2"})
            assert (bodies[0] == bodies[1]) == (engine_id == "openai:responses")
        openai, grok = (counted(running, i) for i in ("openai:responses", "xai:grok"))
    assert (openai["finished"], openai["repeated"]) == (2, 1)
    assert (grok["finished"], grok["repeated"]) == (3, 0)


def test_a_repeated_key_has_no_say_when_an_answer_is_fetched():
    headers = {"Idempotency-Key": "run-1"}
    with Emulator(QUICK) as running:
        running.desk.script("openai:responses", "queued")
        first = answered(running, "openai:responses", asked("openai:responses"), headers=headers)
        fetch = continued(asked("openai:responses"), first.follow_up)
        found = [answered(running, "openai:responses", fetch, headers=headers).status for _ in range(2)]
    assert [first.status, *found] == ["deferred", "deferred", "answered"]


def test_a_lost_answer_can_be_fetched_by_its_id_without_a_charge():
    with Emulator(QUICK) as running:
        running.desk.script("openai:responses", "queued", None, "reset")
        first = answered(running, "openai:responses", asked("openai:responses"))
        fetch = continued(asked("openai:responses"), first.follow_up)
        assert answered(running, "openai:responses", fetch).status == "deferred"
        with pytest.raises(ConnectionError):
            answered(running, "openai:responses", fetch)
        assert counted(running, "openai:responses")["lost"] == 1
        assert answered(running, "openai:responses", fetch).status == "answered"
        state = counted(running, "openai:responses")
    assert (state["finished"], state["lost"], state["repeated"]) == (1, 0, 1)


def test_state_and_answers_can_be_read_over_http():
    with Emulator(QUICK) as running:
        set_up = HttpRequest("POST", f"{running.url}/__emulator__/script", json={"xai:grok": ["reset", None]})
        assert sent(running, set_up)[0] == 200
        with pytest.raises(ConnectionError):
            answered(running, "xai:grok", asked("xai:grok"))
        answered(running, "xai:grok", asked("xai:grok"))
        doors = [HttpRequest("GET", f"{running.url}/__emulator__/{name}") for name in ("state", "answers", "keys")]
        state, answers, nothing = (sent(running, door) for door in doors)
        assert json.loads(state[2]) == running.desk.state()
    assert [entry["delivered"] for entry in json.loads(answers[2])] == [0, 1]
    assert nothing[0] == 404
    assert b"canary" not in state[2] + answers[2]
    canonical_json(json.loads(state[2]))


def test_redirects_lead_to_the_page(emulator):
    answer = answered(emulator, "google:gemini", asked("google:gemini"))
    for method in ("HEAD", "GET"):
        status, headers, body = sent(emulator, HttpRequest(method, answer.citations[0].url))
        assert (status, body) == (302, b"")
        assert headers["location"].startswith("https://")
    assert (
        sent(emulator, HttpRequest("GET", "https://vertexaisearch.cloud.google.com/grounding-api-redirect/%FF"))[0]
        == 404
    )
