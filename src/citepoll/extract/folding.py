"""The text in which names are looked for, and the way back to the original's code points."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from string import ascii_letters, digits

# Read alike, typed differently: one code point for one, so that offsets stand.
_ALIKE = {
    **dict.fromkeys("\u00a0\u2007\u2009\u202f\u3000", " "),
    **dict.fromkeys("\u2018\u2019\u02bc", "'"),
    **dict.fromkeys("\u201c\u201d\u201e", '"'),
    **dict.fromkeys("\u2010\u2011\u2013\u2014", "-"),
    "\u2022": "*",
    "\u2026": ".",
}
_WIDE = {chr(ord(narrow) + 0xFEE0): narrow for narrow in "&+-" + ascii_letters + digits}
_WIDE_BYTES = (b"\xef\xbc", b"\xef\xbd")  # how U+FF00 to U+FF7F start in UTF-8
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

_NO_WIDTH = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufe0e\ufe0f\ufeff"
# Bold type and characters of no width may stand inside a name and are no part of it.
_UNSEEN = re.compile(rf"(\*\*|[{_NO_WIDTH}]+)")


@dataclass(frozen=True, slots=True)
class Folded:
    """`plain` keeps case, `low` does not and has line breaks as spaces; both have the same length.

    Against the original: NFC, `**` and characters of no width gone, full-width letters and typographic spaces, quotes
    and dashes as their ASCII likeness, a lone surrogate as U+FFFD.
    """

    plain: str
    low: str
    gone_at: Sequence[int] = ()
    gone: Sequence[int] = ()
    starts: Sequence[int] | None = None

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The original's code points behind `start` (included) to `end` (not included); `start` < `end`."""
        last = self._with_gone(end - 1) + 1
        return self.original_start(start), last if self.starts is None else self.starts[last]

    def original_start(self, at: int) -> int:
        """The original's code point behind `at`."""
        first = self._with_gone(at)
        return first if self.starts is None else self.starts[first]

    def _with_gone(self, at: int) -> int:
        before = bisect_right(self.gone_at, at)
        return at + self.gone[before - 1] if before else at


def fold(text: str) -> Folded:
    """Fold `text` for matching. Never raises."""
    starts: list[int] | None = None
    if not text.isascii():
        text = _replaced(text, _ALIKE)
    if not text.isascii():  # what is left is more than typography
        text = _usable(text)
        if not unicodedata.is_normalized("NFC", text):
            text, starts = _composed(text)
    plain, gone_at, gone = _without_unseen(text)
    return Folded(plain, _lower(plain).replace("\n", " ").replace("\t", " "), gone_at, gone, starts)


def _replaced(text: str, likes: Mapping[str, str]) -> str:
    for char, like in likes.items():
        if char in text:
            text = text.replace(char, like)
            if text.isascii():
                break
    return text


def _usable(text: str) -> str:
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        return _usable(_LONE_SURROGATE.sub("\ufffd", text))
    return _replaced(text, _WIDE) if any(start in encoded for start in _WIDE_BYTES) else text


def _lower(text: str) -> str:
    low = text.lower()
    if len(low) != len(text):  # İ becomes two
        low = "".join(one if len(one := char.lower()) == 1 else char for char in text)
    return low if low.isascii() else low.replace("\u03c2", "\u03c3")


def _without_unseen(text: str) -> tuple[str, Sequence[int], Sequence[int]]:
    """The text, and where in it how many code points are gone up to there."""
    gone: Sequence[int]
    if not text.isascii() and any(char in text for char in _NO_WIDTH):
        parts = _UNSEEN.split(text)
        kept, gone = parts[::2], list(accumulate(map(len, parts[1::2])))
    elif "*" in text:
        kept = text.split("**")
        gone = range(2, 2 * len(kept), 2)
    else:
        return text, (), ()
    return "".join(kept), list(accumulate(map(len, kept[:-1]))), gone


def _composed(text: str) -> tuple[str, list[int]]:
    """NFC of `text`, and for each of its code points, and its end, where the cluster it came from starts."""
    composed: list[str] = []
    starts: list[int] = []
    begin = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or not _joins(text[at]):
            cluster = unicodedata.normalize("NFC", text[begin:at])
            composed.append(cluster)
            starts.extend([begin] * len(cluster))
            begin = at
    return "".join(composed), [*starts, len(text)]


def _joins(char: str) -> bool:
    """Whether normalisation may join `char` to the one before: marks, and the vowels and tails of Hangul."""
    return char > "\u02ff" and (unicodedata.category(char)[0] == "M" or "\u1160" <= char <= "\u11ff")
