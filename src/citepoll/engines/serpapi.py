"""What all SerpApi engines share: the address of a search, what a search says of itself, answers in text blocks.

`organic_results` and other parts of a page are no sources of the answer: they stay in the raw body alone. Links within
the text (`snippet_links`) are counted, and are no citations: the vendor marks these with `reference_indexes`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote, urlencode

from citepoll.engines.base import Auth, HttpRequest
from citepoll.engines.blocks import laid_out, unused
from citepoll.engines.bodies import decode, text, walk
from citepoll.engines.failures import Failed, failure, opened
from citepoll.engines.text_blocks import TextBlocks
from citepoll.model import Answer

URL: Final = "https://serpapi.com/search.json"
KEY_VARIABLE: Final = "SERPAPI_API_KEY"
AUTH: Final = Auth("query", "api_key")
DEVICES: Final = ("desktop", "mobile", "tablet")
PRICE: Final = "one search of the plan for each call that succeeds, by the plan's price (2026-11)"
FRESH: Final = "asked with no_cache, since runs within an hour would otherwise be one answer from the vendor's cache"

_WAIT: Final = 5.0
_RUNNING: Final = ("Processing", "Queued")
_ID: Final = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)


def search(**parameters: str | None) -> str:
    """The address of a search, without the key; a parameter that is None is left out. Never answered from the cache."""
    known = {name: value for name, value in parameters.items() if value}
    return f"{URL}?{urlencode({**known, 'no_cache': 'true'}, quote_via=quote)}"


def asked(**parameters: str | None) -> HttpRequest:
    return HttpRequest("GET", search(**parameters), {"accept": "application/json"})


def page(status_code: int, headers: Mapping[str, str], body: bytes) -> dict[str, Any] | Answer:
    """The result page of a search that succeeded, else the answer that it is instead.

    A search that Google has no results for succeeds, and yet holds an `error`: the page is returned. One that still
    runs is `deferred` until it is fetched by its id.
    """
    try:
        found = decode(body)
    except ValueError:
        found = None
    state = walk(found, "search_metadata", "status")
    if 200 <= status_code < 300 and isinstance(found, dict):
        if state in _RUNNING:
            return _running(text(walk(found, "search_metadata", "id")))
        if state == "Error":
            return replace(failure(found, status_code, headers), retry="later")
        if state is not None:
            return found
    other = opened(status_code, headers, body)
    return other if isinstance(other, Failed) else Failed("failed", retry="later", reason="no reply of SerpApi")


def _running(search_id: str) -> Answer:
    if not _ID.fullmatch(search_id):
        return Answer("deferred")
    url = f"https://serpapi.com/searches/{search_id}.json"
    return Answer("deferred", follow_up={"method": "GET", "url": url, "json": None, "delay": _WAIT})


def answer(blocks: TextBlocks, usage: Mapping[str, object]) -> Answer:
    """References that a block names are cited, with the block as their span; the others are `listed` sources."""
    layout = laid_out(blocks.passages)
    return Answer(
        "answered" if layout.text else "empty",
        layout.text,
        layout.citations,
        unused(blocks.references, layout.citations),
        usage={**blocks.counts(), **usage},
        spans=True,
    )
