"""Passages: the sentence, list item, table row or heading that a name and a citation share."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from citepoll.extract.vocabulary import ABBREVIATIONS
from citepoll.model import Citation

_WHOLE_LINE = re.compile(r"\s*(?:[-*+\u2022\u2013]\s|\d{1,3}[.)]\s|\||#{1,6}\s)")
_CONTINUED = re.compile(r"[ \t]{2,}\S")
_SENTENCE_END = re.compile(
    r"[.!?\u2026\u3002\uff01\uff1f]+[\"'\u2019\u201d\u00bb)\]*_\u300d\u300f\uff09]*(?:\[\^?\w{1,8}\])*"
)
_STOPS_WITHOUT_SPACE = frozenset("\u3002\uff01\uff1f")
_LAST_WORD = re.compile(r"[\w.]*\Z")
# What may stand between a sentence and the reference to its source: brackets, [1], ([name](address)).
_REFERENCES = re.compile(r"(?:\s|[()\[\]\u3010\u3011,;*]|\[[^\[\]\n]*\](?:\([^()\n]*\))?)*")
_NUMBER_MARK = re.compile(r"\[\^?\d{1,3}\]")


class Passages:
    """The passages of one text, and the indices of the citations that each of them carries."""

    def __init__(self, text: str, citations: Sequence[Citation]) -> None:
        self._text = text
        self._starts = _starts(text)
        self._carried: dict[int, list[int]] = {}
        for index, citation in enumerate(citations):
            for at in sorted(self._of(citation)):
                self._carried.setdefault(at, []).append(index)

    def citations_at(self, offset: int) -> Sequence[int]:
        """Indices of the citations of the passage that holds the code point `offset`."""
        return self._carried.get(self._at(offset), ())

    def _at(self, offset: int) -> int:
        return bisect_right(self._starts, offset) - 1

    def _of(self, citation: Citation) -> set[int]:
        start, end = citation.start, citation.end
        if start is None or end is None or not 0 <= start <= end <= len(self._text):
            return set()
        cited = self._text[start:end]
        if _NUMBER_MARK.fullmatch(cited):
            return {self._before(at) for at in _occurrences(self._text, cited)}
        if cited.lstrip()[:1] in ("", "(", "[", "\u3010"):
            return {self._before(start)}
        return set(range(self._at(start), self._at(max(start, end - 1)) + 1))

    def _before(self, offset: int) -> int:
        """The passage that a reference at `offset` closes: its own, or the one before if it stands at its start."""
        at = self._at(offset)
        if at and _REFERENCES.fullmatch(self._text, self._starts[at], offset):
            return at - 1
        return at


def _occurrences(text: str, mark: str) -> list[int]:
    found = []
    at = text.find(mark)
    while at >= 0:
        found.append(at)
        at = text.find(mark, at + len(mark))
    return found


def _starts(text: str) -> list[int]:
    """Where each passage starts; blank lines belong to the passage before."""
    starts = [0]
    at = 0
    item = False
    for line in text.split("\n"):
        whole = _WHOLE_LINE.match(line) is not None
        goes_on = item and not whole and _CONTINUED.match(line) is not None
        if line and not line.isspace():
            if not goes_on and at:
                starts.append(at)
            if not whole and not goes_on:
                starts += _sentences(text, at, at + len(line))
            item = whole or goes_on
        else:
            item = False
        at += len(line) + 1
    return starts


def _sentences(text: str, begin: int, end: int) -> list[int]:
    """Starts of the second and further sentences of a line."""
    starts = []
    for stop in _SENTENCE_END.finditer(text, begin, end):
        after = stop.end()
        if after == end or not (text[after].isspace() or text[stop.start()] in _STOPS_WITHOUT_SPACE):
            continue
        while after < end and text[after].isspace():
            after += 1
        if after < end and not _goes_on(text, begin, stop, after):
            starts.append(after)
    return starts


def _goes_on(text: str, begin: int, stop: re.Match[str], after: int) -> bool:
    """Whether the stop is that of an abbreviation or an initial, or small letters follow."""
    if not stop[0].startswith("."):
        return False
    if text[after].islower():
        return True
    word = _LAST_WORD.search(text, max(begin, stop.start() - 12), stop.start())
    last = word[0].lower() if word else ""
    return last in ABBREVIATIONS or (len(last) == 1 and last.isalpha())
