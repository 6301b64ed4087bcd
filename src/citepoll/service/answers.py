"""The evidence: every recorded answer, found by what it cites, and opened with its reasons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import polars as pl

from citepoll.errors import SliceError
from citepoll.model import Answer, Mention, Query, ResolvedCitation, Slice, normal_text
from citepoll.project import Project
from citepoll.service.deriving import derive, leads_of, observer_of, parse
from citepoll.service.measuring import chosen, query_frame
from citepoll.store.attempts import Attempt, attempts_of
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
    query_id: str = ""


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
    """Which answers a list is to hold; None leaves a field free. `cites` and `names` are brands, `domain` and `url` cited.

    `query` is the id of a question or a part of its text, whatever the case; `status` may be `valid`; `text` stands in
    the answer itself, whatever the case. `branded` questions name a brand of the project.
    """

    cycle: str | None = None
    engine: str | None = None
    query: str | None = None
    cites: str | None = None
    names: str | None = None
    domain: str | None = None
    url: str | None = None
    status: str | None = None
    intent: str | None = None
    topic: str | None = None
    branded: bool | None = None
    run: int | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """One page of a list. `total` counts all that fit but for their text; `looked` of them were opened for their text.

    `next` is the answer after which the list goes on, None at its end.
    """

    cycle: str
    answers: tuple[Listed, ...]
    total: int
    looked: int
    next: int | None


LOOKED = 500
"""Answers opened at once in search of a text: about a tenth of a second."""


def find(project: Project, ledger: Ledger, wanted: Wanted, at: datetime) -> tuple[Listed, ...]:
    """The answers of a cycle (default: the newest measurable one) that fit, in the order of recording.

    Raises `SliceError` for an unknown cycle or brand.
    """
    cycle, found, hits = _fitting(project, ledger, wanted, at)
    frame = found.collect()
    if wanted.text:
        texts = _holding(ledger, cycle, frame["run_id"].to_list(), wanted.text)
        frame = frame.filter(pl.col("run_id").is_in(list(texts)))
    return _listed(frame, hits, cycle)


def browse(project: Project, ledger: Ledger, wanted: Wanted, at: datetime, *, after: int = 0, limit: int = 50) -> Batch:
    """The same a page at a time: at most `limit` answers from behind `after`. Of a text's, no more than `LOOKED` are
    opened, so that a page may be short or empty and the list go on all the same."""
    cycle, found, hits = _fitting(project, ledger, wanted, at)
    ahead = found.filter(pl.col("run_id") > after).head((LOOKED if wanted.text else limit) + 1)
    counted, frame = pl.collect_all([found.select(pl.len()), ahead])
    ids = frame["run_id"].to_list()
    if wanted.text:
        here = list(islice(_holding(ledger, cycle, ids[:LOOKED], wanted.text), limit))
        looked = ids.index(here[-1]) + 1 if len(here) == limit else min(len(ids), LOOKED)
    else:
        here, looked = ids[:limit], 0
    last = looked if wanted.text else len(here)
    shown = frame.filter(pl.col("run_id").is_in(here))
    return Batch(
        cycle.name, _listed(shown, hits, cycle), counted.item(), looked, ids[last - 1] if last < len(ids) else None
    )


def _fitting(
    project: Project, ledger: Ledger, wanted: Wanted, at: datetime
) -> tuple[Cycle, pl.LazyFrame, pl.LazyFrame]:
    """The answers that fit but for their text, in the order of recording, with their questions; and the hits."""
    brands = [brand.name for brand in project.brands]
    if unknown := [name for name in (wanted.cites, wanted.names) if name is not None and name not in brands]:
        raise SliceError(f"There is no brand {unknown[0]!r}.", f"Brands here: {', '.join(brands)}.")
    cycle = chosen(Slice(cycles=(wanted.cycle,) if wanted.cycle else ()), ledger)[0]
    built = derive(project, ledger, cycle, at)
    hits = built.table("hits")
    asked = query_frame(project, ledger, (cycle,)).lazy()
    answers = built.table("answers").with_columns(pl.col("engine", "query_id", "status").cast(pl.String))
    found = answers.join(asked, on="query_id", how="left").filter(*_conditions(wanted))
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
            named = pl.col("brand").cast(pl.String) == brand
            found = found.join(hits.filter(named & (pl.col(column) > 0)), on="run_id", how="semi")
    return cycle, found.sort("run_id"), hits


def _conditions(wanted: Wanted) -> Iterator[pl.Expr]:
    for column in ("engine", "intent", "topic", "branded", "run"):
        if (value := getattr(wanted, column)) is not None:
            yield pl.col(column) == value
    if wanted.status is not None:
        yield pl.col("valid") if wanted.status == "valid" else pl.col("status") == wanted.status
    if wanted.query is not None and wanted.query.startswith("sha256:"):
        yield pl.col("query_id") == wanted.query
    elif wanted.query is not None:
        yield pl.col("text").str.to_lowercase().str.contains(wanted.query.lower(), literal=True)


def _holding(ledger: Ledger, cycle: Cycle, ids: Sequence[int], text: str) -> Iterator[int]:
    """Those of these runs whose answer holds the text, whatever the case, in their order."""
    sought = normal_text(text).casefold()
    for start in range(0, len(ids), 200):
        for kept in ledger.kept(cycle, run_ids=ids[start : start + 200]):
            if sought in normal_text(parse(cycle, kept).text).casefold():
                yield kept.run_id


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
            query_id=row["query_id"],
        )
        for row in found.iter_rows(named=True)
    )


def show(project: Project, ledger: Ledger, run_id: int) -> Shown:
    """One answer, read from its raw body now. Raises `SliceError` where there is none of that number."""
    cycle, kept = ledger.run(run_id)
    return seen(project, ledger, cycle, [kept])[0]


def attempts(ledger: Ledger, run_id: int) -> tuple[Attempt, ...]:
    """Every call that an answer took, oldest first."""
    return attempts_of(ledger, run_id)


def seen(project: Project, ledger: Ledger, cycle: Cycle, several: Sequence[Kept]) -> tuple[Shown, ...]:
    """Recorded runs of one cycle, each parsed and observed."""
    answers = [parse(cycle, kept) for kept in several]
    observer = observer_of(project, leads_of(ledger, cycle, answers))
    queries = {q.id: q for q in ledger.query_set(cycle).queries}
    found = []
    for kept, answer in zip(several, answers, strict=True):
        query = queries.get(kept.query_id) or Query(kept.query_id)
        observation = observer.observe(answer, query.text, kept.asked_at.date() if kept.asked_at else None)
        found.append(Shown(kept.run_id, cycle.name, kept, query, answer, observation.citations, observation.mentions))
    return tuple(found)
