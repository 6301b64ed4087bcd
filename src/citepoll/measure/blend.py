"""One number over several engines with stated weights (STATISTICS section 3, Blended)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import isfinite

import numpy as np
from numpy.typing import ArrayLike

from citepoll.errors import InputError
from citepoll.measure.bounds import Floats, jeffreys, mover, tail
from citepoll.measure.counts import whole_numbers
from citepoll.measure.methods import CHECKED_LEVEL, NO_INTERVAL, UNCHECKED_LEVEL, differs, left_out, notices
from citepoll.measure.shares import POINT, category_n, share
from citepoll.model import Estimate, Target

TOO_FEW_COMPLETE = "fewer than 2 queries have answers on every engine"
NO_COVARIANCE = "engines share their queries, and their covariance in this metric is not known: no category interval"


def blended(
    cited_by_engine: Mapping[str, ArrayLike],
    runs_by_engine: Mapping[str, ArrayLike],
    weights: Mapping[str, float],
    *,
    target: Target,
    level: float = 0.95,
) -> Estimate:
    """The weighted sum of the engines' shares, with its interval. Sequences of all engines are over the same queries.

    A query without answers on an engine has 0 runs there. Each target has its own value: fixed_set sums each engine's
    share over its own queries (MOVER bounds), category is the mean over the queries with answers on every engine; a
    warning counts the others and says where the two values are more than a point apart. An engine without any answer,
    or fewer than 2 complete queries (category), gives a null estimate with its reason. `cited` and `n` are sums over
    engines, `pooled` is None; an engine of weight 0 is left out. Raises `InputError` where weights do not sum to 1
    within 1e-9, an engine lacks one, or for the counts that `share` refuses. Source: STATISTICS section 3.
    """
    if not all(isinstance(given, Mapping) for given in (cited_by_engine, runs_by_engine, weights)):
        raise InputError("cited, runs and weights are not given by engine", "Give mappings from engine to its values.")
    engines = weighted_engines(cited_by_engine.keys() | runs_by_engine.keys(), weights)
    a2 = tail(target, level)
    missing = [engine for engine in engines if engine not in cited_by_engine or engine not in runs_by_engine]
    if missing:
        return _null(target, level, _without(missing))
    runs = _table(runs_by_engine, engines, "runs")
    cited = _table(cited_by_engine, engines, "cited")
    if cited.shape != runs.shape:
        raise InputError("cited and runs differ in length", "Give one number per query in each.")
    parts = {e: share(k, n, target="fixed_set", level=level) for e, k, n in zip(engines, cited, runs, strict=True)}
    fixed = blend_estimates(parts, weights, target="fixed_set")
    if fixed.value is None:
        return replace(fixed, target=target)
    complete = (runs > 0).all(axis=0)
    category = _category(cited[:, complete], runs[:, complete], [weights[e] for e in engines], a2, level)
    asked = int((runs > 0).any(axis=0).sum())
    return _with_notices(fixed, category, asked, target)


def _with_notices(fixed: Estimate, category: Estimate, asked: int, target: Target) -> Estimate:
    """The asked-for estimate, with the queries that only some engines answered and the distance of the two values."""
    warnings: tuple[str, ...] = ()
    if target == "category" and category.n_queries < asked:
        warnings += (left_out(asked - category.n_queries, asked, "without a valid answer on every engine"),)
    if fixed.value is not None and category.value is not None and abs(fixed.value - category.value) > POINT:
        warnings += (differs(fixed.value, category.value, "the fixed-set and the category value"),)
    if target == "fixed_set":
        return replace(fixed, n_queries=asked, warnings=(*fixed.warnings, *warnings))
    return replace(category, warnings=(*category.warnings, *warnings))


def _category(cited: Floats, runs: Floats, weights: list[float], a2: float, level: float) -> Estimate:
    """Section 1 (b) on x_q = sum w_e f_qe, with 0 as the least kappa."""
    queries, n, total = runs.shape[1], int(runs.sum()), int(cited.sum())
    warnings = notices(level, 0, queries)
    if queries < 2:
        return replace(_null("category", level, TOO_FEW_COMPLETE), n=n, n_queries=queries, warnings=warnings)
    x = (np.array(weights) @ (cited / runs))[None, :]
    full = (cited == runs).all(axis=0)
    x[0, full] = 1.0
    effective = category_n(x, np.full(queries, 1.0 / queries), 0.0, a2)
    low, high = jeffreys(effective.share, effective.n_star, a2)
    return Estimate(
        float(effective.share[0]), float(low[0]), float(high[0]), "category", "jeffreys-blend-category", level,
        n, queries, total, None, float(effective.n_star[0]), warnings=warnings, of=n,
    )  # fmt: skip


def blend_estimates(estimates: Mapping[str, Estimate], weights: Mapping[str, float], *, target: Target) -> Estimate:
    """The weighted sum of the engines' estimates of one metric (share of voice, means), each over its own queries.

    fixed_set: MOVER bounds, or no bounds with the reason where an engine has none. category: null with the reason.
    An engine without an estimate gives a null estimate. `n`, `cited` and `of` are sums, `n_queries` the most of an engine.
    Raises `InputError` for weights that do not sum to 1, and for estimates of another target or of unequal confidence.
    Source: STATISTICS sections 3 and 3.1.
    """
    engines = weighted_engines(estimates, weights)
    level = _common_level([estimates[e] for e in engines if e in estimates], target)
    missing = [e for e in engines if e not in estimates or estimates[e].value is None]
    if missing:
        return _null(target, level, _without(missing))
    if target == "category":
        return _null(target, level, NO_COVARIANCE)
    parts = [estimates[e] for e in engines]
    value = sum(weights[e] * (part.value or 0.0) for e, part in zip(engines, parts, strict=True))
    cited, of = _sum([part.cited for part in parts]), _sum([part.of for part in parts])
    estimate = Estimate(
        value, None, None, target, "value-only", level, sum(part.n for part in parts),
        max(part.n_queries for part in parts), cited, reason=NO_INTERVAL, warnings=_of_engines(engines, parts), of=of,
    )  # fmt: skip
    bounds = [
        (weights[e], part.value, part.low, part.high)
        for e, part in zip(engines, parts, strict=True)
        if part.value is not None and part.low is not None and part.high is not None
    ]
    if len(bounds) < len(engines):
        return estimate
    _, values, lows, highs = zip(*bounds, strict=True)
    middle, low, high = mover(bounds)
    # Weights that sum to 1 within rounding must not carry a share past 1.
    value, low, high = min(middle, max(values)), max(low, min(lows)), min(high, max(highs))
    return replace(estimate, value=value, low=low, high=high, method="mover-blend-fixed", reason=None)


def _sum(parts: list[float | None]) -> float | None:
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def weighted_engines(available: Iterable[str], weights: Mapping[str, float]) -> list[str]:
    """The engines of positive weight. Raises `InputError` where weights do not sum to 1 or an engine has none."""
    unweighted = sorted(set(available) - set(weights))
    if unweighted:
        raise InputError(f"no weight for {', '.join(unweighted)}", "Give every engine a weight; 0 leaves it out.")
    values = list(weights.values())
    if not all(isfinite(w) and w >= 0 for w in values) or abs(sum(values) - 1.0) > 1e-9:
        raise InputError(f"engine weights sum to {sum(values):g}, not 1", "Give weights of 0 or more that sum to 1.")
    return [engine for engine, weight in weights.items() if weight > 0]


def _common_level(parts: list[Estimate], target: Target) -> float:
    levels = {part.confidence for part in parts}
    if len(levels) > 1 or any(part.target != target for part in parts):
        raise InputError("estimates of unequal target or confidence cannot be blended", "Estimate all engines alike.")
    return levels.pop() if levels else CHECKED_LEVEL


def _of_engines(engines: list[str], parts: list[Estimate]) -> tuple[str, ...]:
    """The engines' warnings, each with its engine, but for the one on the level, said once."""
    named = [
        f"{e}: {text}"
        for e, part in zip(engines, parts, strict=True)
        for text in part.warnings
        if text != UNCHECKED_LEVEL
    ]
    unchecked = [UNCHECKED_LEVEL] if any(UNCHECKED_LEVEL in part.warnings for part in parts) else []
    return (*named, *unchecked)


def _without(missing: list[str]) -> str:
    return f"nothing to count from {', '.join(missing)}"


def _null(target: Target, level: float, reason: str) -> Estimate:
    return Estimate(None, None, None, target, "none", level, reason=reason, warnings=notices(level, 0, 0))


def _table(by_engine: Mapping[str, ArrayLike], engines: list[str], name: str) -> Floats:
    """Counts of shape (engines, queries), in the order of `engines`."""
    rows = [whole_numbers(by_engine[engine], name) for engine in engines]
    if len({row.shape for row in rows}) > 1 or rows[0].ndim != 1:
        raise InputError(f"{name} differs in length between engines", "Give 0 runs where an engine lacks a query.")
    return np.stack(rows)
