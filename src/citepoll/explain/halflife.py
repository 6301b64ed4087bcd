"""How long a cited URL stays cited: Kaplan-Meier over cycles, with URLs still cited counted as censored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from citepoll.errors import InputError

NO_SPELL = "no URL was first cited in a cycle after the first"
NOT_REACHED = "more than half were still cited when last seen"


@dataclass(frozen=True, slots=True)
class Stays:
    """Unbroken stays of citations (query, engine, URL), as arrays in step: `cycles` from the first one to the loss, or, where
    `ended` is False, the steps from one cycle to the next that it has outlived. `start_known` is False where it was there
    in the first cycle already, or in the first that could show it."""

    cycles: NDArray[np.int64]
    ended: NDArray[np.bool_]
    start_known: NDArray[np.bool_]


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


def stays(
    key: NDArray[np.uint64], cycle: NDArray[np.int64], look: NDArray[np.int64], looks: NDArray[np.int64], *, absent: int = 1
) -> Stays:  # fmt: skip
    """The stays of citations. Arrays have a row for each citation in each cycle (from 0) that has it: its `key`, and which
    `look` (from 0) of the `looks` at its query and engine that was; a cycle without a valid answer there is none.

    A stay ends where `absent` looks in a row lack it; a shorter break belongs to it. With few runs a source is
    missed by chance as well as lost, so 1 gives short lives: 2 is fairer to sources that a query cites now and then.
    A stay that ended lasted the cycles that had it. One still open has outlived the steps from its first cycle to the last
    that has it, and is censored there: first cited in the newest cycle, it has outlived none. Cycles that are no look end
    no stay, and a stay that no earlier look precedes began out of sight. Raises `InputError` for `absent` below 1.
    """
    if absent < 1:
        raise InputError(f"{absent} cycles of absence end no stay", "Give 1 or more.")
    order = np.lexsort((cycle, key))
    key, cycle, look, looks = key[order], cycle[order], look[order], looks[order]
    begins = np.ones(key.size, dtype=np.bool_)
    begins[1:] = (key[1:] != key[:-1]) | (np.diff(look) > absent)
    first = np.flatnonzero(begins)
    last = np.append(first[1:], key.size)[: first.size] - 1
    ended = look[last] + absent < looks[last]
    return Stays(cycle[last] - cycle[first] + ended, ended, look[first] > 0)


def half_life(stays: Stays, *, all_starts: bool = False, confidence: float = 0.95) -> HalfLife:
    """The median number of cycles that a newly cited URL stays cited, by Kaplan and Meier, with log-log bounds.

    Stays that began before the first cycle are left out, since their length is unknown and long ones are met more
    often; `all_starts` counts them from the first cycle, which gives the remaining life. Stays are taken as
    independent: those of one query are not quite, so that the interval is a lower limit. Stays that outlived no step say
    nothing and are not counted. No stay: null with its
    reason; more than half still cited: no median, with the lower bound. Nothing is extrapolated.
    """
    counted = (stays.start_known | all_starts) & (stays.cycles > 0)
    ended, n = stays.cycles[counted & stays.ended], int(counted.sum())
    if not n:
        return HalfLife(None, None, None, 0, 0, confidence, reason=NO_SPELL)
    if not ended.size:
        return HalfLife(None, None, None, n, 0, confidence, reason=NOT_REACHED)
    curve = _curve(ended, stays.cycles[counted & ~stays.ended], confidence)
    value = _first_half([step.value for step in curve], curve)
    low = _first_half([step.low for step in curve], curve)
    high = _first_half([step.high for step in curve], curve)
    reason = NOT_REACHED if value is None else None
    return HalfLife(value, low, high, n, ended.size, confidence, curve, reason)


def _curve(ended: NDArray[np.int64], censored: NDArray[np.int64], confidence: float) -> tuple[Survival, ...]:
    """Kaplan and Meier's product of (n - d) / n over the cycles seen; log-log bounds of Greenwood's variance.

    As `scipy.stats.ecdf` has it, which takes half a second and 45 MB to load.
    """
    cycles, places = np.unique(np.concatenate((ended, censored)), return_inverse=True)
    n = places.size - np.concatenate(([0], np.cumsum(np.bincount(places))[:-1]))
    d = np.bincount(places[: ended.size], minlength=cycles.size)
    alive = np.cumprod((n - d) / n)
    with np.errstate(divide="ignore", invalid="ignore"):  # where none or all are left the bounds are undefined
        spread = np.sqrt(np.cumsum(d / (n * (n - d))) / np.log(alive) ** 2) * ndtri(0.5 + confidence / 2.0)
        middle = np.log(-np.log(alive))
        low, high = _or_none(np.exp(-np.exp(middle + spread))), _or_none(np.exp(-np.exp(middle - spread)))
    steps = zip(cycles.tolist(), alive.tolist(), low, high, strict=True)
    return tuple(Survival(at, value, bottom, top) for at, value, bottom, top in steps)


def _first_half(values: Sequence[float | None], curve: Sequence[Survival]) -> float | None:
    """The first number of cycles after which at most half are left."""
    for value, step in zip(values, curve, strict=True):
        if value is not None and value <= 0.5 + 1e-12:
            return float(step.cycles)
    return None


def _or_none(values: NDArray[np.float64]) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]
