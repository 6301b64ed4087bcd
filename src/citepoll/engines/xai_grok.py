"""`xai:grok`: Grok through xAI's Responses API, with its web and X searches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from citepoll.engines import bodies, links, responses, settings
from citepoll.engines.base import Auth, Facts, HttpRequest
from citepoll.engines.bodies import Page
from citepoll.engines.failures import Failed, opened
from citepoll.model import Answer, Citation, Query

URL: Final = "https://api.x.ai/v1/responses"
TICKS: Final = 10_000_000_000
"""`usage.cost_in_usd_ticks` in a dollar (docs.x.ai, cost tracking)."""

FACTS = Facts(
    id="xai:grok",
    name="Grok, Responses API",
    surface="api",
    returns_spans=True,
    returns_sources=True,
    returns_queries=True,
    docs="https://docs.x.ai/developers/tools/citations",
    verified="recording",
    key_variable="XAI_API_KEY",
    default_model="grok-4.3",
    price_note="tokens of the model, and a fee per search (2026-11); the answer says what was paid",
    settings={
        **settings.LOCATION,
        "x_search": "false leaves posts on X out of the search (true)",
        "max_output_tokens": "16 to 1000000, thinking included (the vendor's)",
    },
    auth=Auth("header", "Authorization", "Bearer {key}"),
    takes_country=True,
    cited="links in the text, each with its place; in an answer without one, all pages that it lists (level listed)",
    notes=(
        "The vendor lists every page that it met. Beside links in the text that list is sources, not citations.",
        "The language is that of the question alone. The older search_parameters are gone (HTTP 410).",
    ),
    check_settings={"x_search": False},
)


def request(query: Query, values: Mapping[str, object]) -> HttpRequest:
    """One question, as a user would put it: no system text. Raises `EngineError` for a setting that is not usable."""
    given = settings.read(FACTS, values)
    web: dict[str, object] = {"type": "web_search"}
    if place := given.location(query):
        web["user_location"] = {"type": "approximate", **place}
    tools = [web, {"type": "x_search"}] if given.flag("x_search", True) else [web]
    body: dict[str, object] = {
        "model": given.model(),
        "input": [{"role": "user", "content": query.text}],
        "tools": tools,
    }
    if tokens := given.whole("max_output_tokens", 16, 1_000_000):
        body["max_output_tokens"] = tokens
    return HttpRequest("POST", URL, {"content-type": "application/json"}, body)


def parse(status_code: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """The answer in a response. Where the text links to pages these are its citations, else all that it lists."""
    document = opened(status_code, headers, body, "output", "status")
    if isinstance(document, Failed):
        return document
    found = responses.said(document)
    listed = [_untitled(citation) for citation in responses.annotated(found.parts)]
    citations = bodies.numbered(_inline(found.text, listed) or listed)
    pages = [*_listed(document, listed), *_retrieved(document)]
    sources = bodies.uncited(pages, citations)
    made = responses.answer(document, found, citations, sources, _queries(document), URL)
    ticks = bodies.dollars(bodies.walk(document, "usage", "cost_in_usd_ticks"))
    return replace(made, cost=None if ticks is None else ticks / TICKS)


def _untitled(citation: Citation) -> Citation:
    """The title of an inline citation is the number that it shows, which is no title."""
    return replace(citation, title=None) if (citation.title or "").isdecimal() else citation


def _inline(text: str, annotated: list[Citation]) -> list[Citation]:
    """Annotations with a passage, and links of the text that none of them covers."""
    placed = [c for c in annotated if c.level == "span"]
    covered = [(c.start or 0, c.end or 0) for c in placed]
    linked = (
        bodies.cite(link.url, "span", None, (link.start, link.end))
        for link in links.links(text)
        if not any(start < link.end and link.start < end for start, end in covered)
    )
    return bodies.in_text_order([*placed, *linked])


def _listed(document: dict[str, Any], annotated: list[Citation]) -> Iterator[Page]:
    for citation in annotated:
        yield citation.url, citation.title or "", "listed"
    for item in bodies.values(document.get("citations")):
        yield bodies.text(item) or bodies.text(bodies.mapping(item).get("url")), "", "listed"


def _retrieved(document: dict[str, Any]) -> Iterator[Page]:
    yield from responses.visited(document)
    for call in _calls(document):
        yield bodies.text(call.get("url")), "", "retrieved"


def _queries(document: dict[str, Any]) -> tuple[str, ...]:
    return bodies.texts(*responses.searched(document), *(call.get("query") for call in _calls(document)))


def _calls(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The arguments of the server's tool calls, which come as JSON within the JSON."""
    for item in responses.items(document, "web_search_call", "x_search_call", "custom_tool_call"):
        for name in ("arguments", "input"):
            yield _decoded(bodies.text(item.get(name)))


def _decoded(arguments: str) -> dict[str, Any]:
    try:
        return bodies.mapping(bodies.decode(arguments.encode()))
    except ValueError:
        return {}
