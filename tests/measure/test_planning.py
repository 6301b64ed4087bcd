"""The planner against the worked figures, the simulated tables of the specification, and its own laws."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from citepoll.errors import InputError
from citepoll.measure import planning
from citepoll.measure.compare import change
from citepoll.measure.intervals import share

TARGETS = ("fixed_set", "category")
SHARES = (0.05, 0.15, 0.3, 0.6)
WIDTHS = {
    ("category", 50, 1): (0.123, 0.196, 0.252, 0.269),
    ("category", 50, 3): (0.106, 0.163, 0.207, 0.219),
    ("category", 50, 5): (0.099, 0.153, 0.193, 0.206),
    ("category", 200, 1): (0.060, 0.099, 0.127, 0.135),
    ("category", 200, 3): (0.049, 0.079, 0.101, 0.108),
    ("category", 200, 5): (0.046, 0.074, 0.095, 0.101),
    ("fixed_set", 50, 3): (0.057, 0.086, 0.107, 0.114),
    ("fixed_set", 50, 5): (0.044, 0.067, 0.083, 0.088),
    ("fixed_set", 200, 3): (0.026, 0.041, 0.052, 0.055),
    ("fixed_set", 200, 5): (0.020, 0.032, 0.040, 0.043),
}
"""Simulated mean widths at SHARES, over ICC .1, .5, .8."""


def drawn(mean, queries, runs, rng, icc=0.6):
    size = 1 / icc - 1
    return rng.binomial(runs, rng.beta(mean * size, (1 - mean) * size, queries))


def test_v12_plain_formula():
    found = [
        planning.detectable(0.15, queries, runs, target=target, method="normal")
        for queries, runs in ((50, 3), (200, 5))
        for target in ("category", "fixed_set")
    ]
    assert [round(x, 4) for x in found] == [0.1007, 0.0731, 0.0447, 0.0283]


def test_the_reported_category_interval_by_noncentral_t():
    assert round(planning.detectable(0.15, 50, 3, target="category"), 4) == 0.124
    assert round(planning.detectable(0.15, 200, 5, target="category"), 4) == 0.0482
    se = np.sqrt((2 * 0.2 * 0.6 * 0.1275 + 0.4 * (0.1275 + 0.1875) / 3 + 1 / 50) / 50)
    expected = stats.nct.sf(stats.t.ppf(0.975, 49), 49, 0.1 / se)
    assert planning.power(0.1, 0.15, 50, 3, target="category") == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("design", WIDTHS)
def test_planned_widths_are_within_15_percent_of_the_simulated_ones(design):
    target, queries, runs = design
    planned = [
        np.mean([planning.planned_width(mu, queries, runs, target=target, icc=icc) for icc in (0.1, 0.5, 0.8)])
        for mu in SHARES
    ]
    assert planned == pytest.approx(WIDTHS[design], rel=0.15)


designs = st.tuples(st.floats(0.01, 0.6), st.integers(20, 300), st.integers(1, 8), st.sampled_from(TARGETS))


@given(designs)
def test_what_is_detectable_is_seen_with_the_power_asked_for(design):
    mu, queries, runs, target = design
    found = planning.detectable(mu, queries, runs, target=target)
    assert found is None or (
        planning.power(found, mu, queries, runs, target=target) == pytest.approx(0.8, abs=1e-6) or mu + found > 1
    )
    more = planning.detectable(mu, queries * 2, runs, target=target)
    assert found is None or more < found


def test_no_move_is_detectable_in_a_hopeless_design():
    assert planning.detectable(0.5, 3, 1, target="category") is None
    assert planning.detectable(0.5, 1, 5, target="category") is None
    assert planning.detectable(1.0, 100, 3, target="category") > 0


@pytest.mark.parametrize("target", TARGETS)
def test_planned_power_is_met_in_simulation(target):
    rng, queries, runs, mu = np.random.default_rng(31), 60, 3, 0.2
    move = planning.detectable(mu, queries, runs, target=target, r=1)
    seen, size, n = 0, 2 / 3, [runs] * queries
    for _ in range(200):
        u = rng.random(queries)
        p1, p2 = (stats.beta.ppf(u, m * size, (1 - m) * size) for m in (mu, mu + move))
        seen += change(rng.binomial(runs, p1), n, rng.binomial(runs, p2), n, target=target).low > 0
    assert 0.70 <= seen / 200 <= 0.92


def test_designs_that_detect_a_move():
    options = planning.design(0.05, mu=0.15, target="category", engines=2, cost_per_call=0.01, cost_per_query=1.0)
    assert [o.runs for o in options] == [1, 2, 3, 5, 8]
    assert all(a.queries > b.queries and a.calls < b.calls for a, b in pairwise(options))
    for o in options:
        assert o.detectable <= 0.05 < planning.detectable(0.15, o.queries - 1, o.runs, target="category")
        assert o.calls == o.queries * o.runs * 2
        assert o.cost == pytest.approx(o.calls * 0.01 + o.queries)


def test_designs_on_a_locked_list_show_what_their_runs_can_see():
    options = planning.design(0.05, mu=0.15, target="fixed_set", queries=60, runs=(3, 5, 10))
    assert {o.queries for o in options} == {60}
    assert options[0].detectable > 0.05 > options[-1].detectable


def test_runs_for_the_money():
    assert planning.best_runs(0, 1) == 1
    assert planning.best_runs(9, 1, icc=0.6) == pytest.approx(np.sqrt(6))
    two_arms = planning.detectable_difference(0.15, 50, 50, 3, target="category")
    assert two_arms == pytest.approx(np.sqrt(2) * planning.detectable(0.15, 50, 3, target="category", method="normal"))


def test_icc_and_correlation_find_the_truth():
    rng, queries = np.random.default_rng(32), 3000
    size = 2 / 3
    p1, other = rng.beta(0.3 * size, 0.7 * size, (2, queries))
    p2 = np.where(rng.random(queries) < 0.4, other, p1)
    k1, k2, runs = rng.binomial(3, p1), rng.binomial(3, p2), [3] * queries
    assert planning.icc(k1, runs) == pytest.approx(0.6, abs=0.03)
    assert planning.correlation(k1, runs, k2, runs) == pytest.approx(0.6, abs=0.04)


def test_icc_and_correlation_without_data_are_null():
    assert planning.icc([1, 0], [1, 1]) is None
    assert planning.icc([3, 3], [3, 3]) is None
    assert planning.icc([3, 0], [3, 3]) == 1
    assert planning.correlation([1, 0], [2, 2], [1, 0], [2, 2]) is None


@pytest.mark.parametrize("bad", [{"mu": 1.2}, {"queries": 0}, {"runs": 0.5}, {"icc": -0.1}, {"power": 1.0}])
def test_bad_designs_are_told(bad):
    with pytest.raises(InputError):
        planning.detectable(**({"mu": 0.2, "queries": 50, "runs": 3, "target": "category"} | bad))


# ---------------------------------------------------------------- stopping and allocation


def test_the_stopping_rule_looks_after_three_rounds_and_stops_at_its_cap():
    rule = planning.stop_rule(0.05, cap=6)
    sharp, vague = ([0, 0, 9, 9] * 20, [9] * 80), ([1, 2] * 10, [3] * 20)
    assert not rule.decide(*sharp, 2).stop
    assert rule.decide(*sharp, 3).stop
    assert not rule.decide(*vague, 5).stop
    assert rule.decide(*vague, 6).stop
    assert rule.decide([0], [0], 3).half_width is None
    for bad in ({"half_width": 0}, {"half_width": 0.05, "first": 2}, {"half_width": 0.05, "cap": 2}):
        with pytest.raises(InputError):
            planning.stop_rule(**bad)


def test_stopping_keeps_its_coverage_and_saves_runs():
    rng, queries, rule = np.random.default_rng(33), 100, planning.stop_rule(0.03)
    covered = used = 0
    for _ in range(300):
        p, k = rng.beta(0.1, 0.57, queries), np.zeros(queries, int)
        for round in range(1, rule.cap + 1):
            k += rng.random(queries) < p
            if rule.decide(k, [round] * queries, round).stop:
                break
        found = share(k, [round] * queries, target="fixed_set")
        covered += found.low <= p.mean() <= found.high
        used += round
    assert covered / 300 >= 0.93
    assert used / 300 < 5


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=20), st.integers(0, 50))
def test_an_allocation_spends_its_budget_and_keeps_the_floor(counts, extra):
    cited, runs = zip(*((min(k, n), n) for k, n in counts), strict=True)
    budget = 2 * len(runs) + extra
    found = planning.allocate(cited, runs, budget)
    assert sum(found) == budget
    assert min(found) >= 2


def test_uncertain_queries_get_the_runs():
    found = planning.allocate([0, 3, 1, 2, 0], [3, 3, 3, 3, 0], 40)
    assert min(found[2:]) > max(found[0], found[1])
    with pytest.raises(InputError, match="9 runs do not give 5 queries 2 each"):
        planning.allocate([0] * 5, [3] * 5, 9)


def test_allocation_lowers_the_error_and_has_no_bias():
    rng, queries = np.random.default_rng(34), 80
    errors = {"uniform": [], "allocated": []}
    for _ in range(400):
        p = rng.beta(0.1, 0.57, queries)
        runs = np.array(planning.allocate(rng.binomial(3, p), [3] * queries, 4 * queries))
        for name, n in (("uniform", np.full(queries, 4)), ("allocated", runs)):
            errors[name].append((rng.binomial(n, p) / n).mean() - p.mean())
    assert abs(np.mean(errors["allocated"])) < 0.003
    assert np.std(errors["allocated"]) < 0.95 * np.std(errors["uniform"])
