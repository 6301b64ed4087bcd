import json

from hypothesis import given
from hypothesis import strategies as st

from citepoll.engines import calls, load
from citepoll.engines.base import HttpResponse
from citepoll.model import Answer, Citation, Source

CLAUDE = load("anthropic:messages")


def message(*words, stop="end_turn", url=None, tokens=10):
    content = [{"type": "text", "text": w, "citations": [{"url": url, "title": "T"}] if url else []} for w in words]
    return json.dumps({"content": content, "stop_reason": stop, "usage": {"input_tokens": tokens}}).encode()


def reply(body, status=200, headers=None):
    return HttpResponse(status, headers or {}, body)


def test_one_call_keeps_its_body_as_it_came():
    assert calls.together([reply(b"\xff raw")]) == b"\xff raw"
    assert calls.apart(b"\xff raw") is None


@given(st.lists(st.tuples(st.integers(100, 599), st.binary(max_size=50)), min_size=2, max_size=4))
def test_every_reply_comes_out_as_it_went_in(sent):
    replies = tuple(reply(body, status, {"date": "x"}) for status, body in sent)
    assert calls.apart(calls.together(replies)) == replies


def test_a_body_that_only_begins_like_an_envelope_is_none():
    assert calls.apart(b'{"citepoll_calls":[{"x": 1') is None


def test_a_paused_turn_and_what_followed_are_one_answer():
    first = message("Let me look.", stop="pause_turn", url="https://a.example/1")
    second = message("Acme is best.", url="https://a.example/2", tokens=5)
    found = calls.read(CLAUDE, 200, {}, calls.together([reply(first), reply(second)]))
    assert found.status == "answered"
    assert found.text == "Let me look.\n\nAcme is best."
    assert [(c.url[-1], c.position, found.text[c.start : c.end]) for c in found.citations] == [
        ("1", 1, "Let me look."),
        ("2", 2, "Acme is best."),
    ]
    assert found.usage["input_tokens"] == 15
    assert found.follow_up is None


def test_a_turn_that_ends_without_more_words_keeps_those_before():
    body = calls.together([reply(message("Done.", stop="pause_turn")), reply(message())])
    assert (calls.read(CLAUDE, 200, {}, body).status, calls.read(CLAUDE, 200, {}, body).text) == ("answered", "Done.")


def test_an_answer_that_was_being_made_stands_in_place_of_the_queue():
    openai = load("openai:responses")
    queued = b'{"id": "r1", "status": "queued", "output": []}'
    part = {"type": "output_text", "text": "Acme.", "annotations": []}
    done = {"id": "r1", "status": "completed", "output": [{"type": "message", "content": [part]}]}
    found = calls.read(openai, 200, {}, calls.together([reply(queued), reply(json.dumps(done).encode())]))
    assert (found.status, found.text) == ("answered", "Acme.")


def test_a_page_cited_later_is_no_source_any_more():
    first = Answer("deferred", sources=(Source("https://a.example/1", 1), Source("https://a.example/2", 2)))
    second = Answer("answered", "Words.", (Citation("https://a.example/2", 1),))
    assert [s.url for s in calls.joined(first, second).sources] == ["https://a.example/1"]
