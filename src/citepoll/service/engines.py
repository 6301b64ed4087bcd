"""The engines: what is known of each before it is asked, and a body from disk read by one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from citepoll import engines
from citepoll.engines.base import Facts
from citepoll.engines.bodies import decode
from citepoll.engines.failures import Failed
from citepoll.errors import EngineError, InputError
from citepoll.model import Answer, Citation, Source
from citepoll.project import key_of
from citepoll.urls import Canonical, canonical


@dataclass(frozen=True, slots=True)
class Listed:
    """An engine. `returns` names what it can return; `key_set` is None where it needs no key, and never holds one.

    An engine of another distribution that cannot be loaded has its `problem`, and nothing else beside the id.
    """

    id: str
    name: str = ""
    surface: str = ""
    returns: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    key_variable: str | None = None
    key_set: bool | None = None
    key_optional: bool = False
    default_model: str | None = None
    price_note: str | None = None
    verified: str = ""
    docs: str = ""
    problem: str | None = None


def list_engines() -> tuple[Listed, ...]:
    """Every engine that can stand in a project, the built-in ones first."""
    return tuple(_listed(engine_id) for engine_id in engines.known())


def _listed(engine_id: str) -> Listed:
    try:
        facts = engines.load(engine_id).FACTS
    except EngineError as wrong:
        return Listed(engine_id, problem=wrong.cause)
    return Listed(
        facts.id,
        facts.name,
        facts.surface,
        returns(facts),
        takes(facts),
        facts.key_variable,
        None if facts.key_variable is None else key_of(facts.key_variable) is not None,
        facts.key_optional,
        facts.default_model,
        facts.price_note,
        facts.verified,
        facts.docs,
    )


def returns(facts: Facts) -> tuple[str, ...]:
    """What the surface says beside the text: passages of citations, sources that it did not cite, its search queries."""
    said = {"passages": facts.returns_spans, "sources": facts.returns_sources, "queries": facts.returns_queries}
    return tuple(name for name, there in said.items() if there)


def takes(facts: Facts) -> tuple[str, ...]:
    """Which of country and language the surface has a field for."""
    return tuple(n for n, t in {"country": facts.takes_country, "language": facts.takes_language}.items() if t)


def key_words(engine: Listed) -> str:
    """`OPENAI_API_KEY is set`, `… is not set`, `no key needed`; never the key."""
    if engine.key_variable is None:
        return "no key needed"
    state = "is set" if engine.key_set else "is not set, and need not be" if engine.key_optional else "is not set"
    return f"{engine.key_variable} {state}"


# ---------------------------------------------------------------- a body from disk


@dataclass(frozen=True, slots=True)
class Page:
    """A citation or a source with its canonical URL, None where it is no URL. Offsets are code points of the text."""

    url: str
    canonical_url: str | None
    title: str | None
    level: str
    start: int | None
    end: int | None
    position: int


@dataclass(frozen=True, slots=True)
class Parsed:
    """What an engine reads in a body. `message` is the vendor's words or None; `retry` and `reason` tell of a failure."""

    status: str
    http_status: int
    message: str | None
    retry_after: float | None
    text: str
    model: str | None
    queries: tuple[str, ...]
    citations: tuple[Page, ...]
    sources: tuple[Page, ...]
    usage: Mapping[str, object] = field(default_factory=dict)
    follow_up: Mapping[str, object] | None = None
    cost: float | None = None
    retry: str | None = None
    reason: str | None = None


def parse_file(engine_id: str, body: Path, http_status: int = 200, headers: Path | None = None) -> Parsed:
    """The body in a file, read by an engine as if it had been sent. Raises `InputError` for a file that cannot be read."""
    known = read_headers(_read(headers)) if headers else {}
    answer = engines.load(engine_id).parse(http_status, known, _read(body))
    return Parsed(
        answer.status,
        http_status,
        answer.message,
        answer.retry_after,
        answer.text,
        answer.model,
        answer.queries,
        tuple(_page(citation) for citation in answer.citations),
        tuple(_page(source) for source in answer.sources),
        answer.usage,
        answer.follow_up,
        answer.cost,
        *_failure(answer),
    )


def _failure(answer: Answer) -> tuple[str | None, str | None]:
    return (answer.retry, answer.reason) if isinstance(answer, Failed) else (None, None)


def _page(page: Citation | Source) -> Page:
    found = canonical(page.url)
    start, end = (page.start, page.end) if isinstance(page, Citation) else (None, None)
    url = found.url if isinstance(found, Canonical) else None
    return Page(page.url, url, page.title, page.level, start, end, page.position)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as wrong:
        raise InputError(f"{path} cannot be read: {wrong.strerror}.", "Name a file that you may read.") from None


def read_headers(data: bytes) -> dict[str, str]:
    """Response headers from a file: a JSON object, or lines `Name: value` as `curl -D` writes them."""
    try:
        found: Any = decode(data)
    except ValueError:
        lines = data.decode("latin-1").splitlines()
        return {n.strip(): v.strip() for n, colon, v in (line.partition(":") for line in lines) if colon}
    if not isinstance(found, dict):
        raise InputError("The headers are JSON, and no object.", 'Write {"retry-after": "20"}, or lines Name: value.')
    return {name: value if isinstance(value, str) else str(value) for name, value in found.items()}
