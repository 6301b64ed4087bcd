"""How long a cited URL stays cited: Kaplan-Meier over cycles, with URLs still cited counted as censored."""

from __future__ import annotations

import warnings
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Sequence, Set
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from citepoll.errors import InputError

K = TypeVar("K", bound=Hashable)

NO_SPELL = "no URL was first cited in a cycle after the first"
NOT_REACHED = "more than half were still cited when last seen"


@dataclass(frozen=True, slots=True)
class Spell:
    """An unbroken stay of one citation (query, engine, URL): cycles from its first one to its loss, or, where `ended` is
    False, the steps from one cycle to the next that it has outlived. `start_known` is False where it was there in the
    first cycle already, or in the first that could show it."""

    key: Hashable
    cycles: int
    ended: bool
    start_known: bool


@dataclass(frozen=True, slots=True)
class Survival:
    """The part of spells that lasts more than `cycles`, with its pointwise interval (None where it is undefined)."""

    cycles: int
    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class HalfLife:
    """The median stay in cycles, the bounds None where the curve does not come down to them; or the reason for none."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    ended: int
    confidence: float = 0.95
    curve: tuple[Survival, ...] = ()
    reason: str | None = None


def spells(
    cited: Sequence[Set[K]], *, absent: int = 1, asked: Callable[[K], Sequence[int]] | None = None
) -> tuple[Spell, ...]:
    """The stays of each citation over cycles, the oldest first; `cited` holds a set of (query, engine, URL) a cycle.

    A stay ends where `absent` cycles in a row lack it; a shorter break belongs to it. With few runs a source is
    missed by chance as well as lost, so 1 gives short lives: 2 is fairer to sources that a query cites now and then.
    A stay that ended lasted the cycles that had it. One still open has outlived the steps from its first cycle to the last
    that has it, and is censored there: first cited in the newest cycle, it has outlived none.

    `asked` gives the cycles (from 0, rising) in which a citation could have been seen, those with a valid answer of its
    query and engine; left away, every cycle. The others say nothing: they end no stay, and a stay that no earlier such
    cycle precedes began out of sight. Raises `InputError` for `absent` below 1.
    """
    if absent < 1:
        raise InputError(f"{absent} cycles of absence end no stay", "Give 1 or more.")
    seen: dict[K, list[int]] = {}
    for cycle, keys in enumerate(cited):
        for key in keys:
            seen.setdefault(key, []).append(cycle)
    found: list[Spell] = []
    for key, cycles in seen.items():
        looks = asked(key) if asked else range(len(cited))
        places = [bisect_left(looks, cycle) for cycle in cycles]
        breaks = [i + 1 for i, (one, other) in enumerate(pairwise(places)) if other - one > absent]
        for start, end in pairwise([0, *breaks, len(cycles)]):
            ended = places[end - 1] + absent < len(looks)
            found.append(Spell(key, cycles[end - 1] - cycles[start] + ended, ended, places[start] > 0))
    return tuple(found)


def half_life(spells: Iterable[Spell], *, all_starts: bool = False, confidence: float = 0.95) -> HalfLife:
    """The median number of cycles that a newly cited URL stays cited, by Kaplan and Meier, with log-log bounds.

    Stays that began before the first cycle are left out, since their length is unknown and long ones are met more
    often; `all_starts` counts them from the first cycle, which gives the remaining life. Spells are taken as
    independent: those of one query are not quite, so that the interval is a lower limit. Stays that outlived no step say
    nothing and are not counted. No spell: null with its
    reason; more than half still cited: no median, with the lower bound. Nothing is extrapolated.
    """
    counted = [spell for spell in spells if (all_starts or spell.start_known) and spell.cycles]
    ended = [spell.cycles for spell in counted if spell.ended]
    if not counted:
        return HalfLife(None, None, None, 0, 0, confidence, reason=NO_SPELL)
    if not ended:
        return HalfLife(None, None, None, len(counted), 0, confidence, reason=NOT_REACHED)
    curve = _curve(ended, [spell.cycles for spell in counted if not spell.ended], confidence)
    value = _first_half([step.value for step in curve], curve)
    low = _first_half([step.low for step in curve], curve)
    high = _first_half([step.high for step in curve], curve)
    reason = NOT_REACHED if value is None else None
    return HalfLife(value, low, high, len(counted), len(ended), confidence, curve, reason)


def _curve(ended: list[int], censored: list[int], confidence: float) -> tuple[Survival, ...]:
    stats = import_module("scipy.stats")  # half a second, which no other command should pay
    survival = stats.ecdf(stats.CensoredData(ended, right=censored)).sf
    with warnings.catch_warnings():
        # scipy warns where all are gone; those bounds are undefined, and None says so.
        warnings.simplefilter("ignore", RuntimeWarning)
        band = survival.confidence_interval(confidence_level=confidence, method="log-log")
    low, high = _or_none(band.low.probabilities), _or_none(band.high.probabilities)
    steps = zip(survival.quantiles.tolist(), survival.probabilities.tolist(), low, high, strict=True)
    return tuple(Survival(int(cycles), value, bottom, top) for cycles, value, bottom, top in steps)


def _first_half(values: Sequence[float | None], curve: Sequence[Survival]) -> float | None:
    """The first number of cycles after which at most half are left."""
    for value, step in zip(values, curve, strict=True):
        if value is not None and value <= 0.5 + 1e-12:
            return float(step.cycles)
    return None


def _or_none(values: NDArray[np.float64]) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]
