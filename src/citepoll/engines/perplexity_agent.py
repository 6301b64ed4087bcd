"""`perplexity:agent`: Perplexity's Agent API. Bodies of the Sonar chat completions, at their end of life, are read too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from citepoll.engines import bodies, completions, links, responses, settings
from citepoll.engines.base import Auth, Facts, HttpRequest
from citepoll.engines.bodies import Page
from citepoll.engines.failures import Failed, opened
from citepoll.model import Answer, Citation, Query

URL: Final = "https://api.perplexity.ai/v1/responses"

Numbers = dict[int, tuple[str, str]]
"""What a marker counts → URL and title."""

FACTS = Facts(
    id="perplexity:agent",
    name="Perplexity, Agent API",
    surface="api",
    returns_spans=True,
    returns_sources=True,
    returns_queries=True,
    docs="https://docs.perplexity.ai/docs/agent-api/quickstart",
    verified="recording",
    key_variable="PERPLEXITY_API_KEY",
    default_model="perplexity/sonar",
    price_note="tokens of the model, and a fee per search (2026-10); the answer says what was paid",
    settings={
        "city": settings.LOCATION["city"],
        "region": settings.LOCATION["region"],
        "search_context_size": "low, medium or high: how much of the pages the model reads (the vendor's)",
        "max_output_tokens": "16 to 1000000 (the vendor's)",
    },
    auth=Auth("header", "Authorization", "Bearer {key}"),
    takes_country=True,
    takes_language=True,
    cited="search results that a marker [n] of the text names; the marker is the passage",
    notes=(
        "Search results that no marker names are sources (retrieved).",
        "The model is pinned: a preset may be answered by a model of another vendor, and change it unannounced.",
    ),
    replays="bodies of the Sonar chat completions, at their end of life",
    check_settings={"search_context_size": "low", "max_output_tokens": 1024},
)


def request(query: Query, values: Mapping[str, object]) -> HttpRequest:
    """One question with the web search. Raises `EngineError` for a setting that is not usable."""
    given = settings.read(FACTS, values)
    tool: dict[str, object] = {"type": "web_search"}
    if place := given.location(query):
        tool["user_location"] = place
    if size := given.choice("search_context_size", "low", "medium", "high"):
        tool["search_context_size"] = size
    body: dict[str, object] = {"model": given.model(), "input": query.text, "tools": [tool]}
    if language := given.language(query):
        body["language_preference"] = language
    if tokens := given.whole("max_output_tokens", 16, 1_000_000):
        body["max_output_tokens"] = tokens
    return HttpRequest("POST", URL, {"content-type": "application/json"}, body)


def parse(status_code: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """The answer: every [n] that leads to a result is a citation. A marker that leads nowhere is text."""
    document = opened(status_code, headers, body, "output", "status", "choices")
    if isinstance(document, Failed):
        return document
    return _sonar(document) if "choices" in document else _agent(document)


def _agent(document: dict[str, Any]) -> Answer:
    found = responses.said(document)
    results = [r for item in responses.items(document, "search_results") for r in bodies.mappings(item.get("results"))]
    fetched = [
        page
        for item in responses.items(document, "fetch_url_results")
        for page in bodies.mappings(item.get("contents"))
    ]
    # annotations are documented for this surface, and empty in every recording
    citations = bodies.numbered(_marked(found.text, _by_id(results)) or responses.annotated(found.parts))
    pages = _pages([*results, *fetched])
    queries = bodies.texts(*(item.get("queries") for item in responses.items(document, "search_results")))
    made = responses.answer(document, found, citations, bodies.uncited(pages, citations), queries, URL)
    return replace(made, cost=bodies.dollars(bodies.walk(document, "usage", "cost", "total_cost")))


def _sonar(document: dict[str, Any]) -> Answer:
    """A chat completion: [n] counts the list `citations` from 1, whose titles stand in `search_results`."""
    text = completions.content(document)
    status = completions.status_of(document, text)
    model, usage = completions.facts_of(document)
    results = bodies.mappings(document.get("search_results"))
    titles = {url: title for url, title, _ in _pages(results)}
    listed = [bodies.text(url) for url in bodies.values(document.get("citations"))]
    citations = bodies.numbered(_marked(text, {n: (url, titles.get(url, "")) for n, url in enumerate(listed, 1)}))
    pages: list[Page] = [(url, titles.get(url, ""), "listed") for url in listed]
    return Answer(
        status,
        text,
        citations,
        bodies.uncited([*pages, *_pages(results)], citations),
        model=model,
        usage=usage,
        message=completions.message_of(document, status),
        spans=True,
        cost=bodies.dollars(bodies.walk(document, "usage", "cost", "total_cost")),
    )


def _by_id(results: list[dict[str, Any]]) -> Numbers:
    """The results by their id, of which the first holds; a result without one is counted by its place."""
    found: Numbers = {}
    for at, result in enumerate(results, 1):
        said = result.get("id")
        number = bodies.whole(int(said) if isinstance(said, str) and said.isdecimal() and len(said) < 9 else said)
        found.setdefault(at if number is None else number, next(_pages([result]))[:2])
    return found


def _pages(results: list[dict[str, Any]]) -> Iterator[Page]:
    return ((bodies.text(r.get("url")), bodies.text(r.get("title")), "retrieved") for r in results)


def _marked(text: str, pages: Numbers) -> list[Citation]:
    return [
        bodies.cite(pages[number][0], "marker", pages[number][1], (start, end))
        for number, start, end in links.markers(text)
        if number in pages and pages[number][0]
    ]
