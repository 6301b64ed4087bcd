"""The A/A check: do two back-to-back cycles look like independent draws of the same propensities? (section 0)"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from math import gcd

import numpy as np

from citepoll.measure.bounds import Floats
from citepoll.measure.changes import change
from citepoll.measure.contrasts import Counts, Cycles, read_cycles
from citepoll.measure.exact import FINEST_GRID, hypergeometric
from citepoll.measure.verdicts import REAL, adjust
from citepoll.model import Change

NEVER_DIFFER = (
    "cannot be told: no query with several runs got two different answers; the engine or a cache repeats itself"
)
SINGLE_RUNS = "cannot be told: single runs do not show whether they repeat each other, and this check can hardly fail"


@dataclass(frozen=True, slots=True)
class Dispersion:
    """How far the queries' answers parted between the cycles, over what independent runs would give (`ratio`, 1 as
    expected, None where no query tells). `differing` queries got both kinds of answer. The p are exact mid-p: `p_over`
    for runs that repeat each other within a cycle, `p_under` for runs that avoid it."""

    differing: int
    ratio: float | None = None
    p_over: float | None = None
    p_under: float | None = None

    @property
    def p(self) -> float | None:
        """Two-sided."""
        return None if self.p_over is None or self.p_under is None else min(1.0, 2.0 * min(self.p_over, self.p_under))


@dataclass(frozen=True, slots=True)
class Independence:
    """The outcome of an A/A check. `adjusted` are the p of fixed set, category and dispersion after Benjamini-Hochberg,
    None where there was no test; one at most `level` is a failure. `independent` is None where nothing can be told."""

    fixed_set: Change
    category: Change
    dispersion: Dispersion
    adjusted: tuple[float | None, ...]
    level: float
    independent: bool | None
    sentence: str


def a_a(k1: Counts, r1: Counts, k2: Counts, r2: Counts, *, level: float = REAL) -> Independence:
    """Compare two back-to-back cycles of the same queries, nothing having changed between them.

    Three tests at `level` together (Benjamini-Hochberg): no change of the fixed set (p_mover), none of the category
    (pseudo-query t), and no more or less `dispersion` than independent runs have. Single runs, or answers that never
    differ, leave `independent` at None. Raises `InputError` for the counts that `share` refuses.
    """
    fixed_set = change(k1, r1, k2, r2, target="fixed_set")
    category = change(k1, r1, k2, r2, target="category")
    cycles = read_cycles([k1, k2], [r1, r2])
    found = dispersion(cycles)
    adjusted = adjust([fixed_set.p, category.p, found.p])
    failed = [p is not None and p <= level for p in adjusted]
    independent = None if found.p is None and not any(failed) else not any(failed)
    untold = NEVER_DIFFER if (cycles.runs >= 2).all(axis=0).any() else SINGLE_RUNS
    return Independence(fixed_set, category, found, adjusted, level, independent, _sentence(found, failed, untold))


def dispersion(cycles: Cycles) -> Dispersion:
    """Compare the sum over queries of (k2 r1 - k1 r2)^2 with its exact law under independent runs.

    Given a query's citing answers over both cycles, their split is hypergeometric, whatever its propensity. Runs that
    repeat each other push all of them into one cycle. Queries with one run somewhere, or all answers alike, tell
    nothing and are left out. No p where none is left, or where runs differ too much for the exact law.
    """
    several = (cycles.runs >= 2).all(axis=0)
    k, n = cycles.cited[:, several].astype(int), cycles.runs[:, several].astype(int)
    total = k.sum(axis=0)
    differ = (total > 0) & (total < n.sum(axis=0))
    splits = [_squares(*query) for query in zip(*k[:, differ].tolist(), *n[:, differ].tolist(), strict=True)]
    unit = reduce(gcd, (square for squares, _, _ in splits for square in squares), 0)
    if not unit or sum(max(squares) for squares, _, _ in splits) // unit > FINEST_GRID:
        return Dispersion(len(splits))
    chances = np.ones(1)
    for squares, weights, _ in splits:
        chances = _plus(chances, [square // unit for square in squares], weights)
    observed = sum(seen for _, _, seen in splits) // unit
    expected = float(chances @ np.arange(chances.size))
    here = float(chances[observed]) / 2.0
    over, under = float(chances[observed + 1 :].sum()) + here, float(chances[:observed].sum()) + here
    return Dispersion(len(splits), observed / expected, min(over, 1.0), min(under, 1.0))


def _squares(k1: int, k2: int, r1: int, r2: int) -> tuple[list[int], Floats, int]:
    """The possible squares given the query's total, their chances, and the one observed."""
    least, weights = hypergeometric(r1, r2, k1 + k2)
    possible = range(least, least + weights.size)
    return [(k * r1 - (k1 + k2 - k) * r2) ** 2 for k in possible], weights, (k2 * r1 - k1 * r2) ** 2


def _plus(chances: Floats, steps: list[int], weights: Floats) -> Floats:
    """The law of a sum after one more independent draw of a step."""
    summed = np.zeros(chances.size + max(steps))
    for step, weight in zip(steps, weights, strict=True):
        summed[step : step + chances.size] += weight * chances
    return summed


def _sentence(found: Dispersion, failed: list[bool], untold: str) -> str:
    parted = f"{found.ratio:.1f} times as far as" if found.ratio is not None else ""
    causes = (
        "the share of these queries moved though nothing changed",
        "the queries moved together though nothing changed",
        f"a query's answers part between the cycles {parted} independent runs would",
    )
    faults = [cause for cause, wrong in zip(causes, failed, strict=True) if wrong]
    if faults:
        return f"the runs do not look independent: {'; '.join(faults)}"
    return untold if found.p is None else "the runs look independent: nothing speaks against it"
