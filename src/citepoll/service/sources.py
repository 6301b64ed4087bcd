"""Which sources engines cite: by domain, URL, class or engine, how concentrated, how alike, and who is named beside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import combinations, product

import polars as pl

from citepoll.errors import SliceError
from citepoll.explain.opportunities import Seen
from citepoll.explain.sources import CLASSES, Concentration, SourceClass, classify, concentration
from citepoll.measure.found import plain
from citepoll.measure.means import pair_overlaps
from citepoll.model import Row, Slice, SliceResult
from citepoll.project import Project
from citepoll.service.cells import Cells, newest, read_cells
from citepoll.service.classing import overrides
from citepoll.service.measuring import Measured, measure
from citepoll.service.naming import naming
from citepoll.service.retaining import check_kept
from citepoll.store.ledger import Ledger

BY = ("domain", "url", "class", "engine")
NO_CITATION = "no valid answer has a citation"
NO_QUERY_OF_BOTH = "no query on which both engines cite"
_FIELDS = {"domain": ("engine", "domain"), "url": ("engine", "url"), "class": ("engine", "source_class")}


@dataclass(frozen=True, slots=True)
class Reason:
    """The class of a domain or URL and why; `fallback` classes are guesses from the kind of address."""

    place: str
    source_class: SourceClass
    reason: str
    ground: str


@dataclass(frozen=True, slots=True)
class EngineSources:
    """One engine's citations over the queries that name no brand: how concentrated its slots are on domains, and how
    much two runs of a query have in common (mean over queries of `shared URLs ÷ URLs of the run that cites fewer`;
    None where no query has two runs that cite)."""

    engine: str
    domains: Concentration
    run_overlap: float | None
    queries: int


@dataclass(frozen=True, slots=True)
class EngineOverlap:
    """What two engines have in common on the same queries: the same mean over pairs of runs, one of each engine.

    To be read beside each engine's own `run_overlap`: two engines cannot agree better than each does with itself.
    """

    engines: tuple[str, str]
    overlap: float | None
    queries: int


@dataclass(frozen=True, slots=True)
class Engines:
    """Concentration and overlaps of a cycle's engines. No interval is specified for either."""

    cycle: str
    engines: tuple[EngineSources, ...]
    overlaps: tuple[EngineOverlap, ...]


@dataclass(frozen=True, slots=True)
class NamingPage:
    """A third-party page in answers that name competitors beside it, and neither name the brand there nor cite it."""

    url: str
    source_class: SourceClass
    reason: str
    basis: str
    competitors: tuple[str, ...]
    engines: tuple[str, ...]
    queries: tuple[str, ...]
    answers: tuple[int, ...]


def rank_sources(
    project: Project, ledger: Ledger, at: datetime, *, by: str = "domain", metric: str = "slot_share", where: str = "",
    cycle: str | None = None, limit: int | None = None,
) -> tuple[Measured, tuple[Reason, ...]]:  # fmt: skip
    """Shares of domains, URLs or classes by engine with intervals, and the class of each place shown with its reason.

    Raises `SliceError` for another `by`, and for what `measure` refuses.
    """
    if by not in _FIELDS:
        raise SliceError(
            f"Sources are ranked by {', '.join(BY)}, not by {by!r}.", "Say --by domain, url, class or engine."
        )
    cycles = (cycle,) if cycle else ()
    asked = Slice((metric,), _FIELDS[by], where, cycles, target="fixed_set", limit=limit if by != "class" else None)
    result = measure(project, ledger, asked, at)
    if by == "class":
        return result, ()
    places = dict.fromkeys(str(row.dimensions[by]) for row in result.rows if row.dimensions.get(by) is not None)
    owners = _owners(project, ledger, result.cycles[0], at, by) if result.cycles else {}
    return result, tuple(_reason(project, place, owners.get(place)) for place in places)


def compare_engines(
    project: Project, ledger: Ledger, at: datetime, *, where: str = "", cycle: str | None = None
) -> Engines:
    """How concentrated each engine's citations are, how alike its runs are, and how alike the engines are."""
    cells = read_cells(project, ledger, newest(ledger, cycle), at, where)
    urls = _urls(cells)
    return Engines(
        cells.cycle.name,
        tuple(_engine(cells, engine, urls) for engine in cells.engines),
        tuple(_between(cells, pair, urls) for pair in combinations(cells.engines, 2)),
    )


def pages_that_name(
    project: Project, ledger: Ledger, at: datetime, *, where: str = "", cycle: str | None = None
) -> tuple[NamingPage, ...]:
    """Third-party pages cited where competitors are named and the brand is not, the most answers first.

    `basis` is `passage` where the engine says which passage carries which citation, else `answer`, which is weaker.
    """
    cells = read_cells(project, ledger, newest(ledger, cycle), at, where)
    check_kept(ledger, cells.cycle)
    named = naming(project, ledger, cells)
    texts = {q.id: q.text for q in cells.queries}
    pages: dict[str, list[Seen]] = {}
    for seen in named.pages:
        pages.setdefault(seen.url, []).append(seen)
    found = [_naming_page(project, url, here, named.basis[url], texts) for url, here in pages.items()]
    return tuple(sorted(found, key=lambda page: (-len(page.answers), page.url)))


def read_engines(project: Project, ledger: Ledger, slice: Slice, at: datetime) -> SliceResult:
    """The rows of `effective_sources`, an engine each, or of `engine_overlap`, a pair each."""
    found = compare_engines(project, ledger, at, where=slice.where, cycle=slice.cycles[0] if slice.cycles else None)
    concentrations = slice.metrics[0] == "effective_sources"
    rows = map(_concentration_row, found.engines) if concentrations else map(_overlap_row, found.overlaps)
    return SliceResult(tuple(rows), replace(slice, cycles=(found.cycle,)), (found.cycle,))


def read_naming_pages(project: Project, ledger: Ledger, slice: Slice, at: datetime) -> SliceResult:
    """The rows of `naming_page`: the part of all valid answers, over the engines, that each page stands in."""
    cycle = newest(ledger, slice.cycles[0] if slice.cycles else None)
    pages = pages_that_name(project, ledger, at, where=slice.where, cycle=cycle.name)
    cells = read_cells(project, ledger, cycle, at, slice.where)
    n = sum(valid for valid, _ in cells.counts.values())
    rows = tuple(_page_row(page, n, len(cells.queries)) for page in pages)
    return SliceResult(rows, replace(slice, cycles=(cycle.name,)), (cycle.name,))


def _concentration_row(each: EngineSources) -> Row:
    domains = each.domains
    said = "" if domains.hhi is None else f"HHI {domains.hhi:.3f}; "
    evidence = {
        "words": f"{said}{domains.slots} citations of {domains.sources} domains",
        "hhi": domains.hhi,
        "domains": domains.sources,
        "run_overlap": each.run_overlap,
        "run_overlap_queries": each.queries,
    }
    estimate = plain(domains.effective, reason=None if domains.slots else NO_CITATION, n=domains.slots)
    return Row("effective_sources", {"engine": each.engine}, estimate, evidence=evidence)


def _overlap_row(pair: EngineOverlap) -> Row:
    reason = NO_QUERY_OF_BOTH if pair.overlap is None else None
    estimate = plain(pair.overlap, reason=reason, n_queries=pair.queries)
    place = {"engine": pair.engines[0], "other_engine": pair.engines[1]}
    return Row("engine_overlap", place, estimate, evidence={"words": f"on {pair.queries} queries that both cite on"})


def _page_row(page: NamingPage, n: int, queries: int) -> Row:
    evidence = {
        "words": f"{page.source_class}; names {', '.join(page.competitors)} in the same {page.basis}",
        **{name: getattr(page, name) for name in ("source_class", "reason", "basis")},
        **{name: list(getattr(page, name)) for name in ("competitors", "engines", "queries", "answers")},
    }
    k = len(page.answers)
    return Row("naming_page", {"url": page.url}, plain(k / n, n=n, n_queries=queries, cited=k, of=n), evidence=evidence)


def class_words() -> dict[SourceClass, str]:
    """Every class and what it holds."""
    return dict(CLASSES)


def _naming_page(project: Project, url: str, here: list[Seen], basis: str, texts: dict[str, str]) -> NamingPage:
    classed = classify(url, None, project.tracked.name, overrides(project))
    return NamingPage(
        url=url,
        source_class=classed.source_class,
        reason=classed.reason,
        basis=basis,
        competitors=tuple(dict.fromkeys(brand for seen in here for brand in seen.brands)),
        engines=tuple(dict.fromkeys(seen.engine for seen in here)),
        queries=tuple(dict.fromkeys(texts[seen.query_id] for seen in here)),
        answers=tuple(sorted({answer for seen in here for answer in seen.answers})),
    )


def _reason(project: Project, place: str, owner: str | None) -> Reason:
    address = place if "://" in place else f"https://{place}"  # a bare name without a known suffix is no address
    classed = classify(address, owner, project.tracked.name, overrides(project))
    return Reason(place, classed.source_class, classed.reason, classed.ground)


def _owners(project: Project, ledger: Ledger, cycle: str, at: datetime, by: str) -> dict[str, str]:
    """The brand of a domain or URL whose every citation is that brand's."""
    cells = read_cells(project, ledger, ledger.cycle(cycle), at)
    cited = cells.built.table("citations").filter(pl.col(by).is_not_null())
    owners = cited.group_by(pl.col(by).cast(pl.String)).agg(pl.col("brand").cast(pl.String).unique())
    return {place: names[0] for place, names in owners.collect().iter_rows() if len(names) == 1 and names[0]}


# ---------------------------------------------------------------- engines

_Urls = dict[tuple[str, str], list[frozenset[str]]]
"""(engine, query id) → for each valid answer that cites, the URLs."""


def _urls(cells: Cells) -> _Urls:
    cited = cells.built.table("citations").filter("new_url").select("run_id", pl.col("url").cast(pl.String))
    rows = cells.answers.join(cited, on="run_id").group_by("run_id", "engine", "query_id").agg("url").sort("run_id")
    found: _Urls = {}
    for _, engine, query, urls in rows.collect().iter_rows():
        found.setdefault((engine, query), []).append(frozenset(urls))
    return found


def _engine(cells: Cells, engine: str, urls: _Urls) -> EngineSources:
    cited = cells.built.table("citations").filter(
        pl.col("url").is_not_null() & (pl.col("level").cast(pl.String) != "retrieved") & pl.col("domain").is_not_null()
    )
    slots = cells.answers.filter(pl.col("engine") == engine).join(cited.select("run_id", "domain"), on="run_id")
    counts = slots.group_by(pl.col("domain").cast(pl.String)).agg(n=pl.len()).collect()["n"].to_list()
    means = [_mean(pair_overlaps(runs)) for (name, _), runs in urls.items() if name == engine and len(runs) > 1]
    return EngineSources(engine, concentration(counts), _mean(means), len(means))


def _between(cells: Cells, pair: tuple[str, str], urls: _Urls) -> EngineOverlap:
    both = [(urls.get((pair[0], q.id)), urls.get((pair[1], q.id))) for q in cells.queries]
    means = [_mean(list(_shared(a, b))) for a, b in both if a and b]
    return EngineOverlap(pair, _mean(means), len(means))


def _shared(one: list[frozenset[str]], other: list[frozenset[str]]) -> Iterator[float]:
    for a, b in product(one, other):
        yield len(a & b) / min(len(a), len(b))


def _mean(values: list[float | None] | list[float]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
