"""Other recordings of the same surfaces: every payload with a field more, a field less, a value of another kind, lists in
another order or twice as long. No exception and no broken promise; what is added beside the known fields changes nothing.
"""

import json
from dataclasses import replace

import pytest
from tests.engines.test_conformance import CASES, check, engine_of, name_of

from citepoll import engines
from citepoll.urls import Canonical, canonical

WRONG = (None, 0, -1, 1e300, True, "", "javascript:alert(1)", "Größe 🌱 葉", [], {}, [None, [], "x"], 10**30)
UNKNOWN = {"url": "https://unknown.example", "text": "Unknown.", "items": [{"url": "https://unknown.example/2"}]}


def places(value):
    """Every object or list in a JSON value with each of its keys."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from places(value[key])


def read(path, document):
    meta = path.with_suffix(".meta.json")
    told = json.loads(meta.read_text("utf-8")) if meta.exists() else {}
    body = json.dumps(document).encode()
    return engine_of(path).parse(told.get("http_status", 200), told.get("headers", {}), body)


def sound(path, document):
    answer = read(path, document)
    check(engine_of(path), answer)
    for found in (*answer.citations, *answer.sources):
        resolved = canonical(found.url)
        assert not isinstance(resolved, Canonical) or resolved.url.startswith(("http://", "https://"))
    return answer


@pytest.mark.parametrize("path", CASES, ids=name_of)
def test_a_value_of_another_kind_breaks_no_promise(path):
    document = json.loads(path.read_text("utf-8"))
    for holder, key in list(places(document)):
        before = holder[key]
        for value in WRONG:
            holder[key] = value
            sound(path, document)
        holder[key] = before


@pytest.mark.parametrize("path", CASES, ids=name_of)
def test_a_field_that_is_missing_breaks_no_promise(path):
    document = json.loads(path.read_text("utf-8"))
    for holder, key in list(places(document)):
        kept = dict(holder) if isinstance(holder, dict) else list(holder)
        del holder[key]
        sound(path, document)
        holder.clear()
        holder.update(kept) if isinstance(holder, dict) else holder.extend(kept)


@pytest.mark.parametrize("path", CASES, ids=name_of)
def test_lists_in_another_order_or_twice_as_long_break_no_promise(path):
    document = json.loads(path.read_text("utf-8"))
    for holder, key in list(places(document)):
        before = holder[key]
        if isinstance(before, list) and before:
            for other in (before[::-1], before + before, [*before, None, "x", {}]):
                holder[key] = other
                sound(path, document)
            holder[key] = before


@pytest.mark.parametrize("path", CASES, ids=name_of)
def test_fields_that_nobody_knows_change_nothing(path):
    plain = json.loads(path.read_text("utf-8"))
    fuller = json.loads(path.read_text("utf-8"))
    objects = [holder[key] for holder, key in list(places([fuller])) if isinstance(holder[key], dict)]
    for each in objects:
        each["x_unknown"] = UNKNOWN
    carried = {"usage": {}, "follow_up": None}  # the vendor's own words, kept as they are
    assert replace(read(path, fuller), **carried) == replace(read(path, plain), **carried)


# ---------------------------------------------------------------- several messages, several searches, other scripts

A, B, C = "https://a.example/", "https://b.example/", "https://c.example/"
ONE, TWO = "🌱🌱 Größe zählt. ", "葉っぱは良い。 👩‍🌾 Fertig."


def at(text, passage, url, *, width=len):
    start = width(text[: text.index(passage)])
    return {"type": "url_citation", "url": url, "start_index": start, "end_index": start + width(passage)}


def octets(text):
    return len(text.encode())


def message(*parts):
    return {"type": "message", "content": [{"type": "output_text", "text": t, "annotations": n} for t, n in parts]}


def search(query, *urls):
    return {
        "type": "web_search_call",
        "action": {"type": "search", "query": query, "sources": [{"url": u} for u in urls]},
    }


SEVERAL = {
    "two messages, two searches": (
        "openai:responses",
        {"status": "completed", "output": [
            search("一", A, C), message((ONE, [at(ONE, "Größe zählt.", A)])),
            search("two", B), message((ONE, []), (TWO, [at(TWO, "👩‍🌾 Fertig", B), at(TWO, "葉っぱ", A)])),
        ]},
        ["Größe zählt.", "葉っぱ", "👩‍🌾 Fertig"], [C], ["一", "two"],
    ),
    "posts on X beside pages": (
        "xai:grok",
        {"status": "completed", "output": [
            {"type": "custom_tool_call", "name": "x_keyword_search", "input": '{"query": "fork from:acme"}'},
            {"type": "x_search_call", "arguments": '{"query": "葉"}'},
            search("fork", A), message((ONE + "[[1]](https://x.com/i/status/1)", [])), message((TWO, [])),
        ], "citations": ["https://x.com/i/status/1", B]},
        ["[[1]](https://x.com/i/status/1)"], [B, A], ["fork", "fork from:acme", "葉"],
    ),
    "an annotation and the link that it stands for": (
        "xai:grok",
        {"status": "completed", "output": [
            message((f"{ONE}[[1]]({A}) [[2]]({B})", [at(f"{ONE}[[1]]({A})", f" [[1]]({A})", A)])),
        ]},
        [f" [[1]]({A})", f"[[2]]({B})"], [], [],
    ),
    "two searches whose results are counted on": (
        "perplexity:agent",
        {"status": "completed", "output": [
            {"type": "search_results", "queries": ["一"], "results": [{"id": 1, "url": A}, {"id": 2, "url": C}]},
            message((f"{ONE}[1]", [])),
            {"type": "search_results", "queries": ["two"], "results": [{"id": 3, "url": B}]},
            message((f"{TWO}[3][1]", [])),
        ]},
        ["[1]", "[3]", "[1]"], [C], ["一", "two"],
    ),
    "the old body": (
        "perplexity:agent",
        {"choices": [{"message": {"content": f"{ONE}[2] {TWO}[1][9]"}, "finish_reason": "stop"}], "citations": [A, B, C]},
        ["[2]", "[1]"], [C], [],
    ),
    "blocks before and after a second search": (
        "anthropic:messages",
        {"stop_reason": "end_turn", "content": [
            {"type": "server_tool_use", "name": "web_search", "input": {"query": "一"}},
            {"type": "web_search_tool_result", "content": [{"url": A}, {"url": C}]},
            {"type": "text", "text": ONE, "citations": [{"type": "web_search_result_location", "url": A}]},
            {"type": "server_tool_use", "name": "web_search", "input": {"query": "two"}},
            {"type": "web_search_tool_result", "content": [{"url": B}]},
            {"type": "text", "text": TWO, "citations": [{"type": "web_search_result_location", "url": B}]},
        ]},
        [ONE, TWO], [C], ["一", "two"],
    ),
    "bytes of parts, and a thought between them": (
        "google:gemini",
        {"candidates": [{
            "content": {"parts": [{"text": ONE}, {"text": "…", "thought": True}, {"text": TWO}]},
            "groundingMetadata": {
                "webSearchQueries": ["一", "two"],
                "groundingChunks": [{"web": {"uri": A}}, {"retrievedContext": {"uri": B}}, {"web": {"uri": C}}],
                "groundingSupports": [
                    {"segment": {"partIndex": 2, "startIndex": octets("葉っぱは良い。 "), "endIndex": octets(TWO)},
                     "groundingChunkIndices": [1]},
                    {"segment": {"startIndex": 9, "endIndex": octets(ONE) - 1}, "groundingChunkIndices": [0]},
                ],
            },
        }]},
        ["Größe zählt.", "👩‍🌾 Fertig."], [C], ["一", "two"],
    ),
    "steps with two searches": (
        "google:gemini",
        {"object": "interaction", "status": "completed", "steps": [
            {"type": "google_search_call", "arguments": {"queries": ["一"]}},
            {"type": "google_search_result", "result": [{"url": C}]},
            {"type": "model_output", "content": [
                {"type": "text", "text": ONE, "annotations": [at(ONE, "Größe", A, width=octets)]},
            ]},
            {"type": "google_search_call", "arguments": {"queries": ["two"]}},
            {"type": "model_output", "content": [
                {"type": "text", "text": ONE}, {"type": "text", "text": TWO, "annotations": [at(TWO, "葉っぱ", B, width=octets)]},
            ]},
        ]},
        ["Größe", "葉っぱ"], [C], ["一", "two"],
    ),
    "annotations of a chat completion": (
        "openai:chat-search",
        {"choices": [{"message": {"content": ONE + TWO, "annotations": [
            {"type": "url_citation", "url_citation": at(ONE + TWO, "👩‍🌾 Fertig", A)},
        ]}, "finish_reason": "stop"}]},
        ["👩‍🌾 Fertig"], [], [],
    ),
    "a task with an empty result before the one that holds the page": (
        "google:ai-mode@dataforseo",
        {"status_code": 20000, "tasks": [
            {"status_code": 40501, "result": None},
            {"status_code": 20000, "result": [None, {"items": None}, {"items": [{
                "type": "ai_overview", "references": [{"url": B}],
                "items": [{"type": "ai_overview_element", "text": TWO.strip(), "references": [{"url": A}]}],
            }]}]},
        ]},
        [TWO.strip()], [B], [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SEVERAL)
def test_each_passage_is_cut_as_it_was_written(case):
    engine_id, document, passages, beside, queries = SEVERAL[case]
    answer = engines.load(engine_id).parse(200, {}, json.dumps(document).encode())
    check(engines.load(engine_id), answer)
    assert answer.status == "answered"
    assert [answer.text[c.start : c.end] for c in answer.citations] == passages
    assert [source.url for source in answer.sources] == beside
    assert list(answer.queries) == queries


def test_a_page_token_that_is_not_followed_is_deferred():
    page = {"search_metadata": {"status": "Success"}, "ai_overview": {"page_token": "t", "serpapi_link": A}}
    answer = engines.load("google:ai-overview@serpapi").parse(200, {}, json.dumps(page).encode())
    assert (answer.status, answer.follow_up["delay"]) == ("deferred", 0.0)
