"""Recorded bodies, used in place, against what a careful reader counted in them (MANIFEST.tsv)."""

import csv
import json
from dataclasses import replace

import pytest

from citepoll import engines
from citepoll.engines.failures import Failed
from citepoll.urls import canonical

BY_FOLDER = {
    "claude": "anthropic:messages",
    "gemini": "google:gemini",
    "grok": "xai:grok",
    "perplexity": "perplexity:agent",
    "deepseek": "openai-compatible",
    "qwen": "openai-compatible",
}


@pytest.fixture(scope="module")
def recorded(shared):
    """File → its row of the manifest and the answer that the engine named for it reads in it."""
    with (shared / "wire" / "MANIFEST.tsv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    return {row["file"]: (row, read(shared / "wire" / row["file"], row)) for row in rows}


def read(path, row):
    return engine_of(path).parse(int(row["http_status"] or 200), {}, path.read_bytes())


def engine_of(path):
    return engines.load(BY_FOLDER.get(path.parent.name) or openai_surface(json.loads(path.read_bytes())))


def openai_surface(document):
    return "openai:chat-search" if document.get("object") == "chat.completion" else "openai:responses"


def test_every_body_gives_as_many_citations_as_were_counted(recorded):
    counted = {
        file: (row["distinct_cited_urls"], row["inline_spans"].split()[0])
        for file, (row, _) in recorded.items()
        if row["distinct_cited_urls"] != "not counted"
    }
    found = {
        file: (str(len({c.url for c in answer.citations})), str(len(answer.citations)))
        for file, (_, answer) in recorded.items()
        if file in counted
    }
    assert found == counted
    assert len(counted) > 40


def test_retrieved_pages_are_as_many_as_were_counted(recorded):
    for file, (row, answer) in recorded.items():
        said = row["retrieved_uncited_listed"]
        if said.startswith("yes: "):
            pages = {canonical(page.url).url for page in (*answer.citations, *answer.sources)}
            cited_before = {"claude/pai-pause_turn-1.json": 9}  # results of the first reply, cited in the second
            assert len(pages) - cited_before.get(file, 0) == int(said.split()[1]), file


def test_fields_that_nobody_knows_change_nothing(recorded, shared):
    for file, (row, answer) in recorded.items():
        body = json.loads(
            (shared / "wire" / file).read_bytes(), object_hook=lambda each: {**each, "x_unknown": {"url": "x"}}
        )
        again = engine_of(shared / "wire" / file).parse(int(row["http_status"] or 200), {}, json.dumps(body).encode())
        carried = {"usage": {}, "follow_up": None}  # the vendor's own words, kept as they are
        assert replace(again, **carried) == replace(answer, **carried), file


def test_spans_cut_what_they_should(recorded):
    cut = {
        file: [answer.text[c.start : c.end] for c in answer.citations]
        for file, (_, answer) in recorded.items()
        if answer.spans and answer.citations
    }
    for file in ("openai/vercel-web_search_tool.json", "openai/lc-web_search-0.json", "openai/lc-web_search-2.json"):
        answer = recorded[file][1]
        assert all(c.url in passage for c, passage in zip(answer.citations, cut[file], strict=True)), file
        assert all(passage.startswith("([") and passage.endswith("))") for passage in cut[file]), file
    assert set(cut["perplexity/llmpplx-non_streaming_prompt.json"]) == {"[1]"}
    assert set(cut["perplexity/vercel-citations.json"]) == {f"[{n}]" for n in (1, 2, 3, 5, 6, 7)}
    assert all(passage.endswith(".") for passage in cut["gemini/vercel-interactions_google_search.json"])
    assert "Temperature: 66°F with clear skies" in cut["claude/pai-web_search-0.json"]


def test_segments_of_gemini_are_cut_as_the_body_repeats_them(recorded, shared):
    for file in ("gemini/pai-google_search-0.json", "gemini/pai-url_context.json"):
        body = json.loads((shared / "wire" / file).read_text("utf-8"))
        supports = body["candidates"][0]["groundingMetadata"]["groundingSupports"]
        answer = recorded[file][1]
        assert [answer.text[c.start : c.end] for c in answer.citations] == [s["segment"]["text"] for s in supports]
        assert not answer.text.isascii() or file.endswith("url_context.json")


def test_passages_of_claude_are_the_blocks_that_cite(recorded, shared):
    for file in ("claude/pai-web_search-0.json", "claude/pai-pause_turn-1.json", "claude/pai-history_web_search.json"):
        blocks = json.loads((shared / "wire" / file).read_text("utf-8"))["content"]
        expected = [block["text"] for block in blocks for _ in block.get("citations") or ()]
        answer = recorded[file][1]
        assert [answer.text[c.start : c.end] for c in answer.citations] == expected


def test_statuses_and_words_of_what_is_no_answer(recorded):
    told = {
        file: (answer.status, answer.message, getattr(answer, "retry", None))
        for file, (_, answer) in recorded.items()
        if answer.status not in ("answered", "truncated", "empty")
    }
    assert {file: (status, retry) for file, (status, _, retry) in told.items()} == {
        "claude/pai-err404_not_found.json": ("failed", "stop"),
        "claude/pai-pause_turn-0.json": ("deferred", None),
        "claude/vercel-refusal.json": ("refused", None),
        "claude/vercel-refusal_no_details.json": ("refused", None),
        "gemini/pai-err404.json": ("failed", "stop"),
        "gemini/pai-prompt_blocked-1.json": ("blocked", None),
        "gemini/vercel-err429_retry_info.json": ("failed", "later"),
        "gemini/vercel-prompt_block.json": ("blocked", None),
        "openai/pai-err400_http_error.json": ("failed", "no"),
        "openai/pai-err400_search_not_supported.json": ("failed", "stop"),
        "openai/vercel-allowed_tools_error.json": ("failed", "no"),
        "openai/vercel-error.json": ("failed", "stop"),
        "perplexity/llmpplx-rejected_key_raises_model_error.json": ("failed", "stop"),
    }
    assert [file for file, (_, message, _) in told.items() if message is None] == [
        "claude/pai-pause_turn-0.json",
        "claude/vercel-refusal_no_details.json",
    ]
    assert told["claude/pai-err404_not_found.json"][1] == "model: claude-does-not-exist"
    assert told["gemini/vercel-prompt_block.json"][1] == "PROHIBITED_CONTENT"
    limited = recorded["gemini/vercel-err429_retry_info.json"][1]
    assert isinstance(limited, Failed)
    assert limited.retry_after == 34.4


def test_cut_and_wordless_answers_are_told_apart(recorded):
    assert {file: a.status for file, (_, a) in recorded.items() if a.status in ("truncated", "empty")} == {
        "deepseek/vercel-text.json": "truncated",
        "deepseek/vercel-tool_call.json": "empty",
        "gemini/pai-max_tokens.json": "truncated",
        "gemini/pai-max_tokens_empty.json": "empty",
    }


def test_levels_models_queries_and_cost_are_read(recorded):
    grok = recorded["grok/vercel-web_search_tool.json"][1]
    assert {c.level for c in grok.citations} == {"listed"}
    assert not grok.spans
    assert grok.queries == ("what is xAI",)
    paid = recorded["perplexity/llmpplx-non_streaming_prompt.json"][1]
    assert (paid.cost, paid.model) == (0.00312, "openai/gpt-5.6-luna")
    assert {c.level for c in paid.citations} == {"marker"}
    gemini = recorded["gemini/vercel-interactions_google_search.json"][1]
    assert gemini.queries == ("notable AI developments May 8-15 2026", "AI news this week May 2026")
    paused = recorded["claude/pai-pause_turn-0.json"][1]
    assert set(paused.follow_up) == {"append", "delay"}
    assert len(paused.queries) == 11
    for file, (row, answer) in recorded.items():
        if row["model"] and not isinstance(answer, Failed):
            assert answer.model == row["model"], file
