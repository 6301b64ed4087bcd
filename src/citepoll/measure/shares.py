"""A single share with its interval, for these queries or for questions like these (STATISTICS sections 1 and 3.1)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from citepoll.measure.bounds import Floats, clopper_pearson_ends, jeffreys, shrink, small_sample, tail
from citepoll.measure.counts import Panel, read_panel
from citepoll.measure.methods import NO_ANSWER, ONE_QUERY, differs, notices
from citepoll.model import Estimate, Target

POINT = 0.01
"""Above this difference of two figures of the same share a warning stands beside both."""


@dataclass(frozen=True, slots=True)
class Effective:
    """Per entity: the share, the informative queries T, the shrunken variance ratio (theta or kappa) and n*."""

    share: Floats
    informative: Floats
    ratio: Floats
    n_star: Floats


def share(
    cited: ArrayLike, runs: ArrayLike, *, target: Target, level: float = 0.95, weights: ArrayLike | None = None
) -> Estimate:
    """Share of answers that count, with its interval, for one entity.

    `cited` and `runs` are counts over the same queries: citing answers and valid answers. The value is the mean of the
    queries' means (weighted by `weights`, scaled to sum 1); `pooled` is the ratio over answers. Queries without runs
    (or of weight 0) are left out, and a warning counts them. No query with an answer: a null estimate with its reason.
    One query and category: [0, 1] with a warning. Raises `InputError` for counts that are negative, above the runs,
    NaN, fractions or of unequal length. Source: STATISTICS section 1, weights 3.1.
    """
    return share_many([cited], runs, target=target, level=level, weights=weights)[0]  # type: ignore[arg-type]  # one row is array-like


def share_many(
    cited: ArrayLike, runs: ArrayLike, *, target: Target, level: float = 0.95, weights: ArrayLike | None = None
) -> list[Estimate]:
    """`share` of many entities over the same answers: `cited` has shape (entities, queries), `runs` (queries,)."""
    a2 = tail(target, level)
    panel = read_panel(cited, runs, weights)
    warnings = notices(level, panel.left_out, panel.asked)
    if not panel.runs.size:
        nothing = Estimate(None, None, None, target, "none", level, reason=NO_ANSWER, warnings=warnings)
        return [nothing] * len(panel.cited)
    if target == "fixed_set":
        effective = fixed_set_n(panel)
        low, high = clopper_pearson_ends(effective.share, effective.n_star, a2)
        return _estimates(panel, effective, low, high, target, "jeffreys-shrunk-fixed", level, warnings)
    effective = category_n(panel.cited / panel.runs, panel.weights, _floor(panel), a2)
    low, high = jeffreys(effective.share, effective.n_star, a2)
    estimates = _estimates(panel, effective, low, high, target, "jeffreys-shrunk-category", level, warnings)
    if panel.runs.size == 1:
        return [replace(e, low=0.0, high=1.0, n_effective=None, warnings=(*e.warnings, ONE_QUERY)) for e in estimates]
    return estimates


def fixed_set_n(panel: Panel) -> Effective:
    """n*_a = n0 / theta: runs are the only randomness; theta = 1 - ICC, shrunk to independent runs (Hoeffding 1956)."""
    f, n, w = panel.cited / panel.runs, panel.runs, panel.weights
    p, pq, informative = _mean(f, w)
    squared = w**2 / n
    n0 = 1.0 / squared.sum()
    within = np.where(n >= 2, f * (1.0 - f) * (n / np.maximum(n - 1.0, 1.0)), pq[:, None])
    ratio = (within @ squared) * n0 / np.where(pq > 0, pq, 1.0)
    theta = shrink(np.minimum(ratio, 1.0), informative)
    return Effective(p, informative, theta, n0 / theta)


def category_n(fractions: Floats, weights: Floats, floor: float, a2: float) -> Effective:
    """n*_b = Qe / kappa (z/t)^2: queries are drawn too; kappa is shrunk to one answer per query (ICC = 1).

    `fractions` has shape (entities, queries), `weights` sums to 1, `floor` is the least kappa that runs allow: Qe/n0
    for a share, 0 where a query's fraction is no mean of independent answers (blended, overlap).
    """
    p, pq, informative = _mean(fractions, weights)
    squared = float((weights**2).sum())
    between = ((fractions - p[:, None]) ** 2) @ weights / max(1.0 - squared, 1e-12)
    kappa = shrink(np.minimum(np.maximum(between / np.where(pq > 0, pq, 1.0), floor), 1.0), informative)
    n_star = small_sample(max(1.0 / squared - 1.0, 1.0), a2) / squared / kappa
    return Effective(p, informative, kappa, n_star)


def _mean(fractions: Floats, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """Weighted mean p (exactly 0 or 1 at the ends), p(1-p), and T, the informative queries."""
    positive, short = (fractions > 0).sum(axis=1), (fractions < 1).sum(axis=1)
    p = np.where(short == 0, 1.0, np.where(positive == 0, 0.0, fractions @ weights))
    return p, p * (1.0 - p), np.minimum(positive, short).astype(np.float64)


def _floor(panel: Panel) -> float:
    squared = panel.weights**2
    return float((squared / panel.runs).sum() / squared.sum())


def _estimates(
    panel: Panel,
    effective: Effective,
    low: Floats,
    high: Floats,
    target: Target,
    method: str,
    level: float,
    warnings: tuple[str, ...],
) -> list[Estimate]:
    n, queries = int(panel.runs.sum()), panel.runs.size
    cited = panel.cited.sum(axis=1)
    plain = (panel.cited / panel.runs).sum(axis=1) / queries
    columns = (effective.share, low, high, effective.n_star, cited, cited / n, plain)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [
        Estimate(
            value, bottom, top, target, method, level, n, queries, int(k), pooled, n_star,
            warnings=(*warnings, differs(mean, pooled, "mean of the queries and pooled ratio"))
            if abs(mean - pooled) > POINT
            else warnings,
            of=n,
        )
        for value, bottom, top, n_star, k, pooled, mean in rows
    ]  # fmt: skip
