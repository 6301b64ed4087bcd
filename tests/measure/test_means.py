import numpy as np
import pytest
import statsmodels.stats.api as sms
from hypothesis import given
from hypothesis import strategies as st

from citepoll.errors import InputError
from citepoll.measure.intervals import METHODS, mean_per_answer, overlap
from citepoll.measure.methods import NO_SPREAD

runs_of_urls = st.lists(st.lists(st.frozensets(st.integers(0, 5), max_size=4), max_size=4), min_size=1, max_size=8)


def test_mean_is_students_t_on_the_queries_means():
    counts = [[1, 2, 3], [0, 0, 1], [5, 5, 5], [2, 3, 1]]
    e = mean_per_answer(counts, target="category")
    means = np.mean(counts, axis=1)
    assert e.value == pytest.approx(means.mean())
    expected = sms.DescrStatsW(means).tconfint_mean()
    assert (e.low, e.high) == pytest.approx((max(expected[0], 0), expected[1]))
    assert (e.n, e.n_queries, e.cited) == (12, 4, 28)


def test_fixed_set_mean_has_no_interval():
    e = mean_per_answer([[1, 2], [3]], target="fixed_set")
    assert (e.value, e.low, e.high, e.reason) == (2.25, None, None, "no interval specified")
    assert e.pooled == 2


def test_mean_without_data_or_with_one_query_is_null():
    assert mean_per_answer([[], []], target="category").reason == "no valid answer"
    assert mean_per_answer([[1, 2]], target="category").value is None
    assert mean_per_answer([[1, 2]], target="fixed_set").value == 1.5


def test_an_interval_without_width_says_so():
    e = mean_per_answer([[0, 0], [0, 0]], target="category")
    assert (e.low, e.high) == (0, 0)
    assert NO_SPREAD in e.warnings


def test_wrong_counts_raise():
    with pytest.raises(InputError):
        mean_per_answer([[-1]], target="category")
    with pytest.raises(InputError):
        mean_per_answer([[None]], target="category")


@given(runs_of_urls, st.sampled_from(("fixed_set", "category")))
def test_overlap_is_a_share_or_null(urls, target):
    e = overlap(urls, target=target)
    assert e.method in METHODS
    if e.value is None:
        assert e.reason
    elif target == "category":
        assert 0 <= e.low <= e.value <= e.high <= 1
    else:
        assert (e.low, e.high) == (None, None)


def test_overlap_by_hand():
    # 2/2 for the first query (its empty run leaves one pair), (0 + 0 + 1)/3 for the second; the third has no pair.
    e = overlap([[{1, 2}, {1, 2, 3}, set()], [{4}, {5}, {5}], [{1}, set()]], target="category")
    assert e.value == pytest.approx((1 + 1 / 3) / 2)
    assert (e.n_queries, e.n) == (2, 6)
    assert any(w.startswith("1 of 3 queries left out") for w in e.warnings)


def test_runs_that_always_agree_reach_one():
    e = overlap([[{1}, {1}]] * 20, target="category")
    assert (e.value, e.high) == (1, 1)
    assert 0.8 < e.low < 1
