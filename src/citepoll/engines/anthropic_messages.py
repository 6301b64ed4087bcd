"""`anthropic:messages`: Claude with web search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from citepoll.engines import messages, settings
from citepoll.engines.base import Auth, Facts, HttpRequest
from citepoll.model import Answer, Query

URL: Final = "https://api.anthropic.com/v1/messages"
VERSION: Final = "2023-06-01"

FACTS = Facts(
    id="anthropic:messages",
    name="Claude, Messages API",
    surface="api",
    returns_spans=True,
    returns_sources=True,
    returns_queries=True,
    docs="https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool",
    verified="recording",
    key_variable="ANTHROPIC_API_KEY",
    default_model="claude-sonnet-4-6",
    price_note="tokens of the model, the pages read among them, and a fee per search (2026-11)",
    settings={**settings.LOCATION, **messages.SETTINGS},
    auth=Auth("header", "x-api-key"),
    takes_country=True,
    cited="search results that a text block cites; the block is the passage",
    notes=(
        "Search results that no block cites are sources (retrieved).",
        "A paused turn (pause_turn) is deferred until it is continued; its citations often come in the second reply.",
        "A search that failed inside an answer leaves its error code as the message.",
        "The language is that of the question alone.",
    ),
    check_settings=messages.CHECK,
)


def request(query: Query, values: Mapping[str, object]) -> HttpRequest:
    """One question, as a user would put it: no system text. Raises `EngineError` for a setting that is not usable."""
    given = settings.read(FACTS, values)
    headers = {"content-type": "application/json", "anthropic-version": VERSION}
    return HttpRequest("POST", URL, headers, messages.body_of(given, query, given.location(query)))


def parse(status_code: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """The answer in a message: see `messages.answer`."""
    return messages.answer(status_code, headers, body)
