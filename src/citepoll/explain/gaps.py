"""Citation gaps: queries where a competitor is ahead of the tracked brand, each with a probability."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from scipy import special

from citepoll.errors import InputError

MARGIN = 0.10
"""A gap is a lead of more than this share of answers (STATISTICS section 3)."""
CONFIRMED = 0.90

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(256)
_ANGLES = (_NODES + 1) * np.pi / 4


@dataclass(frozen=True, slots=True)
class Gap:
    """A query, one competitor and the tracked brand: answers that cite each, of `n` pooled over the engines."""

    query_id: str
    competitor: str
    theirs: int
    ours: int
    n: int
    probability: float
    verdict: Literal["confirmed", "candidate", "none"]


def probability(n: int, c: int, b: int, delta: float = MARGIN) -> float:
    """Pr(p_competitor - p_brand > delta) after `c` and `b` citing answers of `n`, each under a Jeffreys prior.

    STATISTICS section 3. n = 0 gives the prior's value. Raises `InputError` as `lead` does.
    """
    return lead(c, n, b, n, delta)


@lru_cache(maxsize=65536)
def lead(c: int, n: int, b: int, m: int, delta: float = MARGIN) -> float:
    """Pr(p - q > delta) after `c` of `n` and `b` of `m` answers, each under a Jeffreys prior.

    Gauss–Legendre over the angle of x = (1 - delta) sin², which takes away the square roots that Jeffreys densities
    have at both ends. Raises `InputError` for counts outside 0..n or a delta outside [0, 1).
    """
    if not (0 <= c <= n and 0 <= b <= m and 0 <= delta < 1):
        counts = f"{c} of {n} and {b} of {m}"
        raise InputError(f"{counts} answers with a margin of {delta} make no gap.", "Give counts from 0 to n.")
    x = (1 - delta) * np.sin(_ANGLES) ** 2
    step = (1 - delta) * np.sin(2 * _ANGLES) * np.pi / 4
    ours = special.xlogy(b - 0.5, x) + special.xlog1py(m - b - 0.5, -x) - special.betaln(b + 0.5, m - b + 0.5)
    ahead = special.betaincc(c + 0.5, n - c + 0.5, x + delta)
    return float(np.sum(_WEIGHTS * step * np.exp(ours) * ahead))


def gaps(query_id: str, n: int, ours: int, theirs: Mapping[str, int], delta: float = MARGIN) -> tuple[Gap, ...]:
    """The gaps of one query, the surest first; competitors that are not ahead have verdict `none` and stand last.

    `confirmed`: probability at least .90 (local false discovery rule); `candidate`: they are cited and we are not.
    """
    found = [_gap(query_id, n, ours, name, count, delta) for name, count in theirs.items()]
    return tuple(sorted(found, key=lambda gap: (-gap.probability, gap.competitor)))


def _gap(query_id: str, n: int, ours: int, competitor: str, count: int, delta: float) -> Gap:
    sure = probability(n, count, ours, delta)
    verdict: Literal["confirmed", "candidate", "none"] = "none"
    if sure >= CONFIRMED and count > ours:
        verdict = "confirmed"
    elif count > 0 and ours == 0:
        verdict = "candidate"
    return Gap(query_id, competitor, count, ours, n, sure, verdict)
