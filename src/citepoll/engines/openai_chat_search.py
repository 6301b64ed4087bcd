"""`openai:chat-search`: OpenAI's chat completions with a search model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from citepoll.engines import bodies, completions, settings
from citepoll.engines.base import Auth, Facts, HttpRequest
from citepoll.engines.failures import Failed, opened
from citepoll.engines.responses import Part, annotated
from citepoll.model import Answer, Query

URL: Final = "https://api.openai.com/v1/chat/completions"

FACTS = Facts(
    id="openai:chat-search",
    name="ChatGPT search models, chat completions",
    surface="api",
    returns_spans=True,
    returns_sources=False,
    returns_queries=False,
    docs="https://developers.openai.com/api/docs/guides/tools-web-search",
    verified="recording",
    key_variable="OPENAI_API_KEY",
    default_model="gpt-5-search-api",
    price_note="tokens of the model, and a fee per search that depends on the model (2026-11)",
    settings={
        **settings.LOCATION,
        "search_context_size": "low, medium or high: how much of the pages the model reads (the vendor's: medium)",
        "max_completion_tokens": "16 to 1000000 (the vendor's)",
    },
    auth=Auth("header", "Authorization", "Bearer {key}"),
    takes_country=True,
    cited="URL annotations of the message, each with its passage",
    notes=(
        "The search models search for every question. Others refuse the search options with HTTP 400.",
        "Without a country the vendor assumes US. The language is that of the question alone.",
    ),
    idempotency_header="Idempotency-Key",
    check_settings={"search_context_size": "low"},
)


def request(query: Query, values: Mapping[str, object]) -> HttpRequest:
    """One question. No temperature: the search models refuse it. Raises `EngineError` for a setting that is not usable."""
    given = settings.read(FACTS, values)
    options: dict[str, object] = {}
    if place := given.location(query):
        options["user_location"] = {"type": "approximate", "approximate": place}
    if size := given.choice("search_context_size", "low", "medium", "high"):
        options["search_context_size"] = size
    body: dict[str, object] = {
        "model": given.model(),
        "messages": [{"role": "user", "content": query.text}],
        "web_search_options": options,
    }
    if tokens := given.whole("max_completion_tokens", 16, 1_000_000):
        body["max_completion_tokens"] = tokens
    return HttpRequest("POST", URL, {"content-type": "application/json"}, body)


def parse(status_code: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """The answer in a chat completion. Every annotation with a URL is a citation, with a passage where its indexes fit."""
    document = opened(status_code, headers, body, "choices")
    if isinstance(document, Failed):
        return document
    text = completions.content(document)
    status = completions.status_of(document, text)
    model, usage = completions.facts_of(document)
    notes = bodies.mappings(completions.message(document).get("annotations"))
    part = Part(0, text, [bodies.mapping(note.get("url_citation")) or note for note in notes])
    citations = bodies.numbered(bodies.in_text_order(annotated([part])))
    return Answer(
        status,
        text,
        citations,
        model=model,
        usage=usage,
        message=completions.message_of(document, status),
        spans=bodies.anchored(citations),
    )
