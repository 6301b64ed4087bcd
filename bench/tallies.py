"""Tallies over a synthetic poll: 5 million answers and 40 million citations, in under 5 s and 1 GiB.

    python bench/tallies.py [--answers 5000000] [--per-answer 8] [--seed 1]

Writes the derived tables as Parquet to a temporary folder, with the columns that tallies read, then counts in a process
of its own, and prints seconds and the peak memory of that process (resident set, so the libraries are in it).
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from citepoll.measure.tallies import answer_tallies, brand_tallies, excluded_tallies, source_tallies
from citepoll.model import STATUSES, VALID

CHUNK = 500_000
RUNS = 50
ENGINES = pl.Enum([f"engine-{i}" for i in range(5)])
CYCLES = pl.Enum(["2026-11"])
BRANDS = pl.Enum([f"Brand {i}" for i in range(8)])
DOMAINS = pl.Enum([f"site-{i:05}.example" for i in range(20_000)])
LEVELS = pl.Enum(["span", "marker", "listed", "retrieved"])
STATUS = pl.Enum(STATUSES)
SECONDS, MEBIBYTES = 5.0, 1024


def _stored(table: pl.DataFrame) -> pl.DataFrame:
    """As the product stores it: names are text."""
    return table.with_columns(pl.col(pl.Enum).cast(pl.String))


def build(folder: Path, answers: int, per_answer: int, seed: int) -> None:
    """Write answers, citations and hits, in parts of `CHUNK` answers; run_id rises through the parts."""
    rng = np.random.default_rng(seed)
    for name in ("answers", "citations", "hits"):
        (folder / name).mkdir()
    queries = pl.Enum([f"sha256:{i:064x}" for i in range(max(1, answers // RUNS // len(ENGINES.categories)))])
    for part, start in enumerate(range(0, answers, CHUNK)):
        run_id = np.arange(start, min(start + CHUNK, answers), dtype=np.uint32)
        table = _answers(rng, run_id, answers, per_answer, queries)
        citations = _citations(rng, run_id, table["slots"].to_numpy())
        _stored(table).write_parquet(folder / "answers" / f"{part:03}.parquet")
        _stored(citations).write_parquet(folder / "citations" / f"{part:03}.parquet")
        _stored(_hits(rng, citations)).write_parquet(folder / "hits" / f"{part:03}.parquet")


def _answers(
    rng: np.random.Generator, run_id: NDArray[np.uint32], answers: int, per_answer: int, queries: pl.Enum
) -> pl.DataFrame:
    per_engine = -(-answers // len(ENGINES.categories))
    status = rng.choice(len(STATUSES), run_id.size, p=[0.9, 0.02, 0.01, 0.02, 0.01, 0.01, 0.01, 0.02])
    valid = np.isin(status, [i for i, name in enumerate(STATUSES) if name in VALID])
    return pl.DataFrame(
        {
            "run_id": run_id,
            "cycle": _coded(np.zeros(run_id.size), CYCLES),
            "engine": _coded(run_id // per_engine, ENGINES),
            "query_id": _coded(run_id % per_engine // RUNS % len(queries.categories), queries),
            "run": (run_id % RUNS + 1).astype(np.uint16),
            "status": _coded(status, STATUS),
            "valid": valid,
            "slots": np.where(valid, rng.poisson(per_answer / 0.93, run_id.size), 0).astype(np.uint16),
        }
    )


def _citations(rng: np.random.Generator, run_id: NDArray[np.uint32], slots: NDArray[np.uint16]) -> pl.DataFrame:
    run = np.repeat(run_id, slots)
    domain = np.minimum(rng.pareto(0.6, run.size) * 20, len(DOMAINS.categories) - 1).astype(np.uint32)
    owner = domain % 50
    owned = owner < len(BRANDS.categories)
    return (
        pl.DataFrame(
            {
                "run_id": run,
                "level": _coded(np.zeros(run.size), LEVELS),
                "domain": _coded(domain, DOMAINS),
                "brand": _coded(np.where(owned, owner, 0), BRANDS),
                "new_domain": _first(run.astype(np.uint64) * 100_000 + domain),
                "new_brand": _first(run.astype(np.uint64) * 100 + owner) & owned,
                "owned": owned,
            }
        )
        .with_columns(brand=pl.when("owned").then("brand"))
        .drop("owned")
    )


def _hits(rng: np.random.Generator, citations: pl.DataFrame) -> pl.DataFrame:
    hits = citations.filter(pl.col("brand").is_not_null())
    hits = hits.group_by("run_id", "brand").agg(slots=pl.len().cast(pl.UInt16)).sort("run_id")
    return hits.with_columns(
        mentions=pl.Series(rng.integers(0, 3, hits.height).astype(np.uint16)),
        first=pl.Series(rng.random(hits.height) < 0.1),
        earned=pl.Series(rng.random(hits.height) < 0.2),
    )


def _coded(codes: NDArray[np.generic], names: pl.Enum) -> pl.Series:
    return pl.Series(codes.astype(np.uint32)).cat.to(names)


def _first(keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """True where a key stands for the first time."""
    first = np.zeros(keys.size, dtype=bool)
    first[np.unique(keys, return_index=True)[1]] = True
    return first


def tally(folder: Path) -> None:
    """Count, and print a line for each tally and one for all."""
    answers, citations, hits = (
        pl.scan_parquet(folder / name / "*.parquet").set_sorted("run_id") for name in ("answers", "citations", "hits")
    )
    steps = {
        "answers by cycle, engine, query": answer_tallies(answers),
        "excluded by cycle, engine, query, status": excluded_tallies(answers),
        "brands by cycle, engine, query": brand_tallies(answers, hits),
        "domains by cycle, engine": source_tallies(answers, citations, ["domain"], ["cycle", "engine"]),
    }
    begin = time.perf_counter()
    for name, lazy in steps.items():
        start = time.perf_counter()
        rows = lazy.collect(engine="streaming").height
        print(f"{name:<42} {rows:>12,} rows {time.perf_counter() - start:>7.2f} s", flush=True)
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{'all':<42} {seconds:>25.2f} s of {SECONDS:.0f} s, peak {peak:,} MiB of {MEBIBYTES:,} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=5_000_000)
    parser.add_argument("--per-answer", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--step", choices=("build", "tally"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step == "build":
        build(given.folder, given.answers, given.per_answer, given.seed)
    elif given.step == "tally":
        tally(given.folder)
    else:
        _in_processes(given)


def _in_processes(given: argparse.Namespace) -> None:
    """Build and tally each in a process of its own, so that the peak is that of tallying alone."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["--answers", str(given.answers), "--per-answer", str(given.per_answer), "--seed", str(given.seed)]
        command = [sys.executable, __file__, *options, "--folder", folder, "--step"]
        subprocess.run([*command, "build"], check=True)
        size = sum(path.stat().st_size for path in Path(folder).rglob("*.parquet"))
        print(f"{given.answers:,} answers, about {given.per_answer} citations each, {size / 2**20:,.0f} MiB of Parquet")
        subprocess.run([*command, "tally"], check=True)


if __name__ == "__main__":
    main()
