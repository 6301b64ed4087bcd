"""`chatgpt:ui@dataforseo`: ChatGPT as a consumer sees it, read from its page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from citepoll.engines import dataforseo
from citepoll.engines.base import Facts, HttpRequest
from citepoll.engines.blocks import Reference, with_listed
from citepoll.engines.bodies import mappings, text, texts, uncited
from citepoll.engines.failures import Failed
from citepoll.engines.settings import read
from citepoll.model import Answer, Query

FACTS: Final = Facts(
    id="chatgpt:ui@dataforseo",
    name="ChatGPT, consumer surface (DataForSEO)",
    surface="ui",
    returns_spans=False,
    returns_sources=True,
    returns_queries=True,
    docs="https://docs.dataforseo.com/v3/ai_optimization/chat_gpt/llm_scraper/live/advanced/",
    verified="documentation",
    key_variable=dataforseo.KEY_VARIABLE,
    price_note="a fee for each answer, lower in the standard queue; the reply says what was paid (2026-11)",
    settings={
        **dataforseo.PLACE,
        "force_web_search": "true makes the model search, as a rule; else it decides by itself (false)",
    },
    auth=dataforseo.AUTH,
    takes_country=True,
    takes_language=True,
    cited="`sources` of the answer, which the vendor calls those that were cited or relied on",
    notes=("All pages that a search returned are sources (retrieved).", dataforseo.KEY_NOTE),
)

_PATH: Final = "/v3/ai_optimization/chat_gpt/llm_scraper"


def request(query: Query, settings: Mapping[str, object]) -> HttpRequest:
    """A question to ChatGPT. Raises `EngineError` for a setting that is not usable."""
    given = read(FACTS, settings)
    force = given.flag("force_web_search", False) or None
    return dataforseo.asked(_PATH, query, given, force_web_search=force)


def parse(status_code: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """The answer in Markdown, or else its items. `sources` are cited (`listed`), other search results `retrieved`.

    "No search results" means that the page could not be read: ChatGPT always answers, so that the run failed.
    """
    task = dataforseo.task(_PATH, status_code, headers, body)
    if isinstance(task, Answer):
        return _unread(task) if task.status == "absent" else task
    result, items = task.result, mappings(task.result.get("items"))
    written = text(result.get("markdown")).strip() or "\n\n".join(texts(*(_said(item) for item in items)))
    cited = _pages(result.get("sources")) or tuple(r for item in items for r in _pages(item.get("sources")))
    citations = with_listed((), cited)
    retrieved = _pages(result.get("search_results"))
    return Answer(
        "answered" if written else "empty",
        written,
        citations,
        uncited(((page.url, page.title or "", "retrieved") for page in retrieved), citations),
        texts(result.get("fan_out_queries")),
        text(result.get("model")) or None,
        cost=task.cost,
    )


def _unread(answer: Answer) -> Failed:
    words = answer.message
    return Failed("failed", message=words, cost=answer.cost, retry="later", reason=words or "no answer was read")


def _said(item: Mapping[str, Any]) -> str:
    return text(item.get("markdown")) or text(item.get("text")) or text(item.get("title"))


def _pages(listed: Any) -> tuple[Reference, ...]:
    pages: Iterable[Reference] = (
        Reference(text(entry.get("url")).strip(), text(entry.get("title")) or text(entry.get("source_name")) or None)
        for entry in mappings(listed)
    )
    return tuple(page for page in pages if page.url)
