"""What every comparison is made of: a contrast with its interval and p, MOVER for locked queries, the pseudo-query t."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from citepoll.errors import InputError
from citepoll.measure.bounds import Floats, clopper_pearson_ends, mover, student_t
from citepoll.measure.counts import whole_numbers
from citepoll.measure.crossing import crossing
from citepoll.measure.methods import left_out, notices
from citepoll.model import Estimate

CONTRAST_METHODS: dict[str, str] = {
    "mover-fixed": "MOVER: the bounds of a sum or difference of shares of these locked queries, from the distances "
    "between each share and its own fixed-set bounds; p is the least level at which the interval leaves zero out.",
    "pseudo-query-t": "Student's t interval on each query's change, with half a made-up query at the greatest rise and "
    "half at the greatest fall, for questions like these.",
    "shrunken-z-fixed": "Normal interval on the difference of two brands in the same answers of these locked queries "
    "(run-to-run variance shrunk to independent answers, half a made-up answer won by each).",
    "none": "No comparison; the reason says why.",
}
"""One sentence for each `Contrast.method`."""

NO_PAIR = "no query has valid answers in every cycle compared"
ONE_PAIR = "one query says nothing about questions like it: the category interval is the whole range"
NOT_IN_ALL = "without a valid answer in every cycle compared"
LEAST_P = 1e-9
Counts: TypeAlias = Sequence[int] | NDArray[Any]
"""One whole number per query."""


@dataclass(frozen=True, slots=True)
class Cycles:
    """Citing and valid answers of shape (cycles, queries), of the queries with answers in every cycle."""

    cited: Floats
    runs: Floats
    asked: int

    @property
    def queries(self) -> int:
        return int(self.runs.shape[1])

    @property
    def dropped(self) -> int:
        return self.asked - self.queries

    @property
    def fractions(self) -> Floats:
        return self.cited / self.runs

    def notices(self, level: float) -> tuple[str, ...]:
        """Warnings that every comparison may carry: queries left out, a level that was not checked."""
        missing = (left_out(self.dropped, self.asked, NOT_IN_ALL),) if self.dropped else ()
        return (*missing, *notices(level, 0, self.queries))


def read_cycles(cited: Sequence[Counts], runs: Sequence[Counts]) -> Cycles:
    """Check counts of several cycles over the same queries. Raises `InputError` for what `share` refuses."""
    k = whole_numbers(cited, "cited")  # type: ignore[arg-type]  # rows are array-like
    n = whole_numbers(runs, "runs")  # type: ignore[arg-type]
    if k.ndim != 2 or k.shape != n.shape:
        raise InputError("cited and runs differ in shape between cycles", "Give one number per cycle and query.")
    if (k > n).any():
        raise InputError("cited is above runs", "Count an answer once, and only among the valid ones.")
    kept = (n > 0).all(axis=0)
    return Cycles(k[:, kept], n[:, kept], n.shape[1])


def mover_of(parts: Sequence[tuple[float, Estimate]], a2: float) -> tuple[float, float, float]:
    """Value, low and high of a sum of (coefficient, fixed-set estimate), each interval made anew at 1 - 2 a2.

    The effective sizes of a fixed set do not depend on the level, so that value and n* of an estimate are enough.
    """
    coefficients = [coefficient for coefficient, _ in parts]
    shares = np.array([e.value for _, e in parts], dtype=np.float64)
    n_star = np.array([e.n_effective for _, e in parts], dtype=np.float64)
    low, high = clopper_pearson_ends(shares, n_star, a2)
    return mover(zip(coefficients, shares.tolist(), low.tolist(), high.tolist(), strict=True))


def p_mover(parts: Sequence[tuple[float, Estimate]]) -> float:
    """The least a for which the 1 - a MOVER interval leaves 0 out; at least 1e-9. Source: STATISTICS section 2."""

    def excludes_zero(a: float) -> bool:
        _, low, high = mover_of(parts, a / 2.0)
        return low > 0 or high < 0

    return crossing(excludes_zero, LEAST_P, 1.0)


@dataclass(frozen=True, slots=True)
class PseudoMean:
    """Mean, squared standard error and degrees of freedom of changes with one pseudo-query beside them."""

    mean: float
    se2: float
    df: float


def pseudo_mean(changes: Floats, most: float = 1.0) -> PseudoMean:
    """Half a query at +most and half at -most added to the queries' changes (section 2 b; `most` as in velocity)."""
    n = changes.size + 1.0
    mean = float(changes.sum()) / n
    spread = (float((changes**2).sum()) + most**2 - n * mean**2) / (n - 1.0)
    return PseudoMean(mean, spread / n, n - 2.0)


def t_bounds(found: PseudoMean, value: float, most: float, a2: float) -> tuple[float, float]:
    """The t interval, held inside the possible range -most to most and never leaving the reported value out."""
    half = student_t(found.df, a2) * sqrt(found.se2)
    return max(min(found.mean - half, value), -most), min(max(found.mean + half, value), most)


def t_p(found: PseudoMean) -> float:
    """Two-sided p of the t interval."""
    return 2.0 * float(stdtr(found.df, -abs(found.mean) / sqrt(found.se2)))
