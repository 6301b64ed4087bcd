"""`google:ai-overview@serpapi`: the AI overview above Google's results, which may need a second call to be loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from citepoll.engines import serpapi, text_blocks
from citepoll.engines.absence import without_answer
from citepoll.engines.base import Facts, HttpRequest
from citepoll.engines.bodies import mapping, text, walk
from citepoll.engines.failures import Failed
from citepoll.engines.locales import google_country, google_language
from citepoll.engines.settings import read
from citepoll.model import Answer, Query

FACTS: Final = Facts(
    id="google:ai-overview@serpapi",
    name="Google AI Overviews (SerpApi)",
    surface="serp",
    returns_spans=True,
    returns_sources=True,
    returns_queries=False,
    docs="https://serpapi.com/ai-overview",
    verified="documentation",
    key_variable=serpapi.KEY_VARIABLE,
    price_note=f"{serpapi.PRICE}; two searches where the overview is loaded by a second call",
    settings={
        "location": "where the search comes from, a place as SerpApi names it (the country alone)",
        "device": f"one of {', '.join(serpapi.DEVICES)} ({serpapi.DEVICES[0]})",
    },
    auth=serpapi.AUTH,
    takes_country=True,
    takes_language=True,
    cited="references that a block of the overview names; the span is the block",
    notes=(
        "Many searches show no overview: they are absent, and trigger_rate counts them.",
        serpapi.FRESH,
    ),
)

_FOLLOW_UP: Final = "google_ai_overview"


def request(query: Query, settings: Mapping[str, object]) -> HttpRequest:
    """A Google search with the country, the language and, where set, the place. Raises `EngineError` for a setting."""
    given = read(FACTS, settings)
    return serpapi.asked(
        engine="google",
        q=query.text,
        gl=google_country(given, query).lower(),
        hl=google_language(given, query).lower(),
        location=given.text("location"),
        device=given.choice("device", *serpapi.DEVICES),
    )


def parse(status_code: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """The overview of a result page, or that of the second call.

    No overview on the page is `absent`; one that comes with a token alone is `deferred`, with the second call as
    `follow_up` (at once: the token lives for a minute). Where the second call brings neither text nor a reason,
    the run failed: the page had shown that there is an overview.
    """
    page = serpapi.page(status_code, headers, body)
    if isinstance(page, Answer):
        return page
    overview = mapping(page.get("ai_overview"))
    found = text_blocks.read(overview.get("text_blocks"), overview.get("references"))
    if found.passages or found.references:
        return serpapi.answer(found, {})
    token = text(overview.get("page_token")).strip()
    if token:
        return Answer("deferred", follow_up=_second_call(token))
    return _no_overview(page, overview)


def _second_call(token: str) -> dict[str, object]:
    url = serpapi.search(engine=_FOLLOW_UP, page_token=token)
    return {"method": "GET", "url": url, "json": None, "delay": 0.0}


def _no_overview(page: Mapping[str, Any], overview: Mapping[str, Any]) -> Answer:
    words = text(overview.get("error")).strip() or text(page.get("error")).strip()
    if words:
        return without_answer(words)
    if walk(page, "search_parameters", "engine") == _FOLLOW_UP:
        return Failed("failed", retry="later", reason="the second call brought no overview")
    return Answer("absent")
