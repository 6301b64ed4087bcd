"""From an effective sample size to bounds: Jeffreys, Clopper-Pearson at the ends, Student's t, MOVER."""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtri, stdtrit

from citepoll.errors import InputError
from citepoll.measure.methods import wrong_level
from citepoll.model import Target

Floats: TypeAlias = NDArray[np.float64]

PRIOR_QUERIES = 2.0
"""c of STATISTICS section 1: pseudo-queries of prior weight on the worst case."""


def tail(target: Target, level: float) -> float:
    """a/2 of a two-sided interval at `level`. Raises `InputError` for an unknown target or level."""
    if target not in ("fixed_set", "category"):
        raise InputError(f"unknown target {target!r}", "Use fixed_set or category.")
    if wrong := wrong_level(level):
        raise InputError(*wrong)
    return (1.0 - level) / 2.0


def student_t(df: float, a2: float) -> float:
    """The quantile 1 - a2 of Student's t with `df` degrees of freedom."""
    return float(stdtrit(df, 1.0 - a2))


def small_sample(df: float, a2: float) -> float:
    """(z / t)^2, the factor that turns a normal into a Student's t interval (section 1, n*_b)."""
    return float(ndtri(1.0 - a2) / student_t(df, a2)) ** 2


def shrink(ratio: Floats, informative: Floats) -> Floats:
    """A variance ratio drawn towards 1, the worst case, by `PRIOR_QUERIES` beside the informative queries."""
    return (informative * ratio + PRIOR_QUERIES) / (informative + PRIOR_QUERIES)


def jeffreys(share: Floats, n_star: Floats, a2: float) -> tuple[Floats, Floats]:
    """Beta quantiles at `share * n_star` successes; low is 0 where the share is 0, high is 1 where it is 1.

    The bounds always include the share: with an effective sample of a fraction of one answer a quantile would not.
    """
    x = share * n_star
    low = betaincinv(x + 0.5, n_star - x + 0.5, a2)
    high = betaincinv(x + 0.5, n_star - x + 0.5, 1.0 - a2)
    low = np.where(share <= 0, 0.0, np.minimum(low, share))
    high = np.where(share >= 1, 1.0, np.maximum(high, share))
    return low, high


def clopper_pearson_ends(share: Floats, n_star: Floats, a2: float) -> tuple[Floats, Floats]:
    """`jeffreys`, with the Clopper-Pearson bound where the share is 0 or 1 (section 1, fixed_set)."""
    low, high = jeffreys(share, n_star, a2)
    end = a2 ** (1.0 / n_star)
    return np.where(share >= 1, end, low), np.where(share <= 0, 1.0 - end, high)


def mover(parts: Iterable[tuple[float, float, float, float]]) -> tuple[float, float, float]:
    """Value, low and high of a sum of independent (coefficient, value, low, high), coefficients of any sign.

    Section 2 (difference) and section 3 (blended): the method of variance estimates recovery.
    """
    value = below = above = 0.0
    for coefficient, middle, low, high in parts:
        value += coefficient * middle
        down, up = (middle - low, high - middle) if coefficient >= 0 else (high - middle, middle - low)
        below += (coefficient * down) ** 2
        above += (coefficient * up) ** 2
    return value, value - sqrt(below), value + sqrt(above)
