from hypothesis import given
from hypothesis import strategies as st

from citepoll.explain.movement import Cited, moved

OWNERS = {"acme.com/a": "Acme"}


def cited(runs, valid=3):
    cells = {key[:2] for key in runs} | {("q1", "one"), ("q2", "one")}
    return Cited(runs, dict.fromkeys(cells, valid), OWNERS)


def test_won_and_lost_with_the_sure_ones_first():
    before = cited({("q1", "one", "acme.com/a"): 3, ("q1", "one", "b.com/x"): 1, ("q2", "one", "c.com/y"): 2})
    after = cited({("q2", "one", "c.com/y"): 1, ("q2", "one", "d.com/z"): 2})
    found = moved(before, after)
    assert [(m.what, m.url, m.sure) for m in found] == [
        ("lost", "acme.com/a", True), ("won", "d.com/z", False), ("lost", "b.com/x", False),
    ]  # fmt: skip
    assert (found[0].owner, found[0].before, found[0].before_of, found[0].after) == ("Acme", 3, 3, 0)


def test_a_cell_that_one_cycle_lacks_says_nothing():
    before = Cited({("q1", "one", "a.com/"): 3}, {("q1", "one"): 3}, {})
    assert moved(before, Cited({}, {}, {})) == ()


def test_one_run_a_cell_is_never_sure():
    before = Cited({("q1", "one", "a.com/"): 1}, {("q1", "one"): 1}, {})
    (lost,) = moved(before, Cited({}, {("q1", "one"): 1}, {}))
    assert (lost.what, lost.sure) == ("lost", False)


KEYS = st.dictionaries(
    st.tuples(st.sampled_from(["q1", "q2"]), st.just("one"), st.sampled_from(["a", "b", "c"])), st.integers(1, 3)
)


@given(KEYS, KEYS)
def test_turned_around_what_was_won_is_lost(one, other):
    there, back = moved(cited(one), cited(other)), moved(cited(other), cited(one))
    flip = {"won": "lost", "lost": "won"}
    assert {(flip[m.what], m.query_id, m.url, m.sure) for m in there} == {
        (m.what, m.query_id, m.url, m.sure) for m in back
    }
