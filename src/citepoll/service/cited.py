"""What a desk shows of sources: a cycle's domains and classes of sources as a report has them, and one domain opened."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from citepoll.errors import SliceError
from citepoll.explain.sources import CLASSES
from citepoll.measure.slices import quoted
from citepoll.model import Query, Row, Slice, SliceResult
from citepoll.project import Project, zone
from citepoll.report.data import Concentration, ReportData
from citepoll.service.cells import newest
from citepoll.service.deriving import derive
from citepoll.service.measuring import measurable, measure, query_frame
from citepoll.service.reporting import engine_notes, method_of, owners_of
from citepoll.service.sources import Engines, NamingPage, Reason, compare_engines, pages_that_name, rank_sources
from citepoll.store.ledger import Cycle, Ledger
from citepoll.urls import Problem, canonical

SHARE = "slot_share"
MOST = 100
"""Domains of each engine that are measured; a filter by class or by names looks at all."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the sources; empty: the newest cycle, every engine, every class. `names`: only domains with a page
    that is cited where competitors are named, and the tracked brand is neither named beside it nor cited."""

    cycle: str = ""
    engine: str = ""
    source_class: str = ""
    names: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """The competitors that answers name beside a domain's pages, and how many pages and answers do."""

    competitors: tuple[str, ...]
    pages: tuple[NamingPage, ...]
    answers: int


@dataclass(frozen=True, slots=True)
class Cited:
    """The sources of a cycle. `data` holds domains, classes and owners as a report has them; `reasons` the class of each
    domain, `naming` those that name competitors only, `compared` concentration and overlaps of all engines."""

    data: ReportData
    reasons: Mapping[str, Reason]
    naming: Mapping[str, Named]
    compared: Engines
    cycles: tuple[str, ...]
    engines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CitedPage:
    """A page of a domain: valid answers that cite it, citations in all, and on how many engines and queries."""

    url: str
    answers: int
    slots: int
    engines: tuple[str, ...]
    queries: int


@dataclass(frozen=True, slots=True)
class OnQuery:
    """A query whose valid answers cite a domain, how many do, and the engines that gave them."""

    query: Query
    answers: int
    engines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Domain:
    """One domain in a cycle. `data.sources` has its share of citation slots by engine, `of_answers` the share of valid
    answers that cite it; `answers` counts these. Nothing cites it: `pages` and `queries` are empty."""

    name: str
    cycle: str
    data: ReportData
    of_answers: SliceResult
    reason: Reason | None
    named: Named | None
    pages: tuple[CitedPage, ...]
    queries: tuple[OnQuery, ...]
    answers: int


def cited(project: Project, ledger: Ledger, asked: Asked, at: datetime) -> Cited:
    """The sources of one cycle. Raises `SliceError` for an unknown cycle, engine or class."""
    cycle = newest(ledger, asked.cycle or None)
    engines = tuple(engine.name for engine in ledger.engines(cycle))
    _check(asked, engines)
    where = f"engine = {quoted(asked.engine)}" if asked.engine else ""
    naming = _naming(pages_that_name(project, ledger, at, where=where, cycle=cycle.name))
    every = asked.names or bool(asked.source_class)
    found, reasons = rank_sources(
        project, ledger, at, where=where, cycle=cycle.name, limit=None if every else MOST
    )  # fmt: skip
    classed = {reason.place: reason for reason in reasons}
    rows = tuple(row for row in found.rows if _wanted(row, asked, classed, naming))
    compared = compare_engines(project, ledger, at, cycle=cycle.name)
    classes = measure(project, ledger, Slice((SHARE,), ("engine", "source_class"), where, (cycle.name,)), at)
    data = replace(
        _data(project, ledger, cycle, replace(found, rows=rows), at),
        classes=classes,
        concentration=tuple(
            Concentration(one.engine, one.domains.effective, one.domains.sources)
            for one in compared.engines
            if one.domains.effective is not None and asked.engine in ("", one.engine)
        ),
    )
    return Cited(data, classed, naming, compared, tuple(c.name for c in reversed(measurable(ledger))), engines)


def domain(project: Project, ledger: Ledger, name: str, at: datetime, *, cycle: str | None = None) -> Domain:
    """One domain of a cycle (default: the newest measurable one), whether or not anything cites it.

    Raises `SliceError` for an unknown cycle, `InputError` for what is no domain.
    """
    here = newest(ledger, cycle)
    where = f"domain = {quoted(name)}"
    shares, reasons = rank_sources(project, ledger, at, where=where, cycle=here.name)
    share = Slice(("share_of_citation",), ("engine", "domain"), where, (here.name,), target="fixed_set")
    naming = _naming(pages_that_name(project, ledger, at, cycle=here.name))
    pages, queries, answers = _places(project, ledger, here, name, at)
    return Domain(
        name=name,
        cycle=here.name,
        data=_data(project, ledger, here, shares, at),
        of_answers=measure(project, ledger, share, at),
        reason=next(iter(reasons), None),
        named=naming.get(name),
        pages=pages,
        queries=queries,
        answers=answers,
    )


def _check(asked: Asked, engines: Sequence[str]) -> None:
    if asked.engine and asked.engine not in engines:
        raise SliceError(f"The cycle has no engine {asked.engine[:60]!r}.", f"Choose one of {', '.join(engines)}.")
    if asked.source_class and asked.source_class not in CLASSES:
        raise SliceError(
            f"{asked.source_class[:60]!r} is not a class of sources.", f"Choose one of {', '.join(CLASSES)}."
        )


def _wanted(row: Row, asked: Asked, classed: Mapping[str, Reason], naming: Collection[str]) -> bool:
    name = row.dimensions.get("domain")
    if name is None:
        return False
    reason = classed.get(str(name))
    fits = not asked.source_class or (reason is not None and reason.source_class == asked.source_class)
    return fits and (not asked.names or name in naming)


def _data(project: Project, ledger: Ledger, cycle: Cycle, shares: SliceResult, at: datetime) -> ReportData:
    built = derive(project, ledger, cycle, at)
    return ReportData(
        brand=project.tracked.name,
        shares=shares,
        engines=engine_notes(project, ledger, cycle),
        queries=ledger.query_set(cycle).queries if cycle.set_hash else (),
        method=method_of(project, ledger, cycle, built),
        written_at=at.astimezone(zone(project.time_zone)),
        sources=shares,
        owners=owners_of(built),
    )


def _naming(pages: Sequence[NamingPage]) -> dict[str, Named]:
    """The pages by their domain, those in most answers first."""
    found: dict[str, list[NamingPage]] = {}
    for page in pages:
        where = canonical(page.url)
        if not isinstance(where, Problem):
            found.setdefault(where.domain, []).append(page)
    return {
        name: Named(
            tuple(dict.fromkeys(brand for page in here for brand in page.competitors)),
            tuple(here),
            len({answer for page in here for answer in page.answers}),
        )
        for name, here in found.items()
    }


def _places(
    project: Project, ledger: Ledger, cycle: Cycle, name: str, at: datetime
) -> tuple[tuple[CitedPage, ...], tuple[OnQuery, ...], int]:
    """Where valid answers cite a domain: its pages and the queries, each with most answers first, and all answers."""
    built = derive(project, ledger, cycle, at)
    answers = built.table("answers").filter("valid").select("run_id", pl.col("engine", "query_id").cast(pl.String))
    counted = pl.col("url").is_not_null() & (pl.col("level").cast(pl.String) != "retrieved")
    here = built.table("citations").filter(counted & (pl.col("domain").cast(pl.String) == name))
    joined = answers.join(here.select("run_id", pl.col("url").cast(pl.String)), on="run_id")
    who = pl.col("engine").unique().sort()
    n = pl.col("run_id").n_unique().alias("n")
    urls = joined.group_by("url").agg(n, pl.len().alias("slots"), who, pl.col("query_id").n_unique())
    asked = joined.group_by("query_id").agg(n, who)
    every = joined.select(n)
    pages, queries, total = pl.collect_all(
        [
            urls.sort(["n", "url"], descending=[True, False]),
            asked.sort(["n", "query_id"], descending=[True, False]),
            every,
        ]
    )
    texts = {row["query_id"]: row for row in query_frame(project, ledger, (cycle,)).iter_rows(named=True)}
    return (
        tuple(CitedPage(u, k, slots, tuple(e), q) for u, k, slots, e, q in pages.iter_rows()),
        tuple(
            OnQuery(_query(texts[key]), k, tuple(e)) for key, k, e in queries.iter_rows() if key in texts
        ),
        total.item(),
    )  # fmt: skip


def _query(row: Mapping[str, str]) -> Query:
    return Query(row["text"], row["language"], row["market"], row["intent"], row["topic"])
