"""Means over queries that are no share of answers: citations per answer, overlap of runs (section 3.1)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence, Set
from dataclasses import replace
from itertools import combinations
from math import sqrt

import numpy as np

from citepoll.measure.bounds import jeffreys, student_t, tail
from citepoll.measure.counts import read_answers
from citepoll.measure.methods import NO_ANSWER, NO_INTERVAL, NO_SPREAD, ONE_QUERY, left_out, notices
from citepoll.measure.shares import category_n
from citepoll.model import Estimate, Target

NO_PAIR = "no query has two valid answers that cite a URL"


def mean_per_answer(counts: Sequence[Sequence[int]], *, target: Target, level: float = 0.95) -> Estimate:
    """Mean count per valid answer (citations, slots), as the mean of the queries' means; not bounded by 1.

    `counts` is nested queries -> runs. category: Student's t on the queries' means, low not below 0; one query gives a
    null estimate. fixed_set: the value without an interval. `pooled` is the mean over answers.
    Raises `InputError` for counts that are negative or fractions. Source: STATISTICS section 3.1.
    """
    a2 = tail(target, level)
    answers = read_answers(counts, "counts")
    queries, warnings = answers.runs.size, notices(level, answers.left_out, answers.asked)
    if not queries:
        return Estimate(None, None, None, target, "none", level, reason=NO_ANSWER, warnings=warnings)
    means, n = answers.mean(), answers.values.size
    total = float(answers.values.sum())
    value = float(means.mean())
    estimate = Estimate(
        value, None, None, target, "value-only", level, n, queries, total, total / n,
        reason=NO_INTERVAL, warnings=warnings, of=n,
    )  # fmt: skip
    if target == "fixed_set":
        return estimate
    if queries == 1:
        return replace(estimate, value=None, method="none", reason=ONE_QUERY)
    half = student_t(queries - 1.0, a2) * float(means.std(ddof=1)) / sqrt(queries)
    if half == 0:
        estimate = replace(estimate, warnings=(*warnings, NO_SPREAD))
    return replace(estimate, low=max(value - half, 0.0), high=value + half, method="t-category", reason=None)


def overlap(urls: Sequence[Sequence[Set[Hashable]]], *, target: Target, level: float = 0.95) -> Estimate:
    """Run-to-run overlap of cited URLs: mean over queries of |A and B| / min(|A|, |B|) over the pairs of its runs.

    `urls` is nested queries -> runs -> set. A pair with an empty side is left out; a query without a pair is left out
    and counted. category: the section 1 interval; fixed_set: the value without an interval. `n` counts the answers of
    the queries that count. No pair anywhere: a null estimate. Source: STATISTICS section 3.1.
    """
    a2 = tail(target, level)
    pairs = [(len(runs), overlaps) for runs in urls if (overlaps := pair_overlaps(runs))]
    queries = len(pairs)
    warnings = notices(level, 0, queries)
    if queries < len(urls):
        warnings += (left_out(len(urls) - queries, len(urls), "no two answers that cite a URL"),)
    if not pairs:
        return Estimate(None, None, None, target, "none", level, reason=NO_PAIR, warnings=warnings)
    fractions = np.array([[sum(overlaps) / len(overlaps) for _, overlaps in pairs]])
    n = sum(runs for runs, _ in pairs)
    value = float(fractions.mean())
    if target == "fixed_set":
        return Estimate(
            value, None, None, target, "value-only", level, n, queries, reason=NO_INTERVAL, warnings=warnings
        )
    method = "overlap-shrunk-category"
    if queries == 1:
        return Estimate(value, 0.0, 1.0, target, method, level, n, 1, warnings=(*warnings, ONE_QUERY))
    effective = category_n(fractions, np.full(queries, 1.0 / queries), 0.0, a2)
    low, high = jeffreys(effective.share, effective.n_star, a2)
    return Estimate(
        float(effective.share[0]), float(low[0]), float(high[0]), target, method, level, n, queries,
        n_effective=float(effective.n_star[0]), warnings=warnings,
    )  # fmt: skip


def pair_overlaps(runs: Sequence[Set[Hashable]]) -> list[float]:
    """|A and B| / min(|A|, |B|) of every pair of runs with no empty side."""
    return [len(a & b) / min(len(a), len(b)) for a, b in combinations(runs, 2) if a and b]
