"""Spending runs where they tell most: when to stop a cycle, and which queries get more runs in the next (section 4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betaln

from citepoll.errors import InputError
from citepoll.measure.contrasts import Counts
from citepoll.measure.counts import read_panel
from citepoll.measure.shares import share

FIRST_LOOK = 3
MOST_ROUNDS = 10
PRIOR_SIZE = 0.7
"""a + b of the beta prior on a query's propensity, around the mean share of the cycle."""


@dataclass(frozen=True, slots=True)
class Decision:
    """`stop` or ask another round, the half-width reached (a fraction; None without data) and why."""

    stop: bool
    half_width: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class StopRule:
    """Stop when half the width of the fixed-set interval is at most `half_width`: a rule on width, not on sign, so
    that the interval needs no correction (coverage .948 and more in 24 scenarios)."""

    half_width: float
    first: int = FIRST_LOOK
    cap: int = MOST_ROUNDS
    level: float = 0.95

    def decide(self, cited: Counts, runs: Counts, round: int) -> Decision:
        """Look after `round` complete rounds: `cited` and `runs` count all answers of the cycle so far, by query.

        No look before the first allowed round; always stop at the cap. Only whole rounds: a look within one would
        weight the queries asked first. Raises `InputError` for the counts that `share` refuses.
        """
        estimate = share(cited, runs, target="fixed_set", level=self.level)
        if estimate.low is None or estimate.high is None:
            return Decision(round >= self.cap, None, estimate.reason or "no interval")
        reached = (estimate.high - estimate.low) / 2.0
        asked = f"± {reached * 100:.1f} points after {round} rounds, ± {self.half_width * 100:.1f} asked for"
        if round < self.first:
            return Decision(False, reached, f"the first look is after {self.first} rounds")
        if reached <= self.half_width:
            return Decision(True, reached, asked)
        return Decision(round >= self.cap, reached, f"{asked}; the cap is {self.cap} rounds")


def stop_rule(half_width: float, *, first: int = FIRST_LOOK, cap: int = MOST_ROUNDS, level: float = 0.95) -> StopRule:
    """The stopping rule for a half-width (a fraction), looking from round `first` to `cap` at the latest.

    Raises `InputError` for a half-width outside (0, .5], a first look before round 3 or a cap before it.
    """
    if not 0.0 < half_width <= 0.5:
        raise InputError(f"a half-width of {half_width!r} is not between 0 and 0.5", "Give 0.02 for 2 points.")
    if not FIRST_LOOK <= first <= cap:
        raise InputError(
            f"a first look after {first} and a cap of {cap} rounds", f"Look first after {FIRST_LOOK} or more."
        )
    return StopRule(half_width, first, cap, level)


def allocate(cited: Counts, runs: Counts, budget: int, floor: int = 2) -> tuple[int, ...]:
    """Runs per query of the NEXT cycle, `budget` in all: `floor` for each, the rest where the last was uncertain.

    `cited` and `runs` are the PREVIOUS cycle's counts; a query without answers there gets the prior. The rest is
    shared in proportion to the expected sd of an answer, E sqrt(p(1-p)) under beta(.7 mu + k, .7 (1-mu) + r - k).
    Never give the same cycle's counts: stopping a query on its own outcome biases its mean. Estimate the result with
    `share`, whose mean of queries' means stays unbiased. Raises `InputError` where the budget does not pay the floor.
    Source: STATISTICS section 4.
    """
    panel = read_panel([cited], runs, None)  # type: ignore[arg-type]  # one row is array-like
    k, n = np.asarray(cited, dtype=np.float64), np.asarray(runs, dtype=np.float64)
    extra = budget - floor * panel.asked
    if floor < 1 or extra < 0 or not panel.asked:
        raise InputError(
            f"{budget} runs do not give {panel.asked} queries {floor} each", "Raise the budget or lower the floor to 1."
        )
    total = float(panel.runs.sum())
    # Half an answer each way keeps the prior proper where no answer, or every one, cites.
    mean = (float(panel.cited.sum()) + 0.5) / (total + 1.0)
    a, b = PRIOR_SIZE * mean + k, PRIOR_SIZE * (1.0 - mean) + n - k
    sd = np.exp(betaln(a + 0.5, b + 0.5) - betaln(a, b))
    shares = extra * sd / sd.sum()
    whole = np.floor(shares)
    largest_rests = np.argsort(whole - shares, kind="stable")[: extra - int(whole.sum())]
    whole[largest_rests] += 1
    return tuple(int(floor + each) for each in whole)
