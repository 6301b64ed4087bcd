"""Where a condition that stays true once it is true first becomes true, by bisection."""

from __future__ import annotations

from collections.abc import Callable

HALVINGS = 40
"""Down to 1e-12 of the range."""


def crossing(holds: Callable[[float], bool], low: float, high: float) -> float:
    """The least x of [low, high] where `holds`; `low` where it holds there already, `high` where it never does."""
    if holds(low):
        return low
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        if holds(middle):
            high = middle
        else:
            low = middle
    return high
