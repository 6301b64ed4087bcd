from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citepoll.model import Estimate
from citepoll.report import numbers
from citepoll.report.data import Method
from citepoll.report.sentences import runs_of


def estimate(value: float | None, low: float | None, high: float | None, **more: object) -> Estimate:
    return Estimate(value, low, high, "fixed_set", "m", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "low", "high", "words"),
    [
        (0.23, 0.18, 0.29, "23 % (18–29)"),
        (0.23, 0.211, 0.25, "23.0 % (21.1–25.0)"),
        (0.23, 0.21, 0.25, "23.0 % (21.0–25.0)"),
        (0.145, 0.1, 0.2, "15 % (10–20)"),
        (0.0, 0.0, 0.0243, "0 %, at most 2.4 %"),
        (0.0, 0.0, 0.0864, "0 %, at most 9 %"),
        (1.0, 0.9404, 1.0, "100 %, at least 94 %"),
        (0.004, 0.0004, 0.06, "under 1 % (0–6)"),
        (0.0004, 0.0001, 0.01, "under 0.1 % (0.0–1.0)"),
        (0.997, 0.93, 0.999, "over 99 % (93–100)"),
        (0.4, 0.0, 1.0, "40 % (0–100)"),
        (0.3, 0.4, 0.2, "30 % (20–40)"),
        (0.3, None, None, "30 %, no interval"),
    ],
)
def test_a_share_in_words(value: float, low: float | None, high: float | None, words: str) -> None:
    assert numbers.share(estimate(value, low, high)) == words


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (None, "no estimate: 0 valid answers"),
        ("the engine gives no spans", "no estimate: the engine gives no spans"),
        ("no estimate: there is no valid answer", "no estimate: there is no valid answer"),
    ],
)
def test_no_data_is_said_in_words(reason: str | None, words: str) -> None:
    assert numbers.words(estimate(None, None, None, reason=reason)) == words


def test_a_mean_per_answer_has_one_decimal() -> None:
    assert numbers.words(estimate(3.264, 2.91, 3.72), "citations") == "3.3 (2.9–3.7)"
    assert numbers.words(estimate(3.25, None, None), "citations") == "3.3, no interval"


def test_the_unit_comes_from_the_metric() -> None:
    assert numbers.unit_of("share_of_citation") == "share"
    assert numbers.unit_of("mean_citations_per_answer") == "citations"


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3), st.permutations([0, 1, 2]))
def test_a_range_never_shows_its_bounds_in_the_wrong_order(found: list[float], order: list[int]) -> None:
    low, value, high = sorted(found)
    bounds = [low, high] if order[0] == 0 else [high, low]
    text = numbers.share(estimate(value, *bounds))
    shown = [float(number) for number in re.findall(r"[\d.]+", text.partition("(")[2])]
    assert shown == sorted(shown)
    assert numbers.interval(estimate(value, *bounds)).endswith(" %")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.84, "0.8 s"), (9.97, "10 s"), (42, "42 s"), (200, "3 min 20 s"), (3600, "1 h"), (7500, "2 h 5 min"),
     (273600, "3 d 4 h"), (59.7, "1 min"), (0, "0.0 s")],
)  # fmt: skip
def test_durations(seconds: float, words: str) -> None:
    assert numbers.duration(seconds) == words


@pytest.mark.parametrize(
    ("dollars", "words"),
    [(11.4, "$11.40"), (0, "$0.00"), (0.0042, "$0.0042"), (0.00417, "$0.0042"), (1234.5, "$1\u202f234.50"),
     (-2.5, "-$2.50"), (0.0100, "$0.01")],
)  # fmt: skip
def test_money(dollars: float, words: str) -> None:
    assert numbers.money(dollars) == words


def test_runs_of_queries_are_counted() -> None:
    assert numbers.spread([2, 9, 2, 2, 9]) == "2 queries × 9 runs, 3 × 2"
    assert numbers.spread([1]) == "1 query × 1 run"
    assert numbers.spread([]) == ""


@pytest.mark.parametrize(("runs", "least", "words"), [(3, None, "3"), (3, 3, "3"), (9, 2, "2 to 9"), (None, None, "")])
def test_runs_that_differ_by_query_are_a_range(runs: int | None, least: int | None, words: str) -> None:
    assert runs_of(Method("c", "sha256:1", runs=runs, least_runs=least)) == words


def test_counts_have_thin_separators() -> None:
    assert numbers.count(1234567) == "1\u202f234\u202f567"
    assert numbers.part(49, 144) == "49 of 144"
    assert numbers.part(None, 144) == "144"
    assert numbers.noun(1, "query", "queries") == "1 query"
    assert numbers.noun(2, "query", "queries") == "2 queries"


def test_differences_and_lengths_of_time_have_words_of_their_own() -> None:
    found = Estimate(0.024, 0.001, 0.047, "fixed_set", "m")
    assert numbers.words(found, "difference") == "+2.4 points (0.1 to 4.7)"
    assert numbers.words(found, numbers.unit_of("opportunity")) == "≤ 2.4 points"
    assert numbers.words(Estimate(-0.2, None, None, "fixed_set", "m"), "difference") == "-20.0 points, no interval"
    assert numbers.interval(found, "difference") == "0.1 to 4.7 points"
    assert numbers.words(Estimate(3.0, 2.0, None, "fixed_set", "m"), "cycles") == "3 cycles (2 to more)"
    assert numbers.words(Estimate(None, None, None, "fixed_set", "m", reason="why"), "cycles") == "no estimate: why"


def test_a_count_stands_beside_what_it_is_a_part_of() -> None:
    assert numbers.counted(Estimate(0.5, None, None, "fixed_set", "m", n=120, cited=104, of=452)) == "104 of 452"
    assert numbers.counted(Estimate(0.5, None, None, "fixed_set", "m", n=120)) == "120"


def test_a_price_is_exact_enough_to_be_multiplied():
    shown = [numbers.price(dollars) for dollars in (0, 0.0725, 0.015, 0.004, 0.5, 0.123456, 1.2, 0.0000123)]
    assert shown == ["$0.00", "$0.0725", "$0.015", "$0.004", "$0.50", "$0.123", "$1.20", "$0.0000123"]


def test_one_cycle_is_no_plural():
    assert numbers.words(Estimate(1.0, 1.0, 2.0, "fixed_set", "m"), "cycles") == "1 cycle (1 to 2)"
