"""The Anthropic Messages shape with its web search, for Anthropic and for those who are compatible with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from citepoll.engines import bodies
from citepoll.engines.bodies import Page, Text
from citepoll.engines.failures import Failed, failure, opened
from citepoll.engines.settings import Settings
from citepoll.model import Answer, Citation, Query, Status

TOOL: Final = "web_search_20250305"
"""The tool version whose results stand in the answer; later ones may filter them out of sight, in code execution."""

MAX_TOKENS: Final = 8192
"""`max_tokens` has to be given. Long answers with many citations were cut at 4096."""

SETTINGS: Final[Mapping[str, str]] = {
    "max_uses": "1 to 50: searches that the model may make for one answer (5)",
    "max_tokens": f"16 to 200000: where an answer is cut ({MAX_TOKENS})",
    "force_search": "true makes the model search; else it decides by itself (false)",
}


CHECK: Final[Mapping[str, object]] = {"max_uses": 1, "max_tokens": 1024, "force_search": True}
"""One search and a short answer: what a check asks with."""


def body_of(given: Settings, query: Query, place: Mapping[str, str]) -> dict[str, object]:
    """The body of a request: one question, the web search, an approximate place where one is known."""
    tool: dict[str, object] = {"type": TOOL, "name": "web_search", "max_uses": given.whole("max_uses", 1, 50) or 5}
    if place:
        tool["user_location"] = {"type": "approximate", **place}
    body: dict[str, object] = {
        "model": given.model(),
        "max_tokens": given.whole("max_tokens", 16, 200_000) or MAX_TOKENS,
        "messages": [{"role": "user", "content": query.text}],
        "tools": [tool],
    }
    if given.flag("force_search", False):
        body["tool_choice"] = {"type": "tool", "name": "web_search"}
    return body


def answer(status_code: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """The answer in a message. The text block is the passage of its citations: no offsets are sent, they are made here."""
    document = opened(status_code, headers, body, "content", "stop_reason")
    if isinstance(document, Failed):
        return document
    blocks = bodies.mappings(document.get("content"))
    text, cited = _read(blocks)
    citations = bodies.numbered(cited)
    status = _status(document, text)
    wrong = _search_error(blocks)
    if status == "empty" and wrong:
        return failure({**document, "error": {"message": wrong}}, status_code, headers)
    return Answer(
        status,
        text,
        citations,
        bodies.uncited(_pages(blocks), citations),
        _queries(blocks),
        model=bodies.text(document.get("model")) or None,
        usage=bodies.mapping(document.get("usage")),
        message=_refusal(document) if status == "refused" else wrong,
        spans=True,
        follow_up=_continuation(document) if status == "deferred" else None,
    )


def _read(blocks: list[dict[str, Any]]) -> tuple[str, list[Citation]]:
    """The text, and a citation for each location that a text block names. Text goes on apart after anything but text."""
    text, found, before = Text(), list[Citation](), ""
    for block in blocks:
        words = bodies.text(block.get("text")) if block.get("type") == "text" else ""
        if words:
            start = text.add(words, apart=before != "text")
            where = (start, start + len(words))
            found += [
                bodies.cite(url, "span", bodies.text(location.get("title")), where)
                for location in bodies.mappings(block.get("citations"))
                if (url := bodies.text(location.get("url")))
            ]
        before = bodies.text(block.get("type"))
    return str(text), found


def _status(document: Mapping[str, Any], text: str) -> Status:
    reason = document.get("stop_reason")
    if reason == "pause_turn":
        return "deferred"
    if reason == "refusal":
        return "refused"
    if not text.strip():
        return "empty"
    return "truncated" if reason in ("max_tokens", "model_context_window_exceeded") else "answered"


def _refusal(document: Mapping[str, Any]) -> str | None:
    details = bodies.mapping(document.get("stop_details"))
    return bodies.text(details.get("explanation")) or bodies.text(details.get("category")) or None


def _continuation(document: Mapping[str, Any]) -> dict[str, Any]:
    """A paused turn goes on where its content is sent back as the assistant's, in the container that it ran in."""
    turn = {"role": "assistant", "content": document.get("content")}
    container = bodies.text(bodies.walk(document, "container", "id"))
    more = {"set": {"container": container}} if container else {}
    return {"append": {"messages": [turn]}, **more, "delay": 0.0}


def _search_error(blocks: list[dict[str, Any]]) -> str | None:
    """The code of the first search that failed; it comes inside HTTP 200, and the model may answer all the same."""
    results = [b.get("content") for b in blocks if b.get("type") == "web_search_tool_result"]
    errors = [
        item for content in results for item in ([content] if isinstance(content, dict) else bodies.mappings(content))
    ]
    codes = (bodies.text(error.get("error_code")) for error in errors)
    return next((code for code in codes if code), None)


def _pages(blocks: list[dict[str, Any]]) -> Iterator[Page]:
    for block in blocks:
        content = block.get("content")
        if block.get("type") == "web_search_tool_result":
            for page in bodies.mappings(content):
                yield bodies.text(page.get("url")), bodies.text(page.get("title")), "retrieved"
        elif block.get("type") == "web_fetch_tool_result":
            page = bodies.mapping(content)
            title = bodies.text(bodies.walk(page, "content", "title"))
            yield bodies.text(page.get("url")), title, "retrieved"


def _queries(blocks: list[dict[str, Any]]) -> tuple[str, ...]:
    calls = [b for b in blocks if b.get("type") == "server_tool_use" and b.get("name") == "web_search"]
    return bodies.texts(*(bodies.walk(call, "input", "query") for call in calls))
