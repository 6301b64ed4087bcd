import pytest
from hypothesis import given
from hypothesis import strategies as st

from citepoll.errors import InputError
from citepoll.measure.intervals import METHODS, blend_estimates, blended, mean_per_answer, share, share_of_voice
from citepoll.measure.methods import UNCHECKED_LEVEL

TARGETS = ("fixed_set", "category")
ten = st.lists(st.integers(0, 3), min_size=10, max_size=10)


@given(ten, ten, st.floats(0, 1), st.sampled_from(TARGETS))
def test_bounds_hold_the_value(a, b, weight, target):
    e = blended({"a": a, "b": b}, {"a": [3] * 10, "b": [3] * 10}, {"a": weight, "b": 1 - weight}, target=target)
    assert 0 <= e.low <= e.value <= e.high <= 1
    assert e.method in METHODS


@given(ten)
def test_one_engine_alone_keeps_its_fixed_set_interval(cited):
    alone = share(cited, [3] * 10, target="fixed_set")
    e = blended({"a": cited}, {"a": [3] * 10}, {"a": 1.0}, target="fixed_set")
    assert (e.value, e.low, e.high) == pytest.approx((alone.value, alone.low, alone.high), abs=1e-12)


def test_engines_that_always_cite_reach_one_and_never_pass_it():
    engines = [str(i) for i in range(10)]
    cited, weights = {e: [3] * 4 for e in engines}, dict.fromkeys(engines, 0.1)
    for target in TARGETS:
        e = blended(cited, cited, weights, target=target)
        assert e.low < e.value <= e.high <= 1
        assert e.value == pytest.approx(1, abs=1e-12)


def test_covariance_between_engines_widens_the_category_interval():
    same, other = [3, 3, 3, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 3, 3, 3]
    runs, weights = {"a": [3] * 10, "b": [3] * 10}, {"a": 0.5, "b": 0.5}
    together = blended({"a": same, "b": same}, runs, weights, target="category")
    apart = blended({"a": same, "b": other}, runs, weights, target="category")
    assert together.high - together.low > apart.high - apart.low


def test_each_target_has_its_own_queries_and_value():
    cited = {"a": [3, 0, 0, 3], "b": [3, 0, 0, 0]}
    runs = {"a": [3, 3, 3, 3], "b": [3, 3, 3, 0]}
    weights = {"a": 0.5, "b": 0.5}
    fixed = blended(cited, runs, weights, target="fixed_set")
    category = blended(cited, runs, weights, target="category")
    assert fixed.value == pytest.approx(0.5 * 0.5 + 0.5 / 3)
    assert (fixed.n_queries, fixed.n, fixed.cited) == (4, 21, 9)
    assert category.value == pytest.approx(1 / 3)
    assert (category.n_queries, category.n, category.cited) == (3, 18, 6)
    assert any(w.startswith("1 of 4 queries left out") for w in category.warnings)
    assert any("b: 1 of 4 queries left out" in w for w in fixed.warnings)
    assert all(any("differ by 8.3 points" in w for w in e.warnings) for e in (fixed, category))


def test_an_engine_without_answers_gives_no_estimate():
    for target in TARGETS:
        e = blended({"a": [1], "b": [0]}, {"a": [3], "b": [0]}, {"a": 0.5, "b": 0.5}, target=target)
        assert (e.value, e.target) == (None, target)
        assert "nothing to count from b" in e.reason
        absent = blended({"a": [1]}, {"a": [3]}, {"a": 0.5, "b": 0.5}, target=target)
        assert "nothing to count from b" in absent.reason


def test_fewer_than_two_complete_queries_give_no_category_estimate():
    cited, runs = {"a": [1, 1], "b": [1, 0]}, {"a": [3, 3], "b": [3, 0]}
    e = blended(cited, runs, {"a": 0.5, "b": 0.5}, target="category")
    assert (e.value, e.n_queries) == (None, 1)
    assert "fewer than 2 queries" in e.reason
    assert blended(cited, runs, {"a": 0.5, "b": 0.5}, target="fixed_set").value is not None


def test_an_engine_of_weight_zero_is_left_out():
    e = blended({"a": [1, 2], "b": [0, 0]}, {"a": [3, 3], "b": [0, 0]}, {"a": 1.0, "b": 0.0}, target="category")
    assert (e.value, e.n) == (0.5, 6)


@pytest.mark.parametrize("weights", [{"a": 0.5}, {"a": 0.5, "b": 0.6}, {"a": 1.5, "b": -0.5}, {"a": 1.0}])
def test_wrong_weights_raise(weights):
    with pytest.raises(InputError):
        blended({"a": [1], "b": [1]}, {"a": [3], "b": [3]}, weights, target="fixed_set")


def test_unequal_lengths_raise():
    with pytest.raises(InputError):
        blended({"a": [1], "b": [1, 1]}, {"a": [3], "b": [3, 3]}, {"a": 0.5, "b": 0.5}, target="category")
    with pytest.raises(InputError):
        blended({"a": [1]}, {"a": [3, 3]}, {"a": 1.0}, target="category")


def test_blended_share_of_voice_by_hand():
    a = share_of_voice([[1, 0], [0, 1]], [[2, 1], [1, 3]], target="fixed_set")
    b = share_of_voice([[0, 0], [0, 0]], [[2, 1], [1, 3]], target="fixed_set")
    e = blend_estimates({"a": a, "b": b}, {"a": 0.6, "b": 0.4}, target="fixed_set")
    assert e.value == pytest.approx(0.6 * a.value)
    assert e.high == pytest.approx(e.value + ((0.6 * (a.high - a.value)) ** 2 + (0.4 * b.high) ** 2) ** 0.5)
    assert e.low == pytest.approx(0.6 * a.low)


def test_blended_share_of_voice_has_no_category_interval():
    part = share_of_voice([[1, 0], [0, 1]], [[2, 1], [1, 3]], target="category")
    e = blend_estimates({"a": part}, {"a": 1.0}, target="category")
    assert e.value is None
    assert "covariance" in e.reason


def test_blended_means_have_a_value_without_bounds():
    part = mean_per_answer([[1, 2], [3, 4]], target="fixed_set")
    e = blend_estimates({"a": part, "b": part}, {"a": 0.5, "b": 0.5}, target="fixed_set")
    assert (e.value, e.low, e.high, e.reason) == (2.5, None, None, "no interval specified")


def test_estimates_of_unequal_kind_raise():
    one, other = share([1], [3], target="fixed_set"), share([1], [3], target="fixed_set", level=0.9)
    with pytest.raises(InputError):
        blend_estimates({"a": one, "b": other}, {"a": 0.5, "b": 0.5}, target="fixed_set")
    with pytest.raises(InputError):
        blend_estimates({"a": one}, {"a": 1.0}, target="category")


def test_the_warning_on_the_level_is_said_once():
    data = {"a": [1, 2], "b": [0, 1]}
    runs = {"a": [3, 3], "b": [3, 3]}
    for target in TARGETS:
        e = blended(data, runs, {"a": 0.5, "b": 0.5}, target=target, level=0.9)
        assert e.warnings.count(UNCHECKED_LEVEL) == 1
