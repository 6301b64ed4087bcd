"""Answers before any vendor's form: sentences with the pages behind them, by the pure pieces of the local engine."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from citepoll.sampling.local.answer import best_sentences, draw
from citepoll.sampling.local.words import stop_words
from citepoll.store.corpus import Document, Found, terms

CITED_PASSAGES = 3


@dataclass(frozen=True, slots=True)
class Page:
    url: str
    title: str
    snippet: str = ""

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence and the pages that it stands on; none where the answer cites nothing."""

    text: str
    pages: tuple[Page, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """An answer: opening, claims, the pages that were found, and the searches. Pages are distinct, cited ones first."""

    opening: str
    claims: tuple[Claim, ...]
    found: tuple[Page, ...]
    queries: tuple[str, ...]

    @property
    def cited(self) -> tuple[Page, ...]:
        return tuple(dict.fromkeys(page for claim in self.claims for page in claim.pages))

    @property
    def text(self) -> str:
        return " ".join([self.opening, *(claim.text for claim in self.claims)])

    def number(self, page: Page) -> int:
        """The place of a page among those found, from 1."""
        return self.found.index(page) + 1

    def uncited(self) -> Written:
        return replace(self, claims=tuple(replace(claim, pages=()) for claim in self.claims))


def write(question: str, documents: Sequence[Document], seed: str) -> Written:
    """The answer to a question, drawn anew by each seed; it always cites at least one page, once `documents` has one."""
    wanted = {term[:5] for term in terms(question, stop_words("en"))}
    found = [_found(document, at, wanted) for document in documents for at in range(len(document.passages))]
    drawn = draw(found, CITED_PASSAGES, 1.0, seed)
    pages = {passage.key: Page(passage.url, passage.title, passage.body[:60]) for passage in found}
    by_url = {page.url: page for page in reversed(pages.values())}
    claims = [
        Claim(sentence, (by_url[passage.url],))
        for passage in drawn
        for sentence in best_sentences(passage.body, wanted)
    ]
    if len(drawn) > 1:  # one sentence stands on two pages
        second = by_url[drawn[1].url]
        claims[0] = replace(claims[0], pages=tuple(dict.fromkeys((*claims[0].pages, second))))
    cited = dict.fromkeys(page for claim in claims for page in claim.pages)
    queries = (question[:80], f"{question[:60]} 2026")
    return Written(f"On “{question}”:", tuple(claims), tuple({**cited, **dict.fromkeys(by_url.values())}), queries)


def _found(document: Document, at: int, wanted: set[str]) -> Found:
    body = document.passages[at].body
    hits = wanted & {term[:5] for term in terms(f"{document.title} {body}")}
    return Found(f"{document.url} {at}", document.url, document.title, "", body, float(len(hits)))


def tokens(text: str) -> int:
    return max(1, len(text) // 4)


def identity(*parts: object) -> str:
    """24 hexadecimal digits of the parts: an id that a repeat of the same calls gives again."""
    return hashlib.sha256("\n".join(map(str, parts)).encode("utf-8", "replace")).hexdigest()[:24]
