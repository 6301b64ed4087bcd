"""Was a citation lost on a query, or is it chance that no answer has it now? Exact, within each engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np

from citepoll.measure.exact import hypergeometric
from citepoll.measure.verdicts import REAL, adjust

T = TypeVar("T")

Stratum: TypeAlias = tuple[int, int, int, int]
"""On one engine: citing and valid answers before, citing and valid answers now."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Cited in `before` of `before_of` valid answers, and in none of `now_of` now.

    `p` is the chance of so few had nothing changed, given the citing answers of both cycles; `adjusted` the same among the
    `looked_at` places that could have shown a loss.
    """

    before: int
    before_of: int
    now_of: int
    p: float
    adjusted: float
    looked_at: int


def losses(watched: Mapping[T, Sequence[Stratum]], level: float = REAL) -> Mapping[T, Loss]:
    """The places where the citation is gone and chance is ruled out at `level`, after Benjamini–Hochberg.

    A place is a query on one engine, or on several (one stratum each). Given its citing answers over both cycles, those of
    now are hypergeometric within each engine, whatever its propensity. Places where even none now would not pass alone
    do not count among those looked at: that follows from the same total, so it costs no false alarm (Tarone 1990;
    Gilbert 2005). No answers in one of the cycles: no place. Raises `InputError` as `adjust` does.
    """
    law = {place: found for place, strata in watched.items() if (found := _law(strata)) is not None}
    able = {place: p for place, (least, p) in law.items() if least <= level}
    adjusted = dict(zip(able, adjust(list(able.values())), strict=True))
    return {
        place: Loss(*_sums(watched[place]), p=able[place], adjusted=found, looked_at=len(able))
        for place, found in adjusted.items()
        if found is not None and found <= level and not sum(now for _, _, now, _ in watched[place])
    }


def _law(strata: Sequence[Stratum]) -> tuple[float, float] | None:
    """The least p that these totals allow, and the chance of as few citing answers now as there are."""
    chances, observed = np.ones(1), 0
    for k1, r1, k2, r2 in strata:
        if r1 and r2:
            least, weights = hypergeometric(r1, r2, k1 + k2)
            chances = np.convolve(chances, weights)
            observed += k2 - least
    if chances.size == 1:  # no answers, or all alike in both cycles
        return None
    return float(chances[0]), min(1.0, float(chances[: observed + 1].sum()))


def _sums(strata: Sequence[Stratum]) -> tuple[int, int, int]:
    both = [stratum for stratum in strata if stratum[1] and stratum[3]]
    return sum(k for k, _, _, _ in both), sum(r for _, r, _, _ in both), sum(r for _, _, _, r in both)
