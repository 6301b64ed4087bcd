"""Passages: the sentence, list item, table row or heading that a name and a citation share."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence

from citepoll.extract.vocabulary import ABBREVIATIONS
from citepoll.model import Citation

LONGEST = 1000
"""Code points on each side of a name after which a passage is taken to end: lines of data have no full stops."""

_WHOLE_LINE = re.compile(r"\s*(?:[-*+\u2022\u2013]\s|\d{1,3}[.)]\s|\||#{1,6}\s)")
_STOPS = (".", "!", "?", "\u2026", "\u3002", "\uff01", "\uff1f")
_NEED_NO_SPACE = frozenset("\u3002\uff01\uff1f")
# What may close a sentence after its stop: quotes, brackets, emphasis, [1].
_CLOSING = re.compile(r"[.!?\u2026\"'\u2019\u201d\u00bb)\]*_\u300d\u300f\uff09]*(?:\[\^?\w{1,8}\])*")
_WORD_BACKWARDS = re.compile(r"[\w.]*")
# What may stand between a sentence and the reference to its source: brackets, [1], ([name](address)).
_REFERENCES = re.compile(r"(?:\s|[()\u3010\u3011,;*]|\[[^\[\]\n]*\](?:\([^()\n]*\))?|[\[\]])*")
_REFERENCE_STARTS = frozenset(" \n\t()[]\u3010\u3011,;*")
# What a mark may be made of: links, [1], \u30104:0\u2020source\u3011, (acme.com), and what joins them.
_MARK = re.compile(
    r"(?:\[(?:[^\[\]\n]|\[[^\[\]\n]*\])*\](?:\((?:[^()\n]|\([^()\n]*\))*\))?|\u3010[^\u3011\n]*\u3011|\([^\s()]+\)"
    r"|[\s()\[\]\u3010\u3011,;.*])*"
)
_NUMBER_MARK = re.compile(r"\[\^?\d{1,3}\]")


class Passages:
    """The passages of one text, and which citations each of them carries. Only passages that are asked for are found."""

    def __init__(self, text: str, citations: Sequence[Citation]) -> None:
        self._text = text
        self._marks: list[tuple[int, int]] = []
        self._quoted: list[tuple[int, int, int]] = []
        self._known: dict[tuple[int, int], list[int]] = {}
        self._lines: dict[int, tuple[int, int, bool]] = {}
        self._stops = [stop for stop in _STOPS if stop in text]
        places = _marks(text)
        for index, citation in enumerate(citations):
            if citation.start is not None and citation.end is not None:
                self._place(index, citation.start, citation.end, places)
        self._marks.sort()

    def _place(self, index: int, start: int, end: int, places: Mapping[str, Sequence[int]]) -> None:
        """A citation is a mark at one or more places, or quotes the text that it supports."""
        cited = self._text[start:end]
        if cited in places:
            self._marks += [(at, index) for at in places[cited]]
        elif _only_marks(cited):
            self._marks.append((start, index))
        else:
            self._quoted.append((start, end, index))

    def citations_at(self, offset: int) -> list[int]:
        """Indices of the citations of the passage that holds the code point `offset`, ascending."""
        bounds = self._bounds(offset)
        known = self._known.get(bounds)
        if known is None:
            known = self._known[bounds] = self._carried(*bounds)
        return known

    def _carried(self, start: int, end: int) -> list[int]:
        """Citations that quote the passage, and marks in it or right behind it; a mark at its start is the one before's."""
        first = self._behind(start) if start else 0
        marks = self._marks[bisect_left(self._marks, (first, -1)) : bisect_left(self._marks, (self._behind(end), -1))]
        found = [index for _, index in marks]
        if self._quoted:
            found += [index for begin, stop, index in self._quoted if begin < end and start < stop]
        return sorted(set(found)) if len(found) > 1 else found

    def _behind(self, at: int) -> int:
        """The end of the references that start at `at`."""
        if self._text[at : at + 1] not in _REFERENCE_STARTS:
            return at
        references = _REFERENCES.match(self._text, at)
        return references.end() if references else at

    def _bounds(self, offset: int) -> tuple[int, int]:
        line = self._text.rfind("\n", 0, offset) + 1
        if line not in self._lines:
            self._lines[line] = _block(self._text, line)
        begin, end, whole = self._lines[line]
        if whole:
            return begin, end
        begin, end = max(begin, offset - LONGEST), min(end, offset + LONGEST)
        return self._sentence_start(begin, offset, end), self._sentence_end(begin, offset, end)

    def _sentence_start(self, begin: int, offset: int, end: int) -> int:
        stop = offset
        while (stop := max([self._text.rfind(char, begin, stop) for char in self._stops], default=-1)) >= 0:
            start = _next_sentence(self._text, begin, stop, end)
            if start is not None and start <= offset:
                return start
        return begin

    def _sentence_end(self, begin: int, offset: int, end: int) -> int:
        at = offset
        while stops := [stop for char in self._stops if (stop := self._text.find(char, at, end)) >= 0]:
            at = min(stops)
            start = _next_sentence(self._text, begin, at, end)
            if start is not None and start > offset:
                return start
            at += 1
        return end


def _only_marks(cited: str) -> bool:
    """Whether a citation's passage is a reference alone; one that goes on in words quotes what it supports."""
    marks = _MARK.match(cited)
    return marks is not None and marks.end() == len(cited)


def _marks(text: str) -> dict[str, list[int]]:
    """Where each `[1]` stands in the text."""
    places: dict[str, list[int]] = {}
    for mark in _NUMBER_MARK.finditer(text):
        places.setdefault(mark[0], []).append(mark.start())
    return places


def _block(text: str, line: int) -> tuple[int, int, bool]:
    """Begin and end of the text block of the line at `line`, and whether it is one passage: a list item, row or heading.

    Indented lines go on the list item above them; any other line is a block of its own.
    """
    top = line
    while (
        top
        and line - top < LONGEST
        and _is_indented(text, top)
        and (above := text.rfind("\n", 0, top - 1) + 1) < top - 1
    ):
        top = above
    if not _WHOLE_LINE.match(text, top):
        return line, _line_end(text, line), False
    end = _line_end(text, line)
    while end - line < LONGEST and _is_indented(text, end + 1):
        end = _line_end(text, end + 1)
    return top, end, True


def _is_indented(text: str, line: int) -> bool:
    if not text.startswith(("  ", "\t"), line) or _WHOLE_LINE.match(text, line):
        return False
    return not text[line : _line_end(text, line)].isspace()


def _line_end(text: str, line: int) -> int:
    end = text.find("\n", line)
    return len(text) if end < 0 else end


def _next_sentence(text: str, begin: int, stop: int, end: int) -> int | None:
    """Where the sentence after the stop at `stop` starts; None where it closes none, or the last of the block."""
    after = stop + 1
    if after < end and text[after] != " ":
        closing = _CLOSING.match(text, after, end)
        after = closing.end() if closing else after
    if after >= end or not (text[after].isspace() or text[stop] in _NEED_NO_SPACE):
        return None
    while after < end and text[after].isspace():
        after += 1
    return None if after == end or _goes_on(text, begin, stop, after) else after


def _goes_on(text: str, begin: int, stop: int, after: int) -> bool:
    """Whether the stop is that of an abbreviation or an initial, or small letters follow."""
    if text[stop] != ".":
        return False
    if text[after].islower():
        return True
    word = _WORD_BACKWARDS.match(text[max(begin, stop - 12) : stop][::-1])
    last = word[0][::-1].lower() if word else ""
    return last in ABBREVIATIONS or (len(last) == 1 and last.isalpha())
