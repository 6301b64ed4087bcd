"""Reading counts over queries and runs: whole numbers, not negative, of equal shape, or an error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from citepoll.errors import InputError
from citepoll.measure.bounds import Floats


def whole_numbers(values: ArrayLike, name: str) -> Floats:
    """`values` as float64. Raises `InputError` for text, None, NaN, fractions, negative numbers and ragged rows."""
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise InputError(f"{name} has rows of unequal length", "Give one number per query.") from error
    if array.size and array.dtype.kind not in "biuf":
        raise InputError(f"{name} must be whole numbers", "Leave a query without answers at 0 runs, not empty.")
    numbers = array.astype(np.float64)
    if array.dtype.kind == "f" and not (np.isfinite(numbers) & (np.floor(numbers) == numbers)).all():
        raise InputError(f"{name} holds NaN, an infinity or a fraction", "Give counts of answers, as whole numbers.")
    if numbers.size and numbers.min() < 0:
        raise InputError(f"{name} holds a negative number", "Give counts of answers, 0 or more.")
    return numbers


@dataclass(frozen=True, slots=True)
class Panel:
    """Citing answers of entities (rows) over queries (columns) that have answers; `weights` sums to 1."""

    cited: Floats
    runs: Floats
    weights: Floats
    asked: int

    @property
    def left_out(self) -> int:
        return self.asked - self.runs.size


def read_panel(cited: ArrayLike, runs: ArrayLike, weights: ArrayLike | None) -> Panel:
    """Check counts of shape (entities, queries) and (queries,); queries without runs or of weight 0 are dropped.

    Raises `InputError` where shapes differ, a count is above its runs, or a weight is negative or not finite.
    """
    k, n = whole_numbers(cited, "cited"), whole_numbers(runs, "runs")
    if n.ndim != 1 or k.ndim != 2 or k.shape[1] != n.size:
        raise InputError(
            f"cited {k.shape[1:]} and runs {n.shape} differ in length", "Give one number per query in each."
        )
    if (k > n).any():
        raise InputError("cited is above runs", "Count an answer once, and only among the valid ones.")
    w = np.ones(n.size) if weights is None else query_weights(weights, n.size)
    kept = (n > 0) & (w > 0)
    if not kept.all():
        k, w, asked, n = k[:, kept], w[kept], n.size, n[kept]
    else:
        asked = n.size
    return Panel(k, n, w / w.sum() if n.size else w, asked)


def query_weights(weights: ArrayLike, queries: int) -> Floats:
    """Weights over queries, not yet scaled. Raises `InputError` for a wrong length, negative or not finite ones."""
    try:
        w = np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError("query weights must be numbers", "Leave them out for equal ones.") from error
    if w.shape != (queries,) or not np.isfinite(w).all() or (w < 0).any():
        raise InputError(
            "query weights must be one finite number of 0 or more per query", "Leave them out for equal ones."
        )
    return w


@dataclass(frozen=True, slots=True)
class Answers:
    """Counts of single answers: `values` flat over the queries with answers, `query` the index of each, `runs` (Q,)."""

    values: Floats
    query: np.ndarray[tuple[int], np.dtype[np.intp]]
    runs: Floats
    asked: int

    @property
    def left_out(self) -> int:
        return self.asked - self.runs.size

    def by_query(self, values: Floats) -> Floats:
        """Sums of `values` over the answers of each query."""
        return np.asarray(np.bincount(self.query, weights=values, minlength=self.runs.size), dtype=np.float64)

    def mean(self) -> Floats:
        return self.by_query(self.values) / self.runs

    def spread(self, values: Floats) -> Floats:
        """Variance between the runs of each query (ddof 1), 0 where it has one run."""
        centred = values - (self.by_query(values) / self.runs)[self.query]
        return self.by_query(centred**2) / np.maximum(self.runs - 1.0, 1.0)


def read_answers(nested: Sequence[Sequence[int]], name: str) -> Answers:
    """Check counts nested as queries -> runs; queries without a run are dropped. Raises `InputError`."""
    try:
        lengths = [len(row) for row in nested]
    except TypeError as error:
        raise InputError(f"{name} is not nested", "Give queries, and in each a list of one number per run.") from error
    values = whole_numbers([value for row in nested for value in row], name)
    if values.ndim != 1:
        raise InputError(f"{name} is nested too deeply", "Give queries, and in each a list of one number per run.")
    runs = np.array([length for length in lengths if length], dtype=np.float64)
    return Answers(values, np.repeat(np.arange(runs.size), runs.astype(np.intp)), runs, len(lengths))
