"""One brand against another in the same answers (STATISTICS section 2.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import sqrt

import numpy as np
from scipy.special import ndtr, ndtri

from citepoll.errors import InputError
from citepoll.measure.bounds import PRIOR_QUERIES, Floats, tail
from citepoll.measure.contrasts import ONE_PAIR, pseudo_mean, t_bounds, t_p
from citepoll.measure.methods import NO_ANSWER, notices
from citepoll.model import Contrast, Target


def brands(e: Sequence[Sequence[int]], *, target: Target, level: float = 0.95) -> Contrast:
    """The lead of brand B over brand A: `e` is nested queries -> runs, B cited less A cited in that answer (-1, 0, 1).

    The value is the mean of the queries' means. category: the pseudo-query t on them; fixed_set: a normal interval on
    the shrunken run-to-run variance with one pseudo-answer. Queries without a run are left out and counted. No answer:
    null with its reason. Raises `InputError` for a value that is not -1, 0 or 1. Source: STATISTICS section 2.1.
    """
    a2 = tail(target, level)
    rows = [_read_query(query) for query in e if len(query)]
    dropped = len(e) - len(rows)
    found = Contrast(
        target=target, confidence=level, n_queries=len(rows), dropped=dropped, warnings=notices(level, dropped, len(e))
    )
    if not rows:
        return replace(found, reason=NO_ANSWER)
    means = np.array([row.mean() for row in rows])
    value = float(means.mean())
    if target == "fixed_set":
        middle, se = _fixed_set(rows, value)
        half = float(ndtri(1.0 - a2)) * se
        low, high = max(min(middle - half, value), -1.0), min(max(middle + half, value), 1.0)
        p = 2.0 * float(ndtr(-abs(middle) / se))
        return replace(found, value=value, low=low, high=high, p=p, method="shrunken-z-fixed")
    if len(rows) == 1:
        return replace(
            found, value=value, low=-1.0, high=1.0, method="pseudo-query-t", warnings=(*found.warnings, ONE_PAIR)
        )
    mean = pseudo_mean(means)
    low, high = t_bounds(mean, value, 1.0, a2)
    return replace(found, value=value, low=low, high=high, p=t_p(mean), method="pseudo-query-t")


def _fixed_set(rows: list[Floats], value: float) -> tuple[float, float]:
    """Centre and standard error: one pseudo-answer, half won by each brand, beside the n answers."""
    runs = np.array([row.size for row in rows], dtype=np.float64)
    n, queries = float(runs.sum()), len(rows)
    square = sum(float((row**2).sum()) for row in rows) / n
    independent = square / n
    spreads = [row.var(ddof=1) if row.size > 1 else square for row in rows]
    between_runs = float((np.array(spreads) / runs).sum()) / queries**2
    informative = sum(1 for row in rows if row.any())
    variance = (informative * between_runs + PRIOR_QUERIES * independent) / (informative + PRIOR_QUERIES)
    return value * n / (n + 1.0), sqrt(variance * (n / (n + 1.0)) ** 2 + 1.0 / (n + 1.0) ** 2)


def _read_query(query: Sequence[int]) -> Floats:
    row = np.asarray(query, dtype=np.float64)
    if row.ndim != 1 or not np.isin(row, (-1.0, 0.0, 1.0)).all():
        raise InputError("a difference of two brands in an answer is -1, 0 or 1", "Give queries, in each its runs.")
    return row
