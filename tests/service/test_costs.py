"""What runs are expected to cost and take: from a past cycle, the project's prices, the price table, or from nobody."""

from dataclasses import replace

import pytest

from citepoll.errors import ProjectError
from citepoll.model import Engine, Query, QuerySet, RawAnswer
from citepoll.project import Pace
from citepoll.service.costs import SECONDS, check_prices, outlays, together
from citepoll.service.outlays import outlay_words
from citepoll.store.attempts import Took, took

CHAT = Engine("chat", "openai:responses", "api", runs=3)
LOCAL = Engine("here", "local:bm25", "simulated", runs=3)
QUESTION = Query("which fork is best")


@pytest.fixture
def past(ledger, at):
    """Records a cycle in which an engine's runs cost and took what is given."""

    def record(name, engine, *calls):
        ledger.lock(QuerySet((QUESTION,)), "test", at)
        cycle = ledger.create(name, "polled", (engine,), "seed", at, set_hash=ledger.current().hash)
        ledger.plan(cycle, [(engine.name, QUESTION.id, n) for n in range(1, len(calls) + 1)])
        for number, (cost, latency) in enumerate(calls, 1):
            claim = ledger.claim(cycle, number, 1, at)[0]
            ledger.record(claim, RawAnswer("answered", b"{}", cost=cost, latency=latency))
        return cycle

    return record


def only(project, ledger, engine=CHAT, runs=12, **options):
    return outlays(project, ledger, (engine,), {engine.name: runs}, **options)[0]


def test_the_price_table_tells_where_no_cycle_does(project, ledger):
    found = only(project, ledger)
    assert (found.cost_from, str(found.dated)) == ("price table of 2026-06-22", "2026-06-22")
    assert found.usd == pytest.approx(12 * 0.0725)
    assert (found.seconds_a_run, found.latency_from) == (SECONDS, None)
    assert found.seconds == pytest.approx(12 * SECONDS / 8)


def test_the_projects_prices_go_before_the_table_and_the_option_before_all(project, ledger):
    mine = replace(project, prices={"chat": {"expected": 0.5}})
    assert (only(mine, ledger).usd, only(mine, ledger).cost_from) == (6.0, "[prices]")
    given = only(mine, ledger, given=0.01)
    assert (given.usd, given.cost_from) == (pytest.approx(0.12), "--cost-per-call")


def test_a_past_cycle_tells_what_was_paid_and_waited(project, ledger, past):
    past("one", CHAT, (0.1, 4.0), (None, 6.0), (0.3, None))
    found = only(project, ledger)
    assert (found.usd_a_run, found.cost_from) == (pytest.approx(0.2), "cycle one")
    assert (found.seconds_a_run, found.latency_from, found.seconds) == (5.0, "one", 7.5)
    past("two", CHAT, (None, 8.0))
    found = only(project, ledger)
    assert (found.cost_from, found.latency_from) == ("cycle one", "two")


def test_another_model_of_that_name_tells_nothing(project, ledger, past):
    past("one", replace(CHAT, model="older"), (0.1, 4.0))
    assert only(project, ledger).latency_from is None


def test_what_nobody_knows_is_null_and_only_a_simulated_engine_is_free(project, ledger):
    unknown = only(project, ledger, Engine("gem", "google:gemini", "api"))
    assert (unknown.usd, unknown.usd_a_run, unknown.cost_from) == (None, None, None)
    assert unknown.seconds > 0
    free = only(project, ledger, LOCAL)
    assert (free.usd, free.cost_from) == (0.0, "simulated")
    label = only(project, ledger, Engine("atlas", "atlas", "recorded"))
    assert (label.usd, label.seconds) == (None, None)


def test_the_limits_of_the_project_decide_how_long_it_takes(project, ledger):
    slow = replace(project, paces={"chat": Pace(at_once=2, per_minute=4)})
    assert only(slow, ledger).seconds == pytest.approx(12 * 15)
    wide = replace(project, paces={"openai:responses": Pace(at_once=30)})
    assert only(wide, ledger).seconds == pytest.approx(12 * SECONDS / 30)


def test_engines_run_side_by_side_and_wait_for_each_other_after_every_round(project, ledger):
    other = replace(CHAT, name="other", runs=6)
    even = outlays(project, ledger, (CHAT, LOCAL), {"chat": 12, "here": 12})
    assert together((CHAT, LOCAL), even) == even[0].seconds
    both = outlays(project, ledger, (CHAT, other), {"chat": 12, "other": 12})
    assert together((CHAT, other), both) == pytest.approx(1.5 * both[0].seconds)
    assert together((), ()) is None


def test_a_runs_calls_are_added_up(ledger, past, at):
    cycle = past("one", CHAT, (0.1, 4.0))
    ledger.plan(cycle, [(CHAT.name, QUESTION.id, 2)])
    for status, cost, latency in (("failed", None, 9.0), ("answered", 0.5, 5.0)):
        claim = ledger.claim(cycle, 2, 1, at)[0]
        ledger.record(claim, RawAnswer(status, b"{}", cost=cost, latency=latency))
        ledger.release(cycle, retry=True)
    assert took(ledger, cycle) == {"chat": Took(pytest.approx(0.3), pytest.approx(9.0))}


def test_a_ceiling_needs_a_price(project):
    gemini = Engine("gem", "google:gemini", "api")
    check_prices(project, (gemini,))
    with pytest.raises(ProjectError, match="gem is not known"):
        check_prices(replace(project, budget=1.0), (CHAT, gemini, LOCAL))
    check_prices(replace(project, budget=1.0), (CHAT, LOCAL))


def test_a_ceiling_says_how_many_runs_fit_below_it(project, ledger):
    mine = replace(project, prices={"chat": {"expected": 0.1}}, engine_budgets={"chat": 1.0})
    assert (only(mine, ledger).ceiling, only(mine, ledger).affordable) == (1.0, 10)
    assert "but its ceiling of $1.00 ends it after about 10 runs" in outlay_words(only(mine, ledger))
    assert only(mine, ledger, spent={"chat": 0.75}).affordable == 2
    assert only(mine, ledger, spent={"chat": 3.0}).affordable == 0
    assert "ceiling" not in outlay_words(only(mine, ledger, runs=10))


def test_without_a_ceiling_or_a_price_no_number_of_runs_fits_below_it(project, ledger):
    gemini = Engine("gem", "google:gemini", "api")
    assert only(project, ledger).affordable is None
    assert only(replace(project, engine_budgets={"gem": 1.0}), ledger, gemini).affordable is None
    assert only(replace(project, engine_budgets={"here": 1.0}), ledger, LOCAL).affordable == 12
