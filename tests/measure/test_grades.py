import pytest
from hypothesis import given
from hypothesis import strategies as st

from citepoll.errors import InputError
from citepoll.measure.grades import band, grade, planned_half_width, queries_for

GOOD = {"n_queries": 250, "runs": 3, "failed": 0.01, "share": 0.2, "days": 2, "same_set": True}

# Table 1.2, category: full widths at SoC .005 .02 .05 .15 .3 .6, averaged over ICC .1 .5 .8.
PLANNED = {
    (20, 1): (0.140, 0.165, 0.210, 0.310, 0.393, 0.419),
    (20, 3): (0.137, 0.156, 0.189, 0.270, 0.336, 0.355),
    (20, 5): (0.136, 0.149, 0.179, 0.256, 0.316, 0.336),
    (50, 1): (0.061, 0.085, 0.123, 0.196, 0.252, 0.269),
    (50, 3): (0.058, 0.076, 0.106, 0.163, 0.207, 0.219),
    (50, 5): (0.056, 0.072, 0.099, 0.153, 0.193, 0.206),
    (200, 1): (0.022, 0.039, 0.060, 0.099, 0.127, 0.135),
    (200, 3): (0.019, 0.033, 0.049, 0.079, 0.101, 0.108),
    (200, 5): (0.018, 0.031, 0.046, 0.074, 0.095, 0.101),
}


@pytest.mark.parametrize(
    ("low", "high", "name"),
    [
        (0.0, 0.03, "structurally invisible"),
        (0.06, 0.12, "emerging"),
        (0.05, 0.15, "emerging"),
        (0.15, 0.15, "competitive"),
        (0.12, 0.2, "between emerging and competitive"),
        (0.0, 0.31, "between structurally invisible and category authority"),
        (0.5, 1.0, "dominant"),
        (1.0, 1.0, "dominant"),
    ],
)
def test_bands_by_interval(low, high, name):
    assert band(low, high) == name


def test_no_interval_has_no_band():
    assert band(None, None) is None


def test_decision_is_the_highest_grade():
    assert grade(**GOOD).name == "decision"


@pytest.mark.parametrize(
    ("change", "name", "says"),
    [
        ({"n_queries": 199}, "directional", "200 queries with data (199 now)"),
        ({"n_queries": 49}, "exploratory", "50 queries with data (49 now)"),
        ({"runs": 2}, "exploratory", "3 runs per query (2 now)"),
        ({"failed": 0.06}, "directional", "at most 5 % of runs failed (6.0 % now)"),
        ({"failed": 0.11}, "exploratory", "at most 10 % of runs failed (11.0 % now)"),
        ({"days": 1}, "directional", "over at least 2 days (1 now)"),
        ({"days": None}, "directional", "over at least 2 days (unknown now)"),
        ({"same_set": False}, "directional", "same locked query set"),
        ({"same_set": None}, "directional", "same locked query set"),
        ({"share": None}, "exploratory", "no estimate"),
        ({"n_queries": 0}, "exploratory", "no estimate"),
        ({"share": 0.5, "icc": 1.0, "n_queries": 60}, "exploratory", "± 12 points"),
    ],
)
def test_each_line_holds_a_grade_back_and_is_named(change, name, says):
    found = grade(**{**GOOD, **change})
    assert found.name == name
    assert says in found.next


def test_a_wide_interval_asks_for_queries_that_suffice():
    needed = queries_for(0.12, 0.5, 3, icc=1.0)
    assert planned_half_width(0.5, needed, 3, icc=1.0) <= 0.12 < planned_half_width(0.5, needed - 1, 3, icc=1.0)
    assert f"{needed} queries" in grade(n_queries=60, runs=3, failed=0, share=0.5, icc=1.0).next


@pytest.mark.parametrize("change", [{"failed": 1.5}, {"share": -0.1}, {"icc": 2.0}, {"failed": float("nan")}])
def test_what_is_no_fraction_raises(change):
    with pytest.raises(InputError):
        grade(**{**GOOD, **change})


@pytest.mark.parametrize(("queries", "runs"), PLANNED)
def test_planned_widths_follow_the_table(queries, runs):
    for share, width in zip((0.005, 0.02, 0.05, 0.15, 0.3, 0.6), PLANNED[queries, runs], strict=True):
        planned = sum(planned_half_width(share, queries, runs, icc=icc) for icc in (0.1, 0.5, 0.8)) / 3
        assert planned == pytest.approx(width / 2, abs=0.003 if queries >= 50 else 0.0075)


@given(st.floats(0, 1), st.integers(2, 500), st.integers(1, 9), st.floats(0, 1))
def test_more_queries_and_runs_never_plan_a_wider_interval(share, queries, runs, icc):
    half = planned_half_width(share, queries, runs, icc=icc)
    assert 0 < half <= 0.5
    assert planned_half_width(share, queries + 50, runs, icc=icc) < half + 1e-9
    assert planned_half_width(share, queries, runs + 1, icc=icc) <= half + 1e-3
