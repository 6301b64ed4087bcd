"""`citepoll plan` as a use case: what it presumes and from where, what it finds, and who gets more runs."""

from dataclasses import replace

import pytest

from citepoll.errors import InputError, SliceError
from citepoll.measure import planning
from citepoll.model import Engine, Slice
from citepoll.service.allocating import allocation
from citepoll.service.cells import read_cells
from citepoll.service.history import counts
from citepoll.service.measuring import measure
from citepoll.service.planning import DEFAULT_SHARE, Asked, make_plan, measured
from citepoll.store.ledger import Ledger


def line(plan, target, runs):
    return next(x for x in plan.lines if (x.target, x.runs) == (target, runs))


def test_without_a_cycle_everything_is_a_default_and_says_so(project, ledger, at):
    plan = make_plan(project, ledger, Asked(), at)
    for basis in plan.bases:
        assert (basis.share, basis.icc, basis.correlation) == (DEFAULT_SHARE, 0.6, 0.8)
        assert (basis.share_from, basis.icc_from, basis.correlation_from) == ((), (), ())
        assert basis.cost == 0
    assert (plan.queries, plan.branded_out) == (12, 1)
    assert [x.queries for x in plan.lines if x.target == "category"] == [
        o.queries for o in planning.design(0.05, mu=0.15, target="category")
    ]
    found = line(plan, "category", 3)
    assert found.calls == found.queries * 3 * 2
    low, high = found.icc_range
    assert low < found.queries < high


def test_without_a_locked_set_there_is_nothing_present(project, at):
    plan = make_plan(project, Ledger(project.data / "ledger.db"), Asked(stop_at=0.05), at)
    assert (plan.queries, plan.present, plan.suffices, plan.stops) == (None, (), (), ())


def test_the_past_tells_share_icc_and_correlation(project, ledger, at, poll):
    poll(project, ledger, name="one")
    poll(project, ledger, name="two")
    torn = make_plan(project, ledger, Asked(), at).bases[1]
    shown = measure(
        project, ledger, Slice(target="fixed_set", cycles=("two",), where="brand = Acme and engine = torn"), at
    )
    assert torn.share == pytest.approx(shown.rows[0].estimate.value)
    assert torn.share_from == ("two",)
    assert torn.icc_from == ("two", "one")
    cells = [read_cells(project, ledger, ledger.cycle(name), at) for name in ("two", "one")]
    ids = [q.id for q in cells[0].queries]
    (k2, r2), (k1, r1) = (counts(each, "torn", "Acme", ids) for each in cells)
    assert torn.correlation_seen == planning.correlation(k2, r2, k1, r1)
    assert sum(r2) == 12 * 8
    assert torn.icc == pytest.approx((12 * torn.icc_seen + 2 * 0.6) / 14)


def test_an_engine_that_never_cites_or_always_does_has_a_plan(project, ledger, at, poll):
    poll(project, ledger, name="one")
    always = replace(project, brands=(replace(project.brands[1], tracked=True), project.brands[0]))
    shares = {make_plan(p, ledger, Asked(), at).bases[0].share for p in (project, always)}
    assert shares == {0.0, 1.0}
    for each in (project, always):
        assert any(x.enough for x in make_plan(each, ledger, Asked(), at).lines)


def test_every_line_sees_the_move_on_every_engine_and_one_is_cheapest(project, ledger, at, poll):
    poll(project, ledger, name="one")
    plan = make_plan(project, ledger, Asked(detect=0.1), at)
    for target in ("fixed_set", "category"):
        lines = [x for x in plan.lines if x.target == target]
        assert all(x.detectable <= 0.1 for x in lines)
        assert sum(x.cheapest for x in lines) == 1
        assert min(x.calls for x in lines) == next(x.calls for x in lines if x.cheapest)
        assert next(x.runs for x in lines if x.cheapest_usual) >= 3


def test_costs_come_from_the_option_or_are_unknown(project, ledger, at):
    given = make_plan(project, ledger, Asked(cost_per_call=0.01), at)
    assert all(x.cost == pytest.approx(x.calls * 0.01) for x in given.lines)
    paid = replace(project, engines=(*project.engines, Engine("answers", "vendor:api", "api")))
    unknown = make_plan(paid, ledger, Asked(), at)
    assert {x.cost for x in unknown.lines} == {None}
    assert unknown.bases[-1].cost is None


def test_a_plan_prices_paid_engines_from_the_table_and_times_them(project, ledger, at):
    chat = Engine("chat", "openai:responses", "api", runs=3)
    plan = make_plan(replace(project, engines=(*project.engines, chat)), ledger, Asked(), at)
    assert plan.bases[-1].cost_from == "price table of 2026-06-22"
    assert all(x.cost == pytest.approx(x.queries * x.runs * plan.bases[-1].cost) for x in plan.lines)
    assert [(o.engine, o.runs) for o in plan.outlays] == [("sure", 13 * 8), ("torn", 13 * 8), ("chat", 13 * 3)]
    assert plan.outlays[-1].usd == pytest.approx(39 * plan.bases[-1].cost)
    assert plan.seconds >= plan.outlays[-1].seconds


def test_locked_queries_and_runs_can_be_given(project, ledger, at):
    plan = make_plan(project, ledger, Asked(queries=60, runs=5, targets=("fixed_set",), share=0.2), at)
    assert [(x.queries, x.runs) for x in plan.lines] == [(60, 5)]
    assert plan.lines[0].detectable == planning.detectable(0.2, 60, 5, target="fixed_set")
    assert plan.lines[0].width == planning.planned_width(0.2, 60, 5, target="fixed_set")
    assert plan.lines[0].icc_range is None
    runs = plan.suffices[0].runs
    seen = [planning.detectable(0.2, 60, n, target="fixed_set") for n in (runs - 1, runs)]
    assert seen[1] <= 0.05 < seen[0]
    assert plan.bases[0].share_from == ("--share",)


def test_what_the_present_set_sees(project, ledger, at):
    plan = make_plan(project, ledger, Asked(), at)
    sight = plan.present[0]
    assert (sight.engine, sight.target, sight.queries, sight.runs) == ("sure", "fixed_set", 12, 8)
    assert sight.detectable == planning.detectable(0.15, 12, 8, target="fixed_set")


def test_the_expected_end_of_a_stopping_poll(project, ledger, at):
    wide, narrow = (make_plan(project, ledger, Asked(stop_at=h), at).stops[0] for h in (0.08, 0.001))
    assert 3 <= wide.rounds < 8
    assert wide.saved_calls == (8 - wide.rounds) * 13
    assert planning.planned_width(0.15, 12, wide.rounds, target="fixed_set") <= 0.16
    assert (narrow.rounds, narrow.saved_calls) == (None, 0)
    two = replace(project, engines=(replace(project.engines[0], runs=2),))
    with pytest.raises(InputError, match="looks after 3 rounds"):
        make_plan(two, ledger, Asked(stop_at=0.05), at)


def test_few_queries_are_warned_of_with_the_measured_lines(project, ledger, at):
    few = make_plan(project, ledger, Asked(), at)
    assert few.warnings[0] == "below 50 queries these figures are approximate"
    assert (
        "with 40 % of 20 queries redrawn, 10 points from 5 % were planned at a power of 28 % and seen in 8 %"
        in (few.warnings[1])
    )
    many = make_plan(project, ledger, Asked(queries=120, runs=3, share=0.3), at)
    assert "with 40 % of 50 queries redrawn, 10 points from 30 %" in many.warnings[0]
    fixed = make_plan(project, ledger, Asked(queries=120, runs=12, share=0.3, targets=("fixed_set",)), at)
    assert fixed.warnings == ()


def test_plans_are_kept_from_200_queries_on_and_optimistic_below(project, ledger, at):
    for row in measured():
        if row.queries == 200:
            assert row.planned == pytest.approx(row.simulated, abs=0.03)
        else:
            assert row.planned > row.simulated


def test_impossible_moves_are_told(project, ledger, at):
    with pytest.raises(InputError, match="not possible"):
        make_plan(project, ledger, Asked(detect=0.9, share=0.5), at)
    with pytest.raises(InputError, match=r"95 points is not possible, up or down, from 23 %"):
        make_plan(project, ledger, Asked(detect=0.95, share=0.23), at)
    with pytest.raises(InputError, match="power"):
        make_plan(project, ledger, Asked(power=1.0), at)
    hopeless = make_plan(project, ledger, Asked(queries=3, runs=1), at)
    assert any("no design shown" in text for text in hopeless.warnings)


# ---------------------------------------------------------------- more runs where the last cycle was unsure


def test_runs_go_where_the_last_cycle_was_unsure(project, ledger, at, poll):
    poll(project, ledger, name="one")
    found = allocation(project, ledger, 60, at)
    for engine in ("sure", "torn"):
        rows = [row for row in found.rows if row.engine == engine]
        assert sum(row.runs for row in rows) == 60
        assert min(row.runs for row in rows) >= 2
        assert [row.runs for row in rows] == sorted((row.runs for row in rows), reverse=True)
    torn = {row.cited: row.runs for row in found.rows if row.engine == "torn"}
    assert torn[max(torn, key=lambda k: -abs(k - 4))] >= torn[max(torn, key=lambda k: abs(k - 4))]
    assert (found.cycle, found.branded_out) == ("one", 1)


def test_a_cycle_that_is_open_or_stopped_never_allots(project, ledger, at, poll):
    with pytest.raises(SliceError, match="no closed cycle"):
        allocation(project, ledger, 60, at)
    poll(project, ledger, name="one")
    poll(project, ledger, name="two")
    for status in ("open", "stopped"):
        ledger.set_status(ledger.cycle("two"), status, at)
        assert allocation(project, ledger, 60, at).cycle == "one"


def test_too_few_runs_are_told_with_the_least(project, ledger, at, poll):
    poll(project, ledger, name="one")
    with pytest.raises(InputError, match="23 runs an engine do not give 12 queries 2 each") as raised:
        allocation(project, ledger, 23, at)
    assert "--allocate 24" in raised.value.fix


def test_an_engine_without_a_past_is_left_out(project, ledger, at, poll):
    poll(project, ledger, name="one")
    more = replace(project, engines=(*project.engines, replace(project.engines[0], name="new")))
    assert allocation(more, ledger, 24, at).left_out == ("new",)


def test_an_engine_without_a_past_is_lent_the_mean_of_those_that_were_asked(project, ledger, at, poll):
    poll(project, ledger, name="one")
    asked = make_plan(project, ledger, Asked(), at)
    other = replace(project, engines=(Engine("new", "local:bm25", "simulated", runs=8),))
    plan = make_plan(other, ledger, Asked(), at)
    (basis,) = plan.bases
    assert basis.share == pytest.approx(sum(each.share for each in asked.bases) / 2)
    assert (basis.share_from, basis.lent_by) == (("one",), ("sure", "torn"))
    assert "no cycle has answers of new: presumed to be like the mean of sure, torn" in plan.warnings
    assert not any(each.lent_by for each in asked.bases)


def test_a_power_that_chance_alone_has_is_refused(project, ledger, at):
    with pytest.raises(InputError, match="chance alone shows a move in 5 %"):
        make_plan(project, ledger, Asked(power=0.04), at)


def test_far_out_the_power_is_one_although_scipy_gives_no_number():
    assert planning.power(0.4825, 0.03515625, 426, 2, target="category") == 1.0
    assert planning.detectable(0.03515625, 426, 2, target="category") < 0.03
