"""`copilot:ui@searchapi`: the answer of Bing's Copilot Search with its panel of references."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlencode

from citepoll.engines import text_blocks
from citepoll.engines.absence import without_answer
from citepoll.engines.base import Auth, Facts, HttpRequest
from citepoll.engines.blocks import laid_out, with_listed
from citepoll.engines.bodies import anchored, text
from citepoll.engines.failures import Failed, opened
from citepoll.engines.settings import read
from citepoll.model import Answer, Query

FACTS: Final = Facts(
    id="copilot:ui@searchapi",
    name="Copilot Search (SearchApi)",
    surface="ui",
    returns_spans=True,
    returns_sources=False,
    returns_queries=False,
    docs="https://www.searchapi.io/docs/bing-copilot-api",
    verified="documentation",
    key_variable="SEARCHAPI_API_KEY",
    price_note="one search of the plan for each call that succeeds, by the plan's price (2026-11)",
    auth=Auth("header", "Authorization", "Bearer {key}"),
    cited="every reference of the panel; with a span where a block of the answer names it",
    notes=("It takes neither a country nor a language; it answers in the language of the question.",),
)

_URL: Final = "https://www.searchapi.io/api/v1/search"


def request(query: Query, settings: Mapping[str, object]) -> HttpRequest:
    """The question alone. Raises `EngineError` for a setting: the surface has none."""
    read(FACTS, settings)
    parameters = urlencode({"engine": "bing_copilot", "q": query.text}, quote_via=quote)
    return HttpRequest("GET", f"{_URL}?{parameters}", {"accept": "application/json"})


def parse(status_code: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """The blocks as text, or `markdown` where there are none; all references are cited, unnamed ones as `listed`.

    An error inside HTTP 200 is `absent` where it says that Copilot has nothing to show.
    """
    page = opened(status_code, headers, body)
    if isinstance(page, Failed):
        return without_answer(page.message) if status_code == 200 and page.message else page
    if "search_metadata" not in page:
        return Failed("failed", retry="later", reason="no reply of SearchApi")
    found = text_blocks.read(page.get("text_blocks"), page.get("reference_links"))
    layout = laid_out(found.passages)
    written = layout.text or text(page.get("markdown")).strip()
    citations = with_listed(layout.citations, found.references)
    return Answer(
        "answered" if written else "empty",
        written,
        citations,
        usage=found.counts(),
        spans=anchored(citations),
    )
