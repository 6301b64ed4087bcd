"""Changes between cycles through the read side, on the worked counts of V8 and V11."""

import pytest

from citepoll.errors import SliceError
from citepoll.measure import compare as statistics
from citepoll.measure.movements import compare, velocities
from citepoll.model import Slice

K1, K2, K3 = (0, 0, 0, 3, 3, 2, 1, 0, 0, 0), (0, 0, 1, 3, 3, 3, 3, 2, 0, 0), (1, 0, 2, 3, 3, 3, 3, 2, 1, 0)
OURS, THEIRS = ("acme.com/a", "Acme"), ("bolt.com/b", "Bolt")


def asked(cycle, counts, engine="one", runs=3, cite=OURS, status="answered"):
    return [
        {"engine": engine, "query": f"q{q}", "cycle": cycle, "cites": [cite] if run < k else [], "status": status}
        for q, k in enumerate(counts)
        for run in range(runs)
    ]


def rows_of(result, **dimensions):
    return [r for r in result.rows if all(r.dimensions.get(k) == v for k, v in dimensions.items())]


def test_v8_through_the_slice(frames, project):
    tables = frames([*asked("c1", K1), *asked("c2", K2)])
    result = compare(tables, Slice(cycles=("c2",), compare="c1"), project(cycles=("c1", "c2")), {})
    fixed, category = rows_of(result, brand="Acme")
    assert (fixed.change.value, fixed.change.low, fixed.change.high) == pytest.approx((0.2, 0.0253, 0.3602), abs=5e-5)
    assert fixed.change.p == pytest.approx(0.0249, abs=5e-5)
    assert (category.change.low, category.change.high) == pytest.approx((-0.1033, 0.4669), abs=5e-5)
    assert fixed.estimate.value == pytest.approx(0.5)
    assert (fixed.change.before.value, fixed.change.after.value) == pytest.approx((0.3, 0.5))
    # Two brands are shown: the other did not move, so that the raw .0249 becomes .0498.
    assert fixed.adjusted_p == pytest.approx(2 * fixed.change.p, rel=1e-6)
    assert "a real change on these queries" in fixed.verdict
    assert "no evidence of change" in category.verdict


def test_only_queries_with_answers_in_both_are_paired(frames, project):
    tables = frames([*asked("c1", K1), *asked("c2", K2[:7])])
    result = compare(tables, Slice(cycles=("c2",), compare="c1"), project(cycles=("c1", "c2")), {})
    change = rows_of(result, brand="Acme")[0].change
    assert (change.n_queries, change.dropped) == (7, 3)


def test_a_failed_answer_is_no_run(frames, project):
    later = [*asked("c2", K2), *asked("c2", (0,) * 10, runs=1, status="failed")]
    result = compare(
        frames([*asked("c1", K1), *later]), Slice(cycles=("c2",), compare="c1"), project(cycles=("c1", "c2")), {}
    )
    assert rows_of(result, brand="Acme")[0].change.value == pytest.approx(0.2)


def test_blended_change_of_two_equal_engines_is_narrower_than_one(frames, project):
    both = [*asked("c1", K1), *asked("c2", K2), *asked("c1", K1, "two"), *asked("c2", K2, "two")]
    result = compare(frames(both), Slice(cycles=("c2",), compare="c1"), project("one", "two", cycles=("c1", "c2")), {})
    one, mixed = (rows_of(result, brand="Acme", engine=name) for name in ("one", "blended"))
    assert mixed[0].change.value == pytest.approx(one[0].change.value)
    assert mixed[0].change.high - mixed[0].change.low < one[0].change.high - one[0].change.low
    # The same change on each query: the category interval of the blend is that of an engine.
    assert (mixed[1].change.low, mixed[1].change.high) == pytest.approx((one[1].change.low, one[1].change.high))


def test_share_of_voice_moves_by_mover_and_has_no_category_interval(frames, project):
    tables = frames([*asked("c1", K1), *asked("c1", K2, cite=THEIRS), *asked("c2", K2), *asked("c2", K1, cite=THEIRS)])
    slice = Slice(metrics=("share_of_voice",), cycles=("c2",), compare="c1")
    fixed, category = rows_of(compare(tables, slice, project(cycles=("c1", "c2")), {}), brand="Acme")
    assert fixed.change.value == pytest.approx(15 / 24 - 9 / 24)
    assert fixed.change.low < fixed.change.value < fixed.change.high
    assert category.change.value is None
    assert category.verdict.startswith("no comparison")


def test_warnings_stand_at_the_engine_they_are_about(frames, project):
    both = [*asked("c1", K1), *asked("c2", K2), *asked("c1", K1, "two"), *asked("c2", K2, "two")]
    about = {"two": ("the model inside the engine changed: m1 → m2",)}
    result = compare(
        frames(both), Slice(cycles=("c2",), compare="c1"), project("one", "two", cycles=("c1", "c2")), about
    )
    told = {row.dimensions["engine"] for row in result.rows if about["two"][0] in row.change.warnings}
    assert told == {"two", "blended"}


def test_v11_velocity(frames, project):
    tables = frames([*asked("c1", K1), *asked("c2", K2), *asked("c3", K3)])
    cycles = ("c1", "c2", "c3")
    found = velocities(tables, Slice(where="brand = Acme"), project(cycles=cycles), cycles)
    slopes = {row.estimate.target: slope for row, slope in found}
    fixed, category = slopes["fixed_set"], slopes["category"]
    assert (fixed.value, fixed.low, fixed.high) == pytest.approx((0.15, 0.0527, 0.2359), abs=5e-5)
    assert (category.low, category.high, category.p) == pytest.approx((-0.0103, 0.2830, 0.0647), abs=5e-5)


def test_two_cycles_have_no_velocity(frames, project):
    tables = frames([*asked("c1", K1), *asked("c2", K2)])
    found = velocities(tables, Slice(), project(cycles=("c1", "c2")), ("c1", "c2"))
    assert {slope.value for _, slope in found} == {None}
    assert all("3 cycles" in slope.reason for _, slope in found)


def test_the_slice_gives_what_the_statistics_give(frames, project):
    tables = frames([*asked("c1", K2), *asked("c2", K1)])
    result = compare(tables, Slice(cycles=("c2",), compare="c1"), project(cycles=("c1", "c2")), {})
    direct = statistics.change(K2, (3,) * 10, K1, (3,) * 10, target="fixed_set")
    seen = rows_of(result, brand="Acme")[0].change
    assert (seen.value, seen.low, seen.high, seen.p) == pytest.approx((direct.value, direct.low, direct.high, direct.p))


def test_a_comparison_needs_two_cycles(frames, project):
    with pytest.raises(SliceError, match="one cycle and one earlier"):
        compare(frames(asked("c1", K1)), Slice(compare="c1"), project(), {})
