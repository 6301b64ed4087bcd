import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from citepoll.errors import InputError
from citepoll.explain.halflife import Stays, half_life, stays

CYCLES = [{"a", "b"}, {"a", "c", "d"}, {"a", "c"}, {"a", "e"}, {"a"}]


def of(cited, absent=1, looks=None):
    """The stays of sets of keys, one a cycle; `looks` are the cycles that could show them."""
    looks = list(range(len(cited))) if looks is None else looks
    names = sorted(set().union(*cited))
    rows = [(names.index(key), at, looks.index(at), len(looks)) for at, keys in enumerate(cited) for key in keys]
    return stays(*np.array(rows, dtype=np.int64).reshape(-1, 4).T, absent=absent)


def listed(found):
    return list(zip(found.cycles.tolist(), found.ended.tolist(), found.start_known.tolist(), strict=True))


def known(stays, start_known=True):
    """Stays of these cycles and ends."""
    cycles, ended = np.array(stays, dtype=np.int64).T
    return Stays(cycles, ended.astype(bool), np.full(cycles.size, start_known))


def test_stays_begin_end_and_are_censored():
    assert listed(of(CYCLES)) == [
        (4, False, False), (1, True, False), (2, True, True), (1, True, True), (1, True, True),
    ]  # fmt: skip
    assert listed(of([])) == []


def test_a_short_break_can_belong_to_a_stay():
    cited = [set(), {"x"}, set(), {"x"}, set(), set()]
    assert of(cited).cycles.tolist() == [1, 1]
    assert listed(of(cited, absent=2)) == [(3, True, True)]
    assert listed(of(cited[:5], absent=2)) == [(2, False, True)]
    with pytest.raises(InputError):
        of(cited, absent=0)


def test_a_cycle_that_could_not_show_it_ends_no_stay_and_begins_none():
    cited = [set(), {"x"}, set(), {"x"}]
    assert listed(of(cited, looks=[1, 3])) == [(2, False, False)]
    assert listed(of(cited, looks=[0, 1, 3])) == [(2, False, True)]


def test_kaplan_and_meier_by_hand():
    # At risk 5, 4, 2: lost 1 after 1 cycle, 1 after 2 (one censored), 1 after 3 -> 4/5, 4/5 3/4, 4/5 3/4 1/2.
    found = half_life(known([(1, True), (2, True), (2, False), (3, True), (4, False)]))
    assert [step.value for step in found.curve] == pytest.approx([0.8, 0.6, 0.3, 0.3])
    assert (found.value, found.n, found.ended) == (3, 5, 3)
    assert found.low <= found.value
    assert found.high is None


@given(st.lists(st.tuples(st.integers(1, 9), st.booleans()), min_size=1, max_size=40), st.sampled_from([0.8, 0.95]))
@pytest.mark.filterwarnings("ignore:The confidence interval is undefined")
def test_the_curve_is_that_of_scipy(several, confidence):
    ended, kept = ([n for n, end in several if end == which] for which in (True, False))
    found = half_life(known(several), confidence=confidence).curve
    if not ended:
        assert found == ()
        return
    theirs = stats.ecdf(stats.CensoredData(ended, right=kept)).sf
    band = theirs.confidence_interval(confidence, method="log-log")
    assert [step.cycles for step in found] == theirs.quantiles.tolist()
    for name, values in (("value", theirs), ("low", band.low), ("high", band.high)):
        ours = np.array([getattr(step, name) for step in found], dtype=float)
        np.testing.assert_allclose(ours, values.probabilities, atol=1e-12)


def test_censoring_is_not_a_loss():
    kept = [(4, False)] * 8
    found = half_life(known([(1, True)] * 2 + kept))
    assert (found.value, found.reason) == (None, "more than half were still cited when last seen")
    assert half_life(known(kept)).value is None
    assert half_life(of([])).reason == "no URL was first cited in a cycle after the first"


def test_stays_of_unknown_start_are_left_out_unless_asked_for():
    found = of(CYCLES)
    assert (half_life(found).n, half_life(found, all_starts=True).n) == (3, 5)


def test_pages_that_every_cycle_replaces_have_a_life_of_one_cycle():
    # Each page stands in one cycle only: whatever the number of cycles, none outlives a step.
    for cycles in (3, 4, 9):
        found = half_life(of([{f"{cycle}-{page}" for page in range(20)} for cycle in range(cycles)]))
        assert (found.value, found.n, found.ended) == (1, 20 * (cycles - 2), 20 * (cycles - 2))


@given(st.lists(st.sets(st.integers(0, 5)), max_size=8), st.integers(1, 3))
def test_stays_account_for_every_citation(cited, absent):
    found = of(cited, absent)
    present = int((found.cycles + ~found.ended).sum())
    assert present >= sum(map(len, cited))
    if absent == 1:
        assert present == sum(map(len, cited))
        assert int((~found.ended).sum()) == (len(cited[-1]) if cited else 0)


def test_the_true_half_life_lies_between_the_bounds():
    rng = np.random.default_rng(5)
    lengths = rng.geometric(0.2, 150)
    found = half_life(known([(min(n, 8), n <= 8) for n in lengths]))
    assert found.low <= 4 <= found.high
    assert 0 < found.ended < found.n
