"""The A/A check on cycles between which nothing happened: how often is a change called, and dependence?

    python bench/aa.py [--pairs 500] [--seed 1] [--jobs 1] [--recorded FOLDER]

Pairs of cycles of the built-in engine over the demo's corpus, 28 of its queries x 3 runs, two settings as in the demo. Every
draw is seeded as a poll seeds it; retrieval, the answer's text, its payload and the extraction of brands are the
product's own, only ledger and clock are left out. A rate is a part of the pairs, with its Clopper-Pearson interval; it
is above .05 by more than chance where it exceeds .05 by two standard errors. The control repeats the first answer of
each query within a cycle, as a cache would.

Then recorded answers of a real engine, run 1 against run 2, where the folder of recorded sets is beside the checkout
(or CITEPOLL_SHARED, or --recorded). Single runs have wide intervals: that comparison can hardly fail.
"""

from __future__ import annotations

import argparse
import gzip
import os
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import sqrt
from multiprocessing import Pool
from pathlib import Path
from time import perf_counter

import msgspec
import numpy as np
from scipy.special import betaincinv

from citepoll.engines import local, recorded
from citepoll.engines.base import draw_seed
from citepoll.engines.bodies import decode
from citepoll.extract.observe import Observer
from citepoll.measure.compare import adjust
from citepoll.measure.independence import Independence, a_a
from citepoll.model import VALID, Brand, Property, Query
from citepoll.project import parse_project
from citepoll.sampling.local.answer import draw, number_pages, write
from citepoll.sampling.local.words import stop_words
from citepoll.service.corpus import add
from citepoll.store.corpus import CORPUS_FILE, CorpusReader, Found, reading

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "demo"))  # the demo is no package
import build  # noqa: E402
import corpus  # noqa: E402

SHARED = Path(os.environ.get("CITEPOLL_SHARED", ROOT.parent / "shared"))
QUERIES, RUNS, LEVEL = 28, 3, 0.05
PUBLISHERS = ("techradar.com", "tomsguide.com", "theverge.com", "wired.com", "rtings.com", "tomshardware.com")

Key = tuple[str, str]
"""Engine and brand."""


@dataclass(frozen=True)
class Setting:
    """An engine of the demo: how many passages it finds, cites, and how freely it draws them."""

    name: str
    top_k: int
    cite: int
    temperature: float


class Bench:
    """The demo's engines over its corpus. Equal draws are extracted once, whatever their order: that moves numbers only."""

    def __init__(self, pages: CorpusReader, brands: int | None = None) -> None:
        project = parse_project(build.project_text(), ROOT)
        self.brands = tuple(brand.name for brand in project.brands)[:brands]
        self.engines = tuple(Setting(e.name, **e.settings) for e in project.engines)  # type: ignore[arg-type]
        self._observer = Observer(project.brands)
        words = [brand.name.lower() for brand in project.brands]
        entries = tomllib.loads((ROOT / "demo" / "queries.toml").read_text("utf-8"))["query"]
        texts = [entry["text"] for entry in entries if not any(word in entry["text"].lower() for word in words)]
        self.queries = tuple(Query(text) for text in texts[:QUERIES])
        stops = stop_words("en")
        self._found: dict[tuple[str, int], list[Found]] = {
            (q.id, e.top_k): pages.search(q.text, e.top_k, stops) for q in self.queries for e in self.engines
        }
        self._cited = cache(self._extracted)

    def cycle(self, name: str, engine: Setting, *, repeated: bool = False) -> np.ndarray:
        """Citing answers by brand and query of one cycle."""
        counts = np.zeros((len(self.brands), len(self.queries)), dtype=int)
        for at, query in enumerate(self.queries):
            for run in range(1, RUNS + 1):
                cited = self._cites(name, engine, query, 1 if repeated else run)
                counts[[self.brands.index(brand) for brand in cited if brand in self.brands], at] += 1
        return counts

    def _cites(self, cycle: str, engine: Setting, query: Query, run: int) -> frozenset[str]:
        found = self._found[query.id, engine.top_k]
        seed = draw_seed("citepoll", cycle, query.id, run, engine.name)
        drawn = set(draw(found, engine.cite, engine.temperature, seed))
        return self._cited(query, engine.top_k, tuple(passage.key for passage in found if passage in drawn))

    def _extracted(self, query: Query, top_k: int, keys: tuple[str, ...]) -> frozenset[str]:
        """The brands that the answer of these passages cites: written, encoded, parsed and observed as in a poll."""
        passages = {passage.key: passage for passage in self._found[query.id, top_k]}
        drawn = [passages[key] for key in keys]
        sources = [{"n": n, "url": url} for url, n in number_pages(drawn).items()]
        body = msgspec.json.encode({"answer": write(query.text, drawn, stop_words("en")), "sources": sources})
        seen = self._observer.observe(local.parse(200, {}, body), query.text)
        return frozenset(hit.brand for hit in seen.hits if hit.slots)


def corpus_in(folder: Path) -> Path:
    """The demo's corpus, made in `folder`."""
    corpus.write(folder / "pages")
    add(folder / CORPUS_FILE, folder / "pages")
    return folder / CORPUS_FILE


Pair = dict[Key, Independence]


def pairs(job: tuple[Path, Sequence[int], int, bool, int | None]) -> list[Pair]:
    """An A/A check of every engine and brand for each numbered pair of cycles."""
    path, numbers, seed, repeated, brands = job
    with reading(path) as pages:
        if pages is None:
            raise FileNotFoundError(path)
        bench = Bench(pages, brands)
    return [pair(bench, f"aa-{seed}-{number}", repeated=repeated) for number in numbers]


def pair(bench: Bench, name: str, *, repeated: bool) -> Pair:
    runs = [RUNS] * len(bench.queries)
    found: Pair = {}
    for engine in bench.engines:
        k1, k2 = (bench.cycle(f"{name}-{half}", engine, repeated=repeated) for half in ("a", "b"))
        for brand, before, after in zip(bench.brands, k1, k2, strict=True):
            found[engine.name, brand] = a_a(before, runs, after, runs)
    return found


TESTS: dict[str, Callable[[Independence], float | None]] = {
    "p_mover": lambda found: found.fixed_set.p,
    "pseudo-query t": lambda found: found.category.p,
    "dispersion": lambda found: found.dispersion.p,
}


@dataclass(frozen=True)
class Rate:
    """Rejections in `n` pairs."""

    label: str
    count: int
    n: int

    @property
    def bounds(self) -> tuple[float, float]:
        """Clopper and Pearson, 95 %."""
        k, n = self.count, self.n
        low = 0.0 if k == 0 else float(betaincinv(k, n - k + 1, 0.025))
        return low, 1.0 if k == n else float(betaincinv(k + 1, n - k, 0.975))

    @property
    def too_high(self) -> bool:
        """Above .05 by more than two standard errors (of .05 itself)."""
        return self.count / self.n > LEVEL + 2 * sqrt(LEVEL * (1 - LEVEL) / self.n)

    def __str__(self) -> str:
        low, high = self.bounds
        note = "  above .05 by more than two standard errors" if self.too_high else ""
        return (
            f"{self.label:<72}{self.count:>5} of {self.n:<5}{self.count / self.n:>7.3f}  ({low:.3f}-{high:.3f}){note}"
        )


def rates(found: Sequence[Pair], tracked: str) -> Iterator[Rate]:
    """The tracked brand alone on each engine, then some rejection among all that a reader sees at once."""
    keys = list(found[0])
    for engine in dict.fromkeys(engine for engine, _ in keys):
        for name, test in TESTS.items():
            yield rate(f"{engine}, {tracked}: {name}", [[test(one[engine, tracked])] for one in found])
        failed = [one[engine, tracked].independent is False for one in found]
        yield Rate(f"{engine}, {tracked}: the check (three tests, adjusted)", sum(failed), len(found))
    for name, test in TESTS.items():
        alone = [rate(f"highest of {len(keys)} alone ({', '.join(key)}): {name}", [[test(one[key])] for one in found])
                 for key in keys]  # fmt: skip
        yield max(alone, key=lambda each: each.count)
    for name, test in TESTS.items():
        label = f"any of {len(keys)} engines x brands after Benjamini-Hochberg: {name}"
        yield rate(label, [adjust([test(one[key]) for key in keys]) for one in found])


def rate(label: str, families: Sequence[Sequence[float | None]]) -> Rate:
    """Families with some p at most .05."""
    rejected = sum(any(p is not None and p <= LEVEL for p in family) for family in families)
    return Rate(label, rejected, len(families))


def told(found: Sequence[Pair], tracked: str) -> Iterator[str]:
    """How much there was to tell: an engine that always answers alike cannot fail."""
    for engine in dict.fromkeys(engine for engine, _ in found[0]):
        mine = [one[engine, tracked] for one in found]
        share = np.mean([one.fixed_set.value1 or 0.0 for one in mine])
        differing = np.mean([one.dispersion.differing for one in mine])
        yield f"{engine}: {tracked} is cited in {share:.0%} of answers; {differing:.1f} of {QUERIES} queries get both kinds"


def simulated(
    path: Path, count: int, seed: int, jobs: int, *, repeated: bool = False, brands: int | None = None
) -> list[Pair]:
    """Checks of `count` pairs, of the first `brands` of the demo (default: all)."""
    chunks = [(path, range(at, count, jobs), seed, repeated, brands) for at in range(jobs)]
    if jobs == 1:
        return pairs(chunks[0])
    with Pool(jobs) as pool:
        return [one for part in pool.map(pairs, chunks) for one in part]


# ---------------------------------------------------------------- recorded answers


def split(folder: Path) -> Iterator[tuple[str, Independence]]:
    """Run 1 against run 2 of chatgpt_products, for each publisher as a brand."""
    observer = Observer([Brand(name, owns=(Property(name),)) for name in PUBLISHERS])
    cited: dict[int, dict[str, set[str]]] = {1: {}, 2: {}}
    with gzip.open(folder / "chatgpt_products" / "answers.jsonl.gz") as lines:
        for line in lines:
            entry = recorded.entry(decode(line), None)
            answer = recorded.parse(200, {}, line)
            if entry.run in cited and answer.status in VALID:
                hits = observer.observe(answer, entry.text).hits
                cited[entry.run][entry.text] = {hit.brand for hit in hits if hit.slots}
    texts = sorted(cited[1].keys() & cited[2].keys())
    ones = [1] * len(texts)
    for name in PUBLISHERS:
        k1, k2 = ([int(name in cited[run][text]) for text in texts] for run in (1, 2))
        yield name, a_a(k1, ones, k2, ones)


def tell_split(folder: Path) -> Iterator[str]:
    found = dict(split(folder))
    first = next(iter(found.values()))
    yield f"\nchatgpt_products, run 1 against run 2: {first.fixed_set.n_queries} queries x 1 run"
    yield "(single runs: the interval is wide and dispersion has no test, so this can hardly fail)"
    yield f"{'':<20}{'run 1':>8}{'run 2':>8}{'p_mover':>10}{'t':>8}{'adjusted p_mover':>18}{'adjusted t':>12}"
    adjusted = [adjust([test(one) for one in found.values()]) for test in list(TESTS.values())[:2]]
    for (name, one), mover, t in zip(found.items(), *adjusted, strict=True):
        shares = "".join(f"{value:>8.3f}" for value in (one.fixed_set.value1, one.fixed_set.value2))
        yield f"{name:<20}{shares}{one.fixed_set.p:>10.3f}{one.category.p:>8.3f}{mover:>18.3f}{t:>12.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--recorded", type=Path, default=SHARED / "data", help="folder of recorded sets")
    options = parser.parse_args()
    start = perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        path = corpus_in(Path(folder))
        found = simulated(path, options.pairs, options.seed, options.jobs)
        control = simulated(path, max(options.pairs // 10, 10), options.seed, 1, repeated=True)
    tracked = next(iter(found[0]))[1]
    print(
        f"{options.pairs} pairs of cycles of the local engine, {QUERIES} queries x {RUNS} runs: rejections at {LEVEL}"
    )
    print(*rates(found, tracked), sep="\n")
    print(*told(found, tracked), sep="\n")
    print("control, each query's first answer repeated:")
    for engine in dict.fromkeys(engine for engine, _ in control[0]):
        failed = sum(any(c.independent is False for k, c in one.items() if k[0] == engine) for one in control)
        print(Rate(f"{engine}, some brand: the check", failed, len(control)).__str__().partition("  above")[0])
    if options.recorded.is_dir():
        print(*tell_split(options.recorded), sep="\n")
    print(f"\nseed {options.seed}, {perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
