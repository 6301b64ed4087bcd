"""The evidence: every recorded answer, found by what it cites, and opened with its reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from citepoll.errors import SliceError
from citepoll.model import Answer, Mention, Query, ResolvedCitation, Slice
from citepoll.project import Project
from citepoll.service.deriving import derive, observer_of, parse
from citepoll.service.measuring import chosen, query_frame
from citepoll.store.ledger import Cycle, Kept, Ledger


@dataclass(frozen=True, slots=True)
class Listed:
    """An answer in a list: its number, where it stands, what it cites of whom. `brands` own a citation, `named` are mentioned."""

    id: int
    cycle: str
    engine: str
    query: str
    run: int
    status: str
    citations: int
    brands: tuple[str, ...]
    named: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """One answer with everything that is known of it. `citations` hold retrieved sources too, of level `retrieved`."""

    id: int
    cycle: str
    kept: Kept
    query: Query
    answer: Answer
    citations: tuple[ResolvedCitation, ...]
    mentions: tuple[Mention, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which answers a list is to hold; None leaves a field free. `cites` and `names` are brands, `domain` and `url` cited."""

    cycle: str | None = None
    engine: str | None = None
    query: str | None = None
    cites: str | None = None
    names: str | None = None
    domain: str | None = None
    url: str | None = None
    status: str | None = None


def find(project: Project, ledger: Ledger, wanted: Wanted, at: datetime) -> tuple[Listed, ...]:
    """The answers of a cycle (default: the newest measurable one) that fit, in the order of recording.

    `query` fits as part of the text, whatever the case. Raises `SliceError` for an unknown cycle.
    """
    brands = [brand.name for brand in project.brands]
    if unknown := [name for name in (wanted.cites, wanted.names) if name is not None and name not in brands]:
        raise SliceError(f"There is no brand {unknown[0]!r}.", f"Brands here: {', '.join(brands)}.")
    cycle = chosen(Slice(cycles=(wanted.cycle,) if wanted.cycle else ()), ledger)[0]
    built = derive(project, ledger, cycle, at)
    hits = built.table("hits")
    found = built.table("answers").join(query_frame(project, ledger, (cycle,)).lazy(), on="query_id", how="left")
    for column, value in (("engine", wanted.engine), ("status", wanted.status)):
        if value is not None:
            found = found.filter(pl.col(column).cast(pl.String) == value)
    if wanted.query is not None:
        found = found.filter(pl.col("text").str.to_lowercase().str.contains(wanted.query.lower(), literal=True))
    cited = built.table("citations").filter(
        pl.col("url").is_not_null() & (pl.col("level").cast(pl.String) != "retrieved")
    )
    if wanted.domain is not None:
        either = (pl.col("domain").cast(pl.String) == wanted.domain) | (
            pl.col("domain_icann").cast(pl.String) == wanted.domain
        )
        found = found.join(cited.filter(either), on="run_id", how="semi")
    if wanted.url is not None:
        found = found.join(cited.filter(pl.col("url").cast(pl.String) == wanted.url), on="run_id", how="semi")
    for brand, column in ((wanted.cites, "slots"), (wanted.names, "mentions")):
        if brand is not None:
            found = found.join(hits.filter((pl.col("brand") == brand) & (pl.col(column) > 0)), on="run_id", how="semi")
    return _listed(found.sort("run_id").collect(), hits, cycle)


def _listed(found: pl.DataFrame, hits: pl.LazyFrame, cycle: Cycle) -> tuple[Listed, ...]:
    mine = hits.join(found.lazy().select("run_id"), on="run_id", how="semi").collect()
    cites: dict[int, list[str]] = {}
    names: dict[int, list[str]] = {}
    for run_id, brand, slots, mentions in mine.select("run_id", "brand", "slots", "mentions").iter_rows():
        if slots:
            cites.setdefault(run_id, []).append(brand)
        if mentions:
            names.setdefault(run_id, []).append(brand)
    return tuple(
        Listed(
            id=row["run_id"],
            cycle=cycle.name,
            engine=row["engine"],
            query=row["text"] or row["query_id"],
            run=row["run"],
            status=row["status"],
            citations=row["slots"],
            brands=tuple(cites.get(row["run_id"], ())),
            named=tuple(names.get(row["run_id"], ())),
        )
        for row in found.iter_rows(named=True)
    )


def show(project: Project, ledger: Ledger, run_id: int) -> Shown:
    """One answer, read from its raw body now. Raises `SliceError` where there is none of that number."""
    cycle, kept = ledger.run(run_id)
    return seen(project, ledger, cycle, [kept])[0]


def seen(project: Project, ledger: Ledger, cycle: Cycle, several: Sequence[Kept]) -> tuple[Shown, ...]:
    """Recorded runs of one cycle, each parsed and observed."""
    observer = observer_of(project)
    queries = {q.id: q for q in ledger.query_set(cycle).queries}
    found = []
    for kept in several:
        query = queries.get(kept.query_id) or Query(kept.query_id)
        answer = parse(cycle, kept)
        observation = observer.observe(answer, query.text, kept.asked_at.date() if kept.asked_at else None)
        found.append(Shown(kept.run_id, cycle.name, kept, query, answer, observation.citations, observation.mentions))
    return tuple(found)
