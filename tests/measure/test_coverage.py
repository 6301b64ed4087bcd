"""A short seeded simulation: the intervals cover the truth as often as they say. The long one is bench/coverage.py."""

import numpy as np
import pytest

from citepoll.measure.intervals import mean_per_answer, share_many, share_of_voice

REPS = 2000


def coverage(k, runs, target, truth):
    found = share_many(k, runs, target=target)
    low, high = (np.array([getattr(e, side) for e in found]) for side in ("low", "high"))
    return float(((low <= truth) & (truth <= high)).mean())


@pytest.mark.parametrize("mean", [0.02, 0.15, 0.6])
@pytest.mark.parametrize("correlation", [0.1, 0.5, 0.8])
@pytest.mark.parametrize(("queries", "runs"), [(20, 3), (50, 1)])
def test_both_targets_cover_their_truth(mean, correlation, queries, runs):
    rng = np.random.default_rng(11)
    size = 1 / correlation - 1
    p = rng.beta(mean * size, (1 - mean) * size, (REPS, queries))
    k = rng.binomial(runs, p)
    assert coverage(k, [runs] * queries, "category", mean) >= 0.92
    assert coverage(k, [runs] * queries, "fixed_set", p.mean(axis=1)) >= 0.92


def test_the_fixed_set_covers_where_every_query_is_alike():
    rng = np.random.default_rng(12)
    queries, runs = 50, 5
    found = []
    for p in np.arange(0.25, 6.01, 0.25) / (queries * runs):
        found.append(coverage(rng.binomial(runs, p, (REPS, queries)), [runs] * queries, "fixed_set", p))
    assert min(found) >= 0.91
    assert np.mean(found) >= 0.95


def test_the_fixed_set_covers_with_answers_missing():
    rng = np.random.default_rng(13)
    covered = []
    for _ in range(20):
        runs = rng.binomial(4, 0.8, 40)
        p = rng.beta(0.3, 1.7, 40)
        truth = p[runs > 0].mean()
        covered.append(coverage(rng.binomial(runs, p, (200, 40)), runs, "fixed_set", truth))
    assert np.mean(covered) >= 0.94


def test_independent_answers_would_not_cover_the_category():
    rng = np.random.default_rng(14)
    k = rng.binomial(5, rng.beta(0.15, 0.35, (REPS, 50)))
    p = k.sum(axis=1) / 250
    naive = np.abs(p - 0.3) <= 1.96 * np.sqrt(p * (1 - p) / 250)
    assert naive.mean() < 0.8


@pytest.mark.parametrize("target", ["fixed_set", "category"])
def test_share_of_voice_covers(target):
    rng = np.random.default_rng(15)
    covered = 0
    for _ in range(500):
        p = rng.beta(0.25, 2.25, (30, 1))
        y = rng.poisson(np.full((30, 3), 1.5))
        e = share_of_voice(rng.binomial(y, p).tolist(), y.tolist(), target=target)
        covered += e.low <= (p.mean() if target == "fixed_set" else 0.1) <= e.high
    assert covered / 500 >= 0.93


def test_mean_per_answer_covers_where_queries_differ_little():
    rng = np.random.default_rng(16)
    covered = 0
    for _ in range(500):
        e = mean_per_answer(rng.poisson(rng.gamma(9, 1 / 3, (40, 1)) + np.zeros((40, 3))).tolist(), target="category")
        covered += e.low <= 3 <= e.high
    assert covered / 500 >= 0.92
