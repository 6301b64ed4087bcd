"""Names in the text of an answer: all aliases searched at once, then word boundaries, context, and the longest."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import msgspec
from ahocorasick_rs import AhoCorasick, Implementation

from citepoll.extract import vocabulary
from citepoll.extract.folding import Folded, fold
from citepoll.extract.masks import folded_question, in_address, inside, masks
from citepoll.extract.passages import Passages
from citepoll.model import Alias, Brand, Citation, Mention

CONTEXT = 200
"""Code points on each side of a name in which the words of `needs` and `excludes` are looked for."""

REACH = 160
"""Code points on each side of a name in which a denial is looked for."""

SPAN = 100
"""Code points between a negation and what it denies, at most."""


# Structs where a value is made for every name or citation: they take a fifth of a frozen dataclass's time.


class Named(msgspec.Struct, frozen=True):
    """A name in a folded text, as `Mention` has it of the original. `order` is 0 where the name is denied."""

    brand: str
    alias: str
    start: int
    end: int
    order: int
    citations: tuple[int, ...] = ()


class Found(msgspec.Struct, frozen=True):
    """The names in one text in reading order, and per brand the occurrences that its context left undecided.

    Ambiguous is a name that lacks a word it needs, stands near one it excludes, or belongs to two brands alike. It is
    no mention; ambiguous ÷ (mentions + denied + ambiguous) is the rate at which the name says nothing.
    """

    text: Folded
    named: Sequence[Named] = ()
    ambiguous: Mapping[str, int] = {}

    @property
    def mentions(self) -> tuple[Mention, ...]:
        """The names with their places in the original text; worked out each time."""
        return tuple([
            Mention(n.brand, n.alias, *self.text.original(n.start, n.end), n.order, n.order == 0, n.citations)
            for n in self.named
        ])  # fmt: skip


_NOTHING = Found(fold(""))


def mentions(text: str, brands: Iterable[Brand], question: str = "") -> tuple[Mention, ...]:
    """The mentions of `brands` in one text. For many texts build a `Matcher` once."""
    return Matcher(brands).find(text, question).mentions


class Matcher:
    """Finds the names of a fixed set of brands. Holds no state between texts; cheap to call, dear to build."""

    def __init__(self, brands: Iterable[Brand]) -> None:
        names: dict[str, list[_Name]] = {}
        for brand in brands:
            for alias in brand.aliases:
                folded = fold(alias.text.strip())
                if folded.low:
                    names.setdefault(folded.low, []).append(_Name.of(brand.name, alias, folded.plain))
        self._names = list(names.values())
        self._free = [some[0] if len(some) == 1 and some[0].free else None for some in self._names]
        words = (vocabulary.NEGATIONS, vocabulary.SUBJECTS, vocabulary.CONTRASTS)
        self._signs = [kind for kind, some in enumerate(words) for _ in some]
        self._search = AhoCorasick([*names, *(w for some in words for w in some)], implementation=Implementation.DFA)
        self._echo = lru_cache(maxsize=1024)(self._echoed)

    def find(self, text: str, question: str = "", citations: Sequence[Citation] = ()) -> Found:
        """All mentions in `text`; the echo of `question` is none. `citations` with offsets are attached by passage."""
        if not self._names or not text:
            return _NOTHING
        folded = fold(text)
        places, signs = self._places(folded)
        if not places:
            return _NOTHING
        hidden = masks(folded, self._echo(question))
        if hidden:
            places = [p for p in places if not inside(hidden, p[0], p[1])]
        places = [p for p in places if not in_address(folded.plain, p[0], p[1])]
        chosen, ambiguous = self._decide(folded, places)
        return Found(folded, _named(text, folded, chosen, signs, citations), ambiguous)

    def _echoed(self, question: str) -> Folded | None:
        """The question as it is looked for in an answer; None where it names nobody, as most questions do."""
        folded = folded_question(question)
        return folded if folded is not None and self._places(folded)[0] else None

    def _places(self, text: Folded) -> tuple[list[_Place], _Signs]:
        """Where names stand as words of their own, in reading order, and where signs of a denial stand."""
        places: list[_Place] = []
        signs: _Signs = ([], [], [])
        count = len(self._names)
        for which, start, end in self._search.find_matches_as_indexes(text.low, overlapping=True):
            if which >= count:
                signs[self._signs[which - count]].append(start)
            elif _on_boundaries(text, start, end):
                places.append((start, end, which))
        return sorted(places), signs

    def _decide(self, text: Folded, places: Sequence[_Place]) -> tuple[list[_Occurrence], Mapping[str, int]]:
        """The longest of overlapping names, and the count of those whose context leaves them undecided."""
        chosen: list[_Occurrence] = []
        undecided: dict[str, int] = {}
        for cluster in _clusters(places):
            if len(cluster) > 1:
                cluster.sort(key=_longest_first)
            begun = len(chosen)
            for start, end, which in cluster:
                if len(chosen) > begun and any(start < last and first < end for first, last, _ in chosen[begun:]):
                    continue
                name = self._free[which] or self._fitting(text, start, end, which, undecided)
                if name is not None:
                    chosen.append((start, end, name))
            if len(chosen) > begun + 1:
                chosen[begun:] = sorted(chosen[begun:], key=_by_start)
        return chosen, undecided

    def _fitting(self, text: Folded, start: int, end: int, which: int, undecided: dict[str, int]) -> _Name | None:
        """The alias spelt so whose case and context fit; where it is of no brand or of several, they are counted."""
        written = [name for name in self._names[which] if name.exact is None or name.exact == text.plain[start:end]]
        fitting = [name for name in written if name.fits(text.low, start, end)]
        brands = {name.brand for name in fitting or written}
        if fitting and len(brands) == 1:
            return fitting[0]
        for brand in brands:
            undecided[brand] = undecided.get(brand, 0) + 1
        return None


def _clusters(places: Sequence[_Place]) -> Iterator[list[_Place]]:
    """Runs of places that overlap, in reading order."""
    cluster: list[_Place] = []
    reach = 0
    for place in places:
        if cluster and place[0] >= reach:
            yield cluster
            cluster = []
        cluster.append(place)
        reach = max(reach, place[1])
    if cluster:
        yield cluster


_Signs = tuple[list[int], list[int], list[int]]
"""Offsets of negations, of what may be denied, and of words that open a new clause."""

_Place = tuple[int, int, int]
"""Start, end, index of the name."""


def _longest_first(place: _Place) -> tuple[int, int]:
    return place[0] - place[1], place[0]


@dataclass(frozen=True, slots=True)
class _Name:
    brand: str
    alias: str
    exact: str | None
    needs: re.Pattern[str] | None
    excludes: re.Pattern[str] | None
    free: bool

    @classmethod
    def of(cls, brand: str, alias: Alias, plain: str) -> _Name:
        exact = plain if alias.case_sensitive else None
        needs, excludes = _any_word(alias.needs), _any_word(alias.excludes)
        return cls(brand, alias.text, exact, needs, excludes, exact is None and needs is None and excludes is None)

    def fits(self, low: str, start: int, end: int) -> bool:
        if self.needs is not None and not _near(self.needs, low, start, end):
            return False
        return self.excludes is None or not _near(self.excludes, low, start, end)


_Occurrence = tuple[int, int, _Name]
"""Start, end, the name decided on."""


def _by_start(occurrence: _Occurrence) -> int:
    return occurrence[0]


def _near(words: re.Pattern[str], low: str, start: int, end: int) -> bool:
    return words.search(low, max(0, start - CONTEXT), end + CONTEXT) is not None


_LETTER = r"[^\W_\u0e00-\u0eff\u1000-\u109f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]"


def _any_word(words: Iterable[str]) -> re.Pattern[str] | None:
    folded = sorted({fold(word.strip()).low for word in words} - {""}, key=len, reverse=True)
    if not folded:
        return None
    return re.compile(rf"(?<!{_LETTER})(?:{'|'.join(map(re.escape, folded))})s?(?!{_LETTER})")


def _named(
    text: str, folded: Folded, chosen: list[_Occurrence], signs: _Signs, citations: Sequence[Citation]
) -> list[Named]:
    passages = Passages(text, citations) if chosen and any(c.start is not None for c in citations) else None
    negations = _near_subjects(signs)
    order: dict[str, int] = {}
    found = []
    for start, end, name in chosen:
        denied = negations and _denied(folded, start, end, negations, signs[2])
        rank = 0 if denied else order.setdefault(name.brand, len(order) + 1)
        carried: tuple[int, ...] = ()
        if passages and (indices := passages.citations_at(folded.original_start(start))):
            carried = tuple([citations[i].position for i in indices])
        found.append(Named(name.brand, name.alias, start, end, rank, carried))
    return found


# ---------------------------------------------------------------- word boundaries

_Kind = Literal["", "letter", "katakana", "hangul", "free"]


@lru_cache(maxsize=4096)
def _kind(char: str) -> _Kind:
    """What a code point joins with: Han, Hiragana and scripts written without spaces join with nothing."""
    if char.isascii():
        return "letter" if char.isalnum() else ""
    category = unicodedata.category(char)
    if category[0] not in "LMN" or category == "No":
        return ""
    if "\u30a1" <= char <= "\u30ff" or "\u31f0" <= char <= "\u31ff" or "\uff66" <= char <= "\uff9f":
        return "katakana"
    if "\u1100" <= char <= "\u11ff" or "\uac00" <= char <= "\ud7af":
        return "hangul"
    return "free" if _FREE.match(char) else "letter"


_FREE = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u309f\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


_BETWEEN_WORDS = frozenset(" \n.,;:!?()[]\"'*|")


def _on_boundaries(text: Folded, start: int, end: int) -> bool:
    low = text.low
    if low[start - 1 : start] in _BETWEEN_WORDS and low[end : end + 1] in _BETWEEN_WORDS:
        return True
    if start and (_joined(low, start, start - 1, -1) or _amount(low, start)):
        return False
    return end == len(low) or not _joined(low, end - 1, end, 1) or _plural(text, start, end)


def _joined(low: str, edge: int, beyond: int, step: int) -> bool:
    """Whether the name's edge and what lies beyond are one word. An underscore of emphasis (`_Acme_`) is looked through."""
    own = _kind(low[edge])
    if own in ("", "free") or (own == "hangul" and step > 0):
        return False
    while 0 <= beyond < len(low) and low[beyond] == "_":
        beyond += step
    return 0 <= beyond < len(low) and _kind(low[beyond]) == own


def _amount(low: str, start: int) -> bool:
    """`3M` in `$3M` is a sum of money."""
    return low[start].isdigit() and unicodedata.category(low[start - 1]) == "Sc"


def _plural(text: Folded, start: int, end: int) -> bool:
    """A plural or genitive s: `Acmes`, `ACMES`. Short names (`LIs`, `gas`) are left alone."""
    if end - start < 3 or text.low[end] != "s" or not text.low[end - 1].isalpha():
        return False
    if text.plain[end] == "S" and not text.plain[start:end].isupper():
        return False
    return end + 1 == len(text.low) or not _joined(text.low, end, end + 1, 1)


# ---------------------------------------------------------------- "I found nothing about Acme"

_CLAUSE_END = re.compile("[.!?;:](?=\\s|\\Z)|[\u3002\uff01\uff1f\uff1b\n]")
_NAME = "\0"


def _phrase(template: str) -> str:
    return template.replace("\u2026", "[^\\0]{0,40}?").replace("@", _NAME)


_DENIALS = re.compile("|".join(_phrase(p) for phrases in vocabulary.DENIALS.values() for p in phrases))


def _near_subjects(signs: _Signs) -> list[int]:
    """The negations with something near that may be denied."""
    negations, subjects, _ = signs
    return [at for at in negations if _any_within(subjects, at - SPAN, at + SPAN)] if subjects else []


def _denied(text: Folded, start: int, end: int, negations: list[int], contrasts: list[int]) -> bool:
    """Whether the clause around the name says that nothing is known of it."""
    after = bisect_left(contrasts, start)
    first = max(0, start - REACH, contrasts[after - 1] if after else 0)
    last = min(end + REACH, contrasts[after]) if after < len(contrasts) else end + REACH
    if not _any_within(negations, first, last):
        return False
    for stop in _CLAUSE_END.finditer(text.plain, first, start):
        first = stop.end()
    if closing := _CLAUSE_END.search(text.plain, end, end + REACH):
        last = min(last, closing.start())
    if not _any_within(negations, first, last):
        return False
    return _DENIALS.search(f"{text.low[first:start]}{_NAME}{text.low[end:last]}") is not None


def _any_within(offsets: list[int], first: int, last: int) -> bool:
    nearest = bisect_left(offsets, first)
    return nearest < len(offsets) and offsets[nearest] < last
