"""`openai:responses`: OpenAI's Responses API with its web search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from citepoll.engines import bodies, responses, settings
from citepoll.engines.base import Auth, Facts, HttpRequest
from citepoll.engines.failures import Failed, opened
from citepoll.model import Answer, Query

URL: Final = "https://api.openai.com/v1/responses"

FACTS = Facts(
    id="openai:responses",
    name="ChatGPT models, Responses API",
    surface="api",
    returns_spans=True,
    returns_sources=True,
    returns_queries=True,
    docs="https://developers.openai.com/api/docs/guides/tools-web-search",
    verified="recording",
    key_variable="OPENAI_API_KEY",
    default_model="gpt-5.4",
    price_note="tokens of the model, and a fee per web search (2026-11)",
    settings={
        **settings.LOCATION,
        "search_context_size": "low, medium or high: how much of the pages the model reads (the vendor's: medium)",
        "force_search": "true makes the model search; else it decides by itself (false)",
        "reasoning_effort": "the model's effort, as low or high (the vendor's)",
        "max_output_tokens": "16 to 1000000, thinking included (the vendor's)",
    },
    auth=Auth("header", "Authorization", "Bearer {key}"),
    takes_country=True,
    cited="URL annotations of the answer's text, each with its passage",
    notes=(
        "Pages that were searched or opened and not cited are sources (retrieved).",
        "Without a country the vendor assumes US. The language is that of the question alone.",
        "An answer that searched and cites nothing is common, and valid.",
    ),
    idempotency_header="Idempotency-Key",
    check_settings={"search_context_size": "low", "force_search": True},
)


def request(query: Query, values: Mapping[str, object]) -> HttpRequest:
    """One question, as a user would put it: no system text. Raises `EngineError` for a setting that is not usable."""
    given = settings.read(FACTS, values)
    tool: dict[str, object] = {"type": "web_search"}
    if place := given.location(query):
        tool["user_location"] = {"type": "approximate", **place}
    if size := given.choice("search_context_size", "low", "medium", "high"):
        tool["search_context_size"] = size
    body: dict[str, object] = {
        "model": given.model(),
        "input": query.text,
        "tools": [tool],
        "include": ["web_search_call.action.sources"],
    }
    if given.flag("force_search", False):
        body["tool_choice"] = {"type": "web_search"}
    if effort := given.text("reasoning_effort"):
        body["reasoning"] = {"effort": effort}
    if tokens := given.whole("max_output_tokens", 16, 1_000_000):
        body["max_output_tokens"] = tokens
    return HttpRequest("POST", URL, {"content-type": "application/json"}, body)


def parse(status_code: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """The answer in a response: every `url_citation` is a citation, with a passage where its indexes lie in the text."""
    document = opened(status_code, headers, body, "output", "status")
    if isinstance(document, Failed):
        return document
    found = responses.said(document)
    citations = bodies.numbered(bodies.in_text_order(responses.annotated(found.parts)))
    return responses.answer(
        document,
        found,
        citations,
        bodies.uncited(responses.visited(document), citations),
        responses.searched(document),
        URL,
    )
