"""How often do the intervals cover the truth? Ours beside pooled Wilson, clustered t and the independent bootstrap.

    python bench/coverage.py [--reps 1000] [--seed 1] [--jobs 2] [--quick]

Answers are simulated from known propensities, each method is asked for its 95 % interval, and the truth is looked up:
`fixed_set` is the mean propensity of the queries drawn, `category` the mean of the distribution they come from. One
figure of a cell has a Monte-Carlo error of about 0.7 points at 1,000 repetitions.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from multiprocessing import Pool
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, t

from citepoll.measure.intervals import mean_per_answer, overlap, share_many, share_of_voice
from citepoll.model import Estimate, Target

Floats = NDArray[np.float64]
Bounds = tuple[Floats, Floats]
TARGETS: tuple[Target, ...] = ("fixed_set", "category")
Z = 1.959963984540054

SHARES = (0.005, 0.02, 0.05, 0.15, 0.3, 0.6)
CORRELATIONS = (0.1, 0.5, 0.8)
QUERIES = (20, 50, 200)
RUNS = (1, 3, 5)


@dataclass(frozen=True)
class Cell:
    """One simulated situation: `section` names the table it belongs to, `mean` the share or mean aimed at."""

    section: str
    model: str
    mean: float
    correlation: float
    queries: int
    runs: int

    def label(self) -> str:
        return f"{self.model} mean {self.mean:.4g} ICC {self.correlation:g} Q {self.queries} R {self.runs}"


@dataclass(frozen=True)
class Result:
    """Coverage and mean width of one method for one target in one cell."""

    cell: Cell
    target: Target
    method: str
    coverage: float
    width: float


# ---------------------------------------------------------------- the rival intervals


def wilson(k: Floats, n: Floats | float) -> Bounds:
    """Wilson's interval on k of n, every answer (or slot) independent."""
    p = k / n
    middle, scale = p + Z**2 / (2 * n), 1 + Z**2 / n
    half = Z * np.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    return (middle - half) / scale, (middle + half) / scale


def clustered_t(f: Floats) -> Bounds:
    """The clustered central limit interval: the queries' means (last axis), Student's t."""
    queries = f.shape[-1]
    half = t.ppf(0.975, queries - 1) * f.std(axis=-1, ddof=1) / np.sqrt(queries)
    return f.mean(axis=-1) - half, f.mean(axis=-1) + half


def pooled_bootstrap(k: Floats, n: int) -> Bounds:
    """Percentile bootstrap over pooled answers, its quantiles exact (as with endless resamples)."""
    return binom.ppf(0.025, n, k / n) / n, binom.ppf(0.975, n, k / n) / n


def answer_bootstrap(x: Floats, y: Floats, rng: np.random.Generator, resamples: int = 400) -> tuple[float, float]:
    """Percentile bootstrap of sum(x)/sum(y) over answers as if independent."""
    weights = rng.multinomial(x.size, np.full(x.size, 1 / x.size), size=resamples)
    top, below = weights @ x.ravel(), weights @ y.ravel()
    low, high = np.quantile(top / np.maximum(below, 1), [0.025, 0.975])
    return float(low), float(high)


def clustered_ratio(x: Floats, y: Floats) -> tuple[float, float]:
    """Delta-method interval of a ratio of sums over queries, Student's t."""
    queries, top, below = x.shape[0], x.sum(axis=1), y.sum(axis=1)
    ratio = top.sum() / below.sum()
    residuals = top - ratio * below
    half = t.ppf(0.975, queries - 1) * np.sqrt(queries / (queries - 1) * (residuals**2).sum()) / below.sum()
    return ratio - half, ratio + half


# ---------------------------------------------------------------- shares


def propensities(cell: Cell, shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Queries' propensities of the cell's mean and intra-class correlation: beta, zero-inflated beta, or all alike."""
    mu, rho = cell.mean, cell.correlation
    if cell.model == "homogeneous":
        return np.full(shape, mu)
    alive = 1.0
    if cell.model == "zero-inflated":
        alive = float(np.sqrt(mu / (rho * (1 - mu) + mu)))
    mean = mu / alive
    variance = (rho * mu * (1 - mu) + mu**2) / alive - mean**2
    size = mean * (1 - mean) / variance - 1
    drawn = rng.beta(mean * size, (1 - mean) * size, shape)
    return np.where(rng.random(shape) < alive, drawn, 0.0)


def share_bounds(k: Floats, cell: Cell, target: Target) -> Iterator[tuple[str, Bounds]]:
    n = cell.queries * cell.runs
    ours = share_many(k, np.full(cell.queries, cell.runs), target=target)
    yield "citepoll", (np.array([e.low for e in ours]), np.array([e.high for e in ours]))
    yield "pooled Wilson", wilson(k.sum(axis=1), n)
    yield "clustered t", clustered_t(k / cell.runs)
    yield "independent bootstrap", pooled_bootstrap(k.sum(axis=1), n)


def simulate_shares(cell: Cell, reps: int, rng: np.random.Generator) -> list[Result]:
    p = propensities(cell, (reps, cell.queries), rng)
    k = rng.binomial(cell.runs, p)
    truths: dict[Target, Floats] = {"fixed_set": p.mean(axis=1), "category": np.full(reps, cell.mean)}
    targets = TARGETS[:1] if cell.model == "homogeneous" else TARGETS
    return [
        tally(cell, target, method, bounds, truths[target])
        for target in targets
        for method, bounds in share_bounds(k, cell, target)
    ]


def tally(cell: Cell, target: Target, method: str, bounds: Bounds, truth: Floats) -> Result:
    low, high = bounds
    covered = (low <= truth + 1e-12) & (truth <= high + 1e-12)
    return Result(cell, target, method, float(covered.mean()), float((np.minimum(high, 1e9) - low).mean()))


# ---------------------------------------------------------------- ratios, means, overlap


def simulate_ratio(cell: Cell, reps: int, rng: np.random.Generator) -> list[Result]:
    """Citations per answer Poisson around a gamma mean per query; the brand's are a beta-binomial part of them.

    Slots (8 an answer) or citations of tracked brands (1.5); within an answer the brand's citations correlate at .3.
    """
    slots = 8.0 if cell.section == "slot_share" else 1.5
    rows: dict[tuple[Target, str], list[tuple[float, float, float]]] = {}
    for _ in range(reps):
        p = propensities(cell, (cell.queries, 1), rng)
        level = rng.gamma(2.0, slots / 2.0, (cell.queries, 1))
        y = rng.poisson(np.repeat(level, cell.runs, axis=1))
        answer = rng.beta(np.maximum(p, 1e-9) * 7 / 3, np.maximum(1 - p, 1e-9) * 7 / 3, y.shape)
        x = rng.binomial(y, np.where(p > 0, answer, 0.0))
        if not y.any():
            continue
        rivals = {
            "pooled Wilson": wilson(x.sum(), y.sum()),
            "clustered t": clustered_ratio(x, y),
            "independent bootstrap": answer_bootstrap(x, y, rng),
        }
        truths = {"fixed_set": float((p * level).sum() / level.sum()), "category": cell.mean}
        for target in TARGETS:
            ours = share_of_voice(x.tolist(), y.tolist(), target=target)
            for method, (low, high) in {"citepoll": bounds_of(ours), **rivals}.items():
                rows.setdefault((target, method), []).append((low, high, truths[target]))
    return _tallied(cell, rows)


def simulate_means(cell: Cell, reps: int, rng: np.random.Generator) -> list[Result]:
    """Counts Poisson around a query's gamma mean, whose coefficient of variation is the cell's `correlation`."""
    rows: dict[tuple[Target, str], list[tuple[float, float, float]]] = {}
    shape = 1.0 / cell.correlation**2
    for _ in range(reps):
        level = rng.gamma(shape, cell.mean / shape, (cell.queries, 1))
        counts = rng.poisson(np.repeat(level, cell.runs, axis=1))
        ours = mean_per_answer(counts.tolist(), target="category")
        half = 1.96 * counts.std(ddof=1) / np.sqrt(counts.size)
        rows.setdefault(("category", "citepoll"), []).append((*bounds_of(ours), cell.mean))
        pooled = (counts.mean() - half, counts.mean() + half, cell.mean)
        rows.setdefault(("category", "independent answers"), []).append(pooled)
    return _tallied(cell, rows)


def simulate_overlap(cell: Cell, reps: int, rng: np.random.Generator) -> list[Result]:
    """Five core URLs a query, each cited with the query's propensity, and two URLs that no other run cites."""
    core = rng.random((2, 400_000, 5)) < propensities(cell, (400_000, 1), rng)
    truth = float(((core[0] & core[1]).sum(axis=1) / (core.sum(axis=2).min(axis=0) + 2)).mean())
    rows: dict[tuple[Target, str], list[tuple[float, float, float]]] = {}
    for _ in range(reps):
        runs = _cited(cell, cell.queries, rng)
        nested = [list(query) for query in zip(*runs, strict=True)]
        ours = overlap(nested, target="category")
        rows.setdefault(("category", "citepoll"), []).append((*bounds_of(ours), truth))
        low, high = clustered_t(np.array([len(a & b) / min(len(a), len(b)) for a, b in zip(*runs[:2], strict=True)]))
        rows.setdefault(("category", "clustered t, first pair"), []).append((float(low), float(high), truth))
    return _tallied(cell, rows)


def _cited(cell: Cell, queries: int, rng: np.random.Generator) -> list[list[frozenset[int]]]:
    """Sets of URLs, by run and query; numbers from 5 up belong to one run alone."""
    p = propensities(cell, (queries, 1), rng)
    runs = []
    for run in range(max(cell.runs, 2)):
        core = rng.random((queries, 5)) < p
        own = {5 + 2 * run, 6 + 2 * run}
        runs.append([frozenset(np.flatnonzero(row).tolist()) | own for row in core])
    return runs


def bounds_of(estimate: Estimate) -> tuple[float, float]:
    if estimate.low is None or estimate.high is None:
        raise AssertionError(estimate.reason)
    return estimate.low, estimate.high


def _tallied(cell: Cell, rows: dict[tuple[Target, str], list[tuple[float, float, float]]]) -> list[Result]:
    return [
        tally(cell, target, method, (column[0], column[1]), column[2])
        for (target, method), triples in rows.items()
        for column in [np.array(triples).T]
    ]


# ---------------------------------------------------------------- the plan and the tables

SIMULATIONS: dict[str, Callable[[Cell, int, np.random.Generator], list[Result]]] = {
    "share": simulate_shares,
    "sweep": simulate_shares,
    "slot_share": simulate_ratio,
    "share_of_voice": simulate_ratio,
    "mean_per_answer": simulate_means,
    "overlap": simulate_overlap,
}
TITLES = {
    "share": "share of citation: SoC x ICC x Q x R, beta and zero-inflated beta",
    "sweep": "share of citation: every query at one propensity, from .25/n to 6/n",
    "slot_share": "slot share: 8 slots an answer",
    "share_of_voice": "share of voice: 1.5 citations of tracked brands an answer",
    "mean_per_answer": "mean citations per answer: Poisson around gamma means",
    "overlap": "overlap of runs",
}
PER_CALL = ("slot_share", "share_of_voice", "mean_per_answer", "overlap")


def cells(quick: bool) -> Iterator[Cell]:
    shares, correlations = (SHARES[1::2], CORRELATIONS[1:2]) if quick else (SHARES, CORRELATIONS)
    queries, runs = (QUERIES[:2], RUNS[1:2]) if quick else (QUERIES, RUNS)
    for model, mu, rho, q, r in product(("beta", "zero-inflated"), shares, correlations, queries, runs):
        yield Cell("share", model, mu, rho, q, r)
    for q, r, step in product((20, 28, 50), (3,) if quick else (3, 5), range(1, 25)):
        yield Cell("sweep", "homogeneous", step * 0.25 / (q * r), 0.0, q, r)
    for section, model, mu, rho, q in product(
        ("slot_share", "share_of_voice"), ("beta", "zero-inflated"), shares, correlations[::2], queries[:2]
    ):
        yield Cell(section, model, mu, rho, q, 3)
    for mean, variation, q in product((0.5, 3.0, 8.0), (0.3, 1.0, 2.0), queries[:2]):
        yield Cell("mean_per_answer", "gamma", mean, variation, q, 3)
    for mean, rho, q in product((0.05, 0.3, 0.6, 0.9), correlations, queries[:2]):
        yield Cell("overlap", "beta", mean, rho, q, 3)


def simulate(job: tuple[int, Cell, int, int]) -> list[Result]:
    index, cell, reps, seed = job
    rng = np.random.default_rng([seed, index])
    few = max(reps // 2, 50) if cell.section in PER_CALL else reps
    return SIMULATIONS[cell.section](cell, few, rng)


def table(results: list[Result], section: str) -> Iterator[str]:
    """A line per target and method: mean and least coverage, mean width, and the cell of the least."""
    yield f"\n{TITLES[section]}"
    yield f"{'target':<10} {'method':<24} {'cells':>5} {'mean':>6} {'min':>6} {'width':>7}  least covered cell"
    groups: dict[tuple[Target, str], list[Result]] = {}
    for result in results:
        if result.cell.section == section:
            groups.setdefault((result.target, result.method), []).append(result)
    for (target, method), group in groups.items():
        least = min(group, key=lambda result: result.coverage)
        mean, width = (np.mean([getattr(r, name) for r in group]) for name in ("coverage", "width"))
        yield (
            f"{target:<10} {method:<24} {len(group):>5} {mean:>6.3f} {least.coverage:>6.3f} {width:>7.3f}  "
            f"{least.cell.label()}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reps", type=int, default=1000, help="repetitions a cell (ratios, means, overlap: half)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--quick", action="store_true", help="a few cells only")
    parser.add_argument("--only", choices=sorted(SIMULATIONS), action="append", help="these tables only")
    options = parser.parse_args()
    chosen = options.only or list(SIMULATIONS)
    jobs = [(i, c, options.reps, options.seed) for i, c in enumerate(cells(options.quick)) if c.section in chosen]
    start = perf_counter()
    with Pool(options.jobs) as pool:
        results = [result for found in pool.imap(simulate, jobs, chunksize=4) for result in found]
    for section in chosen:
        print(*table(results, section), sep="\n")
    print(f"\n{len(jobs)} cells, {options.reps} repetitions, seed {options.seed}, {perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
