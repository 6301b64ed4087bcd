import random

import pytest

from citepoll.engines.failures import Failed
from citepoll.model import Answer
from citepoll.sampling.retry import ONCE, Retries, next_step, wait

LATER = Failed("failed", retry="later", reason="busy")


def step(answer, tried=1, elapsed=0.0, retries=None):
    return next_step(answer, retries or Retries(), tried, elapsed, random.Random(1))


@pytest.mark.parametrize(
    "answer", [Answer("answered"), Answer("refused"), Answer("failed"), Failed("blocked"), Failed("failed", retry="no")]
)
def test_what_would_end_the_same_settles(answer):
    assert step(answer).kind == "settles"


def test_what_may_pass_is_tried_again_within_its_bounds():
    assert [step(LATER, tried).kind for tried in (1, 2, 3, 4)] == ["again", "again", "again", "settles"]
    assert step(LATER, elapsed=899.9).kind == "settles"
    assert step(LATER, retries=ONCE).kind == "settles"


def test_a_key_a_quota_or_a_model_stops_the_engine_with_its_reason():
    found = step(Failed("failed", retry="stop", reason="wrong key"))
    assert (found.kind, found.reason) == ("stop", "wrong key")
    asked = step(Failed("failed", retry="later", reason="come back", retry_after=3600.0))
    assert asked.kind == "stop"
    assert "3600 s" in asked.reason


def test_waits_double_with_a_seeded_jitter_and_have_a_bound():
    draw = random.Random(7)
    waits = [[wait(LATER, Retries(), tried, draw) for _ in range(50)] for tried in (1, 2, 3, 9)]
    for found, whole in zip(waits, (1, 2, 4, 60), strict=True):
        assert whole / 2 <= min(found) < max(found) <= whole
    assert wait(LATER, Retries(), 2, random.Random(7)) == wait(LATER, Retries(), 2, random.Random(7))


def test_a_vendor_who_says_when_is_never_asked_sooner():
    said = Failed("failed", retry="later", retry_after=20.0)
    assert all(20 <= wait(said, Retries(), 1, random.Random(n)) <= 22 for n in range(20))


@pytest.mark.parametrize("said", [0.0, 0.1])
def test_a_vendor_who_asks_for_next_to_nothing_does_not_use_up_the_attempts_at_once(said):
    answer = Failed("failed", retry="later", retry_after=said)
    assert all(
        wait(answer, Retries(), tried, random.Random(n)) >= 2 ** (tried - 2) for tried in (1, 2, 3) for n in range(9)
    )
