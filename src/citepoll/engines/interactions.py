"""Google's Interactions shape: steps, or in its first version outputs, with text whose annotations count in bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from citepoll.engines import bodies
from citepoll.engines.bodies import Page, Text
from citepoll.engines.failures import failure
from citepoll.engines.segments import code_points
from citepoll.model import Answer, Citation, Status

POLL_AFTER: Final = 5.0
"""Seconds until an answer that is still being made is asked for again; the vendor names no delay."""


@dataclass(frozen=True, slots=True)
class _Said:
    text: str
    citations: tuple[Citation, ...]


def answer(document: dict[str, Any], url: str) -> Answer:
    """The answer of an interaction; `url` is the address under which one can be fetched by id."""
    steps = bodies.mappings(document.get("steps")) or bodies.mappings(document.get("outputs"))
    said = _read(steps)
    status = _status(document, said.text)
    if status == "failed":
        error = next(iter(bodies.mappings(document.get("errors"))), None)
        return failure({**document, "error": error})
    identity = bodies.text(document.get("id"))
    poll = {"method": "GET", "url": f"{url}/{identity}", "json": None, "delay": POLL_AFTER}
    return Answer(
        status,
        said.text,
        said.citations,
        bodies.uncited(_pages(steps), said.citations),
        bodies.texts(*(bodies.walk(s, "arguments", "queries") for s in steps if s.get("type") == "google_search_call")),
        model=bodies.text(document.get("model")) or None,
        usage=bodies.mapping(document.get("usage")),
        spans=bodies.anchored(said.citations),
        follow_up=poll if status == "deferred" and identity else None,
    )


def _read(steps: list[dict[str, Any]]) -> _Said:
    text, found = Text(), list[Citation]()
    for step in steps:
        content = [step] if step.get("type") == "text" else _content(step)
        for at, part in enumerate(content):
            words = bodies.text(part.get("text"))
            start = text.add(words, apart=at == 0 and step.get("type") != "text")
            found += _annotated(bodies.mappings(part.get("annotations")), start, words)
    return _Said(str(text), bodies.numbered(bodies.in_text_order(found)))


def _content(step: Mapping[str, Any]) -> list[dict[str, Any]]:
    if step.get("type") != "model_output":
        return []
    return [part for part in bodies.mappings(step.get("content")) if part.get("type") == "text"]


def _annotated(notes: list[dict[str, Any]], start: int, words: str) -> Iterator[Citation]:
    for note in notes:
        if url := bodies.text(note.get("url")) or bodies.text(note.get("source")):
            where = code_points(start, words, note.get("start_index"), note.get("end_index"))
            yield bodies.cite(url, "span" if where else "listed", bodies.text(note.get("title")), where)


def _pages(steps: list[dict[str, Any]]) -> Iterator[Page]:
    for step in steps:
        if step.get("type") in ("google_search_result", "url_context_result"):
            for page in bodies.mappings(step.get("result")):
                yield bodies.text(page.get("url")), bodies.text(page.get("title")), "retrieved"


def _status(document: Mapping[str, Any], text: str) -> Status:
    state = document.get("status")
    if state in ("queued", "in_progress"):
        return "deferred"
    if state in ("failed", "cancelled"):
        return "failed"
    if not text.strip():
        return "empty"
    return "truncated" if state in ("incomplete", "budget_exceeded") else "answered"
