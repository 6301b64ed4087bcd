"""What a share may be used for: bands by interval, and grades of evidence (STATISTICS section 8)."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from citepoll.errors import InputError
from citepoll.measure.bounds import jeffreys, shrink, small_sample, tail

BANDS: tuple[tuple[float, str], ...] = (
    (0.0, "structurally invisible"),
    (0.05, "emerging"),
    (0.15, "competitive"),
    (0.30, "category authority"),
    (0.50, "dominant"),
)
"""Lowest share of each band, and its name."""

DEFAULT_ICC = 0.6
"""Intra-class correlation of a query's answers where it was not estimated (section 2.2); .4 to .8 is usual."""


@dataclass(frozen=True, slots=True)
class Grade:
    """How far a number may be used: exploratory, directional or decision; `next` says what would raise it."""

    name: str
    next: str


@dataclass(frozen=True, slots=True)
class Requirement:
    """The lines of a grade: the least queries, runs and days; the most half-width and failed part, as fractions."""

    grade: str
    queries: int
    runs: int
    half_width: float
    failed: float
    days: int = 1
    same_set: bool = False


DIRECTIONAL = Requirement("directional", queries=50, runs=3, half_width=0.12, failed=0.10)
DECISION = Requirement("decision", queries=200, runs=3, half_width=0.06, failed=0.05, days=2, same_set=True)
MOST_QUERIES = 1_000_000


def band(low: float | None, high: float | None) -> str | None:
    """The band of an interval, or the two it reaches from and to; None where there is no interval.

    A band holds its lower end: [0.05, 0.15] is emerging, 0.15 alone is competitive.
    """
    if low is None or high is None:
        return None
    first = sum(low >= start for start, _ in BANDS) - 1
    last = max(first, sum(high > start for start, _ in BANDS) - 1)
    names = [name for _, name in BANDS]
    return names[first] if first == last else f"between {names[first]} and {names[last]}"


def grade(
    *,
    n_queries: int,
    runs: int,
    failed: float,
    share: float | None,
    days: int | None = None,
    same_set: bool | None = None,
    icc: float = DEFAULT_ICC,
    confidence: float = 0.95,
) -> Grade:
    """The highest grade whose every line holds, for one engine and brand, with what the next one needs.

    `n_queries` have data; `runs` is the least number planned per query; `failed` the part of planned runs that failed;
    `share` the observed one (None: exploratory); `days` on which answers were taken and `same_set` as in the cycle
    before, None where unknown. Raises `InputError` for a fraction outside 0-1. Source: STATISTICS section 8.
    """
    for name, fraction in (("failed", failed), ("share", share or 0.0), ("icc", icc)):
        if not 0.0 <= fraction <= 1.0:
            raise InputError(f"{name} is {fraction!r}, not a fraction", "Give a number from 0 to 1.")
    if share is None or n_queries == 0:
        return Grade("exploratory", "There is no estimate yet: directional needs valid answers to 50 queries or more.")
    reached = "exploratory"
    for requirement in (DIRECTIONAL, DECISION):
        missing = [
            _missing_queries(requirement, n_queries, runs, share, icc, confidence),
            _missing_runs(requirement, runs, days, failed),
            "" if same_set or not requirement.same_set else "the same locked query set as the cycle before",
        ]
        if any(missing):
            return Grade(reached, f"{requirement.grade.capitalize()} needs {'; '.join(filter(None, missing))}.")
        reached = requirement.grade
    return Grade(reached, "This is the highest grade.")


def _missing_queries(need: Requirement, queries: int, runs: int, share: float, icc: float, level: float) -> str:
    half = planned_half_width(share, queries, runs, icc=icc, level=level)
    if half <= need.half_width:
        return f"{need.queries} queries with data ({queries} now)" if queries < need.queries else ""
    enough = max(need.queries, queries_for(need.half_width, share, runs, icc=icc, level=level))
    return (
        f"{enough} queries with data ({queries} now), for a category interval of "
        f"± {need.half_width * 100:.0f} points (± {half * 100:.1f} planned now)"
    )


def _missing_runs(need: Requirement, runs: int, days: int | None, failed: float) -> str:
    parts = []
    if runs < need.runs:
        parts.append(f"{need.runs} runs per query ({runs} now)")
    if (days or 1) < need.days:
        parts.append(f"runs over at least {need.days} days ({'unknown' if days is None else days} now)")
    if failed > need.failed:
        parts.append(f"at most {need.failed * 100:.0f} % of runs failed ({failed * 100:.1f} % now)")
    return "; ".join(parts)


def planned_half_width(
    share: float, queries: int, runs: int, *, icc: float = DEFAULT_ICC, level: float = 0.95
) -> float:
    """Half the width of the category interval to expect at a share, as a fraction; half the range below 2 queries.

    The section 1 interval at its expected counts: kappa = icc + (1 - icc)/runs, and T from the beta-binomial chance
    that a query has no citing run, or only citing ones. Averaged over icc .1, .5, .8 it is within 0.3 points of table
    1.2 from 50 queries (0.7 at 20), where t sqrt(mu(1-mu) kappa/Q) of section 2.2 is up to 1.3 (4.4) points off.
    """
    a2 = tail("category", level)
    if queries < 2:
        return 0.5
    all_missing, all_citing = _unanimous(1.0 - share, runs, icc), _unanimous(share, runs, icc)
    informative = queries * min(1.0 - all_missing, 1.0 - all_citing)
    kappa = shrink(np.array([icc + (1.0 - icc) / max(runs, 1)]), np.array([informative]))
    low, high = jeffreys(np.array([share]), queries * small_sample(queries - 1.0, a2) / kappa, a2)
    return float(high[0] - low[0]) / 2.0


def queries_for(half_width: float, share: float, runs: int, *, icc: float = DEFAULT_ICC, level: float = 0.95) -> int:
    """The least number of queries whose planned category half-width is at most `half_width`, up to a million."""
    low, high = 1, MOST_QUERIES
    while high - low > 1:
        middle = (low + high) // 2
        if planned_half_width(share, middle, runs, icc=icc, level=level) <= half_width:
            high = middle
        else:
            low = middle
    return high


def _unanimous(chance: float, runs: int, icc: float) -> float:
    """The beta-binomial chance that all runs of a query come out one way, each with `chance`."""
    return chance * prod((chance * (1.0 - icc) + r * icc) / (1.0 - icc + r * icc) for r in range(1, runs))
