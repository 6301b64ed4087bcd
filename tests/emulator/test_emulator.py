"""Every engine against the emulator, over loopback: answers, and what faults lead to."""

import json
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from tests.emulator import (
    CONTINUED,
    PRICES,
    STOPPING,
    SURFACES,
    Desk,
)
from tests.emulator.client import (
    IDS,
    OF_VENDOR,
    QUESTION,
    QUICK,
    answered,
    asked,
    cases,
    counted,
    followed,
    keyed,
    sent,
)
from tests.emulator.corpus import DOCUMENTS
from tests.emulator.surfaces.google import target
from tests.emulator.wire import Call

from citepoll import engines
from citepoll.engines.base import HttpRequest
from citepoll.engines.failures import Failed
from citepoll.model import CITED_LEVELS, Query
from citepoll.urls import canonical


def test_every_network_engine_is_emulated():
    assert set(SURFACES) == set(engines.REGISTRY) - {"local:bm25", "recorded"} == set(PRICES)


def pages():
    """Canonical addresses of the corpus, and of the redirects to them, as engines may cite them."""
    return {canonical(document.url).url for document in DOCUMENTS}


@pytest.mark.parametrize("engine_id", IDS)
def test_an_engine_is_asked_and_answers_with_citations(emulator, engine_id):
    facts = engines.load(engine_id).FACTS
    before = counted(emulator, engine_id).get("finished", 0)
    answer = answered(emulator, engine_id, asked(engine_id))
    assert answer.status == "answered", answer
    assert QUESTION.text in answer.text
    assert answer.citations
    assert {citation.level for citation in answer.citations} <= CITED_LEVELS
    assert bool(answer.sources) == facts.returns_sources
    assert bool(answer.queries) == facts.returns_queries
    assert {canonical(landing(c.url)).url for c in answer.citations} <= pages()
    state = counted(emulator, engine_id)
    assert (state["finished"], state["lost"]) == (before + 1, 0)


def landing(url):
    """The page that a citation leads to: Gemini's are redirects."""
    parts = urlsplit(url)
    return target(parts.path) if parts.netloc.startswith("vertexaisearch") else url


@pytest.mark.parametrize("engine_id", [i for i in IDS if engines.load(i).FACTS.returns_spans])
def test_passages_hold_what_the_corpus_says(emulator, engine_id):
    """Offsets survive umlauts, emoji and bytes: a span is a sentence, a link or a marker, never a piece of one."""
    answer = answered(emulator, engine_id, asked(engine_id, replace(QUESTION, text="Größe 🌱 leicht oder schwer!!")))
    sentences = "\n".join(passage.body for document in DOCUMENTS for passage in document.passages)
    for citation in answer.citations:
        if citation.start is None:
            continue
        cut = answer.text[citation.start : citation.end]
        whole = cut in sentences or (cut[0], cut[-1]) in {("[", "]"), ("[", ")"), ("(", ")")}
        assert whole, cut


def test_a_seed_gives_the_same_answers_again_and_questions_differ():
    def bodies(seed, question):
        desk = Desk(replace(QUICK, seed=seed))
        return [desk.respond(call_for(desk, question)).reply.body for _ in range(4)]

    def call_for(desk, question):
        made = keyed("openai:responses", asked("openai:responses", Query(question)))
        headers = {name.lower(): value for name, value in made.headers.items()}
        return Call("POST", "api.openai.com", "/v1/responses", "", {}, headers, json.dumps(made.json).encode())

    assert bodies("a", "best fork") == bodies("a", "best fork")
    assert bodies("a", "best fork") != bodies("b", "best fork")
    assert len(set(bodies("a", "best fork"))) == 4
    assert bodies("a", "best fork") != bodies("a", "best spade")


STATUS = {
    "rate_limited": 429, "rate_limited_date": 429, "rate_limited_info": 429, "server_error": 500, "unavailable": 503,
    "overloaded": 529, "error_in_200": 200, "proxy_page": 502, "echoed_error": 500,
}  # fmt: skip


@pytest.mark.parametrize(("engine_id", "fault"), cases(STATUS))
def test_a_passing_fault_is_worth_another_call(emulator, engine_id, fault):
    emulator.desk.script(engine_id, fault)
    status, headers, body = sent(emulator, keyed(engine_id, asked(engine_id)))
    answer = engines.load(engine_id).parse(status, headers, body)
    expected = 200 if fault.startswith("rate") and engine_id in OF_VENDOR else STATUS[fault]
    assert (status, answer.status) == (expected, "failed")
    assert isinstance(answer, Failed)
    assert answer.retry == "later"
    if fault in ("rate_limited", "rate_limited_info"):
        assert answer.retry_after == 0.25
        assert ("retry-after" in headers) == (fault == "rate_limited")
    if fault == "rate_limited_date":
        assert answer.retry_after == 1.0
    assert answered(emulator, engine_id, asked(engine_id)).status == "answered"


@pytest.mark.parametrize(("engine_id", "fault"), cases(STOPPING))
def test_a_key_a_quota_and_a_model_stop_an_engine(emulator, engine_id, fault):
    emulator.desk.script(engine_id, fault)
    status, headers, body = sent(emulator, keyed(engine_id, asked(engine_id)))
    answer = engines.load(engine_id).parse(status, headers, body)
    assert (answer.status, answer.retry) == ("failed", "stop")
    assert 400 <= status < 500
    assert answer.message


@pytest.mark.parametrize(("engine_id", "fault"), cases(["policy"]))
def test_a_policy_blocks_one_question(emulator, engine_id, fault):
    emulator.desk.script(engine_id, fault)
    answer = answered(emulator, engine_id, asked(engine_id))
    assert (answer.status, answer.retry) == ("blocked", "no")


@pytest.mark.parametrize(
    ("engine_id", "outcome"),
    cases(["absent", "refused", "blocked", "empty", "uncited", "truncated_text"]),
)
def test_outcomes_are_told_apart(emulator, engine_id, outcome):
    emulator.desk.script(engine_id, outcome)
    answer = answered(emulator, engine_id, asked(engine_id))
    if outcome == "uncited":
        assert answer.status == "answered"
        assert engine_id.startswith("copilot") or not answer.citations  # all pages of its panel count as cited
    else:
        assert answer.status == {"truncated_text": "truncated"}.get(outcome, outcome)


@pytest.mark.parametrize(("engine_id", "form"), cases(CONTINUED))
def test_an_answer_that_takes_more_calls_is_one_answer(emulator, engine_id, form):
    before = counted(emulator, engine_id).get("finished", 0)
    emulator.desk.script(engine_id, form)
    answer, calls = followed(emulator, engine_id, asked(engine_id, Query(f"fork {form}")))
    assert (answer.status, calls) == ("answered", 3 if form == "queued" else 2)
    assert answer.citations
    assert counted(emulator, engine_id)["finished"] == before + 1


@pytest.mark.parametrize("engine_id", sorted(OF_VENDOR))
def test_a_task_of_the_queue_is_paid_once(emulator, engine_id):
    before = counted(emulator, engine_id).get("charged_usd", 0.0)
    request = asked(engine_id, queue="standard")
    answer, calls = followed(emulator, engine_id, request)
    assert (answer.status, calls) == ("answered", 3)
    again = HttpRequest("GET", answered(emulator, engine_id, request).follow_up["url"])
    for _ in range(3):
        answered(emulator, engine_id, again)
    assert counted(emulator, engine_id)["charged_usd"] == pytest.approx(before + 2 * 0.004)


def test_what_follows_has_to_be_known(emulator):
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": [{"type": "text", "text": "made up"}]}]
    for engine_id in ("anthropic:messages", "deepseek:messages"):
        made = asked(engine_id)
        assert answered(emulator, engine_id, replace(made, json={**made.json, "messages": turns})).retry == "no"
    unknown = HttpRequest("GET", "https://serpapi.com/search.json?engine=google_ai_overview&page_token=t")
    assert "expired" in answered(emulator, "google:ai-overview@serpapi", unknown).message


def test_a_page_token_lives_for_a_minute():
    now = [0.0]
    desk = Desk(QUICK, clock=lambda: now[0])
    desk.script("google:ai-overview@serpapi", "deferred")

    def ask(**parameters):
        given = {**parameters, "api_key": "k"}
        return desk.respond(Call("GET", "serpapi.com", "/search.json", "", given)).reply

    token = ask(engine="google", q="q").document["ai_overview"]["page_token"]
    assert ask(engine="google_ai_overview", page_token=token).status == 200
    now[0] = 61.0
    assert ask(engine="google_ai_overview", page_token=token).status == 400
