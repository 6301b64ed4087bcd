"""One answer as a reader sees it: its text line by line, as the engine gave it, with the citations in the margin."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from citepoll.model import Mention, ResolvedCitation
from citepoll.report.excerpt import Segment, segments
from citepoll.report.printable import one_line

Kind = Literal["heading", "item", "quote", "code", "row", "rule", "blank", "text"]

LONGEST = 40_000
"""Characters of a text that are shown; an answer of a real engine has some 3,000."""
MARKS = 300
"""Citations, and mentions, that are marked in one text."""

_KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("heading", re.compile(r" {0,3}#{1,6}\s")),
    ("rule", re.compile(r"\s*([-*_])(\s*\1){2,}\s*$")),
    ("item", re.compile(r"\s*([-*+•]|\d{1,3}[.)])\s")),
    ("quote", re.compile(r"\s*>")),
    ("row", re.compile(r"\s*\|.*\|\s*$")),
    ("blank", re.compile(r"\s*$")),
)
_FENCE = re.compile(r"\s*(```|~~~)")


@dataclass(frozen=True, slots=True)
class Note:
    """A citation in the margin: its number, the domain that it leads to, whose page it is, and whether that is ours."""

    position: int
    domain: str
    owner: str
    tracked: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the text. `kind` is what Markdown would make of it."""

    kind: Kind
    parts: tuple[Segment, ...]
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """A text with its marks. `apart` are the citations that no passage carries; `left_out` counts characters not shown."""

    lines: tuple[Line, ...]
    apart: tuple[Note, ...]
    left_out: int


def reading(text: str, citations: Sequence[ResolvedCitation], mentions: Sequence[Mention], *, tracked: str) -> Reading:
    """The text in lines; nothing of it is taken away but what does not print. No text gives no lines."""
    shown = text[:LONGEST]
    cited = [c for c in citations if c.level != "retrieved"]
    placed = [c for c in cited if c.start is not None and c.end is not None and 0 <= c.start < c.end <= len(shown)][
        :MARKS
    ]
    notes = {c.position: _note(c, tracked) for c in placed}
    named = [m for m in mentions if m.end <= len(shown)][:MARKS]
    parts = segments(shown, placed, named, tracked=tracked, limit=LONGEST)
    in_place = set(map(id, placed))
    apart = tuple(_note(c, tracked) for c in cited if id(c) not in in_place)[:MARKS]
    return Reading(tuple(_lines(_rows(parts), notes)), apart, len(text) - len(shown))


def _note(citation: ResolvedCitation, tracked: str) -> Note:
    domain = citation.domain or one_line(citation.title or "", 40) or "no domain"
    return Note(citation.position, one_line(domain, 60), one_line(citation.brand or "", 60), citation.brand == tracked)


def _rows(parts: Sequence[Segment]) -> Iterator[list[Segment]]:
    """The segments of each line; one that reaches over a line's end is split there, its notes on the last piece."""
    row: list[Segment] = []
    for part in parts:
        *ended, last = part.text.split("\n")
        for text in ended:
            yield [*row, _piece(part, text, ends=False)]
            row = []
        row.append(_piece(part, last, ends=True))
    if row:
        yield row


def _piece(part: Segment, text: str, *, ends: bool) -> Segment:
    notes = part.notes if ends else ()
    return Segment(text, part.brand, part.tracked, part.denied, part.cited, notes)


def _lines(rows: Iterator[list[Segment]], notes: dict[int, Note]) -> Iterator[Line]:
    fenced = False
    for row in rows:
        text = "".join(part.text for part in row)
        fence = bool(_FENCE.match(text))
        kind: Kind = "code" if fenced or fence else _kind(text)
        fenced = fenced != fence
        here = tuple(notes[at] for at in dict.fromkeys(at for part in row for at in part.notes))
        yield Line(kind, tuple(part for part in row if part.text or part.notes), here)


def _kind(text: str) -> Kind:
    return next((kind for kind, pattern in _KINDS if pattern.match(text)), "text")
