"""Which failure is worth another attempt, and after how long. Bounded in attempts and in time."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

from citepoll.engines.failures import Failed
from citepoll.model import Answer


@dataclass(frozen=True, slots=True)
class Retries:
    """`attempts` at one call at most, none of them begun more than `seconds` after the run began.

    Waits double from `first` up to `most` seconds, and each is drawn between a half and the whole of that. A vendor
    who asks for more than `longest` seconds is not waited for: the engine stops.
    """

    attempts: int = 4
    seconds: float = 900.0
    first: float = 1.0
    most: float = 60.0
    longest: float = 300.0


ONCE = Retries(attempts=1)
"""For an engine whose second attempt would end as the first."""


@dataclass(frozen=True, slots=True)
class Step:
    """What follows an attempt: its answer `settles` the run, it is tried `again` after `delay` seconds, or the engine stops."""

    kind: Literal["settles", "again", "stop"]
    delay: float = 0.0
    reason: str = ""


SETTLES = Step("settles")


def next_step(answer: Answer, retries: Retries, tried: int, elapsed: float, draw: random.Random) -> Step:
    """What follows the attempt number `tried` (from 1) at a call, `elapsed` seconds after its run began."""
    if not isinstance(answer, Failed) or answer.retry == "no":
        return SETTLES
    if answer.retry == "stop":
        return Step("stop", reason=answer.reason)
    if (answer.retry_after or 0.0) > retries.longest:
        return Step("stop", reason=f"{answer.reason} (it asks to be left alone for {answer.retry_after:.0f} s)")
    delay = wait(answer, retries, tried, draw)
    if tried >= retries.attempts or elapsed + delay > retries.seconds:
        return SETTLES
    return Step("again", delay, answer.reason)


def wait(answer: Answer, retries: Retries, tried: int, draw: random.Random) -> float:
    """Seconds until the next attempt: the doubled wait, or what the vendor asks for and a tenth at random, if that is more.

    A vendor that says 0, or names a moment that is past, would else use up all attempts at once.
    """
    own = min(retries.most, retries.first * 2.0 ** (tried - 1)) * draw.uniform(0.5, 1.0)
    return own if answer.retry_after is None else max(own, answer.retry_after * draw.uniform(1.0, 1.1))
