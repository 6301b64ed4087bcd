"""What goes out: the fields that each surface takes, the place and the language, and no key."""

import base64
import json
import re

import pytest

from citepoll import engines
from citepoll.engines.base import Auth, HttpRequest, continued, with_key
from citepoll.errors import EngineError
from citepoll.model import Query

QUESTION = Query("Welche Spatengabel ist leicht?", "de", "DE")
NEEDED = {"openai-compatible": {"model": "local-8b", "base_url": "http://127.0.0.1:8080/v1/"}}
HERE = (
    "openai:responses", "openai:chat-search", "anthropic:messages", "deepseek:messages", "google:gemini",
    "perplexity:agent", "xai:grok", "openai-compatible",
)  # fmt: skip


def asked(engine_id, query=QUESTION, **given):
    return engines.load(engine_id).request(query, {**NEEDED.get(engine_id, {}), **given})


@pytest.mark.parametrize("engine_id", HERE)
def test_a_request_is_plain_json_over_https_without_a_key(engine_id):
    made = asked(engine_id, model="m-1", country=None, language=None, seed="sha256:1")
    assert made.method == "POST"
    assert made.url.startswith("https://") or engine_id == "openai-compatible"
    assert made.headers["content-type"] == "application/json"
    sent = json.dumps(made.json)
    assert json.dumps(QUESTION.text) in sent
    assert "m-1" in sent + made.url
    assert "seed" not in sent
    facts = engines.load(engine_id).FACTS
    assert facts.auth is not None
    assert not any(name.lower() == facts.auth.name.lower() for name in made.headers)


@pytest.mark.parametrize("engine_id", HERE)
def test_facts_are_complete(engine_id):
    facts = engines.load(engine_id).FACTS
    assert facts.docs.startswith("https://")
    assert all((facts.key_variable, facts.cited, facts.notes))
    assert "(20" in facts.price_note or engine_id == "openai-compatible"
    assert not re.search(r"\d+ (USD|CNY|EUR)|[$€]", facts.price_note), "figures stand in the price table"
    assert facts.default_model or engine_id == "openai-compatible"


@pytest.mark.parametrize("engine_id", HERE)
def test_an_unknown_setting_is_named(engine_id):
    with pytest.raises(EngineError, match="no setting 'serach'") as caught:
        asked(engine_id, serach="deep")
    assert caught.value.fix


@pytest.mark.parametrize(
    ("engine_id", "given"),
    [
        ("openai:responses", {"search_context_size": "huge"}),
        ("openai:responses", {"max_output_tokens": 5}),
        ("openai:responses", {"force_search": "yes"}),
        ("openai:responses", {"country": "Germany"}),
        ("openai:responses", {"model": 5}),
        ("perplexity:agent", {"language": "German!"}),
        ("anthropic:messages", {"max_uses": 0}),
        ("anthropic:messages", {"max_tokens": True}),
        ("openai-compatible", {"base_url": "127.0.0.1:8080"}),
        ("openai-compatible", {"base_url": "http://me:secret@127.0.0.1/v1"}),
        ("openai-compatible", {"base_url": "http://[::1"}),
        ("openai-compatible", {"base_url": None}),
        ("openai-compatible", {"model": None}),
    ],
)
def test_a_setting_that_is_not_usable_is_said_before_anything_is_sent(engine_id, given):
    with pytest.raises(EngineError) as caught:
        asked(engine_id, **given)
    assert caught.value.fix
    assert "secret" not in str(caught.value)


def test_openai_responses_asks_for_sources_and_says_where_the_asker_is():
    made = asked("openai:responses", city="Ulm", search_context_size="low", force_search=True, reasoning_effort="low")
    assert made.json == {
        "model": "gpt-5.4",
        "input": QUESTION.text,
        "tools": [
            {
                "type": "web_search",
                "user_location": {"type": "approximate", "country": "DE", "city": "Ulm"},
                "search_context_size": "low",
            }
        ],
        "include": ["web_search_call.action.sources"],
        "tool_choice": {"type": "web_search"},
        "reasoning": {"effort": "low"},
    }


def test_openai_chat_search_has_its_own_form_of_a_place():
    assert asked("openai:chat-search", country="at").json["web_search_options"] == {
        "user_location": {"type": "approximate", "approximate": {"country": "AT"}}
    }
    assert asked("openai:chat-search", Query("q", "en", "")).json["web_search_options"] == {}


def test_claude_gets_the_tool_whose_results_can_be_seen():
    made = asked("anthropic:messages", max_uses=2)
    assert made.headers["anthropic-version"] == "2023-06-01"
    assert made.json["tools"] == [
        {
            "type": "web_search_20250305",
            "name": "web_search",
            "max_uses": 2,
            "user_location": {"type": "approximate", "country": "DE"},
        }
    ]
    assert made.json["max_tokens"] > 0


def test_surfaces_without_a_place_get_none():
    assert "user_location" not in json.dumps(asked("deepseek:messages", country="DE").json)
    assert asked("google:gemini", country="DE", model="models/gemini-x").json == {
        "contents": [{"role": "user", "parts": [{"text": QUESTION.text}]}],
        "tools": [{"google_search": {}}],
    }
    assert asked("google:gemini", model="models/gemini-x").url.endswith("/v1beta/models/gemini-x:generateContent")
    assert asked("google:gemini", model="../../x?y").url.endswith("/models/..%2F..%2Fx%3Fy:generateContent")


def test_perplexity_takes_a_place_and_a_language_and_a_pinned_model():
    made = asked("perplexity:agent", language="pt-BR", country="uk")
    assert made.json == {
        "model": "perplexity/sonar",
        "input": QUESTION.text,
        "tools": [{"type": "web_search", "user_location": {"country": "GB"}}],
        "language_preference": "pt",
    }


def test_grok_searches_the_web_and_x_unless_told_otherwise():
    assert [tool["type"] for tool in asked("xai:grok").json["tools"]] == ["web_search", "x_search"]
    assert [tool["type"] for tool in asked("xai:grok", x_search=False).json["tools"]] == ["web_search"]


def test_a_compatible_server_is_asked_at_its_own_address():
    assert asked("openai-compatible").url == "http://127.0.0.1:8080/v1/chat/completions"
    full = asked("openai-compatible", base_url="https://gate.example/api/chat/completions", max_tokens=100)
    assert full.url == "https://gate.example/api/chat/completions"
    assert full.json == {
        "model": "local-8b",
        "messages": [{"role": "user", "content": QUESTION.text}],
        "max_tokens": 100,
    }


# ---------------------------------------------------------------- keys and second calls


def test_the_key_goes_where_the_facts_say():
    request = HttpRequest("POST", "https://a.example/x", {"a": "b"})
    assert with_key(request, Auth("header", "Authorization", "Bearer {key}"), "k{1}").headers == {
        "a": "b",
        "Authorization": "Bearer k{1}",
    }
    basic = with_key(request, Auth("header", "Authorization", "Basic {base64}"), "me:word").headers["Authorization"]
    assert base64.b64decode(basic.removeprefix("Basic ")) == b"me:word"
    assert with_key(request, Auth("query", "api_key"), "k&1").url == "https://a.example/x?api_key=k%261"
    asked_before = HttpRequest("GET", "https://a.example/x?q=1")
    assert with_key(asked_before, Auth("query", "api_key"), "k").url == "https://a.example/x?q=1&api_key=k"
    assert request.headers == {"a": "b"}


def test_a_paused_turn_goes_on_with_what_was_said_before():
    first = asked("anthropic:messages")
    body = {
        "content": [{"type": "text", "text": "Let me look."}],
        "stop_reason": "pause_turn",
        "container": {"id": "c"},
    }
    paused = engines.load("anthropic:messages").parse(200, {}, json.dumps(body).encode())
    second = continued(first, paused.follow_up)
    assert second.json == {
        **first.json,
        "messages": [*first.json["messages"], {"role": "assistant", "content": body["content"]}],
        "container": "c",
    }
    assert (second.url, second.headers) == (first.url, first.headers)
    third = continued(second, paused.follow_up)
    assert len(third.json["messages"]) == 3
    assert len(first.json["messages"]) == 1


def test_an_answer_that_is_being_made_is_fetched_by_its_id():
    queued = engines.load("openai:responses").parse(200, {}, b'{"id": "resp_1", "status": "queued", "output": []}')
    second = continued(asked("openai:responses"), queued.follow_up)
    assert (second.method, second.url, second.json) == ("GET", "https://api.openai.com/v1/responses/resp_1", None)
