"""`deepseek:messages`: DeepSeek through its Anthropic-compatible surface, the one that searches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from citepoll.engines import messages, settings
from citepoll.engines.base import Auth, Facts, HttpRequest
from citepoll.model import Answer, Query

URL: Final = "https://api.deepseek.com/anthropic/v1/messages"
VERSION: Final = "2023-06-01"

FACTS = Facts(
    id="deepseek:messages",
    name="DeepSeek, Messages API",
    surface="api",
    returns_spans=True,
    returns_sources=True,
    returns_queries=True,
    docs="https://api-docs.deepseek.com/guides/anthropic_api",
    verified="documentation",
    key_variable="DEEPSEEK_API_KEY",
    default_model="deepseek-flash",
    price_note="tokens of the model, by the hour of the day, and a fee per search from 2026-11-01 on (2026-11)",
    settings=messages.SETTINGS,
    auth=Auth("header", "x-api-key"),
    cited="search results that a text block cites; the block is the passage",
    notes=(
        "Search results that no block cites are sources (retrieved).",
        "No country and no language: neither is documented for this surface, so only the question's words carry them.",
        "The vendor's Responses API ignores the search tool in silence; this surface is the one to ask.",
    ),
    check_settings={"max_uses": 1, "max_tokens": 1024},
)


def request(query: Query, values: Mapping[str, object]) -> HttpRequest:
    """One question, without a place. Raises `EngineError` for a setting that is not usable."""
    given = settings.read(FACTS, values)
    headers = {"content-type": "application/json", "anthropic-version": VERSION}
    return HttpRequest("POST", URL, headers, messages.body_of(given, query, {}))


def parse(status_code: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """The answer in a message: see `messages.answer`."""
    return messages.answer(status_code, headers, body)
