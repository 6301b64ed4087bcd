"""The text in which names are looked for, and the way back to the original's code points."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_letters, digits

# Drawn alike, typed differently: one code point for one, so that offsets stand.
_ALIKE = {
    **dict.fromkeys("\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "),
    **dict.fromkeys("\u2018\u2019\u02bc\uff07", "'"),
    **dict.fromkeys("\u2010\u2011\ufe63", "-"),
    **{chr(ord(narrow) + 0xFEE0): narrow for narrow in "&+-" + ascii_letters + digits},
    "\u03c2": "\u03c3",
}  # fmt: skip
_TO_ALIKE = re.compile(f"[{re.escape(''.join(_ALIKE))}\ud800-\udfff]")

# Emphasis (a `*` between spaces is a bullet) and characters of no width: they may stand inside a name.
_UNSEEN = re.compile("\\*{2,}|(?<=\\S)\\*|\\*(?=\\S)|[\u00ad\u200b-\u200f\u2060\ufe0e\ufe0f\ufeff]+")


@dataclass(frozen=True, slots=True)
class Folded:
    """`plain` keeps case, `low` does not and has line breaks as spaces; both have the same length.

    Against the original: NFC, `*` and zero-width characters gone, full-width letters, spaces, apostrophes and hyphens
    as their ASCII likeness, a lone surrogate as U+FFFD.
    """

    plain: str
    low: str
    gone_at: Sequence[int] = ()
    gone: Sequence[int] = ()
    starts: Sequence[int] | None = None

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The original's code points behind `start` (included) to `end` (not included); `start` < `end`."""
        first, last = self._with_gone(start), self._with_gone(end - 1) + 1
        return (first, last) if self.starts is None else (self.starts[first], self.starts[last])

    def _with_gone(self, at: int) -> int:
        before = bisect_right(self.gone_at, at)
        return at + self.gone[before - 1] if before else at


def fold(text: str) -> Folded:
    """Fold `text` for matching. Never raises."""
    starts: list[int] | None = None
    if not text.isascii():
        if not unicodedata.is_normalized("NFC", text):
            text, starts = _composed(text)
        text = _TO_ALIKE.sub(lambda c: _ALIKE.get(c[0], "\ufffd"), text)
    plain, gone_at, gone = _without_unseen(text)
    return Folded(plain, _lower(plain).replace("\n", " ").replace("\t", " "), gone_at, gone, starts)


def _lower(text: str) -> str:
    low = text.lower()
    if len(low) != len(text):  # İ becomes two
        low = "".join(one if len(one := char.lower()) == 1 else char for char in text)
    return low if low.isascii() else low.replace("\u03c2", "\u03c3")


def _without_unseen(text: str) -> tuple[str, list[int], list[int]]:
    gone_at: list[int] = []
    gone: list[int] = []
    if text.isascii() and "*" not in text:
        return text, gone_at, gone
    kept: list[str] = []
    at = total = 0
    for unseen in _UNSEEN.finditer(text):
        start, end = unseen.span()
        kept.append(text[at:start])
        gone_at.append(start - total)
        total += end - start
        gone.append(total)
        at = end
    return "".join(kept) + text[at:], gone_at, gone


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
