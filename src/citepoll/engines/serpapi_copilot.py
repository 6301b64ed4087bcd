"""`copilot:ui@serpapi`: the answer of Bing's Copilot Search with its panel of references."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from citepoll.engines import serpapi, text_blocks
from citepoll.engines.absence import without_answer
from citepoll.engines.base import Facts, HttpRequest
from citepoll.engines.blocks import Passage, laid_out, with_listed
from citepoll.engines.bodies import anchored, text
from citepoll.engines.settings import read
from citepoll.model import Answer, Query

FACTS: Final = Facts(
    id="copilot:ui@serpapi",
    name="Copilot Search (SerpApi)",
    surface="ui",
    returns_spans=True,
    returns_sources=False,
    returns_queries=False,
    docs="https://serpapi.com/bing-copilot-api",
    verified="documentation",
    key_variable=serpapi.KEY_VARIABLE,
    price_note=serpapi.PRICE,
    auth=serpapi.AUTH,
    cited="every reference of the panel; with a span where a block of the answer names it",
    notes=("It takes neither a country nor a language; it answers in the language of the question.", serpapi.FRESH),
)


def request(query: Query, settings: Mapping[str, object]) -> HttpRequest:
    """The question alone. Raises `EngineError` for a setting: the surface has none."""
    read(FACTS, settings)
    return serpapi.asked(engine="bing_copilot", q=query.text)


def parse(status_code: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """The heading and blocks as text; all references are cited, those that no block names as `listed`.

    Neither text nor references: `absent` where the vendor says that there is nothing to show, else `empty`.
    """
    page = serpapi.page(status_code, headers, body)
    if isinstance(page, Answer):
        return page
    found = text_blocks.read(page.get("text_blocks"), page.get("references"))
    layout = laid_out((Passage(text(page.get("header"))), *found.passages))
    if not layout.text and not found.references:
        return without_answer(text(page.get("error")))
    citations = with_listed(layout.citations, found.references)
    return Answer(
        "answered" if layout.text else "empty",
        layout.text,
        citations,
        usage=found.counts(),
        spans=anchored(citations),
    )
