import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import assume, given
from hypothesis import strategies as st

from citepoll.errors import InputError
from citepoll.measure.intervals import METHODS, share, share_of_voice

TARGETS = ("fixed_set", "category")


@st.composite
def voices(draw):
    total = draw(st.lists(st.lists(st.integers(0, 4), max_size=4), min_size=1, max_size=10))
    assume(any(any(runs) for runs in total))
    return [[draw(st.integers(0, y)) for y in runs] for runs in total], total


@given(voices(), st.sampled_from(TARGETS))
def test_bounds_hold_the_value(data, target):
    e = share_of_voice(*data, target=target)
    assert 0 <= e.low <= e.value <= e.high <= 1
    assert e.method in METHODS


@given(voices(), st.sampled_from(TARGETS))
def test_the_complement_swaps_the_bounds(data, target):
    brand, total = data
    others = [[y - x for x, y in zip(*runs, strict=True)] for runs in zip(brand, total, strict=True)]
    e, other = share_of_voice(brand, total, target=target), share_of_voice(others, total, target=target)
    assert (1 - other.value, 1 - other.high, 1 - other.low) == pytest.approx((e.value, e.low, e.high), abs=1e-9)


@given(voices(), st.sampled_from(TARGETS), st.integers(2, 5))
def test_counts_all_multiplied_say_the_same(data, target, factor):
    e = share_of_voice(*data, target=target)
    more = share_of_voice(*([[v * factor for v in runs] for runs in side] for side in data), target=target)
    assert (more.value, more.low, more.high) == pytest.approx((e.value, e.low, e.high), abs=1e-9)


def test_one_citation_in_every_answer_is_a_share():
    cited = [[1, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0], [0, 0, 0]]
    sums, ones = [sum(runs) for runs in cited], [[1, 1, 1]] * 5
    fixed, as_share = share_of_voice(cited, ones, target="fixed_set"), share(sums, [3] * 5, target="fixed_set")
    assert (fixed.low, fixed.high) == pytest.approx((as_share.low, as_share.high))
    category, as_share = share_of_voice(cited, ones, target="category"), share(sums, [3] * 5, target="category")
    assert (category.low, category.high) == pytest.approx((as_share.low, as_share.high))


def test_the_variance_between_queries_is_the_sandwich_of_weighted_least_squares():
    rng = np.random.default_rng(5)
    y = rng.integers(0, 5, (40, 1)) + 1
    x = rng.binomial(y, rng.beta(2, 2, (40, 1)))
    fit = sm.WLS(x[:, 0] / y[:, 0], np.ones(40), weights=y[:, 0]).fit(cov_type="HC0")
    variance = fit.bse[0] ** 2 * 40 / 39
    ratio, worst = fit.params[0], fit.params[0] * (1 - fit.params[0]) * (y**2).sum() / y.sum() ** 2
    informative = min((x > 0).sum(), (y > x).sum())
    shrunken = (informative * min(variance, worst) + 2 * worst) / (informative + 2)
    e = share_of_voice(x.tolist(), y.tolist(), target="category")
    assert e.value == pytest.approx(ratio)
    assert e.n_effective == pytest.approx(ratio * (1 - ratio) / shrunken * (1.959964 / 2.022691) ** 2, rel=1e-5)


def test_unequal_runs_do_not_weight_queries():
    once = share_of_voice([[1], [0]], [[1], [1]], target="fixed_set")
    often = share_of_voice([[1, 1, 1, 1], [0]], [[1, 1, 1, 1], [1]], target="fixed_set")
    assert (once.value, often.value) == (0.5, 0.5)
    assert often.pooled == 0.8


def test_no_citation_at_all_is_null():
    e = share_of_voice([[0, 0]], [[0, 0]], target="fixed_set")
    assert (e.value, e.n, e.n_queries) == (None, 2, 1)
    assert "no citation" in e.reason
    assert share_of_voice([[], []], [[], []], target="fixed_set").reason == "no valid answer"


def test_a_brand_without_citations_has_an_upper_bound():
    for target in TARGETS:
        e = share_of_voice([[0, 0]] * 20, [[2, 1]] * 20, target=target)
        assert e.low == e.value == 0
        assert 0 < e.high < 0.3


def test_one_query_says_nothing_about_the_category():
    e = share_of_voice([[1, 0]], [[2, 1]], target="category")
    assert (e.low, e.high) == (0, 1)


@pytest.mark.parametrize(
    ("brand", "total"),
    [([[2]], [[1]]), ([[1]], [[1, 1]]), ([[1]], [[1], [1]]), ([1], [1]), ([[0.5]], [[1]]), ([[-1]], [[1]])],
)
def test_wrong_counts_raise(brand, total):
    with pytest.raises(InputError):
        share_of_voice(brand, total, target="fixed_set")
