"""How many queries and runs: the move that a design can see, its power, the width of its intervals (section 2.2).

Stopping and allocation of runs (section 4) are in `budgeting` and named here too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, isnan, sqrt
from typing import Literal

import numpy as np
from scipy.special import betaln, nctdtr, ndtr, ndtri

from citepoll.errors import InputError
from citepoll.measure.bounds import PRIOR_QUERIES, clopper_pearson_ends, student_t, tail
from citepoll.measure.budgeting import Decision, StopRule, allocate, stop_rule
from citepoll.measure.contrasts import Counts, Cycles, read_cycles
from citepoll.measure.crossing import crossing
from citepoll.measure.grades import DEFAULT_ICC, MOST_QUERIES, planned_half_width
from citepoll.model import Target

__all__ = [
    "Decision",
    "Option",
    "StopRule",
    "allocate",
    "best_runs",
    "correlation",
    "design",
    "detectable",
    "detectable_difference",
    "icc",
    "planned_width",
    "power",
    "stop_rule",
]

DEFAULT_CORRELATION = 0.8
"""Correlation of a query's propensity between cycles where it was not estimated (section 2.2)."""
DEFAULT_POWER = 0.8
RUNS = (1, 2, 3, 5, 8)
Method = Literal["reported", "normal"]


@dataclass(frozen=True, slots=True)
class Option:
    """A design: queries, runs per query, calls a cycle over all engines, full width of one cycle's interval, the least
    detectable move (None where none is) and its cost a cycle in the unit of the costs given."""

    queries: int
    runs: int
    calls: int
    width: float
    detectable: float | None
    cost: float


@dataclass(frozen=True, slots=True)
class _Design:
    """Where the first cycle stands: share, queries, runs, and how answers of a query hang together."""

    mu: float
    queries: float
    runs: float
    target: Target
    icc: float
    r: float
    level: float

    def within(self, share: float) -> float:
        """W, the variance of one answer around its query's propensity."""
        return (1.0 - self.icc) * share * (1.0 - share)

    @property
    def drift(self) -> float:
        """sigma_D^2, the variance between queries of the change of their propensities."""
        return 2.0 * (1.0 - self.r) * self.icc * self.mu * (1.0 - self.mu)

    def power(self, move: float) -> float:
        """The chance that the interval we report leaves zero out, on the side of the move."""
        return self._category_power(move) if self.target == "category" else self._fixed_set_power(move)

    def _category_power(self, move: float) -> float:
        df = self.queries - 1.0
        if df <= 0:
            return 0.0
        both = self.within(self.mu) + self.within(self.mu + move)
        se = sqrt((self.drift + both / self.runs + 1.0 / self.queries) / self.queries)
        missed = float(nctdtr(df, abs(move) / se, student_t(df, (1.0 - self.level) / 2.0)))
        # SciPy gives NaN at some noncentralities above 36, where nothing is missed within a double's precision.
        return 1.0 if isnan(missed) else 1.0 - missed

    def _fixed_set_power(self, move: float) -> float:
        shares = np.array([self.mu, self.mu + move])
        n0 = self.queries * self.runs
        sizes = np.array([n0 / _planned_theta(share, self.queries, self.runs, self.icc) for share in shares])
        low, high = clopper_pearson_ends(shares, sizes, (1.0 - self.level) / 2.0)
        lower, upper = (0, 1) if move > 0 else (1, 0)
        reach = float(np.hypot(high[lower] - shares[lower], shares[upper] - low[upper]))
        spread = sqrt((self.within(shares[0]) + self.within(shares[1])) / n0)
        if spread == 0.0:
            return float(abs(move) > reach)
        return float(ndtr((abs(move) - reach) / spread))

    def detectable(self, power: float) -> float | None:
        """The least move seen with `power`: upwards, or downwards where the share has no room above it."""

        sign, room = 1.0, 1.0 - self.mu
        if room <= 0 or self.power(room) < power:
            sign, room = -1.0, self.mu
            if room <= 0 or self.power(-room) < power:
                return None
        return crossing(lambda move: self.power(sign * move) >= power, 0.0, room)


def detectable(
    mu: float,
    queries: float,
    runs: float,
    *,
    target: Target,
    icc: float = DEFAULT_ICC,
    r: float = DEFAULT_CORRELATION,
    power: float = DEFAULT_POWER,
    level: float = 0.95,
    method: Method = "reported",
) -> float | None:
    """The least change of a share of `mu` between two cycles that is seen with `power`, as a fraction.

    `reported` solves the power of the intervals that `compare.change` reports: category by the noncentral t of section
    2.2, fixed_set by the expected MOVER interval (ours: the spec has none). `normal` is the plain formula of section
    2.2, too small below some 200 queries. `r` matters for category only. None where even the greatest move from `mu`
    is seen less often. Below 50 queries the figure is approximate. Raises `InputError` for a fraction outside 0-1,
    queries or runs below 1.
    """
    plan = _read_design(mu, queries, runs, target, icc, r, level)
    _check_power(power, level)
    if method == "reported":
        return plan.detectable(power)
    drift = plan.drift if target == "category" else 0.0
    return _z(power, level) * sqrt((drift + 2.0 * plan.within(mu) / runs) / queries)


def power(
    move: float,
    mu: float,
    queries: float,
    runs: float,
    *,
    target: Target,
    icc: float = DEFAULT_ICC,
    r: float = DEFAULT_CORRELATION,
    level: float = 0.95,
) -> float:
    """The chance to see a change of `move` (a fraction, either sign) from a share of `mu`. See `detectable`."""
    plan = _read_design(mu, queries, runs, target, icc, r, level)
    if not 0.0 <= mu + move <= 1.0:
        raise InputError(f"a move of {move:g} from {mu:g} leaves 0-1", "Give a smaller move.")
    return plan.power(move)


def detectable_difference(
    mu: float,
    treated: float,
    control: float,
    runs: float,
    *,
    target: Target,
    icc: float = DEFAULT_ICC,
    r: float = DEFAULT_CORRELATION,
    power: float = DEFAULT_POWER,
    level: float = 0.95,
) -> float:
    """The least effect that a difference in differences sees, by the plain normal formula: optimistic below some 50
    queries an arm. `treated` and `control` count queries; both arms are taken to stand at `mu`."""
    arms = [
        detectable(
            mu, queries, runs, target=target, icc=icc, r=r, power=power, level=level, method="normal"
        ) for queries in (treated, control)
    ]  # fmt: skip
    return sqrt(sum((arm or 0.0) ** 2 for arm in arms))


def planned_width(
    mu: float, queries: int, runs: int, *, target: Target, icc: float = DEFAULT_ICC, level: float = 0.95
) -> float:
    """The full width to expect of one cycle's interval at a share of `mu` (table 1.2)."""
    plan = _read_design(mu, queries, runs, target, icc, DEFAULT_CORRELATION, level)
    if target == "category":
        return 2.0 * planned_half_width(mu, queries, runs, icc=icc, level=level)
    n_star = queries * runs / _planned_theta(mu, queries, runs, plan.icc)
    low, high = clopper_pearson_ends(np.array([mu]), np.array([n_star]), tail(target, level))
    return float(high[0] - low[0])


def design(
    detect: float,
    *,
    mu: float,
    target: Target,
    power: float = DEFAULT_POWER,
    icc: float = DEFAULT_ICC,
    r: float = DEFAULT_CORRELATION,
    level: float = 0.95,
    queries: int | None = None,
    runs: Sequence[int] = RUNS,
    engines: int = 1,
    cost_per_call: float = 1.0,
    cost_per_query: float = 0.0,
) -> tuple[Option, ...]:
    """The designs that see a rise of `detect` with `power`, one for each number of runs: the split of a budget.

    With `queries` (a locked list) these stay, and each row shows what its runs can detect, reached or not. Otherwise
    each row has the least queries; rows that would need over a million are left out. `cost` counts the calls of one
    cycle on `engines` engines and the curation of the queries. Source: STATISTICS section 2.2.
    """
    if not 0.0 < detect <= 1.0 - mu:
        raise InputError(f"a rise of {detect:g} from {mu:g} is not possible", "Give a move that stays within 0-1.")
    _check_power(power, level)
    options = []
    for each in runs:
        plan = _read_design(mu, queries or 2, each, target, icc, r, level)
        enough = queries or _least_queries(plan, detect, power)
        if enough is None:
            continue
        seen = detectable(mu, enough, each, target=target, icc=icc, r=r, power=power, level=level)
        width = planned_width(mu, enough, each, target=target, icc=icc, level=level)
        calls = enough * each * engines
        options.append(Option(enough, each, calls, width, seen, calls * cost_per_call + enough * cost_per_query))
    return tuple(options)


def best_runs(cost_per_query: float, cost_per_call: float, icc: float = DEFAULT_ICC) -> float:
    """R* of section 2.2: runs per query that give the narrowest category interval for a cost.

    Take 3 or more in practice: the fixed set, the ICC and the gap list need them.
    """
    if not (cost_per_query >= 0 and cost_per_call > 0 and 0 < icc <= 1):
        raise InputError("costs or ICC out of range", "Give costs of 0 or more and an ICC above 0.")
    return max(1.0, sqrt(cost_per_query / cost_per_call * (1.0 - icc) / icc))


def icc(cited: Counts, runs: Counts) -> float | None:
    """Intra-class correlation of a query's answers, 1 - theta^ of section 1, over the queries with two runs or more.

    None where no query has two, or where all answers agree. A rough figure below some 20 queries that differ.
    """
    return icc_of(read_cycles([cited], [runs]))


def icc_of(cycles: Cycles) -> float | None:
    """`icc`, pooled over several cycles: the variance within queries over that of all answers."""
    within = worst = 0.0
    for k, n in zip(cycles.cited, cycles.runs, strict=True):
        k, n = k[n >= 2], n[n >= 2]
        if not n.size:
            continue
        f = k / n
        within += float((f * (1.0 - f) / (n - 1.0)).sum())
        worst += float(f.mean() * (1.0 - f.mean()) * (1.0 / n).sum())
    return None if worst == 0.0 else 1.0 - min(within / worst, 1.0)


def correlation(k1: Counts, r1: Counts, k2: Counts, r2: Counts) -> float | None:
    """Correlation of the queries' propensities between two cycles, freed of run-to-run noise, from 0 to 1.

    The covariance of the observed fractions over their variances less what runs add. None with fewer than 3 queries,
    with single runs only, or where no variance between queries is left.
    """
    return correlation_of(read_cycles([k1, k2], [r1, r2]))


def correlation_of(cycles: Cycles) -> float | None:
    """`correlation` of the first two cycles."""
    several = (cycles.runs >= 2).all(axis=0)
    f, n = cycles.fractions[:2, several], cycles.runs[:2, several]
    if f.shape[1] < 3:
        return None
    between = f.var(axis=1, ddof=1) - (f * (1.0 - f) / (n - 1.0)).mean(axis=1)
    if (between <= 0).any():
        return None
    covariance = np.cov(f)[0, 1]
    return float(np.clip(covariance / np.sqrt(between.prod()), 0.0, 1.0))


def toward(estimate: float | None, default: float, informative: float) -> float:
    """An estimate from `informative` queries drawn towards a planning default of two queries' weight (ours)."""
    if estimate is None:
        return default
    return (informative * estimate + PRIOR_QUERIES * default) / (informative + PRIOR_QUERIES)


def _planned_theta(share: float, queries: float, runs: float, icc: float) -> float:
    """The shrunken theta of section 1 at its expected counts, T from the beta-binomial; 1 for single runs."""
    if runs < 2:
        return 1.0
    informative = queries * min(1.0 - _unanimous(1.0 - share, runs, icc), 1.0 - _unanimous(share, runs, icc))
    return (informative * (1.0 - icc) + PRIOR_QUERIES) / (informative + PRIOR_QUERIES)


def _unanimous(chance: float, runs: float, icc: float) -> float:
    """The beta-binomial chance that all runs of a query come out one way; `runs` may be a mean."""
    if chance <= 0.0 or chance >= 1.0:
        return float(chance >= 1.0)
    size = (1.0 - icc) / icc
    return float(
        np.exp(betaln(chance * size + runs, (1.0 - chance) * size) - betaln(chance * size, size * (1 - chance)))
    )


def _least_queries(plan: _Design, detect: float, power: float) -> int | None:
    def seen(queries: float) -> bool:
        found = _Design(plan.mu, queries, plan.runs, plan.target, plan.icc, plan.r, plan.level).power(detect)
        return found >= power

    if not seen(MOST_QUERIES):
        return None
    return ceil(crossing(seen, 2.0, MOST_QUERIES))


def _read_design(mu: float, queries: float, runs: float, target: Target, icc: float, r: float, level: float) -> _Design:
    tail(target, level)
    for name, fraction in (("mu", mu), ("icc", icc), ("r", r)):
        if not 0.0 <= fraction <= 1.0:
            raise InputError(f"{name} is {fraction!r}, not a fraction", "Give a number from 0 to 1.")
    if not (queries >= 1 and runs >= 1):
        raise InputError(f"{queries:g} queries with {runs:g} runs make no cycle", "Give 1 or more of each.")
    # The beta-binomial has no form at the ends; a millionth from them changes no digit that is shown.
    return _Design(mu, queries, runs, target, min(max(icc, 1e-6), 1.0 - 1e-6), r, level)


def _check_power(power: float, level: float) -> None:
    alone = 1.0 - level
    if not alone < power < 1.0:
        raise InputError(
            f"a power of {power!r} is not between {alone:.3g} and 1: chance alone shows a move in {alone * 100:.3g} % of cycles",
            f"Use {DEFAULT_POWER}.",
        )


def _z(power: float, level: float) -> float:
    """2.8016 at a power of .8 and a level of .95."""
    return float(ndtri(power) - ndtri((1.0 - level) / 2.0))
