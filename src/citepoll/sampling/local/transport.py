"""The transport of `local:bm25`: reads the corpus and answers with a JSON payload, as a vendor would."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from pathlib import Path

import msgspec

from citepoll.engines import local
from citepoll.engines.base import HttpRequest, HttpResponse
from citepoll.errors import EngineError
from citepoll.sampling.local.answer import draw, number_pages, write
from citepoll.sampling.local.words import stop_words
from citepoll.store.corpus import Found, State, reading


class _Asked(msgspec.Struct):
    query: str
    language: str
    top_k: int
    cite: int
    temperature: float
    seed: str


class LocalTransport:
    """Answers from the corpus file. Holds no connection, so that any thread may call it while documents are added."""

    def __init__(self, corpus: Path) -> None:
        self._corpus = corpus

    async def send(self, request: HttpRequest) -> HttpResponse:
        """As `answer`, in a thread of its own."""
        return await asyncio.to_thread(self.answer, request)

    def answer(self, request: HttpRequest) -> HttpResponse:
        """The response to a request of `citepoll.engines.local`.

        Raises `EngineError` where the corpus holds no document, and for a request that is not of that engine.
        """
        began = time.perf_counter()
        asked = _asked(request)
        with reading(self._corpus) as corpus:
            state = corpus.state() if corpus else None
            if corpus is None or state is None or not state.passages:
                raise EngineError(
                    "The local engine has no documents to answer from.", "Add some: citepoll corpus add DIR"
                )
            found = corpus.search(asked.query, asked.top_k, stop_words(asked.language))
        drawn = draw(found, asked.cite, asked.temperature, asked.seed)
        body = msgspec.json.encode(_payload(asked, found, drawn, state))
        return HttpResponse(200, {"content-type": "application/json"}, body, time.perf_counter() - began)


def _asked(request: HttpRequest) -> _Asked:
    if request.url != local.URL:
        raise EngineError(f"The local engine does not answer {request.url}.", f"Send requests for {local.URL} only.")
    try:
        return msgspec.convert(request.json, _Asked)
    except msgspec.ValidationError as wrong:
        raise EngineError(
            f"The local engine cannot read the request: {wrong}.", "Make it with citepoll.engines.local.request."
        ) from None


def _payload(asked: _Asked, found: list[Found], drawn: list[Found], state: State) -> dict[str, object]:
    numbers = number_pages(drawn)
    first = {passage.url: passage for passage in reversed(drawn)}
    keys = {passage.key for passage in drawn}
    return {
        "model": local.FACTS.default_model,
        "answer": write(asked.query, drawn, stop_words(asked.language)),
        "sources": [{"n": n, **_source(first[url])} for url, n in numbers.items()],
        "retrieved": list(_retrieved(found, keys)),
        "seed": asked.seed,
        "settings": {"top_k": asked.top_k, "cite": asked.cite, "temperature": asked.temperature},
        "corpus": {"hash": state.hash, "documents": state.documents, "passages": state.passages},
    }


def _retrieved(found: Iterable[Found], drawn: set[str]) -> Iterable[dict[str, object]]:
    return (_source(passage) for passage in found if passage.key not in drawn)


def _source(passage: Found) -> dict[str, object]:
    return {
        "url": passage.url,
        "title": passage.title,
        "passage_id": passage.key,
        "score": round(passage.score, 6),
    }
