import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from citepoll.errors import InputError
from citepoll.measure.intervals import METHODS, share, share_many
from citepoll.measure.methods import ONE_QUERY, UNCHECKED_LEVEL

TARGETS = ("fixed_set", "category")


@st.composite
def counts(draw, least=1):
    runs = draw(st.lists(st.integers(0, 6), min_size=least, max_size=30))
    assume(sum(1 for n in runs if n) >= least)
    return [draw(st.integers(0, n)) for n in runs], runs


targets = st.sampled_from(TARGETS)


@given(counts(), targets, st.floats(0.01, 0.999))
def test_bounds_hold_the_value_and_stay_in_range(data, target, level):
    e = share(*data, target=target, level=level)
    assert 0 <= e.low <= e.value <= e.high <= 1
    assert e.low < e.high


@given(st.integers(1, 2000), targets)
def test_a_sliver_of_an_answer_is_still_inside(runs, target):
    e = share([1, 0], [runs, 1], target=target)
    assert 0 <= e.low <= e.value <= e.high <= 1


@given(counts(), targets, st.floats(0.05, 0.99), st.floats(0.05, 0.99))
def test_a_higher_level_is_never_narrower(data, target, one, other):
    low, high = sorted((one, other))
    narrow, wide = share(*data, target=target, level=low), share(*data, target=target, level=high)
    assert wide.low <= narrow.low + 1e-9
    assert wide.high >= narrow.high - 1e-9


@given(counts(), targets)
def test_the_complement_swaps_the_bounds(data, target):
    cited, runs = data
    e = share(cited, runs, target=target)
    other = share([n - k for k, n in zip(cited, runs, strict=True)], runs, target=target)
    assert (1 - other.value, 1 - other.high, 1 - other.low) == pytest.approx((e.value, e.low, e.high), abs=1e-9)


@given(counts(), targets, st.randoms(use_true_random=False))
def test_the_order_of_queries_carries_no_meaning(data, target, random):
    pairs = list(zip(*data, strict=True))
    random.shuffle(pairs)
    e, other = share(*data, target=target), share(*zip(*pairs, strict=True), target=target)
    assert (other.value, other.low, other.high) == pytest.approx((e.value, e.low, e.high), abs=1e-9)


@given(counts(), targets, st.floats(0.1, 100))
def test_equal_weights_are_no_weights(data, target, weight):
    e, weighted = share(*data, target=target), share(*data, target=target, weights=[weight] * len(data[0]))
    assert (weighted.value, weighted.low, weighted.high) == pytest.approx((e.value, e.low, e.high), abs=1e-9)


@given(counts(least=2), targets)
def test_a_query_of_weight_zero_is_left_out(data, target):
    cited, runs = data
    weights = [1.0] * len(cited)
    e = share(cited, runs, target=target, weights=weights)
    longer = share([*cited, 1], [*runs, 2], target=target, weights=[*weights, 0.0])
    assert (longer.value, longer.low, longer.high, longer.n) == (e.value, e.low, e.high, e.n)


@given(st.lists(st.lists(st.integers(0, 3), min_size=8, max_size=8), min_size=1, max_size=6), targets)
def test_many_at_once_equal_one_by_one(table, target):
    runs = [3, 3, 3, 3, 3, 3, 3, 4]
    together = share_many(table, runs, target=target)
    for row, e in zip(table, together, strict=True):
        alone = share(row, runs, target=target)
        assert (alone.value, alone.low, alone.high) == pytest.approx((e.value, e.low, e.high), abs=1e-12)
        assert (alone.cited, alone.n, alone.pooled) == (e.cited, e.n, e.pooled)


@settings(max_examples=50)
@given(counts(least=2), targets)
def test_statsmodels_agrees_on_the_effective_sample(data, target):
    e = share(*data, target=target)
    low, high = proportion_confint(e.value * e.n_effective, e.n_effective, method="jeffreys")
    if 0 < e.value < 1 and low < e.value < high:
        assert (e.low, e.high) == pytest.approx((low, high), abs=1e-9)


@pytest.mark.parametrize(("queries", "runs"), [(20, 3), (50, 5), (1, 4)])
def test_no_citation_is_a_clopper_pearson_bound_for_the_fixed_set(queries, runs):
    e = share([0] * queries, [runs] * queries, target="fixed_set")
    assert (e.low, e.high) == (0.0, pytest.approx(proportion_confint(0, queries * runs, method="beta")[1]))


def test_weights_by_hand():
    # Three queries of weights 1/2, 1/4, 1/4 with shares 1, 0, 2/3: p = 1/2 + 1/6.
    e = share([3, 0, 2], [3, 3, 3], target="fixed_set", weights=[2, 1, 1])
    p, n0 = 2 / 3, 1 / ((1 / 4 + 1 / 16 + 1 / 16) / 3)
    theta = (1 / 16 * (2 / 9 * 3 / 2) / 3) / (p * (1 - p) / n0)
    assert e.value == pytest.approx(p)
    assert e.n_effective == pytest.approx(n0 / ((2 * theta + 2) / 4))
    category = share([3, 0, 2], [3, 3, 3], target="category", weights=[2, 1, 1])
    assert category.value == pytest.approx(p)
    assert category.high - category.low > e.high - e.low


def test_missing_queries_are_dropped_and_counted():
    e = share([1, 0, 0], [3, 3, 0], target="fixed_set")
    assert (e.n, e.n_queries, e.cited) == (6, 2, 1)
    assert any(w.startswith("1 of 3 queries left out") for w in e.warnings)


def test_no_data_is_null_with_a_reason():
    for cited, runs in (([], []), ([0, 0], [0, 0])):
        e = share(cited, runs, target="fixed_set")
        assert (e.value, e.low, e.high, e.n, e.n_queries) == (None, None, None, 0, 0)
        assert e.reason == "no valid answer"


def test_one_query_says_nothing_about_the_category():
    e = share([2], [5], target="category")
    assert (e.low, e.high, e.n_effective) == (0.0, 1.0, None)
    assert ONE_QUERY in e.warnings


def test_pooled_ratio_more_than_a_point_apart_warns():
    e = share([9, 0], [9, 3], target="fixed_set")
    assert (e.value, e.pooled) == (0.5, 0.75)
    assert any("differ by 25.0 points" in w for w in e.warnings)
    assert share([1, 2], [3, 3], target="fixed_set").warnings == ()


def test_other_levels_carry_a_warning():
    assert UNCHECKED_LEVEL in share([1], [3], target="fixed_set", level=0.9).warnings
    assert UNCHECKED_LEVEL not in share([1], [3], target="fixed_set").warnings


@pytest.mark.parametrize(
    ("cited", "runs"),
    [
        ([-1], [3]),
        ([4], [3]),
        ([1], [-3]),
        ([1, 1], [3]),
        ([1], [3, 3]),
        ([0.5], [3]),
        ([math.nan], [3]),
        ([1], [math.inf]),
        ([None], [3]),
        (["1"], [3]),
        ([[1, 2]], [3, 3]),
        ([[1], [1, 2]], [3, 3]),
        (3, [3]),
        ([1], 3),
    ],
)
@pytest.mark.parametrize("target", TARGETS)
def test_wrong_counts_raise(cited, runs, target):
    with pytest.raises(InputError):
        share(cited, runs, target=target)


@pytest.mark.parametrize("weights", [[1.0], [1.0, -1.0], [1.0, math.nan], [[1.0, 1.0]], ["a", "b"]])
def test_wrong_weights_raise(weights):
    with pytest.raises(InputError):
        share([1, 1], [3, 3], target="fixed_set", weights=weights)


@pytest.mark.parametrize("level", [0, 1, -0.5, 95, math.nan])
def test_wrong_level_raises(level):
    with pytest.raises(InputError, match="confidence"):
        share([1], [3], target="fixed_set", level=level)


def test_wrong_target_raises():
    with pytest.raises(InputError, match="target"):
        share([1], [3], target="both")


def test_whole_floats_booleans_and_arrays_are_counts():
    plain = share([1, 0], [1, 1], target="fixed_set")
    assert share([True, False], np.array([1.0, 1.0]), target="fixed_set") == plain


def test_every_method_is_documented():
    methods = {share(k, n, target=t).method for k, n in (([1], [2]), ([], [])) for t in TARGETS}
    assert methods <= METHODS.keys()
    assert all(text.endswith(".") for text in METHODS.values())
