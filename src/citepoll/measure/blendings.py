"""Many entities blended over engines at once: `intervals.blended`, for every row that a slice shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from citepoll.measure.blend import TOO_FEW_COMPLETE
from citepoll.measure.bounds import Floats, jeffreys, tail
from citepoll.measure.estimates import Counted, blocks, excluded_by, table
from citepoll.measure.intervals import blend_estimates
from citepoll.measure.methods import differs, left_out, notices
from citepoll.measure.scope import Family
from citepoll.measure.shares import POINT, category_n
from citepoll.measure.weights import Blend
from citepoll.model import Estimate, Target

Parts: TypeAlias = Mapping[Target, Mapping[str, Mapping[int, Estimate]]]
"""Estimates by target, engine and entity code; a blend needs those of both targets."""


def of_blend(
    counted: Counted, family: Family, blend: Blend, codes: Sequence[int], parts: Parts
) -> dict[Target, dict[int, Estimate]]:
    """The blended estimates of these entities for both targets, with what is excluded by status.

    Shares follow `intervals.blended`, all else `intervals.blend_estimates`, from the engines' own estimates.
    """
    fixed, category = (list(_blended(blend, codes, parts[target], target)) for target in TARGETS)
    if counted.metric.estimator == "share":
        runs = np.stack([family.groups[engine].counts[counted.metric.denominator] for engine in blend.engines])
        asked = int((runs > 0).any(axis=0).sum())
        shares = _category_shares(counted, family, blend, codes, runs)
        both = [_noticed(one, other, asked) for one, other in zip(fixed, shares, strict=True)]
        fixed, category = [one for one, _ in both], [other for _, other in both]
    excluded: Counter[str] = Counter()
    for engine in blend.engines:
        excluded.update(excluded_by(counted.metric, family.groups[engine]))
    return {
        target: {
            code: replace(e, excluded=dict(excluded), warnings=(*blend.warnings, *e.warnings))
            for code, e in zip(codes, found, strict=True)
        }
        for target, found in zip(TARGETS, (fixed, category), strict=True)
    }


TARGETS: tuple[Target, Target] = ("fixed_set", "category")


def _blended(
    blend: Blend, codes: Sequence[int], parts: Mapping[str, Mapping[int, Estimate]], target: Target
) -> Iterator[Estimate]:
    for code in codes:
        yield blend_estimates({engine: parts[engine][code] for engine in blend.engines}, blend.weights, target=target)


def _category_shares(
    counted: Counted, family: Family, blend: Blend, codes: Sequence[int], runs: Floats
) -> Iterator[Estimate]:
    """Section 1 (b) on the weighted means of the queries that have answers on every engine."""
    complete = (runs > 0).all(axis=0)
    runs = runs[:, complete]
    weights = np.array([blend.weights[engine] for engine in blend.engines])
    for block in blocks(codes, runs.size):
        cited = np.stack([table(counted, family, family.groups[e], block)[:, complete] for e in blend.engines], axis=1)
        yield from _category_estimates(cited, runs, weights, counted.confidence)


def _category_estimates(cited: Floats, runs: Floats, weights: Floats, level: float) -> list[Estimate]:
    """`cited` has shape (entities, engines, queries), `runs` (engines, queries), all of them above 0."""
    queries, n = runs.shape[1], int(runs.sum())
    warnings = notices(level, 0, queries)
    if queries < 2:
        few = Estimate(
            None, None, None, "category", "none", level, n, queries, reason=TOO_FEW_COMPLETE, warnings=warnings
        )
        return [few] * len(cited)
    x = np.where((cited == runs).all(axis=1), 1.0, np.einsum("e,keq->kq", weights, cited / runs))
    a2 = tail("category", level)
    effective = category_n(x, np.full(queries, 1.0 / queries), 0.0, a2)
    low, high = jeffreys(effective.share, effective.n_star, a2)
    columns = (effective.share, low, high, cited.sum(axis=(1, 2)), effective.n_star)
    return [
        Estimate(
            value, bottom, top, "category", "jeffreys-blend-category", level, n, queries, int(total), None, n_star,
            warnings=warnings, of=n,
        )
        for value, bottom, top, total, n_star in zip(*(column.tolist() for column in columns), strict=True)
    ]  # fmt: skip


def _noticed(fixed: Estimate, category: Estimate, asked: int) -> tuple[Estimate, Estimate]:
    """Both with the queries they stand on, and a warning where their values are more than a point apart."""
    if fixed.value is None:
        return fixed, replace(fixed, target="category")
    apart: tuple[str, ...] = ()
    if category.value is not None and abs(fixed.value - category.value) > POINT:
        apart = (differs(fixed.value, category.value, "the fixed-set and the category value"),)
    missing: tuple[str, ...] = ()
    if category.n_queries < asked:
        missing = (left_out(asked - category.n_queries, asked, "without a valid answer on every engine"),)
    return (
        replace(fixed, n_queries=asked, warnings=(*fixed.warnings, *apart)),
        replace(category, warnings=(*category.warnings, *missing, *apart)),
    )
