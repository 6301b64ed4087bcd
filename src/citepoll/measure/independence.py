"""The A/A check: do two back-to-back cycles look like independent draws of the same propensities? (section 0)"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from citepoll.measure.bounds import Floats
from citepoll.measure.changes import Change, change
from citepoll.measure.contrasts import Counts, Cycles, read_cycles
from citepoll.measure.exact import hypergeometric
from citepoll.measure.verdicts import REAL, adjust

NEVER_DIFFER = "no query got two different answers: the engine is fixed on these queries, or its answers are cached"
SINGLE_RUNS = "one run per query: nothing shows whether runs repeat each other, and the check can hardly fail"


@dataclass(frozen=True, slots=True)
class Repeats:
    """Of the queries whose answers differ at all, those whose runs were all alike in each cycle; `expected` of them if
    every run were an independent draw. The p are one-sided exact mid-p: too many alike, too few."""

    differing: int
    alike: int
    expected: float
    p_many: float | None
    p_few: float | None

    @property
    def p(self) -> float | None:
        """Two-sided."""
        return None if self.p_many is None or self.p_few is None else min(1.0, 2.0 * min(self.p_many, self.p_few))


@dataclass(frozen=True, slots=True)
class Independence:
    """The outcome of an A/A check. `independent` is None where nothing can be told. `adjusted` are the three p values,
    of fixed set, category and repeats, after Benjamini-Hochberg; a p at most `level` of them is a failure."""

    fixed_set: Change
    category: Change
    repeats: Repeats
    adjusted: tuple[float | None, ...]
    level: float
    independent: bool | None
    sentence: str


def a_a(k1: Counts, r1: Counts, k2: Counts, r2: Counts, *, level: float = REAL) -> Independence:
    """Compare two back-to-back cycles of the same queries, nothing having changed between them.

    Three tests at `level` together (Benjamini-Hochberg): no change of the fixed set (p_mover), none of the category
    (pseudo-query t), and runs within a cell that are alike no more or less often than independent ones (`repeats`).
    Single runs, or answers that never differ, give `independent` None: the check then says nothing.
    Raises `InputError` for the counts that `share` refuses.
    """
    fixed_set, category = (
        change(k1, r1, k2, r2, target="fixed_set"),
        change(k1, r1, k2, r2, target="category"),
    )
    found = repeats(read_cycles([k1, k2], [r1, r2]))
    adjusted = adjust([fixed_set.p, category.p, found.p])
    failed = [p is not None and p <= level for p in adjusted]
    independent = None if found.p is None and not any(failed) else not any(failed)
    largest = max((*r1, *r2), default=0)
    sentence = _sentence(found, failed, NEVER_DIFFER if largest > 1 else SINGLE_RUNS)
    return Independence(fixed_set, category, found, adjusted, level, independent, sentence)


def repeats(cycles: Cycles) -> Repeats:
    """How often all runs of a query were alike within each cycle, against what independent draws would give.

    Given a query's citing answers over both cycles, their split between the cycles is hypergeometric, whatever its
    propensity; the number of queries that are alike is then a sum of independent yes-or-no draws. Queries with one
    run somewhere, or with all answers the same, tell nothing and are left out.
    """
    several = (cycles.runs >= 2).all(axis=0)
    k, n = cycles.cited[:, several], cycles.runs[:, several]
    differ = (k.sum(axis=0) > 0) & (k.sum(axis=0) < n.sum(axis=0))
    k, n = k[:, differ], n[:, differ]
    alike = int(((k == 0) | (k == n)).all(axis=0).sum())
    chances = np.array([_alike_chance(*query) for query in zip(*k.astype(int), *n.astype(int), strict=True)])
    informative = int((chances > 0).sum())
    if not informative:
        return Repeats(int(differ.sum()), alike, 0.0, None, None)
    sums = _sum_of_draws(chances)
    here = float(sums[alike]) / 2.0
    return Repeats(
        int(differ.sum()), alike, float(chances.sum()), float(sums[alike + 1 :].sum()) + here,
        float(sums[:alike].sum()) + here,
    )  # fmt: skip


def _alike_chance(k1: int, k2: int, r1: int, r2: int) -> float:
    """The chance that one cycle gets all citing answers and the other none, given their total."""
    least, weights = hypergeometric(r1, r2, k1 + k2)
    return float(sum(w for k, w in enumerate(weights, start=least) if k in (0, r2) and k1 + k2 - k in (0, r1)))


def _sum_of_draws(chances: Floats) -> Floats:
    sums = np.ones(1)
    for chance in chances:
        sums = np.convolve(sums, [1.0 - chance, chance])
    return sums


def _sentence(found: Repeats, failed: list[bool], untold: str) -> str:
    faults = [
        text
        for text, wrong in zip(
            (
                "the share of these queries moved though nothing changed",
                "the queries moved together though nothing changed",
                f"the runs of {found.alike} of {found.differing} queries that differ were alike in each cycle, where "
                f"{found.expected:.1f} were expected",
            ),
            failed,
            strict=True,
        )
        if wrong
    ]
    if faults:
        return f"the runs do not look independent: {'; '.join(faults)}"
    return untold if found.p is None else "the runs look independent: nothing speaks against it"
