"""Names in the text of an answer: all aliases searched at once, then word boundaries, context, and the longest."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

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


@dataclass(frozen=True, slots=True)
class Found:
    """The mentions of one text in reading order, and per brand the occurrences that its context left undecided.

    Ambiguous is a name that lacks a word it needs, stands near one it excludes, or belongs to two brands alike. It is
    no mention; ambiguous ÷ (mentions + denied + ambiguous) is the rate at which the name says nothing.
    """

    mentions: tuple[Mention, ...] = ()
    ambiguous: Mapping[str, int] = field(default_factory=dict)


_NOTHING = Found()


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
        self._negations = len(names)
        self._subjects = len(names) + len(vocabulary.NEGATIONS)
        every = [*names, *vocabulary.NEGATIONS, *vocabulary.SUBJECTS]
        self._search = AhoCorasick(every, implementation=Implementation.DFA)

    def find(self, text: str, question: str = "", citations: Sequence[Citation] = ()) -> Found:
        """All mentions in `text`; the echo of `question` is none. `citations` with offsets are attached by passage."""
        if not self._names or not text:
            return _NOTHING
        folded = fold(text)
        names, negations, subjects = [], [], []
        for which, start, end in self._search.find_matches_as_indexes(folded.low, overlapping=True):
            if which >= self._subjects:
                subjects.append(start)
            elif which >= self._negations:
                negations.append(start)
            elif _on_boundaries(folded, start, end):
                names.append((start, end, which))
        if not names:
            return _NOTHING
        hidden = masks(folded, folded_question(question))
        seen = [n for n in names if not (inside(hidden, n[0], n[1]) or in_address(folded.plain, n[0], n[1]))]
        chosen, ambiguous = self._decide(folded, seen)
        return Found(_mentions(text, folded, chosen, (negations, subjects), citations), ambiguous)

    def _decide(self, text: Folded, seen: list[_Place]) -> tuple[list[_Occurrence], Counter[str]]:
        """The longest of overlapping names, and the count of those whose context leaves them undecided."""
        undecided: Counter[str] = Counter()
        chosen: list[_Occurrence] = []
        for start, end, which in sorted(seen, key=_longest_first):
            if any(start < other.end and other.start < end for other in chosen):
                continue
            written = [n for n in self._names[which] if n.written_as(text.plain[start:end])]
            fitting = [n for n in written if n.fits(text.low, start, end)]
            if len({n.brand for n in fitting}) == 1:
                chosen.append(_Occurrence(start, end, fitting[0]))
            else:
                undecided.update({n.brand for n in fitting or written})
        return sorted(chosen, key=_by_start), undecided


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

    @classmethod
    def of(cls, brand: str, alias: Alias, plain: str) -> _Name:
        exact = plain if alias.case_sensitive else None
        return cls(brand, alias.text, exact, _any_word(alias.needs), _any_word(alias.excludes))

    def written_as(self, surface: str) -> bool:
        return self.exact is None or self.exact == surface

    def fits(self, low: str, start: int, end: int) -> bool:
        if self.needs is not None and not _near(self.needs, low, start, end):
            return False
        return self.excludes is None or not _near(self.excludes, low, start, end)


@dataclass(frozen=True, slots=True)
class _Occurrence:
    start: int
    end: int
    name: _Name


def _by_start(occurrence: _Occurrence) -> int:
    return occurrence.start


def _near(words: re.Pattern[str], low: str, start: int, end: int) -> bool:
    return words.search(low, max(0, start - CONTEXT), end + CONTEXT) is not None


_LETTER = r"[^\W_\u0e00-\u0eff\u1000-\u109f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]"


def _any_word(words: Iterable[str]) -> re.Pattern[str] | None:
    folded = sorted({fold(word.strip()).low for word in words} - {""}, key=len, reverse=True)
    if not folded:
        return None
    return re.compile(rf"(?<!{_LETTER})(?:{'|'.join(map(re.escape, folded))})s?(?!{_LETTER})")


def _mentions(
    text: str, folded: Folded, chosen: list[_Occurrence], signs: tuple[list[int], list[int]], citations: Sequence[Citation]
) -> tuple[Mention, ...]:
    anchored = any(c.start is not None for c in citations)
    passages = Passages(text, citations) if anchored and chosen else None
    order: dict[str, int] = {}
    found = []
    for name in chosen:
        start, end = folded.original(name.start, name.end)
        denied = all(_in_reach(sign, name) for sign in signs) and _denied(folded.plain, name.start, name.end)
        brand = name.name.brand
        rank = 0 if denied else order.setdefault(brand, len(order) + 1)
        carried = tuple(citations[i].position for i in passages.citations_at(start)) if passages else ()
        found.append(Mention(brand, name.name.alias, start, end, rank, denied, carried))
    return tuple(found)


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


def _on_boundaries(text: Folded, start: int, end: int) -> bool:
    low = text.low
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

_CLAUSE_END = re.compile("|".join([r"[.!?;:](?=\s|\Z)|[\u3002\uff01\uff1f\uff1b\n]", *vocabulary.CONTRASTS]))
_NAME = "\0"


def _phrase(template: str) -> str:
    return template.replace("\u2026", "[^\\0]{0,60}?").replace("@", _NAME)


_DENIALS = re.compile("|".join(_phrase(p) for phrases in vocabulary.DENIALS.values() for p in phrases))


def _in_reach(signs: list[int], name: _Occurrence) -> bool:
    nearest = bisect_left(signs, name.start - REACH)
    return nearest < len(signs) and signs[nearest] <= name.end + REACH


def _denied(plain: str, start: int, end: int) -> bool:
    """Whether the clause around the name says that nothing is known of it."""
    before = plain[max(0, start - REACH) : start].lower()
    after = plain[end : end + REACH].lower()
    opened = max((m.end() for m in _CLAUSE_END.finditer(before)), default=0)
    closed = _CLAUSE_END.search(after)
    clause = before[opened:] + _NAME + (after[: closed.start()] if closed else after)
    return _DENIALS.search(clause) is not None
