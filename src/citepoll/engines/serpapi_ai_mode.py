"""`google:ai-mode@serpapi`: Google's AI Mode, an answer in blocks with references."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from citepoll.engines import boilerplate, serpapi, text_blocks
from citepoll.engines.absence import without_answer
from citepoll.engines.base import Facts, HttpRequest
from citepoll.engines.bodies import text
from citepoll.engines.locales import google_country, google_language
from citepoll.engines.settings import read
from citepoll.model import Answer, Query

FACTS: Final = Facts(
    id="google:ai-mode@serpapi",
    name="Google AI Mode (SerpApi)",
    surface="serp",
    returns_spans=True,
    returns_sources=True,
    returns_queries=False,
    docs="https://serpapi.com/google-ai-mode-api",
    verified="documentation",
    key_variable=serpapi.KEY_VARIABLE,
    price_note=serpapi.PRICE,
    settings={
        "location": "where the search comes from, a place as SerpApi names it (the country alone)",
        "device": f"one of {', '.join(serpapi.DEVICES)} ({serpapi.DEVICES[0]})",
    },
    auth=serpapi.AUTH,
    takes_country=True,
    takes_language=True,
    cited="references that a block of the answer names; the span is the block",
    notes=(boilerplate.NOTE, serpapi.FRESH),
)


def request(query: Query, settings: Mapping[str, object]) -> HttpRequest:
    """A question to AI Mode with the country, the language and, where set, the place. Raises `EngineError`."""
    given = read(FACTS, settings)
    return serpapi.asked(
        engine="google_ai_mode",
        q=query.text,
        gl=google_country(given, query).lower(),
        hl=google_language(given, query).lower(),
        location=given.text("location"),
        device=given.choice("device", *serpapi.DEVICES),
    )


def parse(status_code: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """The answer's blocks with their references, the boilerplate one left out and counted in `usage`.

    Where no block is given, `reconstructed_markdown` is the text, and no citation is known. Neither text nor
    references: `absent` where the vendor says that there is nothing to show, else `empty`.
    """
    page = serpapi.page(status_code, headers, body)
    if isinstance(page, Answer):
        return page
    found = text_blocks.read(page.get("text_blocks"), page.get("references"), boilerplate.in_ai_mode)
    answer = serpapi.answer(found, {boilerplate.COUNT: found.excluded})
    if answer.status == "answered":
        return answer
    markdown = text(page.get("reconstructed_markdown")).strip()
    if markdown:
        return replace(answer, status="answered", text=markdown)
    return answer if answer.citations or answer.sources else without_answer(text(page.get("error")))
