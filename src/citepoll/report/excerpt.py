"""An answer's text as segments with its citations and mentions marked, cut to the passages that matter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from citepoll.model import Mention, ResolvedCitation
from citepoll.report.printable import printable

AROUND = 160
"""Characters kept on each side of a mark where a text is cut."""

NEAR = 30
"""A cut moves this far, in characters, to the edge of a word."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of characters with the same marks. `cited`: positions of citations whose passage covers it; `notes`: of
    those whose passage ends with it; `brand`: the one named here. `gap`: text was left out before it."""

    text: str
    brand: str | None = None
    tracked: bool = False
    denied: bool = False
    cited: tuple[int, ...] = ()
    notes: tuple[int, ...] = ()
    gap: bool = False


def segments(
    text: str, citations: Sequence[ResolvedCitation], mentions: Sequence[Mention], *, tracked: str, limit: int = 1500
) -> tuple[Segment, ...]:
    """The text in segments, whole up to `limit` characters; past that its start and the passages around the marks, the
    tracked brand's first. Offsets are code points of `text`; those outside it are ignored. Every segment is printable.
    """
    cites = [c for c in citations if _inside(c.start, c.end, text)]
    names = [m for m in mentions if _inside(m.start, m.end, text)]
    marks = [at for m in names for at in (m.start, m.end)] + [at for c in cites for at in (c.start or 0, c.end or 0)]
    windows = _windows(text, cites, names, tracked, limit)
    found: list[Segment] = []
    for low, high in windows:
        cuts = {low, high}
        cuts.update(at for at in marks if low < at < high)
        for start, end in pairwise(sorted(cuts)):
            gap = start == low and start > 0
            found.append(_segment(text, start, end, cites, names, tracked, gap=gap))
    if windows and windows[-1][1] < len(text):
        found.append(Segment("", gap=True))
    return tuple(found)


def _segment(
    text: str,
    start: int,
    end: int,
    cites: Sequence[ResolvedCitation],
    names: Sequence[Mention],
    tracked: str,
    *,
    gap: bool,
) -> Segment:
    named = next((m for m in names if m.start <= start and end <= m.end), None)
    covering = [c for c in cites if (c.start or 0) <= start and end <= (c.end or 0)]
    return Segment(
        printable(text[start:end]),
        brand=named.brand if named else None,
        tracked=named is not None and named.brand == tracked,
        denied=named is not None and named.denied,
        cited=tuple(c.position for c in covering),
        notes=tuple(c.position for c in covering if c.end == end),
        gap=gap,
    )


def _windows(
    text: str, cites: Sequence[ResolvedCitation], names: Sequence[Mention], tracked: str, limit: int
) -> list[tuple[int, int]]:
    if len(text) <= limit:
        return [(0, len(text))] if text else []
    wanted = [(m.start, m.end, m.brand != tracked) for m in names]
    wanted += [(c.start or 0, c.end or 0, c.brand != tracked) for c in cites]
    kept = [(0, min(len(text), 2 * AROUND))]
    for start, end, _ in sorted(wanted, key=lambda mark: (mark[2], mark[0])):
        # a citation's passage may be the whole answer: its end is where its number stands
        window = (max(0, max(start, end - AROUND) - AROUND), min(len(text), end + AROUND))
        merged = _merged([*kept, window])
        if sum(high - low for low, high in merged) > limit:
            break
        kept = merged
    return [(_word_start(text, low), _word_end(text, high)) for low, high in kept]


def _word_start(text: str, at: int) -> int:
    """The next start of a word within `NEAR` characters; `at` itself in a text without spaces."""
    return next((place for place in range(at, at + NEAR) if place == 0 or text[place - 1].isspace()), at)


def _word_end(text: str, at: int) -> int:
    return next((place for place in range(at, at - NEAR, -1) if place == len(text) or text[place].isspace()), at)


def _merged(windows: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for low, high in sorted(windows):
        if joined and low <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return joined


def _inside(start: int | None, end: int | None, text: str) -> bool:
    return start is not None and end is not None and 0 <= start < end <= len(text)
