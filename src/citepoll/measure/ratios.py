"""Shares of citations: the brand's of all tracked brands', or the brand's slots of all slots (section 3, SoV)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from citepoll.errors import InputError
from citepoll.measure.bounds import PRIOR_QUERIES, clopper_pearson_ends, jeffreys, small_sample, tail
from citepoll.measure.counts import Answers, read_answers
from citepoll.measure.methods import NO_ANSWER, ONE_QUERY, notices
from citepoll.model import Estimate, Target

NO_CITATION = "no citation of any tracked brand in a valid answer"


def share_of_voice(
    brand: Sequence[Sequence[int]], total: Sequence[Sequence[int]], *, target: Target, level: float = 0.95
) -> Estimate:
    """The brand's citations over all tracked brands' (its own included), with its interval.

    Both are nested queries -> runs, a number per valid answer; `slot_share` and mention_share_of_voice have the same
    form. Runs are averaged within a query first, so that unequal runs do not weight queries; `cited` is the brand's
    count, `of` the total, `pooled` the one over the other. No answer, or no citation at all: a null estimate with its reason.
    Raises `InputError` for counts that are negative, fractions, above the total or of unequal shape.
    Source: STATISTICS sections 3 (SoV) and 3.1; the fixed set's bound at 0 and 1 is that of section 1 (decision 0001).
    """
    a2 = tail(target, level)
    x, y = _read_pair(brand, total)
    warnings = notices(level, x.left_out, x.asked)
    n, queries, counted, all_counted = x.values.size, x.runs.size, int(x.values.sum()), int(y.values.sum())
    if not all_counted:
        reason = NO_CITATION if queries else NO_ANSWER
        return Estimate(None, None, None, target, "none", level, n, queries, reason=reason, warnings=warnings)
    ratio = float(x.mean().sum() / y.mean().sum()) if counted < all_counted else 1.0
    method = "ratio-shrunk-fixed" if target == "fixed_set" else "ratio-shrunk-category"
    pooled = counted / all_counted
    if target == "category" and queries == 1:
        return Estimate(
            ratio, 0.0, 1.0, target, method, level, n, queries, counted, pooled, warnings=(*warnings, ONE_QUERY),
            of=all_counted,
        )  # fmt: skip
    n_star = _fixed_set_n(x, y, ratio) if target == "fixed_set" else _category_n(x, y, ratio, a2)
    bounds = clopper_pearson_ends if target == "fixed_set" else jeffreys
    low, high = bounds(np.array([ratio]), np.array([n_star]), a2)
    return Estimate(
        ratio, float(low[0]), float(high[0]), target, method, level, n, queries, counted, pooled, n_star,
        warnings=warnings, of=all_counted,
    )  # fmt: skip


def _read_pair(brand: Sequence[Sequence[int]], total: Sequence[Sequence[int]]) -> tuple[Answers, Answers]:
    x, y = read_answers(brand, "brand"), read_answers(total, "total")
    if [len(runs) for runs in brand] != [len(runs) for runs in total]:
        raise InputError("brand and total differ in shape", "Give a number per answer in each.")
    if (x.values > y.values).any():
        raise InputError("the brand has more citations than all brands together", "Count the brand in the total too.")
    return x, y


def _fixed_set_n(x: Answers, y: Answers, ratio: float) -> float:
    """n* from the variance between runs; a query with one run takes its part of the worst case."""
    scale = y.mean().sum() ** 2
    worst = ratio * (1.0 - ratio) * y.by_query(y.values**2) / y.runs**2
    if not worst.any():
        return float(scale / (y.by_query(y.values**2) / y.runs**2).sum())
    between_runs = np.where(y.runs >= 2, x.spread(x.values - ratio * y.values) / x.runs, worst)
    return _shrunken_n(x, y, ratio, between_runs.sum() / scale, worst.sum() / scale)


def _category_n(x: Answers, y: Answers, ratio: float, a2: float) -> float:
    """n* from the variance between queries, scaled from the normal to Student's t."""
    queries, mean = x.runs.size, y.mean()
    scale, squares = mean.sum() ** 2, (mean**2).sum()
    factor = small_sample(queries - 1.0, a2)
    if ratio in (0.0, 1.0):
        return float(scale / squares) * factor
    residuals = x.mean() - ratio * mean
    variance = queries / (queries - 1.0) * (residuals**2).sum() / scale
    return _shrunken_n(x, y, ratio, variance, ratio * (1.0 - ratio) * squares / scale) * factor


def _shrunken_n(x: Answers, y: Answers, ratio: float, variance: float, worst: float) -> float:
    """rho(1-rho) over the variance drawn towards its worst case, T informative queries against two."""
    informative = min((x.by_query(x.values) > 0).sum(), (x.by_query(y.values - x.values) > 0).sum())
    shrunken = (informative * min(variance, worst) + PRIOR_QUERIES * worst) / (informative + PRIOR_QUERIES)
    return float(ratio * (1.0 - ratio) / shrunken)
