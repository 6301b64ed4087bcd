from datetime import date

import pytest
from scipy.stats import beta

from citepoll.explain.targets import NO_POSTERIOR, Goal, chance, sentence, standing
from citepoll.measure.intervals import share
from citepoll.model import Estimate

TODAY = date(2027, 3, 1)


def test_the_chance_is_the_posterior_behind_the_interval():
    found = share([3, 0, 2, 3], [3, 3, 3, 3], target="fixed_set")
    x = found.value * found.n_effective
    assert chance(found, 0.5) == pytest.approx(beta.sf(0.5, x + 0.5, found.n_effective - x + 0.5))


def test_the_lower_bound_is_reached_with_a_chance_of_97_5_percent():
    found = share([3, 0, 2, 3], [3, 3, 3, 3], target="fixed_set")
    assert chance(found, found.low) == pytest.approx(0.975, abs=1e-6)


def test_no_citation_is_a_small_chance_and_no_answer_is_none():
    nothing = share([0, 0], [3, 3], target="fixed_set")
    assert 0 < chance(nothing, 0.3) < 0.2
    assert chance(share([], [], target="fixed_set"), 0.3) is None


def test_a_blended_share_has_no_chance_and_says_why():
    blended = Estimate(0.3, 0.2, 0.4, "fixed_set", "mover")
    found = standing(Goal("share_of_citation", 0.3, date(2027, 3, 31)), "blended", "c", blended, TODAY)
    assert (found.chance, found.reason, found.days_left) == (None, NO_POSTERIOR, 30)
    assert "30 days left" in sentence(found)


def test_a_target_in_the_past_says_so():
    found = share([3, 3], [3, 3], target="fixed_set")
    said = sentence(standing(Goal("share_of_citation", 0.01, date(2027, 2, 1)), "one", "c", found, TODAY))
    assert said == "met with a chance of over 99 %; 28 days past"
