"""Passages: the sentence, list item, table row or heading that a name and a citation share."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from citepoll.extract.vocabulary import ABBREVIATIONS
from citepoll.model import Citation

_WHOLE_LINE = re.compile(r"\s*(?:[-*+\u2022\u2013]\s|\d{1,3}[.)]\s|\||#{1,6}\s)")
_STOPS = (".", "!", "?", "\u2026", "\u3002", "\uff01", "\uff1f")
_NEED_NO_SPACE = frozenset("\u3002\uff01\uff1f")
# What may close a sentence after its stop: quotes, brackets, emphasis, [1].
_CLOSING = re.compile(r"[.!?\u2026\"'\u2019\u201d\u00bb)\]*_\u300d\u300f\uff09]*(?:\[\^?\w{1,8}\])*")
_LAST_WORD = re.compile(r"[\w.]*\Z")
# What may stand between a sentence and the reference to its source: brackets, [1], ([name](address)).
_REFERENCES = re.compile(r"(?:\s|[()\u3010\u3011,;*]|\[[^\[\]\n]*\](?:\([^()\n]*\))?|[\[\]])*")
_REFERENCE_STARTS = frozenset(" \t()[]\u3010\u3011,;*")
_NUMBER_MARK = re.compile(r"\[\^?\d{1,3}\]")


class Passages:
    """The passages of one text, and the indices of the citations that each of them carries."""

    def __init__(self, text: str, citations: Sequence[Citation]) -> None:
        self._text = text
        self._starts = _starts(text)
        self._marks: dict[str, list[int]] = {}
        for mark in _NUMBER_MARK.finditer(text):
            self._marks.setdefault(mark[0], []).append(self._before(mark.start()))
        self._carried: dict[int, list[int]] = {}
        for index, citation in enumerate(citations):
            for at in self._of(citation):
                self._carried.setdefault(at, []).append(index)

    def citations_at(self, offset: int) -> Sequence[int]:
        """Indices of the citations of the passage that holds the code point `offset`."""
        return self._carried.get(bisect_right(self._starts, offset) - 1, ())

    def _of(self, citation: Citation) -> Iterable[int]:
        start, end = citation.start, citation.end
        if start is None or end is None or not 0 <= start <= end <= len(self._text):
            return ()
        cited = self._text[start:end]
        if cited in self._marks:
            return dict.fromkeys(self._marks[cited])
        if cited.lstrip()[:1] in ("", "(", "[", "\u3010"):
            return (self._before(start),)
        return range(bisect_right(self._starts, start) - 1, bisect_right(self._starts, max(start, end - 1)))

    def _before(self, offset: int) -> int:
        """The passage that a reference at `offset` closes: its own, or the one before if it stands at its start."""
        at = bisect_right(self._starts, offset) - 1
        begin = self._starts[at]
        if not at or self._text[begin] not in _REFERENCE_STARTS:
            return at
        return at - 1 if _REFERENCES.fullmatch(self._text, begin, offset) else at


def _starts(text: str) -> list[int]:
    """Where each passage starts; blank lines belong to the passage before, and indented lines to their list item."""
    starts = [0]
    stops = sorted(at for stop in _STOPS if stop in text for at in _occurrences(text, stop))
    at = 0
    item = False
    for line in text.split("\n"):
        end = at + len(line)
        if not line or line.isspace():
            item = False
        elif not (whole := _WHOLE_LINE.match(line)) and item and line.startswith(("  ", "\t")):
            pass
        else:
            if at:
                starts.append(at)
            item = whole is not None
            if not whole:
                starts += _sentences(text, at, end, stops[bisect_left(stops, at) : bisect_left(stops, end)])
        at = end + 1
    return starts


def _occurrences(text: str, char: str) -> list[int]:
    found = []
    at = text.find(char)
    while at >= 0:
        found.append(at)
        at = text.find(char, at + 1)
    return found


def _sentences(text: str, begin: int, end: int, stops: Sequence[int]) -> list[int]:
    """Starts of the second and further sentences of a line."""
    starts: list[int] = []
    for stop in stops:
        after = stop + 1
        if after < end and text[after] != " ":
            closing = _CLOSING.match(text, after, end)
            after = closing.end() if closing else after
        if after >= end or not (text[after].isspace() or text[stop] in _NEED_NO_SPACE):
            continue
        while after < end and text[after].isspace():
            after += 1
        if after < end and not _goes_on(text, begin, stop, after):
            starts.append(after)
    return list(dict.fromkeys(starts))


def _goes_on(text: str, begin: int, stop: int, after: int) -> bool:
    """Whether the stop is that of an abbreviation or an initial, or small letters follow."""
    if text[stop] != ".":
        return False
    if text[after].islower():
        return True
    word = _LAST_WORD.search(text, max(begin, stop - 12), stop)
    last = word[0].lower() if word else ""
    return last in ABBREVIATIONS or (len(last) == 1 and last.isalpha())
