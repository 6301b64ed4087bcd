"""Which gaps are real? False discoveries and power of the gap rule beside "competitor cited, brand not".

    python bench/gaps.py [--reps 200] [--seed 1] [--jobs 1] [--queries 200]

A gap is real where some competitor's propensity is more than .10 above the brand's. Propensities are beta distributed
around the brand's and the competitors' means with an intra-class correlation; each query is answered n times (engines
x runs), and both rules look at the same counts. `false` is the mean part of a list's queries that have no gap (an empty
list counts 0), `power` the part of the queries with a gap that are listed. 200 repetitions of 200 queries: 40,000.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from multiprocessing import Pool
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from citepoll.explain.gaps import MARGIN, gaps

Floats = NDArray[np.float64]
ANSWERS = (3, 5, 12, 20)
RULES = ("confirmed gap", "competitor cited, brand not")


@dataclass(frozen=True)
class Market:
    """Mean shares of the brand and of each competitor, how many competitors, intra-class correlation."""

    name: str
    brand: float
    rival: float
    rivals: int
    icc: float


MARKETS = (
    Market("equals", 0.20, 0.20, 1, 0.6),
    Market("behind", 0.15, 0.30, 1, 0.6),
    Market("three rivals", 0.15, 0.20, 3, 0.6),
    Market("ahead", 0.40, 0.10, 3, 0.6),
    Market("alike queries", 0.15, 0.20, 3, 0.3),
    Market("small shares", 0.05, 0.05, 3, 0.3),
    Market("rare gaps", 0.10, 0.05, 1, 0.2),
)


@dataclass(frozen=True)
class Result:
    market: Market
    answers: int
    real: float
    false: tuple[float, ...]
    power: tuple[float, ...]


def confirmed(n: int) -> NDArray[np.bool_]:
    """The rule as a table: row c, column b."""
    return np.array([[gaps("q", n, b, {"x": c})[0].verdict == "confirmed" for b in range(n + 1)] for c in range(n + 1)])


def propensities(mean: float, icc: float, shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    size = 1.0 / icc - 1.0
    return rng.beta(mean * size, (1.0 - mean) * size, shape)


def simulate(job: tuple[int, Market, int, int, int, int]) -> Result:
    index, market, n, reps, queries, seed = job
    rng = np.random.default_rng([seed, index])
    ours = propensities(market.brand, market.icc, (reps, queries), rng)
    theirs = propensities(market.rival, market.icc, (market.rivals, reps, queries), rng)
    real = (theirs - ours > MARGIN).any(axis=0)
    b, c = rng.binomial(n, ours), rng.binomial(n, theirs)
    listed = (confirmed(n)[c, b].any(axis=0), ((c > 0) & (b == 0)).any(axis=0))
    false = tuple(float(((rows & ~real).sum(axis=1) / np.maximum(rows.sum(axis=1), 1)).mean()) for rows in listed)
    power = tuple(float(rows[real].mean()) for rows in listed)
    return Result(market, n, float(real.mean()), false, power)


def table(results: list[Result]) -> Iterator[str]:
    yield f"{'market':<14} {'brand':>5} {'rival':>8} {'ICC':>4} {'n':>3} {'real':>5}" + "".join(
        f" {rule:>28}" for rule in RULES
    )
    yield f"{'':<44}" + f" {'false   power':>28}" * len(RULES)
    for r in results:
        rivals = f"{r.market.rivals} x {r.market.rival:.2f}"
        figures = "".join(f" {false:>20.3f}   {power:.3f}" for false, power in zip(r.false, r.power, strict=True))
        yield f"{r.market.name:<14} {r.market.brand:>5.2f} {rivals:>8} {r.market.icc:>4} {r.answers:>3} {r.real:>5.2f}{figures}"
    for n in ANSWERS:
        of_n = [r for r in results if r.answers == n]
        figures = "".join(
            f" {np.mean([r.false[i] for r in of_n]):>20.3f}   {np.mean([r.power[i] for r in of_n]):.3f}"
            for i in range(len(RULES))
        )
        yield f"{'mean':<14} {'':>5} {'':>8} {'':>4} {n:>3} {np.mean([r.real for r in of_n]):>5.2f}{figures}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reps", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--queries", type=int, default=200)
    options = parser.parse_args()
    start = perf_counter()
    jobs = [
        (index, market, n, options.reps, options.queries, options.seed)
        for index, (market, n) in enumerate(product(MARKETS, ANSWERS))
    ]
    with Pool(options.jobs) as pool:
        results = pool.map(simulate, jobs, chunksize=1)
    print(*table(results), sep="\n")
    print(f"\n{options.reps} lists of {options.queries} queries, seed {options.seed}, {perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
