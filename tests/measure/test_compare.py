"""The worked vectors of the comparisons, to four decimals, and the laws that every one of them keeps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from citepoll.errors import InputError
from citepoll.measure import compare
from citepoll.measure.exact import mid_p, sign_flip
from citepoll.measure.intervals import share
from citepoll.measure.methods import UNCHECKED_LEVEL
from citepoll.measure.verdicts import VERDICTS, kind_of_verdict

TARGETS = ("fixed_set", "category")
K1, K2, K3 = [0, 0, 0, 3, 3, 2, 1, 0, 0, 0], [0, 0, 1, 3, 3, 3, 3, 2, 0, 0], [1, 0, 2, 3, 3, 3, 3, 2, 1, 0]
R = [3] * 10
V15 = [[1, 0, 1], [0, 0, 0], [1, 1, 1], [0, -1, 0], [0, 0, 0], [1, 1, 0], [0, 0, 0], [-1, 0, 0], [1, 1, 1], [0, 0, 0]]


def four(found):
    return tuple(None if x is None else round(x, 4) for x in (found.value, found.low, found.high, found.p))


@st.composite
def cycles(draw, number=2):
    """Counts of several cycles over the same queries; some queries lack answers."""
    size = draw(st.integers(1, 8))
    runs = [draw(st.lists(st.integers(0, 4), min_size=size, max_size=size)) for _ in range(number)]
    return [([draw(st.integers(0, n)) for n in of_cycle], of_cycle) for of_cycle in runs]


# ---------------------------------------------------------------- vectors


def test_v8_change():
    fixed = compare.change(K1, R, K2, R, target="fixed_set")
    category = compare.change(K1, R, K2, R, target="category")
    assert four(fixed) == (0.2, 0.0253, 0.3602, 0.0249)
    assert four(category) == (0.2, -0.1033, 0.4669, 0.183)
    assert (round(fixed.p_second, 4), fixed.second) == (0.01, "null: no query changed")
    assert category.p_second == pytest.approx(0.125)
    assert (fixed.value1, fixed.value2) == pytest.approx((0.3, 0.5))


def test_v11_slope():
    assert four(compare.slope([K1, K2, K3], [R] * 3, target="fixed_set"))[:3] == (0.15, 0.0527, 0.2359)
    assert four(compare.slope([K1, K2, K3], [R] * 3, target="category")) == (0.15, -0.0103, 0.283, 0.0647)


def test_v15_brands():
    assert four(compare.brands(V15, target="fixed_set"))[:3] == (0.2667, 0.0908, 0.4253)
    assert four(compare.brands(V15, target="category")) == (0.2667, -0.159, 0.6439, 0.2051)


def test_brands_with_unequal_runs_by_hand():
    # y = 1, 1/2; n = 3, q2 = 2/3, variances 2/3 (one run: q2) and 1/2, T = 2.
    found = compare.brands([[1], [1, 0]], target="fixed_set")
    v = (2 * (2 / 3 + 0.5 / 2) / 4 + 2 * (2 / 9)) / 4
    half = 1.959964 * np.sqrt(v * (3 / 4) ** 2 + 1 / 16)
    assert (found.value, found.low) == pytest.approx((0.75, 0.75 * 3 / 4 - half), abs=1e-6)


def test_difference_in_differences_by_hand():
    # Category: per arm m = sum d / (Q+1), s2 = (sum d^2 + 1 - (Q+1) m^2) / Q, Welch's sum, t with 3 degrees.
    treat, control = ([0, 0, 1, 2], [3] * 4, [3, 3, 1, 2], [3] * 4), ([1] * 5, [3] * 5, [1] * 4 + [2], [3] * 5)
    found = compare.difference_in_differences(treat, control, target="category")
    means = np.array([2 / 5, 1 / 3 / 6])
    s2 = np.array([(2 + 1 - 5 * means[0] ** 2) / 4, (1 / 9 + 1 - 6 * means[1] ** 2) / 5])
    se = np.sqrt((s2 / [5, 6]).sum())
    assert found.value == pytest.approx(0.5 - 1 / 15)
    assert found.low == pytest.approx(means[0] - means[1] - stats.t.ppf(0.975, 3) * se)
    assert found.p == pytest.approx(2 * stats.t.sf((means[0] - means[1]) / se, 3))


def test_a_still_control_only_widens_the_fixed_set_change():
    arm, still = (K1, R, K2, R), (K1, R, K1, R)
    plain = compare.change(*arm, target="fixed_set")
    found = compare.difference_in_differences(arm, still, target="fixed_set")
    assert found.value == pytest.approx(plain.value)
    assert found.low < plain.low < plain.high < found.high
    assert (found.treated.p, found.control.value) == (plain.p, 0)


# ---------------------------------------------------------------- laws


@given(cycles(), st.sampled_from(TARGETS))
def test_swapping_the_cycles_mirrors_the_change(two, target):
    (k1, r1), (k2, r2) = two
    there, back = compare.change(k1, r1, k2, r2, target=target), compare.change(k2, r2, k1, r1, target=target)
    if there.value is None:
        assert there.reason == back.reason == "no query has valid answers in every cycle compared"
        return
    assert (there.value, there.low, there.high) == pytest.approx((-back.value, -back.high, -back.low), abs=1e-9)
    assert -1 <= there.low <= there.value <= there.high <= 1
    if there.p is not None:
        assert (there.p, there.p_second) == pytest.approx((back.p, back.p_second), abs=1e-9)
        assert (there.p <= 0.05) == (there.low > 0 or there.high < 0)


@given(cycles(number=1), st.sampled_from(TARGETS))
def test_a_cycle_against_itself_has_not_moved(one, target):
    found = compare.change(*one[0], *one[0], target=target)
    assert found.value in (None, 0)
    assert found.p in (None, 1)
    assert found.low is None or found.low < 0 < found.high


@given(cycles(number=3), st.sampled_from(TARGETS))
def test_the_slope_mirrors_in_time_and_scales_with_its_unit(three, target):
    k, r = [c[0] for c in three], [c[1] for c in three]
    found, back = compare.slope(k, r, target=target), compare.slope(k[::-1], r[::-1], target=target)
    weekly = compare.slope(k, r, [0, 7, 14], target=target)
    if found.value is not None:
        assert (found.value, found.low) == pytest.approx((-back.value, -back.high), abs=1e-9)
        assert (found.value, found.high) == pytest.approx((weekly.value * 7, weekly.high * 7), abs=1e-9)
        assert found.low <= found.value <= found.high


@given(st.lists(st.lists(st.sampled_from([-1, 0, 1]), max_size=4), max_size=8), st.sampled_from(TARGETS))
def test_brands_are_antisymmetric(e, target):
    found, other = (compare.brands(x, target=target) for x in (e, [[-d for d in query] for query in e]))
    if found.value is None:
        assert found.reason == "no valid answer"
        return
    assert (found.value, found.low, found.p) == pytest.approx((-other.value, -other.high, other.p))
    assert -1 <= found.low <= found.value <= found.high <= 1


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=12))
def test_adjusting_agrees_with_scipy_and_keeps_the_untested(p_values):
    found = compare.adjust(p_values)
    tested = [p for p in p_values if p is not None]
    expected = iter(stats.false_discovery_control(tested) if tested else [])
    assert found == tuple(None if p is None else pytest.approx(next(expected)) for p in p_values)


@given(cycles())
def test_exact_second_opinions_against_enumeration(two):
    kept = [i for i, n in enumerate(zip(two[0][1], two[1][1], strict=True)) if min(n) > 0][:6]
    k, r = (np.array([[cycle[part][i] for i in kept] for cycle in two], dtype=float) for part in (0, 1))
    d = k[1] / r[1] - k[0] / r[0] if kept else np.zeros(0)
    flips = np.array(np.meshgrid(*[[-1, 1]] * len(kept))).reshape(len(kept), -1) if kept else np.zeros((0, 1))
    expected = (np.abs(d @ flips) >= abs(d.sum()) - 1e-9).mean()
    if kept:
        assert sign_flip(k, r) == pytest.approx(expected)
        laws = [stats.hypergeom(int(n1 + n2), int(x1 + x2), int(n2)) for x1, x2, n1, n2 in zip(*k, *r, strict=True)]
        grid = np.array(np.meshgrid(*[np.arange(int(n) + 1) for n in r[1]])).reshape(len(kept), -1)
        chance = np.prod([law.pmf(row) for law, row in zip(laws, grid, strict=True)], axis=0)
        total, seen = grid.sum(axis=0), k[1].sum()
        tails = [chance[side].sum() + chance[total == seen].sum() / 2 for side in (total > seen, total < seen)]
        assert mid_p(k, r) == pytest.approx(min(1, 2 * min(tails)), abs=1e-9)


# ---------------------------------------------------------------- cases


def test_only_queries_with_answers_in_both_cycles_count():
    found = compare.change([3, 1, 0, 2], [3, 3, 0, 3], [3, 2, 3, 0], [3, 3, 3, 0], target="fixed_set")
    pair = share([3, 1], [3, 3], target="fixed_set")
    assert (found.n_queries, found.dropped, found.before.value, found.before.high) == (2, 2, pair.value, pair.high)
    assert any(w.startswith("2 of 4 queries left out") for w in found.warnings)


def test_nothing_in_common_is_null_with_its_reason():
    for target in TARGETS:
        found = compare.change([1, 0], [3, 0], [0, 1], [0, 3], target=target)
        assert (found.value, found.low, found.p, found.detectable) == (None,) * 4
        assert found.reason == "no query has valid answers in every cycle compared"


def test_one_query_says_nothing_about_questions_like_it():
    found = compare.change([0], [3], [3], [3], target="category")
    assert (found.low, found.high, found.p) == (-1, 1, None)
    assert "one query" in compare.verdict(found, None, 1)


def test_single_runs_and_other_levels_carry_a_warning():
    found = compare.change([0] * 20, [1] * 20, [1] * 20, [1] * 20, target="fixed_set", level=0.9)
    assert any("one run per query" in w for w in found.warnings)
    assert UNCHECKED_LEVEL in found.warnings


@pytest.mark.parametrize(
    "counts", [([4], [3], [1], [3]), ([1, 1], [3, 3], [1], [3]), ([-1], [3], [1], [3]), ([1], [0], [1], [3])]
)
def test_bad_counts_are_told(counts):
    with pytest.raises(InputError):
        compare.change(*counts, target="fixed_set")


def test_velocity_needs_three_cycles_and_rising_times():
    assert "3 cycles" in compare.slope([K1, K2], [R, R], target="category").reason
    assert "3 cycles" in compare.slope([], [], target="category").reason
    with pytest.raises(InputError, match="rise"):
        compare.slope([K1, K2, K3], [R] * 3, [0, 2, 1], target="category")


def test_brands_refuse_what_is_no_difference_of_two():
    with pytest.raises(InputError, match="-1, 0 or 1"):
        compare.brands([[2]], target="category")


def test_change_of_a_ratio():
    brand1, total = [[1, 1, 0], [0, 0, 0], [1, 0, 0], []], [[2, 3, 1], [1, 1, 1], [2, 1, 2], []]
    brand2 = [[2, 3, 1], [1, 1, 0], [2, 0, 0], []]
    found = compare.change_of_ratio(brand1, total, brand2, total, target="fixed_set")
    assert (found.n_queries, found.dropped) == (3, 1)
    assert found.value == pytest.approx(found.after.value - found.before.value)
    assert found.low < found.value < found.high
    assert (found.p <= 0.05) == (found.low > 0)
    category = compare.change_of_ratio(brand1, total, brand2, total, target="category")
    assert (category.value, category.reason) == (
        None,
        "no category interval is specified for a change of a ratio of citations",
    )
    nothing = compare.change_of_ratio([[0]], [[0]], [[0]], [[1]], target="fixed_set")
    assert nothing.reason == "no citation of any tracked brand in a valid answer"


def test_pre_trend_uses_the_last_two_cycles_or_says_not_checked():
    treat, control = [(K3, R), (K1, R), (K2, R)], [(K1, R), (K1, R), (K1, R)]
    found = compare.pre_trend(treat, control, target="fixed_set")
    assert found.value == pytest.approx(0.2)
    assert compare.pre_trend(treat[:1], control, target="fixed_set").reason.startswith("not checked")


# ---------------------------------------------------------------- verdicts


def moved(**fields):
    return compare.Contrast(**({"target": "fixed_set", "value": 0.06, "low": 0.02, "high": 0.10, "p": 0.01} | fields))


def test_sentences():
    assert compare.verdict(moved(), 0.04, 12) == "up 6 points (2 to 10): a real change on these queries"
    assert compare.verdict(moved(value=-0.06, low=-0.1, high=-0.02, target="category"), 0.04, 12) == (
        "down 6 points (2 to 10): a real change on questions like these"
    )
    assert compare.verdict(moved(), 0.08, 12) == (
        "up 6 points (2 to 10): would count alone, not among the 12 comparisons shown"
    )
    assert compare.verdict(moved(p=0.3, low=-0.02, detectable=0.07), 0.6, 12) == (
        "no evidence of change; a move under 7 points could not have been seen"
    )
    assert compare.verdict(moved(value=0.012, low=0.001, high=0.023), 0.04, 1).startswith("up 1.2 points (0.1 to 2.3)")
    assert compare.verdict(moved(value=None, reason="no valid answer"), None, 1) == "no comparison: no valid answer"


def test_too_few_answers_see_no_move():
    found = compare.change([0, 1], [1, 1], [1, 1], [1, 1], target="category")
    assert compare.verdict(found, found.p, 1) == "no evidence of change; these answers are too few to see one"


# ---------------------------------------------------------------- short simulations; the long one is bench/power.py

REPS = 200


def pairs(mean, queries, runs, drift, rng):
    size = 2 / 3
    for _ in range(REPS):
        p1, other = (rng.beta(mean * size, (1 - mean) * size, queries) for _ in range(2))
        p2 = np.where(rng.random(queries) < drift, other, p1)
        yield p1, p2, rng.binomial(runs, p1), rng.binomial(runs, p2)


@pytest.mark.parametrize(("mean", "queries", "runs"), [(0.05, 50, 3), (0.3, 20, 3)])
def test_the_fixed_set_change_covers_and_seldom_alarms(mean, queries, runs):
    rng = np.random.default_rng(21)
    covered, n = 0, [runs] * queries
    for p1, p2, k1, k2 in pairs(mean, queries, runs, 0.4, rng):
        found = compare.change(k1, n, k2, n, target="fixed_set")
        covered += found.low <= (p2 - p1).mean() <= found.high
    alarms = sum(
        compare.change(k1, n, k2, n, target="fixed_set").p <= 0.05
        for _, _, k1, k2 in pairs(mean, queries, runs, 0, rng)
    )
    assert covered / REPS >= 0.93
    assert alarms / REPS <= 0.065


def test_the_category_change_seldom_alarms_under_drift_where_the_exact_mid_p_does():
    rng = np.random.default_rng(22)
    n = [3] * 40
    drawn = [(k1, k2) for _, _, k1, k2 in pairs(0.3, 40, 3, 0.4, rng)]
    category = np.mean([compare.change(k1, n, k2, n, target="category").p <= 0.05 for k1, k2 in drawn])
    second = np.mean([mid_p(np.array([k1, k2], float), np.full((2, 40), 3.0)) <= 0.05 for k1, k2 in drawn])
    assert category <= 0.065
    assert second > 0.1


@pytest.mark.parametrize("target", TARGETS)
def test_brands_cover(target):
    rng = np.random.default_rng(23)
    covered = 0
    for _ in range(REPS):
        a, b = rng.beta(0.13, 0.53, (30, 1)), rng.beta(0.2, 0.47, (30, 1))
        e = (rng.random((30, 3)) < b).astype(int) - (rng.random((30, 3)) < a)
        found = compare.brands(e.tolist(), target=target)
        truth = (b - a).mean() if target == "fixed_set" else 0.2 / 0.67 - 0.13 / 0.66
        covered += found.low <= truth <= found.high
    assert covered / REPS >= 0.92


@pytest.mark.parametrize("target", TARGETS)
def test_slopes_and_differences_in_differences_cover_no_movement(target):
    rng = np.random.default_rng(24)
    n = [3] * 30
    slopes = experiments = 0
    for p, _, k1, k2 in pairs(0.2, 30, 3, 0, rng):
        k3, k4 = rng.binomial(3, p), rng.binomial(3, p)
        slope = compare.slope([k1, k2, k3], [n] * 3, target=target)
        slopes += slope.low <= 0 <= slope.high
        arms = (k1[:15], n[:15], k2[:15], n[:15]), (k3[15:], n[15:], k4[15:], n[15:])
        found = compare.difference_in_differences(*arms, target=target)
        experiments += found.low <= 0 <= found.high
    assert slopes / REPS >= 0.925
    assert experiments / REPS >= 0.95


def test_each_verdict_has_a_word_with_a_meaning():
    found = {
        "real": kind_of_verdict(moved(), 0.04), "alone": kind_of_verdict(moved(p=0.01), 0.08),
        "none seen": kind_of_verdict(moved(p=0.3), 0.6), "no test": kind_of_verdict(moved(p=None), None),
        "not compared": kind_of_verdict(moved(value=None), None),
    }  # fmt: skip
    assert all(word == kind for word, kind in found.items())
    assert list(VERDICTS) == list(found)
