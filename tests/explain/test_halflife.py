import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citepoll.errors import InputError
from citepoll.explain.halflife import Spell, half_life, spells

CYCLES = [{"a", "b"}, {"a", "c", "d"}, {"a", "c"}, {"a", "e"}, {"a"}]


def test_spells_begin_end_and_are_censored():
    found = {s.key: (s.cycles, s.ended, s.start_known) for s in spells(CYCLES)}
    assert found == {
        "a": (4, False, False), "b": (1, True, False), "c": (2, True, True), "d": (1, True, True), "e": (1, True, True),
    }  # fmt: skip


def test_a_short_break_can_belong_to_a_spell():
    cited = [set(), {"x"}, set(), {"x"}, set(), set()]
    assert [s.cycles for s in spells(cited)] == [1, 1]
    assert spells(cited, absent=2) == (Spell("x", 3, True, True),)
    assert spells(cited[:5], absent=2) == (Spell("x", 2, False, True),)
    with pytest.raises(InputError):
        spells(cited, absent=0)


def test_kaplan_and_meier_by_hand():
    # At risk 5, 4, 2: lost 1 after 1 cycle, 1 after 2 (one censored), 1 after 3 -> 4/5, 4/5 3/4, 4/5 3/4 1/2.
    stays = [(1, True), (2, True), (2, False), (3, True), (4, False)]
    found = half_life(Spell(i, *stay, True) for i, stay in enumerate(stays))
    assert [step.value for step in found.curve] == pytest.approx([0.8, 0.6, 0.3, 0.3])
    assert (found.value, found.n, found.ended) == (3, 5, 3)
    assert found.low <= found.value
    assert found.high is None


def test_censoring_is_not_a_loss():
    ended = [Spell(i, 1, True, True) for i in range(2)]
    kept = [Spell(10 + i, 4, False, True) for i in range(8)]
    found = half_life(ended + kept)
    assert (found.value, found.reason) == (None, "more than half were still cited when last seen")
    assert half_life(kept).value is None
    assert half_life([]).reason == "no URL was first cited in a cycle after the first"


def test_stays_of_unknown_start_are_left_out_unless_asked_for():
    found = spells(CYCLES)
    assert (half_life(found).n, half_life(found, all_starts=True).n) == (3, 5)


def test_pages_that_every_cycle_replaces_have_a_life_of_one_cycle():
    # Each page stands in one cycle only: whatever the number of cycles, none outlives a step.
    for cycles in (3, 4, 9):
        found = half_life(spells([{f"{cycle}-{page}" for page in range(20)} for cycle in range(cycles)]))
        assert (found.value, found.n, found.ended) == (1, 20 * (cycles - 2), 20 * (cycles - 2))


@given(st.lists(st.sets(st.integers(0, 5)), max_size=8), st.integers(1, 3))
def test_spells_account_for_every_citation(cited, absent):
    found = spells(cited, absent=absent)
    present = sum(s.cycles + (not s.ended) for s in found)
    assert present >= sum(map(len, cited))
    if absent == 1:
        assert present == sum(map(len, cited))
        assert sum(not s.ended for s in found) == (len(cited[-1]) if cited else 0)


def test_the_true_half_life_lies_between_the_bounds():
    rng = np.random.default_rng(5)
    stays = rng.geometric(0.2, 150)
    found = half_life(Spell(i, int(min(n, 8)), bool(n <= 8), True) for i, n in enumerate(stays))
    assert found.low <= 4 <= found.high
    assert 0 < found.ended < found.n
