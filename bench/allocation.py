"""Does it bias the share to give more runs to the queries that the last cycle left uncertain?

    python bench/allocation.py [--reps 5000] [--seed 34] [--queries 50]

Propensities are beta distributed around the share, a + b = .67 (ICC .6). A first cycle with three runs a query decides
by Neyman's allocation who gets how many of four runs a query on average in the second; a fifth of the queries have been
redrawn in between. `bias` is the mean error of the second cycle's share (the mean of the queries' shares) in points, with its
standard error; `fixed_set` and `category` the part of the intervals that hold the truth; `pooled` the mean error of the
ratio over answers; `saved` how much lower the mean squared error is than with four runs for each.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np

from citepoll.measure.budgeting import allocate
from citepoll.measure.shares import share

SHARES = (0.05, 0.15, 0.30)
SIZE, FIRST, RUNS, REDRAWN = 0.67, 3, 4, 0.2


@dataclass(frozen=True)
class Result:
    """Errors are fractions, coverages and `saved` parts of 1."""

    bias: float
    error: float
    fixed_set: float
    category: float
    pooled: float
    saved: float


def simulate(mean: float, reps: int, seed: int, queries: int = 50) -> Result:
    """Pairs of cycles, the second one with the runs that the first one calls for."""
    rng = np.random.default_rng(seed)
    rows = np.array([_pair(rng, mean, queries) for _ in range(reps)])
    bias, pooled, even, fixed_set, category = rows.T
    saved = 1.0 - float((bias**2).mean() / (even**2).mean())
    return Result(
        float(bias.mean()), float(bias.std(ddof=1) / np.sqrt(reps)), float(fixed_set.mean()), float(category.mean()),
        float(pooled.mean()), saved,
    )  # fmt: skip


def _pair(rng: np.random.Generator, mean: float, queries: int) -> tuple[float, float, float, bool, bool]:
    before, redrawn = rng.beta(SIZE * mean, SIZE * (1.0 - mean), (2, queries))
    runs = np.array(allocate(rng.binomial(FIRST, before), [FIRST] * queries, RUNS * queries))
    p = np.where(rng.random(queries) < REDRAWN, redrawn, before)
    cited, truth = rng.binomial(runs, p), float(p.mean())
    fixed, wide = (share(cited, runs, target=target) for target in ("fixed_set", "category"))
    even = float((rng.binomial(RUNS, p) / RUNS).mean())
    return (
        fixed.value - truth, fixed.pooled - truth, even - truth, fixed.low <= truth <= fixed.high,
        wide.low <= mean <= wide.high,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reps", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=34)
    parser.add_argument("--queries", type=int, default=50)
    asked = parser.parse_args()
    print("| share | bias | `fixed_set` holds | `category` holds | ratio over answers is off by | saved |")
    print("|---|---|---|---|---|---|")
    for mean in SHARES:
        r = simulate(mean, asked.reps, asked.seed, asked.queries)
        print(
            f"| {mean * 100:.0f} % | {r.bias * 100:.2f} ± {r.error * 100:.2f} points | {r.fixed_set * 100:.1f} % | "
            f"{r.category * 100:.1f} % | {r.pooled * 100:.1f} points | {r.saved * 100:.0f} % |"
        )


if __name__ == "__main__":
    main()
