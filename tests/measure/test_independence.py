import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citepoll.measure.contrasts import read_cycles
from citepoll.measure.independence import NEVER_DIFFER, SINGLE_RUNS, a_a, dispersion

QUERIES, RUNS = 28, 3


def cycle(p, repeated, rng):
    """Citing answers of a cycle in which a part of the queries gets its first answer again and again."""
    answers = rng.random((p.size, RUNS)) < p[:, None]
    copied = rng.random(p.size) < repeated
    answers[copied] = answers[copied, :1]
    return answers.sum(axis=1)


def failures(repeated, reps, seed):
    rng, n = np.random.default_rng(seed), [RUNS] * QUERIES
    found = []
    for _ in range(reps):
        p = rng.beta(0.2, 0.47, QUERIES)
        found.append(a_a(cycle(p, repeated, rng), n, cycle(p, repeated, rng), n))
    return np.mean([f.independent is False for f in found])


def test_independent_runs_pass_and_cached_ones_fail():
    assert failures(0.0, 200, 1) <= 0.05
    assert failures(1.0, 50, 2) >= 0.9
    assert failures(0.5, 100, 3) >= 0.5


def test_dispersion_by_hand():
    # One citing cycle of 2 runs, one without: given 2 of 4 the splits 0, 1, 2 have chances 1/6, 4/6, 1/6.
    found = dispersion(read_cycles([[2], [0]], [[2], [2]]))
    assert (found.differing, found.ratio) == (1, pytest.approx(3))
    assert (found.p_over, found.p_under) == pytest.approx((1 / 6, 5 / 6))
    even = dispersion(read_cycles([[1], [1]], [[2], [2]]))
    assert (even.ratio, even.p_over) == (0, pytest.approx(2 / 3))


def test_what_cannot_be_told():
    same = a_a([3, 0, 3], [3] * 3, [3, 0, 3], [3] * 3)
    assert (same.independent, same.sentence) == (None, NEVER_DIFFER)
    single = a_a([1, 0, 1], [1] * 3, [1, 1, 1], [1] * 3)
    assert (single.independent, single.sentence, single.dispersion.p) == (None, SINGLE_RUNS, None)
    assert a_a([], [], [], []).independent is None


def test_the_sentence_names_what_is_wrong():
    k1, k2 = [3, 0] * 6, [0, 3] * 6
    found = a_a(k1, [3] * 12, k2, [3] * 12)
    assert found.independent is False
    assert found.sentence.startswith("the runs do not look independent: a query's answers part between the cycles 5.0")


@given(st.lists(st.tuples(*[st.integers(0, 4)] * 4), max_size=8))
def test_swapping_the_cycles_changes_nothing(rows):
    k1, k2 = [min(a, n) for a, _, n, _ in rows], [min(b, n) for _, b, _, n in rows]
    r1, r2 = [n for *_, n, _ in rows], [n for *_, n in rows]
    found, back = dispersion(read_cycles([k1, k2], [r1, r2])), dispersion(read_cycles([k2, k1], [r2, r1]))
    assert (found.differing, found.ratio) == (back.differing, pytest.approx(back.ratio))
    if found.p is not None:
        assert 0 < found.p <= 1
        assert found.p_over + found.p_under == pytest.approx(1)
