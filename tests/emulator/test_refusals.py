"""Requests that a vendor would refuse are refused, and all that the engines can send is taken."""

from dataclasses import replace

import pytest
from tests.emulator import (
    Emulator,
)
from tests.emulator.client import IDS, OF_VENDOR, QUICK, answered, asked, changed, counted, keyed, sent

from citepoll import engines
from citepoll.model import Query


@pytest.mark.parametrize("engine_id", [i for i in IDS if i != "openai-compatible"])
def test_a_call_without_a_key_is_refused(emulator, engine_id):
    answer = engines.load(engine_id).parse(*sent(emulator, asked(engine_id)))
    assert (answer.status, answer.retry) == ("failed", "stop")


@pytest.mark.parametrize("engine_id", IDS)
def test_one_key_can_be_the_right_one(engine_id):
    with Emulator(replace(QUICK, keys={engine_id: "login:right"})) as running:
        made = asked(engine_id)
        wrong = engines.load(engine_id).parse(*sent(running, keyed(engine_id, made, "login:wrong")))
        assert (wrong.status, wrong.retry) == ("failed", "stop")
        right = engines.load(engine_id).parse(*sent(running, keyed(engine_id, made, "login:right")))
        assert right.status == "answered"
        assert counted(running, engine_id)["refused"] == {"unauthorized": 1}


WITH_MODEL = [i for i in IDS if engines.load(i).FACTS.default_model or i == "openai-compatible"]


@pytest.mark.parametrize("engine_id", WITH_MODEL)
def test_an_unknown_model_stops_an_engine(emulator, engine_id):
    answer = answered(emulator, engine_id, asked(engine_id, model="no-such-model"))
    assert (answer.status, answer.retry) == ("failed", "stop")


@pytest.mark.parametrize("engine_id", IDS)
def test_a_field_that_no_vendor_knows_is_refused(emulator, engine_id):
    made = asked(engine_id)
    answer = answered(emulator, engine_id, changed(made, "serach=1" if made.json is None else {"serach": 1}))
    assert (answer.status, answer.retry) == ("failed", "no")
    assert "serach" in answer.message


BAD = [
    ("openai:responses", {"tools": []}),
    ("openai:responses", {"tools": [{"type": "web_search_preview"}]}),
    (
        "openai:responses",
        {"tools": [{"type": "web_search", "user_location": {"type": "approximate", "country": "de"}}]},
    ),
    ("openai:responses", {"include": ["everything"]}),
    ("openai:responses", {"input": ""}),
    ("openai:responses", {"max_output_tokens": 5}),
    ("openai:chat-search", {"temperature": 0}),
    ("anthropic:messages", {"tools": [{"type": "web_search_20991231", "name": "web_search"}]}),
    ("anthropic:messages", {"max_tokens": None}),
    ("anthropic:messages", {"messages": [{"role": "system", "content": "x"}]}),
    ("deepseek:messages", {"tools": []}),
    ("google:gemini", {"tools": [{"googleSearchRetrieval": {}}]}),
    ("google:gemini", {"contents": []}),
    ("perplexity:agent", {"tools": [{"type": "web"}]}),
    ("xai:grok", {"tools": [{"type": "x_search"}]}),
    ("xai:grok", {"input": "text alone"}),
    ("qwen:dashscope", {"parameters": {"result_format": "message", "search_options": {"enable_source": True}}}),
    ("google:ai-overview@serpapi", "gl=DE"),
    ("google:ai-mode@serpapi", "device=fridge"),
    ("copilot:ui@serpapi", "gl=de"),
    ("copilot:ui@searchapi", "hl=de"),
    ("google:ai-overview@dataforseo", {"keyword": "100% sure"}),
    ("google:ai-mode@dataforseo", {"load_async_ai_overview": True}),
    ("chatgpt:ui@dataforseo", {"location_code": "DE"}),
    ("openai-compatible", {"messages": []}),
]


@pytest.mark.parametrize(("engine_id", "change"), BAD)
def test_a_wrong_field_is_refused(emulator, engine_id, change):
    answer = answered(emulator, engine_id, changed(asked(engine_id), change))
    assert (answer.status, answer.retry) == ("failed", "no")
    assert answer.message


def test_wrong_headers_methods_paths_and_bodies_are_refused(emulator):
    claude, openai = (keyed(i, asked(i)) for i in ("anthropic:messages", "openai:responses"))
    without_version = {name: value for name, value in claude.headers.items() if name != "anthropic-version"}
    assert sent(emulator, replace(claude, headers=without_version))[0] == 400
    as_text = {**openai.headers, "content-type": "text/plain"}
    assert sent(emulator, replace(openai, headers=as_text))[0] == 400
    assert sent(emulator, replace(openai, method="PUT"))[0] == 405
    assert sent(emulator, replace(openai, url="https://api.openai.com/v1/answers"))[0] == 404
    assert sent(emulator, replace(openai, url="https://elsewhere.example/x"))[0] == 404
    assert sent(emulator, replace(openai, json=[1]))[0] == 400
    bare = {**openai.headers, "Authorization": "canary"}
    assert sent(emulator, replace(openai, headers=bare))[0] == 401


def test_models_can_be_named():
    with Emulator(replace(QUICK, models={"xai:grok": frozenset({"grok-4.3"})})) as running:
        assert answered(running, "xai:grok", asked("xai:grok")).status == "answered"
        assert answered(running, "xai:grok", asked("xai:grok", model="grok-2")).retry == "stop"


def test_a_model_without_search_stops_an_engine(emulator):
    answer = answered(emulator, "openai:chat-search", asked("openai:chat-search", model="gpt-5.4"))
    assert (answer.status, answer.retry) == ("failed", "stop")


def test_old_search_parameters_are_gone(emulator):
    made = changed(asked("xai:grok"), {"search_parameters": {"mode": "on"}})
    status, _, _ = sent(emulator, keyed("xai:grok", made))
    assert status == 410


@pytest.mark.parametrize(
    ("engine_id", "given"),
    [
        (
            "openai:responses",
            {"search_context_size": "low", "force_search": True, "reasoning_effort": "low", "city": "Ulm"},
        ),
        ("openai:responses", {"max_output_tokens": 16, "timezone": "Europe/Berlin", "region": "BW"}),
        ("openai:chat-search", {"search_context_size": "high", "max_completion_tokens": 99, "city": "Ulm"}),
        ("anthropic:messages", {"max_uses": 2, "force_search": True, "city": "Ulm", "max_tokens": 99}),
        ("deepseek:messages", {"max_uses": 2, "force_search": True}),
        ("google:gemini", {"max_output_tokens": 99}),
        ("perplexity:agent", {"city": "Ulm", "search_context_size": "low", "max_output_tokens": 99}),
        ("xai:grok", {"x_search": False, "max_output_tokens": 99, "city": "Ulm"}),
        ("qwen:dashscope", {"host": "international", "search_strategy": "agent", "force_search": False}),
        ("google:ai-overview@serpapi", {"location": "Berlin, Germany", "device": "mobile"}),
        ("google:ai-mode@serpapi", {"location": "Berlin, Germany", "device": "tablet", "language": "pt-BR"}),
        ("google:ai-overview@dataforseo", {"location": "Berlin,Germany", "device": "mobile"}),
        ("google:ai-mode@dataforseo", {"location_code": 1003854}),
        ("chatgpt:ui@dataforseo", {"force_web_search": True}),
        ("openai-compatible", {"max_tokens": 99}),
    ],
)
def test_all_settings_of_an_engine_are_taken(emulator, engine_id, given):
    assert answered(emulator, engine_id, asked(engine_id, **given)).status == "answered"


@pytest.mark.parametrize("engine_id", sorted(OF_VENDOR))
def test_a_question_with_signs_arrives_as_it_was_asked(emulator, engine_id):
    question = Query("C++ or 100% Größe?", "en", "US")
    assert question.text in answered(emulator, engine_id, asked(engine_id, question)).text
