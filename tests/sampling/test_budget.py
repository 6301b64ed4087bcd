import asyncio

import pytest

from citepoll import engines
from citepoll.model import Answer, Engine
from citepoll.sampling.budget import Budget, Price, price_of, used

RESPONSES = Engine("chat", "openai:responses", "api")


def never():
    return False


def reserve(budget, engine="a"):
    return asyncio.run(asyncio.wait_for(budget.reserve(engine, never), 5))


# ---------------------------------------------------------------- prices


@pytest.mark.parametrize(
    ("usage", "queries", "tokens"),
    [
        ({"input_tokens": 100, "output_tokens": 20}, ("q",), (100, 20, 1)),
        ({"input_tokens": 1, "cache_read_input_tokens": 5, "output_tokens": 2,
          "server_tool_use": {"web_search_requests": 3}}, ("q",), (6, 2, 3)),
        ({"prompt_tokens": 7, "completion_tokens": 8}, (), (7, 8, 0)),
        ({"promptTokenCount": 9, "candidatesTokenCount": 1, "thoughtsTokenCount": 2}, ("q", "r"), (9, 3, 2)),
        ({"total_input_tokens": 22, "total_output_tokens": 9, "total_tool_use_tokens": 4}, (), (26, 9, 0)),
    ],
)  # fmt: skip
def test_usage_is_read_in_every_vendors_words(usage, queries, tokens):
    found = used(Answer("answered", usage=usage, queries=queries))
    assert (found.tokens_in, found.tokens_out, found.searches) == tokens


@pytest.mark.parametrize("usage", [{}, {"links_in_text": 3}, {"input_tokens": "many"}])
def test_no_usage_is_no_cost_and_not_zero(usage):
    assert used(Answer("answered", usage=usage)) is None
    assert Price(input=1, output=1, per_search=1).paid(Answer("answered", usage=usage)) is None


def test_the_vendors_own_figure_goes_before_usage_times_price():
    price = Price(input=2.0, output=10.0, per_search=0.01)
    usage = {"input_tokens": 1_000_000, "output_tokens": 100_000}
    assert price.paid(Answer("answered", usage=usage, queries=("q",))) == pytest.approx(3.01)
    assert price.paid(Answer("answered", usage=usage, cost=0.5)) == 0.5
    assert price.paid(Answer("failed")) is None


def test_a_call_that_only_fetches_is_not_paid_again():
    price = Price(per_call=0.015)
    assert price.paid(Answer("answered")) == 0.015
    assert price.paid(Answer("answered"), fetched=True) is None
    assert price.paid(Answer("failed")) is None


def test_the_table_has_a_date_and_the_project_goes_before_it():
    listed = price_of(RESPONSES, "gpt-5.4", {})
    assert listed.date.year == 2026
    assert listed.of_a_call == pytest.approx(12000 * 2.5e-6 + 1500 * 15e-6 + 0.02)
    assert price_of(RESPONSES, "some-other-model", {}) is None
    assert price_of(RESPONSES, "gpt-5.4", {"chat": {"output": 30.0}}).output == 30.0
    assert price_of(RESPONSES, "mine", {"openai:responses": {"expected": 0.5}}).of_a_call == 0.5


def test_every_price_is_of_a_known_engine_and_its_default_model():
    for engine_id in engines.REGISTRY:
        facts = engines.load(engine_id).FACTS
        price = price_of(Engine("e", engine_id, facts.surface), facts.default_model, {})
        assert price is None or price.of_a_call > 0


# ---------------------------------------------------------------- ceilings


def test_no_ceiling_holds_nothing():
    assert reserve(Budget(expected={"a": 5.0})) == 5.0


def test_the_last_call_that_fits_is_made_and_the_next_is_not():
    budget = Budget(1.0, expected={"a": 0.4})
    for _ in range(2):
        budget.settle("a", reserve(budget), 0.4)
    assert reserve(budget) is None
    assert budget.spent == pytest.approx(0.8)
    assert "1.00 USD" in budget.reason("a")


def test_what_an_earlier_poll_spent_counts():
    assert reserve(Budget(1.0, spent={"b": 0.9}, expected={"a": 0.2})) is None


def test_a_ceiling_of_one_engine_leaves_the_others_alone():
    budget = Budget(None, {"a": 0.3}, expected={"a": 0.4, "b": 0.4})
    assert reserve(budget) is None
    assert reserve(budget, "b") == 0.4
    assert "of this engine" in budget.reason("a")


def test_an_engine_that_costs_nothing_is_never_held():
    assert reserve(Budget(1.0, spent={"a": 1.0}), "local") == 0.0


def test_it_waits_for_calls_under_way_that_may_turn_out_cheaper():
    async def run():
        budget = Budget(1.0, expected={"a": 0.6})
        first = await budget.reserve("a", never)
        second = asyncio.create_task(budget.reserve("a", never))
        await asyncio.sleep(0)
        assert not second.done()
        budget.settle("a", first, 0.1)
        assert await asyncio.wait_for(second, 5) == 0.6
        third = asyncio.create_task(budget.reserve("a", never))
        await asyncio.sleep(0)
        budget.settle("a", 0.6, 0.6)
        return await asyncio.wait_for(third, 5)

    assert asyncio.run(run()) is None


def test_a_dearer_call_than_expected_is_expected_from_then_on():
    budget = Budget(1.0, expected={"a": 0.1})
    budget.settle("a", reserve(budget), 0.6)
    assert reserve(budget) is None


def test_a_call_that_may_have_been_paid_counts_as_expected():
    budget = Budget(1.0, expected={"a": 0.6})
    budget.settle("a", reserve(budget), None, unsure=True)
    assert reserve(budget) is None
    other = Budget(1.0, expected={"a": 0.6})
    other.settle("a", reserve(other), None)
    assert reserve(other) == 0.6


def test_calls_under_way_count_with_what_the_dearest_turned_out_to_cost():
    budget = Budget(1.0, expected={"a": 0.01})
    under_way = [reserve(budget) for _ in range(2)]
    budget.settle("a", under_way[0], 0.3)
    assert reserve(budget) == 0.3  # 0.3 spent, 0.3 for the other one, and this
    budget.settle("a", under_way[1], 0.3)
    budget.settle("a", 0.3, 0.3)
    assert reserve(budget) is None
    assert budget.spent == pytest.approx(0.9)


def test_a_ceiling_that_the_calls_fill_to_the_cent_is_filled():
    budget = Budget(1.0, expected={"a": 0.1})
    for _ in range(10):
        budget.settle("a", reserve(budget), 0.1)
    assert reserve(budget) is None
