import pytest

from citepoll.explain.gaps import gaps, lead, probability
from citepoll.explain.worth import Cell, grouped, intent_weights, query_gap, ranked
from citepoll.model import Query


def gap_of(text, intent, n, ours, theirs, weights, topic=None):
    query = Query(text, intent=intent, topic=topic)
    return query_gap(query, gaps(query.id, n, ours, theirs), (Cell("one", n, theirs),), ours, weights, {})


def test_worth_is_the_weight_of_the_intent_times_the_probability():
    weights = intent_weights({}, "citepoll.toml")
    found = gap_of("a or b", "versus", 5, 0, {"Foxglove": 4}, weights)
    assert found.verdict == "confirmed"
    assert found.probability == probability(5, 4, 0)
    assert found.worth == 4.0 * found.probability


def test_a_query_on_which_nobody_is_ahead_is_worth_nothing_and_stands_last():
    weights = intent_weights({}, "citepoll.toml")
    none = gap_of("how", "versus", 6, 6, {"Foxglove": 6}, weights)
    low = gap_of("what", "definitional", 6, 0, {"Foxglove": 6}, weights)
    assert none.verdict == "none"
    assert none.worth == 0.0
    assert none.ahead == ()
    assert [found.query.text for found in ranked([none, low])] == ["what", "how"]


def test_without_competitors_there_is_no_gap():
    found = gap_of("how", "how-to", 3, 0, {}, intent_weights({}, "citepoll.toml"))
    assert (found.verdict, found.probability, found.worth) == ("none", 0.0, 0.0)


def test_weights_of_the_file_replace_single_defaults_and_say_so():
    weights = intent_weights({"versus": 10}, "citepoll.toml")
    assert weights.of("versus") == 10
    assert weights.of("how-to") == 2
    assert weights.of(None) == 1
    assert "versus: citepoll.toml" in weights.words()
    assert "published conversion signal" in weights.words()


def test_groups_add_up_worth_and_expected_gaps():
    weights = intent_weights({}, "citepoll.toml")
    found = [
        gap_of("one", "how-to", 6, 0, {"Foxglove": 6}, weights, "forks"),
        gap_of("two", "how-to", 6, 0, {"Foxglove": 1}, weights, "forks"),
        gap_of("three", "how-to", 6, 6, {"Foxglove": 0}, weights, None),
    ]
    forks, rest = grouped(found, "topic")
    assert (forks.name, forks.queries, forks.confirmed, forks.candidates) == ("forks", 2, 1, 1)
    assert forks.expected == pytest.approx(found[0].probability + found[1].probability)
    assert forks.worth == pytest.approx(2 * forks.expected)
    assert forks.ahead == {"Foxglove": 2}
    assert rest.name is None
    assert rest.worth == 0


def test_lead_with_equal_counts_is_the_probability_of_a_gap_and_of_unequal_ones_lies_between():
    assert lead(3, 3, 0, 3) == probability(3, 3, 0)
    assert lead(3, 3, 0, 3) < lead(3, 3, 0, 30) < 1
    assert lead(0, 0, 0, 0, 0.0) == pytest.approx(0.5, abs=1e-6)
