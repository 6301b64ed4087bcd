"""Change per cycle over the observed cycles (STATISTICS section 3, velocity); never a forecast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from citepoll.errors import InputError
from citepoll.measure.bounds import Floats, tail
from citepoll.measure.contrasts import (
    NO_PAIR,
    ONE_PAIR,
    Counts,
    mover_of,
    p_mover,
    pseudo_mean,
    read_cycles,
    t_bounds,
    t_p,
)
from citepoll.measure.shares import share
from citepoll.model import Contrast, Target

LEAST_CYCLES = 3
TOO_FEW_CYCLES = f"velocity needs {LEAST_CYCLES} cycles or more"


def slope(
    k: Sequence[Counts],
    r: Sequence[Counts],
    times: Sequence[float] | None = None,
    *,
    target: Target,
    level: float = 0.95,
) -> Contrast:
    """Velocity: the least-squares change of a share per cycle over the cycles given, not beyond them.

    `k` and `r` hold citing and valid answers, a sequence per cycle over the same queries; only queries with answers in
    every cycle count. `times` are the cycles' moments, rising, in the unit that "per cycle" shall mean (default 0, 1,
    2…). fixed_set: MOVER; category: the pseudo-query t on the queries' slopes. Fewer than 3 cycles, or no query in
    all: null with its reason. It describes what was observed: shocks that all queries share are part of it, and the
    interval says nothing about the next cycle. Raises `InputError` for the counts that `share` refuses and for times
    that do not rise.
    """
    a2 = tail(target, level)
    cycles = read_cycles(k, r) if len(k) else None
    if cycles is None or len(k) < LEAST_CYCLES:
        return Contrast(target=target, confidence=level, reason=TOO_FEW_CYCLES)
    c = _coefficients(len(k), times)
    found = Contrast(
        target=target, confidence=level, n_queries=cycles.queries, dropped=cycles.dropped,
        warnings=cycles.notices(level),
    )  # fmt: skip
    if not cycles.queries:
        return replace(found, reason=NO_PAIR)
    if target == "fixed_set":
        shares = [share(k, r, target=target, level=level) for k, r in zip(cycles.cited, cycles.runs, strict=True)]
        parts = list(zip(c.tolist(), shares, strict=True))
        value, low, high = mover_of(parts, a2)
        return replace(found, value=value, low=low, high=high, p=p_mover(parts), method="mover-fixed")
    slopes = c @ cycles.fractions
    value, most = float(slopes.mean()), float(c[c > 0].sum())
    if cycles.queries == 1:
        return replace(
            found, value=value, low=-most, high=most, method="pseudo-query-t", warnings=(*found.warnings, ONE_PAIR)
        )
    mean = pseudo_mean(slopes, most)
    low, high = t_bounds(mean, value, most, a2)
    return replace(found, value=value, low=low, high=high, p=t_p(mean), method="pseudo-query-t")


def _coefficients(cycles: int, times: Sequence[float] | None) -> Floats:
    t = np.arange(cycles, dtype=np.float64) if times is None else np.asarray(times, dtype=np.float64)
    if t.shape != (cycles,) or not np.isfinite(t).all() or (np.diff(t) <= 0).any():
        raise InputError("times must rise, one for each cycle", "Give cycles from the oldest to the newest.")
    centred = t - t.mean()
    return np.asarray(centred / (centred**2).sum(), dtype=np.float64)
