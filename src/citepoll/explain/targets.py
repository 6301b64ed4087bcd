"""Targets: a value of a metric to be reached by a date, and the chance that it has been."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from scipy import special

from citepoll.measure.metrics import METRICS
from citepoll.model import Estimate

METRICS_AIMED_AT = tuple(name for name, metric in METRICS.items() if metric.unit == "share" and metric.per_brand)
"""Shares of the tracked brand; each has an interval with an effective number of answers."""

NO_POSTERIOR = "the interval of a blended share has no effective number of answers: look at the engines"


@dataclass(frozen=True, slots=True)
class Goal:
    """A metric of the tracked brand is to be at least `value` (a fraction) by a day."""

    metric: str
    value: float
    by: date


@dataclass(frozen=True, slots=True)
class Standing:
    """A goal on one engine: the estimate, the chance of having been met, or the reason why there is none, and the days
    left (negative once past). Nothing here forecasts: the chance is about the cycle that was measured."""

    goal: Goal
    engine: str
    cycle: str
    estimate: Estimate
    chance: float | None
    reason: str | None
    days_left: int


def chance(estimate: Estimate, value: float) -> float | None:
    """Pr(share >= value) under Beta(x + ½, n* - x + ½) with x = share · n*, the posterior behind the interval.

    None where there is no estimate or no n*. Where every query was cited never or always, the posterior stays inside
    0 and 1, so that a chance is never 0 or 1 by a bound. Source: STATISTICS section 1.
    """
    if estimate.value is None or estimate.n_effective is None:
        return None
    x = estimate.value * estimate.n_effective
    return float(special.betaincc(x + 0.5, estimate.n_effective - x + 0.5, value))


def standing(goal: Goal, engine: str, cycle: str, estimate: Estimate, today: date) -> Standing:
    """Where a goal stands on an engine."""
    found = chance(estimate, goal.value)
    reason = None
    if found is None:
        reason = estimate.reason or NO_POSTERIOR
    return Standing(goal, engine, cycle, estimate, found, reason, (goal.by - today).days)


def sentence(found: Standing) -> str:
    """`met with a chance of 83 %, 12 days left`; small words for the ends."""
    left = f"{found.days_left} days left" if found.days_left >= 0 else f"{-found.days_left} days past"
    if found.chance is None:
        return f"no chance stated: {found.reason}; {left}"
    percent = f"{found.chance * 100:.0f} %"
    if found.chance < 0.005:
        percent = "under 1 %"
    elif found.chance >= 0.995:
        percent = "over 99 %"
    return f"met with a chance of {percent}; {left}"
