"""Exact second opinions on a change: within-query mid-p (no query changed) and sign flips (changes symmetric)."""

from __future__ import annotations

from math import comb, lcm

import numpy as np

from citepoll.measure.bounds import Floats

NO_QUERY_CHANGED = "null: no query changed"
SYMMETRIC = "null: the queries' changes are symmetric around zero"
FINEST_GRID = 100_000
"""Sign flips on a finer grid than this are not worked out: runs per query differ too much."""


def mid_p(cited: Floats, runs: Floats) -> float:
    """Two-sided conditional mid-p that no query's propensity changed; `cited` and `runs` have shape (2, queries).

    Given a query's total over both cycles, its second count is hypergeometric; the sum over queries is their
    convolution. Valid for locked queries only: under drift with mean zero it rejects too often. Source: section 2.
    """
    chances = np.ones(1)
    observed = 0
    for k1, k2, r1, r2 in zip(*cited.astype(int).tolist(), *runs.astype(int).tolist(), strict=True):
        least, weights = hypergeometric(r1, r2, k1 + k2)
        chances = np.convolve(chances, weights)
        observed += k2 - least
    here = float(chances[observed]) / 2.0
    return min(1.0, 2.0 * min(float(chances[observed + 1 :].sum()) + here, float(chances[:observed].sum()) + here))


def hypergeometric(r1: int, r2: int, total: int) -> tuple[int, Floats]:
    """The least count of the second cycle given the total, and the chances of it and each next one."""
    least, most = max(0, total - r1), min(r2, total)
    ways = comb(r1 + r2, total)
    return least, np.array([comb(r2, k) * comb(r1, total - k) / ways for k in range(least, most + 1)])


def sign_flip(cited: Floats, runs: Floats) -> float | None:
    """Two-sided p of the mean change under every flip of the queries' signs; None where the grid is too fine.

    Exact if changes are symmetric around zero, for either target; its resolution is 2 to the minus queries changed.
    """
    grid = lcm(*{int(r) for r in runs.flat})
    steps = np.rint((cited[1] / runs[1] - cited[0] / runs[0]) * grid).astype(int)
    moved = np.abs(steps[steps != 0])
    if moved.sum() > FINEST_GRID:
        return None
    chances = np.ones(1)
    for step in moved.tolist():
        flipped = np.zeros(chances.size + 2 * step)
        flipped[: chances.size] = chances / 2.0
        flipped[2 * step :] += chances / 2.0
        chances = flipped
    extreme = abs(int(steps.sum()))
    sums = np.arange(chances.size) - int(moved.sum())
    return min(1.0, float(chances[np.abs(sums) >= extreme].sum()))
