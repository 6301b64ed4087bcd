"""Answers that come in blocks, each with the references behind it: laid out as one text with offsets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from citepoll.engines.bodies import cite, numbered, uncited
from citepoll.model import Citation, Source

DEEPEST: Final = 20
"""Levels of blocks within blocks that are read; a page nests three or four."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A page that a vendor names as a reference. `url` is not empty."""

    url: str
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A block: its own text, the references that it names, the blocks within it. `text` may be empty."""

    text: str = ""
    references: tuple[Reference, ...] = ()
    parts: tuple[Passage, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """One text, and a citation for every reference that a passage names, in the order of the text."""

    text: str
    citations: tuple[Citation, ...]


def laid_out(passages: Iterable[Passage]) -> Layout:
    """Passages stand apart by an empty line, the parts of one by a line break.

    A citation is a `span` over its passage, parts included. A passage without any text anchors nothing: what it names
    is `listed`. A reference that one passage names twice is cited once. No passages give an empty text.
    """
    pen = _Pen()
    for passage in passages:
        pen.write(passage, "\n\n")
    found = (cite(r.url, "span" if where else "listed", r.title, where) for r, where in pen.marks)
    return Layout("".join(pen.pieces), numbered(found))


class _Pen:
    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.at = 0
        self.marks: list[tuple[Reference, tuple[int, int] | None]] = []

    def write(self, passage: Passage, gap: str) -> tuple[int, int] | None:
        before = len(self.marks)
        spans = [self._put(passage.text.strip(), gap)] if passage.text.strip() else []
        for part in passage.parts:
            written = self.write(part, "\n" if spans else gap)
            if written:
                spans.append(written)
        where = (spans[0][0], spans[-1][1]) if spans else None
        self.marks[before:before] = [(reference, where) for reference in dict.fromkeys(passage.references)]
        return where

    def _put(self, text: str, gap: str) -> tuple[int, int]:
        for piece in (gap if self.pieces else "", text):
            self.pieces.append(piece)
            self.at += len(piece)
        return self.at - len(text), self.at


def unused(references: Iterable[Reference], citations: Iterable[Citation]) -> tuple[Source, ...]:
    """The references that no citation leads to, each page once, as `listed` sources."""
    return uncited(((r.url, r.title or "", "listed") for r in references), citations)


def with_listed(citations: tuple[Citation, ...], references: Iterable[Reference]) -> tuple[Citation, ...]:
    """`citations`, then each address that none of them has as a `listed` one: a panel of sources is what was cited."""
    cited = {citation.url for citation in citations}
    rest: dict[str, Citation] = {}
    for reference in references:
        if reference.url not in cited:
            rest.setdefault(reference.url, cite(reference.url, "listed", reference.title))
    return numbered((*citations, *rest.values()))


def heading(title: str, text: str) -> str:
    """A block's title before its text, above it where that has several lines; not where the text begins with it."""
    title, text = title.strip(), text.strip()
    if not title or not text or text.startswith(title):
        return text or title
    if "\n" in text:
        return f"{title}\n{text}"
    return f"{title} {text}" if title[-1] in ":.!?：。！？" else f"{title}: {text}"


def row(cells: Iterable[str]) -> str:
    """The cells of a table row as one line, `| a | b |`; empty where all of them are."""
    texts = [" ".join(cell.split()) for cell in cells]
    return f"| {' | '.join(texts)} |" if any(texts) else ""
