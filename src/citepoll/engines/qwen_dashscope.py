"""`qwen:dashscope`: Qwen with web search through the native DashScope API, which names its sources."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from citepoll.engines.base import Auth, Facts, HttpRequest
from citepoll.engines.blocks import Reference
from citepoll.engines.bodies import cite, mapping, mappings, numbered, text, uncited, walk, whole
from citepoll.engines.failures import Failed, failure, opened
from citepoll.engines.settings import read
from citepoll.model import Answer, Query, Status

HOSTS: Final = {
    "china": "https://dashscope.aliyuncs.com",
    "international": "https://dashscope-intl.aliyuncs.com",
    "us": "https://dashscope-us.aliyuncs.com",
}
STRATEGIES: Final = ("turbo", "max", "agent", "agent_max")

FACTS: Final = Facts(
    id="qwen:dashscope",
    name="Qwen (DashScope)",
    surface="api",
    returns_spans=True,
    returns_sources=True,
    returns_queries=False,
    docs="https://www.alibabacloud.com/help/en/model-studio/web-search",
    verified="documentation",
    key_variable="DASHSCOPE_API_KEY",
    default_model="qwen-plus",
    price_note="tokens of the model, and a fee for each search by its strategy (2026-11)",
    settings={
        "host": f"one of {', '.join(HOSTS)}: a key belongs to one of them (china)",
        "search_strategy": f"one of {', '.join(STRATEGIES)}; the agent ones give sources and no markers (the vendor's)",
        "force_search": "false lets the model decide whether to search (true)",
    },
    auth=Auth("header", "Authorization", "Bearer {key}"),
    cited="search results that a [ref_n] in the text names",
    notes=(
        "It takes neither a country nor a language.",
        "Above 15 requests a second a search is skipped in silence: usage.plugins.search.count is 0 or missing then.",
        "The international host searches with qwen3-max and the strategy agent alone, so that nothing is cited there.",
    ),
)

_PATH: Final = "/api/v1/services/aigc/text-generation/generation"
_MARKER: Final = re.compile(r"\[ref_([^\[\]\s]{0,40})\]")


def request(query: Query, settings: Mapping[str, object]) -> HttpRequest:
    """One question, with forced search, sources and markers. Raises `EngineError` for a setting that is not usable."""
    given = read(FACTS, settings)
    strategy = given.choice("search_strategy", *STRATEGIES)
    options: dict[str, object] = {"forced_search": given.flag("force_search", True), "enable_source": True}
    if strategy:
        options["search_strategy"] = strategy
    if not (strategy or "").startswith("agent"):
        options |= {"enable_citation": True, "citation_format": "[ref_<number>]"}
    body = {
        "model": given.model(),
        "input": {"messages": [{"role": "user", "content": query.text}]},
        "parameters": {"result_format": "message", "enable_search": True, "search_options": options},
    }
    host = HOSTS[given.choice("host", *HOSTS) or "china"]
    return HttpRequest("POST", host + _PATH, {"content-type": "application/json"}, body)


def parse(status_code: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """Each [ref_n] that resolves is a citation (`marker`), n from 1; results that none names are `retrieved`.

    A marker that leads nowhere is counted in `usage.unresolved_markers`, beside the vendor's own usage.
    """
    document = opened(status_code, headers, body)
    if isinstance(document, Failed):
        return document
    output = mapping(document.get("output"))
    if not output:
        failed = failure(document, status_code, headers)
        return failed if document.get("code") else replace(failed, retry="later", reason="no reply of DashScope")
    content, finish = _spoken(output)
    pages = _pages(walk(output, "search_info", "search_results"))
    marks = [(_number(mark[1]), mark.span()) for mark in _MARKER.finditer(content)]
    citations = numbered(cite(pages[n].url, "marker", pages[n].title, at) for n, at in marks if n in pages)
    return Answer(
        _status(content, finish),
        content,
        citations,
        uncited(((p.url, p.title or "", "retrieved") for p in pages.values()), citations),
        model=text(document.get("model")) or None,
        usage={**mapping(document.get("usage")), "unresolved_markers": len(marks) - len(citations)},
        spans=True,
    )


def _spoken(output: Mapping[str, Any]) -> tuple[str, str]:
    """The text and why it ended; content in parts is put together."""
    choice = next(iter(mappings(output.get("choices"))), None)
    if choice is None:
        return text(output.get("text")), text(output.get("finish_reason"))
    content = mapping(choice.get("message")).get("content")
    parts = "".join(text(part.get("text")) for part in mappings(content))
    return text(content) or parts, text(choice.get("finish_reason"))


def _status(content: str, finish: str) -> Status:
    if not content.strip():
        return "empty"
    return "truncated" if finish == "length" else "answered"


def _pages(results: Any) -> dict[int, Reference]:
    pages: dict[int, Reference] = {}
    for place, entry in enumerate(mappings(results), 1):
        index, url = whole(entry.get("index")), text(entry.get("url")).strip()
        if url:
            pages.setdefault(place if index is None else index, Reference(url, text(entry.get("title")) or None))
    return pages


def _number(digits: str) -> int | None:
    """None for what is no number, as a marker of words."""
    return int(digits) if digits.isascii() and digits.isdigit() else None
