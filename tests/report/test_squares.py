from hypothesis import given
from hypothesis import strategies as st

from citepoll.report.squares import squares

COUNTS = st.dictionaries(st.sampled_from(["done", "failed", "flying", "todo"]), st.integers(0, 5000))


def test_few_runs_have_a_square_each_and_many_share_one():
    assert squares({"done": 2, "failed": 0, "todo": 1}) == ("done", "done", "todo")
    assert squares({"done": 999, "failed": 1}, most=10) == ("done",) * 9 + ("failed",)
    assert squares({}) == ()


@given(COUNTS, st.integers(4, 60))
def test_no_state_that_occurs_is_lost_and_the_row_is_never_too_long(counts, most):
    found = squares(counts, most)
    there = {state for state, number in counts.items() if number}
    assert set(found) == there
    assert len(found) == min(sum(counts.values()), most)
    assert list(dict.fromkeys(found)) == [state for state in counts if state in there]
