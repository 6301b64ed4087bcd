"""`google:gemini`: Gemini with Google Search. Reads bodies of generateContent, of Vertex AI and of the Interactions API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from citepoll.engines import bodies, interactions, settings
from citepoll.engines.base import Auth, Facts, HttpRequest
from citepoll.engines.bodies import Page, Text
from citepoll.engines.failures import Failed, opened
from citepoll.engines.segments import Passages
from citepoll.model import Answer, Citation, Query, Status

BASE: Final = "https://generativelanguage.googleapis.com/v1beta"

FACTS = Facts(
    id="google:gemini",
    name="Gemini with Google Search",
    surface="api",
    returns_spans=True,
    returns_sources=True,
    returns_queries=True,
    docs="https://ai.google.dev/gemini-api/docs/google-search",
    verified="recording",
    key_variable="GEMINI_API_KEY",
    default_model="gemini-3.7-flash",
    price_note="tokens of the model, and a fee per search from Gemini 3 on (2026-09)",
    settings={"max_output_tokens": "16 to 1000000, thinking included (the vendor's)"},
    auth=Auth("header", "x-goog-api-key"),
    cited="grounding chunks that a grounding support names; the support's segment is the passage",
    notes=(
        "Chunks that no support names are sources (listed); pages fetched by address are sources (retrieved).",
        "Addresses are redirects of the vendor that expire. They are resolved when the poll has asked all; for one that "
        "is not, the title tells the site's domain.",
        "No country and no language: the surface has no field for them, so only the question's words carry them.",
    ),
    replays="bodies of Vertex AI and of the Interactions API",
    redirects=("https://vertexaisearch.cloud.google.com/grounding-api-redirect/",),
)

BLOCKED: Final = frozenset(
    {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE", "IMAGE_SAFETY", "MODEL_ARMOR"}
)
"""Reasons of `finishReason` that are filters; other reasons without text end as `empty`."""


def request(query: Query, values: Mapping[str, object]) -> HttpRequest:
    """One question with Google Search. Raises `EngineError` for a setting that is not usable."""
    given = settings.read(FACTS, values)
    body: dict[str, object] = {
        "contents": [{"role": "user", "parts": [{"text": query.text}]}],
        "tools": [{"google_search": {}}],
    }
    if tokens := given.whole("max_output_tokens", 16, 1_000_000):
        body["generationConfig"] = {"maxOutputTokens": tokens}
    model = quote(given.model().removeprefix("models/"), safe="")
    return HttpRequest("POST", f"{BASE}/models/{model}:generateContent", {"content-type": "application/json"}, body)


def parse(status_code: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """The answer of any of the three surfaces. Offsets come in bytes of a part, and leave in code points of the text."""
    document = opened(status_code, headers, body, "candidates", "promptFeedback", "usageMetadata", "steps", "outputs")
    if isinstance(document, Failed):
        return document
    if document.get("object") == "interaction" or "steps" in document or "outputs" in document:
        return interactions.answer(document, f"{BASE}/interactions")
    return _generated(document)


def _generated(document: dict[str, Any]) -> Answer:
    candidate = next(iter(bodies.mappings(document.get("candidates"))), {})
    passages = _read(candidate)
    grounding = bodies.mapping(candidate.get("groundingMetadata"))
    chunks = [_chunk(chunk) for chunk in bodies.values(grounding.get("groundingChunks"))]
    citations = bodies.numbered(bodies.in_text_order(_cited(grounding, chunks, passages)))
    status, message = _outcome(document, candidate, passages.text)
    return Answer(
        status,
        passages.text,
        citations,
        bodies.uncited([*_listed(chunks), *_fetched(candidate)], citations),
        bodies.texts(grounding.get("webSearchQueries"), grounding.get("retrievalQueries")),
        model=bodies.text(document.get("modelVersion")) or None,
        usage=bodies.mapping(document.get("usageMetadata")),
        message=message,
        spans=True,
    )


def _read(candidate: Mapping[str, Any]) -> Passages:
    """The parts that are spoken to the reader; thoughts are none, and keep their number."""
    text, starts = Text(), dict[int, tuple[int, str]]()
    for at, part in enumerate(bodies.values(bodies.walk(candidate, "content", "parts"))):
        words = bodies.text(bodies.mapping(part).get("text"))
        if words and not bodies.mapping(part).get("thought"):
            starts[at] = (text.add(words), words)
    return Passages(str(text), starts)


def _chunk(chunk: Any) -> tuple[str, str]:
    """URL and title of a chunk, whatever it was found with (web, maps, a data store); blank where it has none."""
    kinds = [value for value in bodies.mapping(chunk).values() if isinstance(value, dict)]
    found = next((kind for kind in kinds if bodies.text(kind.get("uri"))), {})
    return bodies.text(found.get("uri")), bodies.text(found.get("title")) or bodies.text(found.get("domain"))


def _cited(grounding: Mapping[str, Any], chunks: list[tuple[str, str]], passages: Passages) -> Iterator[Citation]:
    for support in bodies.mappings(grounding.get("groundingSupports")):
        where = passages.span(bodies.mapping(support.get("segment")))
        for index in bodies.values(support.get("groundingChunkIndices")):
            at = bodies.whole(index)
            if at is not None and 0 <= at < len(chunks) and chunks[at][0]:
                url, title = chunks[at]
                yield bodies.cite(url, "span", title, where)


def _listed(chunks: list[tuple[str, str]]) -> Iterator[Page]:
    return ((url, title, "listed") for url, title in chunks)


def _fetched(candidate: Mapping[str, Any]) -> Iterator[Page]:
    for page in bodies.mappings(bodies.walk(candidate, "urlContextMetadata", "urlMetadata")):
        yield bodies.text(page.get("retrievedUrl")), "", "retrieved"


def _outcome(document: Mapping[str, Any], candidate: Mapping[str, Any], text: str) -> tuple[Status, str | None]:
    """The status, and the vendor's words where the answer is none."""
    feedback = bodies.mapping(document.get("promptFeedback"))
    if reason := bodies.text(feedback.get("blockReason")):
        return "blocked", bodies.text(feedback.get("blockReasonMessage")) or reason
    finish = bodies.text(candidate.get("finishReason"))
    words = bodies.text(candidate.get("finishMessage")) or finish
    if finish in BLOCKED:
        return "blocked", words
    if not text.strip():
        return "empty", None if finish in ("", "STOP", "MAX_TOKENS") else words
    return ("truncated" if finish == "MAX_TOKENS" else "answered"), None
