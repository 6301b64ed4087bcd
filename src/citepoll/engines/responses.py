"""The Responses shape that OpenAI, xAI and Perplexity share: output items, text parts, status, deferral."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from citepoll.engines import bodies
from citepoll.engines.bodies import Page, Text
from citepoll.engines.failures import failure
from citepoll.model import Answer, Citation, Source, Status

POLL_AFTER = 5.0
"""Seconds until an answer that is still being made is asked for again; no vendor names a delay."""


@dataclass(frozen=True, slots=True)
class Part:
    """A text part of a message: where it begins in the answer's text, its own text, and its annotations."""

    start: int
    text: str
    annotations: list[dict[str, Any]]

    def span(self, annotation: Mapping[str, Any]) -> tuple[int, int] | None:
        """The annotation's passage in the answer's text; the vendor counts code points of the part."""
        found = bodies.span(annotation.get("start_index"), annotation.get("end_index"), len(self.text))
        return (self.start + found[0], self.start + found[1]) if found else None


@dataclass(frozen=True, slots=True)
class Said:
    """What the messages of a response say: the text, its parts, and the words of a refusal."""

    text: str
    parts: tuple[Part, ...] = ()
    refusal: str | None = None


def items(document: Mapping[str, Any], *types: str) -> list[dict[str, Any]]:
    """The output items of these types, in order."""
    return [item for item in bodies.mappings(document.get("output")) if item.get("type") in types]


def said(document: Mapping[str, Any]) -> Said:
    """All messages as one text: parts of a message follow each other, messages stand apart."""
    text, parts, refusal = Text(), [], None
    for message in bodies.mappings(document.get("output")):
        apart = True
        for part in bodies.mappings(message.get("content")) if message.get("type", "message") == "message" else ():
            if part.get("type") == "refusal":
                refusal = bodies.text(part.get("refusal")) or refusal
            elif words := bodies.text(part.get("text")):
                start = text.add(words, apart=apart)
                parts.append(Part(start, words, bodies.mappings(part.get("annotations"))))
                apart = False
    return Said(str(text), tuple(parts), refusal)


def annotated(parts: Iterable[Part]) -> Iterator[Citation]:
    """A citation for each annotation with a URL: `span` where its indexes lie in the text, else `listed`."""
    for part in parts:
        for note in part.annotations:
            if url := bodies.text(note.get("url")):
                where = part.span(note)
                yield bodies.cite(url, "span" if where else "listed", bodies.text(note.get("title")), where)


def answer(
    document: Mapping[str, Any],
    found: Said,
    citations: tuple[Citation, ...],
    sources: tuple[Source, ...],
    queries: tuple[str, ...],
    url: str,
) -> Answer:
    """The answer of a response; `url` is the address that answers are made at, and under which one can be fetched by id."""
    status = status_of(document, found)
    if status == "failed":
        return failure(document)
    identity = bodies.text(document.get("id"))
    made = Answer(
        status,
        found.text,
        citations,
        sources,
        queries,
        model=bodies.text(document.get("model")) or None,
        usage=bodies.mapping(document.get("usage")),
        message=message_of(document, found, status),
        spans=bodies.anchored(citations),
    )
    if status == "deferred" and identity:
        return replace(made, follow_up={"method": "GET", "url": f"{url}/{identity}", "json": None, "delay": POLL_AFTER})
    return made


def status_of(document: Mapping[str, Any], found: Said) -> Status:
    state = document.get("status")
    if state in ("queued", "in_progress"):
        return "deferred"
    if state in ("failed", "cancelled"):
        return "failed"
    cut = bodies.walk(document, "incomplete_details", "reason")
    if cut == "content_filter":
        return "blocked"
    if not found.text.strip():
        return "refused" if found.refusal else "empty"
    return "truncated" if state == "incomplete" else "answered"


def message_of(document: Mapping[str, Any], found: Said, status: Status) -> str | None:
    """The vendor's words about an answer that is none."""
    if status == "refused":
        return found.refusal
    if status == "blocked":
        return bodies.text(bodies.walk(document, "incomplete_details", "reason")) or None
    return None


def searched(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The queries of the web searches, each once."""
    actions = [bodies.mapping(call.get("action")) for call in items(document, "web_search_call")]
    return bodies.texts(*(value for a in actions for value in (a.get("queries"), a.get("query"))))


def visited(document: Mapping[str, Any]) -> Iterator[Page]:
    """Every page that a search returned or that the model opened."""
    for call in items(document, "web_search_call"):
        action = bodies.mapping(call.get("action"))
        for source in (action, *bodies.mappings(action.get("sources"))):
            yield bodies.text(source.get("url")), bodies.text(source.get("title")), "retrieved"
