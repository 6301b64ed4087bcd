"""`local:bm25`, the built-in engine: answers from documents on disk, simulated. Its transport is `sampling.local`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from citepoll.engines.base import Facts, HttpRequest
from citepoll.errors import EngineError
from citepoll.model import Answer, Citation, Query, Source

URL: Final = "local://bm25/answer"
MARKER: Final = re.compile(r"\[([1-9]\d{0,3})\]")

FACTS = Facts(
    id="local:bm25",
    name="Local engine (BM25)",
    surface="simulated",
    returns_spans=True,
    returns_sources=True,
    returns_queries=False,
    docs="https://www.sqlite.org/fts5.html#the_bm25_function",
    verified="built-in",
    default_model="bm25",
    price_note="no cost: it runs on this machine",
    settings={
        "top_k": "passages retrieved, 1 to 100 (8)",
        "cite": "passages drawn from them and cited, 1 to top_k (4)",
        "temperature": "0 always cites the best; at 1 a BM25 score higher by 1 makes a draw e times as likely (1.0)",
    },
)


class _Source(msgspec.Struct):
    url: str
    n: int = 0
    title: str | None = None


class _Payload(msgspec.Struct):
    answer: str
    sources: list[_Source] = []
    retrieved: list[_Source] = []
    model: str | None = None


_decoder = msgspec.json.Decoder(_Payload)


def request(query: Query, settings: Mapping[str, object]) -> HttpRequest:
    """The question with its settings, FACTS.settings' defaults filled in, and `seed` as the sampler gives it ("").

    Raises `EngineError` for a setting of the wrong type or out of range.
    """
    top_k = _number(settings, "top_k", 8, 1, 100)
    body = {
        "query": query.text,
        "language": query.language,
        "top_k": int(top_k),
        "cite": int(_number(settings, "cite", min(4, top_k), 1, top_k)),
        "temperature": _number(settings, "temperature", 1.0, 0, 100),
        "seed": str(settings.get("seed") or ""),
    }
    return HttpRequest("POST", URL, {"content-type": "application/json"}, body)


def _number(settings: Mapping[str, object], name: str, default: float, low: float, high: float) -> float:
    value = settings.get(name, default)
    whole = name != "temperature"
    kinds = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
        raise EngineError(
            f"The setting {name} = {value!r} of local:bm25 is not usable.",
            f"Give {'a whole number' if whole else 'a number'} from {low:g} to {high:g}: {FACTS.settings[name]}.",
        )
    return value


def parse(status_code: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """The answer in a payload. Each [n] of the text that resolves is a citation; a page cited nowhere is a source.

    Sources that no marker names are `listed`, the others `retrieved`. What is not such a payload is a failed answer.
    """
    try:
        payload = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        return Answer("failed", message=f"local:bm25 sent no readable payload (HTTP {status_code}): {wrong}")
    if status_code != 200:
        return Answer("failed", message=f"local:bm25 answered HTTP {status_code}: {payload.answer[:200]}")
    citations = _citations(payload)
    return Answer(
        status="answered" if payload.answer.strip() else "empty",
        text=payload.answer,
        citations=citations,
        sources=_uncited(payload, {c.url for c in citations}),
        model=payload.model,
        spans=True,
        cost=0.0,
    )


def _citations(payload: _Payload) -> tuple[Citation, ...]:
    by_number = {source.n: source for source in payload.sources}
    found = [(by_number[int(m[1])], m) for m in MARKER.finditer(payload.answer) if int(m[1]) in by_number]
    return tuple(
        Citation(source.url, at, "marker", source.title, *mark.span()) for at, (source, mark) in enumerate(found, 1)
    )


def _uncited(payload: _Payload, cited: set[str]) -> tuple[Source, ...]:
    levels = {source.url: "retrieved" for source in payload.retrieved} | {s.url: "listed" for s in payload.sources}
    titles = {source.url: source.title for source in (*payload.retrieved, *payload.sources)}
    rest = [url for url in levels if url not in cited]
    return tuple(
        Source(url, at, "listed" if levels[url] == "listed" else "retrieved", titles[url])
        for at, url in enumerate(rest, 1)
    )
