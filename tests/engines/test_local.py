from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citepoll.engines import local
from citepoll.errors import EngineError
from citepoll.model import STATUSES, Query, Source

PAYLOAD = Path(__file__).parent / "payloads" / "local-bm25.json"


def test_the_recorded_payload_gives_the_golden_answer():
    answer = local.parse(200, {}, PAYLOAD.read_bytes())
    assert answer.status == "answered"
    assert answer.model == "bm25"
    assert answer.spans
    assert answer.cost == 0.0
    assert [(c.url, c.position, c.level, c.title) for c in answer.citations] == [
        ("https://acme.com/prices", 1, "marker", "Prices"),
        ("https://other.com/", 2, "marker", "Other"),
        ("https://acme.com/prices", 3, "marker", "Prices"),
    ]
    assert [answer.text[c.start : c.end] for c in answer.citations] == ["[1]", "[2]", "[1]"]
    assert answer.sources == (
        Source("https://fourth.com/", 1, "retrieved", "Fourth"),
        Source("https://third.com/", 2, "listed", "Third"),
    )


def test_a_payload_without_text_is_empty():
    assert local.parse(200, {}, b'{"answer": " "}').status == "empty"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"answer": 1}', b"\xff", b'{"sources": [{}]}'])
def test_what_is_no_payload_is_a_failed_answer(body):
    answer = local.parse(200, {}, body)
    assert answer.status == "failed"
    assert answer.message


def test_another_status_code_is_a_failed_answer():
    answer = local.parse(503, {}, b'{"answer": "busy"}')
    assert (answer.status, answer.citations) == ("failed", ())
    assert "503" in (answer.message or "")


@given(st.integers(100, 599), st.binary(max_size=200))
def test_no_body_makes_the_parser_raise(status_code, body):
    assert local.parse(status_code, {}, body).status in STATUSES


def test_a_request_holds_question_settings_and_seed():
    asked = local.request(Query("What is a widget?", "de"), {"cite": 2, "seed": "sha256:1", "model": None})
    assert (asked.method, asked.url) == ("POST", "local://bm25/answer")
    assert asked.json == {
        "query": "What is a widget?",
        "language": "de",
        "top_k": 8,
        "cite": 2,
        "temperature": 1.0,
        "seed": "sha256:1",
    }


def test_fewer_retrieved_passages_than_usually_cited_are_all_cited():
    assert local.request(Query("q"), {"top_k": 3}).json["cite"] == 3


@pytest.mark.parametrize(
    "settings",
    [{"top_k": 0}, {"top_k": 2.5}, {"top_k": True}, {"cite": 9}, {"cite": "4"}, {"temperature": -1}]
    + [{"temperature": float("nan")}, {"temperature": None}],
)
def test_a_setting_that_is_not_usable_is_named(settings):
    with pytest.raises(EngineError, match=next(iter(settings))) as caught:
        local.request(Query("q"), settings)
    assert caught.value.fix
