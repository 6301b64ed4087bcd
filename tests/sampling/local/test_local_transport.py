import asyncio
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citepoll.engines import local
from citepoll.engines.base import HttpRequest, draw_seed
from citepoll.errors import EngineError
from citepoll.model import Query
from citepoll.sampling.local.answer import NOTHING
from citepoll.sampling.local.transport import LocalTransport
from citepoll.store.corpus import Document, Passage, writing

COLOURS = ("red", "blue", "green", "white", "black", "grey")


@pytest.fixture(scope="module")
def transport(tmp_path_factory):
    path = tmp_path_factory.mktemp("local") / "corpus.db"
    with writing(path) as corpus:
        for colour in COLOURS:
            body = f"A {colour} widget costs ten dollars. It is made of {colour} wood [7]."
            corpus.put(colour, Document(f"https://{colour}.com/", f"On {colour}", (Passage("Price", body),), colour))
        for n in range(20):
            other = Passage("", f"Filler {n} has no bearing on the matter.")
            corpus.put(str(n), Document(f"https://filler.com/{n}", f"Filler {n}", (other,), str(n)))
    return LocalTransport(path)


def ask(transport, text="What does a widget cost?", **settings):
    response = transport.answer(local.request(Query(text), settings))
    return response, local.parse(response.status_code, response.headers, response.body)


def test_the_answer_cites_the_drawn_pages_and_names_the_rest(transport):
    response, answer = ask(transport, top_k=5, cite=2, seed="s")
    payload = json.loads(response.body)
    assert response.status_code == 200
    assert response.latency is not None
    assert [s["n"] for s in payload["sources"]] == [1, 2]
    assert payload["seed"] == "s"
    assert payload["corpus"]["documents"] == 26
    assert len({c.url for c in answer.citations}) == 2
    assert len(answer.sources) == 3
    assert all(s.level == "retrieved" for s in answer.sources)
    assert "[7]" not in answer.text


def test_a_cycle_repeats_itself_and_its_runs_differ(transport):
    def cycle(name, engine="local"):
        seeds = [draw_seed("p", name, "q", run, engine) for run in range(1, 9)]
        return [ask(transport, cite=2, seed=seed)[0].body for seed in seeds]

    first = cycle("november")
    assert first == cycle("november")
    assert len({json.loads(body)["answer"] for body in first}) > 2
    assert first != cycle("december")
    assert first != cycle("november", "other")


def test_a_question_that_nothing_answers_is_answered_without_a_citation(transport):
    _, answer = ask(transport, "zebra quagga")
    assert (answer.status, answer.text, answer.citations, answer.sources) == ("answered", NOTHING, (), ())


def test_an_empty_corpus_says_what_to_do(tmp_path):
    transport = LocalTransport(tmp_path / "corpus.db")
    with pytest.raises(EngineError, match="no documents") as caught:
        ask(transport)
    assert "citepoll corpus add DIR" in caught.value.fix
    with writing(tmp_path / "corpus.db"):
        pass
    with pytest.raises(EngineError, match="no documents"):
        ask(transport)


@pytest.mark.parametrize(
    "request_", [HttpRequest("POST", "https://example.com"), HttpRequest("POST", local.URL, {}, {"query": 1})]
)
def test_a_request_of_another_engine_is_refused(transport, request_):
    with pytest.raises(EngineError):
        transport.answer(request_)


def test_many_requests_at_once_get_the_answers_of_one_at_a_time(transport):
    requests = [local.request(Query("a widget"), {"seed": str(n)}) for n in range(20)]

    async def together():
        return await asyncio.gather(*(transport.send(request) for request in requests))

    assert [r.body for r in asyncio.run(together())] == [transport.answer(request).body for request in requests]


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.text(), st.text('"*^:()[]{}-+~ widgetcos NEAROR')))
def test_no_question_makes_the_engine_raise(transport, text):
    _, answer = ask(transport, text)
    assert answer.status == "answered"
    assert all(answer.text[c.start : c.end].strip("[]").isdigit() for c in answer.citations)
