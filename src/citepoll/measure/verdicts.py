"""Which of the comparisons that a reader sees at once are real, and the sentence that says so (section 2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from citepoll.errors import InputError
from citepoll.model import Change, Contrast

REAL = 0.05
"""The false discovery rate of the verdicts, after Benjamini and Hochberg."""
NARROW = 0.04
"""An interval of at most 4 points is told with one decimal."""
QUERIES = {"fixed_set": "these queries", "category": "questions like these"}


def adjust(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Benjamini-Hochberg over all that a reader sees at once (engines x brands), in the order given.

    None, no test, stays None and does not count. Raises `InputError` for a p outside 0-1.
    """
    tested = np.array([p for p in p_values if p is not None], dtype=np.float64)
    if not ((tested >= 0) & (tested <= 1)).all():
        raise InputError("a p value is outside 0-1", "Give None where there is no test.")
    falling = np.argsort(-tested, kind="stable")
    ranks = np.arange(tested.size, 0, -1)
    adjusted = np.empty_like(tested)
    adjusted[falling] = np.minimum(np.minimum.accumulate(tested[falling] * tested.size / ranks), 1.0)
    found = iter(adjusted.tolist())
    return tuple(None if p is None else next(found) for p in p_values)


REAL_CHANGE, ALONE, NONE_SEEN, NO_TEST, NOT_COMPARED = "real", "alone", "none seen", "no test", "not compared"
VERDICTS: Mapping[str, str] = {
    REAL_CHANGE: "a real change, after Benjamini–Hochberg over all rows",
    ALONE: "would count alone, not among all the comparisons shown",
    NONE_SEEN: "no evidence of change; a move under the points beside it could not have been seen",
    NO_TEST: "the answers allow no test",
    NOT_COMPARED: "the cycles have nothing in common to compare",
}
"""A word for each kind of verdict, and what it means."""


def kind_of_verdict(change: Contrast, adjusted_p: float | None) -> str:
    """The word of `VERDICTS` for a comparison: real where the adjusted p is at most .05, alone where only its own is."""
    if change.value is None or change.low is None or change.high is None:
        return NOT_COMPARED
    if adjusted_p is not None and adjusted_p <= REAL:
        return REAL_CHANGE
    if change.p is None:
        return NO_TEST
    return ALONE if change.p <= REAL else NONE_SEEN


def verdict(change: Contrast, adjusted_p: float | None, m: int) -> str:
    """One sentence on a comparison shown among `m`: `up 6 points (2 to 10): a real change on these queries`.

    Real where the adjusted p is at most .05; "would count alone" where only the raw one is. Otherwise there is no
    evidence, with the move that could not have been seen, so that silence is not read as standing still.
    """
    if change.value is None or change.low is None or change.high is None:
        return f"no comparison: {change.reason or 'no interval'}"
    kind, moved = kind_of_verdict(change, adjusted_p), f"{_moved(change.value, change.low, change.high)}:"
    if kind == REAL_CHANGE:
        return f"{moved} a real change on {QUERIES[change.target]}"
    if kind == ALONE:
        return f"{moved} would count alone, not among the {m} comparisons shown"
    if kind == NO_TEST:
        return f"no test of a change: {'; '.join(change.warnings) or 'no p value'}"
    return f"no evidence of change{_unseen(change)}"


def _unseen(change: Contrast) -> str:
    if change.detectable is not None:
        return f"; a move under {_points(change.detectable)} could not have been seen"
    return "; these answers are too few to see one" if isinstance(change, Change) else ""


def _moved(value: float, low: float, high: float) -> str:
    """`down 6 points (2 to 10)`: sizes in the direction of the move; a bound on its other side is negative."""
    sign, word = (-1.0, "down") if value < 0 else (1.0, "up")
    near, far = sorted((sign * low, sign * high))
    places = 1 if high - low <= NARROW else 0
    return f"{word} {_points(sign * value, places)} ({_number(near, places)} to {_number(far, places)})"


def _points(fraction: float, places: int = 0) -> str:
    text = _number(fraction, places)
    return f"{text} point" if text == "1" else f"{text} points"


def _number(fraction: float, places: int) -> str:
    text = f"{fraction * 100:.{places}f}"
    return text.removeprefix("-") if float(text) == 0.0 else text
