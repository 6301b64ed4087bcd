"""Progress as a row of tiny squares, one for each run or, where they are many, for several."""

from __future__ import annotations

from collections.abc import Mapping

MOST = 120
"""Squares in a row: three lines of a phone."""


def squares(counts: Mapping[str, int], most: int = MOST) -> tuple[str, ...]:
    """The states of `counts` in their order, each as often as it has squares; () where there is nothing.

    Up to `most` runs have a square each. Of more, a state has its part of `most` squares by largest remainder, and one
    at least where it occurs, so that a single failure among thousands is seen.
    """
    there = {state: number for state, number in counts.items() if number > 0}
    total = sum(there.values())
    given = there if total <= most else _shared(there, total, max(most, len(there)))
    return tuple(state for state, number in given.items() for _ in range(number))


def _shared(there: Mapping[str, int], total: int, most: int) -> dict[str, int]:
    exact = {state: number * most / total for state, number in there.items()}
    given = {state: max(1, int(part)) for state, part in exact.items()}
    while (over := sum(given.values()) - most) != 0:
        if over > 0:
            several = [state for state, number in given.items() if number > 1]
            given[max(several, key=lambda state: given[state] - exact[state])] -= 1
        else:
            given[max(exact, key=lambda state: exact[state] - given[state])] += 1
    return given
