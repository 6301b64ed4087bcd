"""Fills a report: the numbers through the read side, the evidence from the raw answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, tzinfo
from pathlib import Path

import polars as pl

from citepoll import __version__
from citepoll.errors import InputError
from citepoll.explain.gaps import Gap, gaps
from citepoll.extract.observe import EXTRACTOR_VERSION
from citepoll.model import Query, Slice
from citepoll.project import Project, zone
from citepoll.report.data import Ahead, CellNote, EngineNote, Evidence, Method, ReportData
from citepoll.report.html import render
from citepoll.service.answers import Shown, seen
from citepoll.service.deriving import derive
from citepoll.service.measuring import brands_named, chosen, measure
from citepoll.store.derived import Built
from citepoll.store.ledger import Cycle, Ledger

OTHERS = (
    "share_of_citation_earned", "slot_share", "share_of_voice", "mention_rate", "mention_share_of_voice", "presence_rate",
    "first_position_rate",
)  # fmt: skip
ANSWERS_SHOWN = 300
"""Answers that a report carries as evidence: about 1.5 MB of HTML. All are in the ledger."""
SOURCES_SHOWN = 15


def write_report(project: Project, ledger: Ledger, path: Path, cycle: str | None, at: datetime) -> int:
    """Write one self-contained HTML file; returns its size in bytes. Raises `InputError` where it cannot be written."""
    page = render(report_data(project, ledger, cycle, at)).encode("utf-8", "replace")
    draft = path.with_name(f".{path.name}.new")
    try:
        draft.write_bytes(page)
        draft.replace(path)
    except OSError as wrong:
        raise InputError(
            f"{path} cannot be written: {wrong.strerror}.", "Choose another place with --output."
        ) from None
    return len(page)


def report_data(project: Project, ledger: Ledger, name: str | None, at: datetime) -> ReportData:
    """Everything that a report of a cycle (default: the newest measurable one) shows."""
    cycle = chosen(Slice(cycles=(name,) if name else ()), ledger)[0]
    built = derive(project, ledger, cycle, at)
    queries = ledger.query_set(cycle).queries if cycle.set_hash else ()
    evidence = tuple(_evidence(project, ledger, cycle, built))
    slice = Slice(cycles=(cycle.name,))

    def ask(**changes: object) -> object:
        return measure(project, ledger, replace(slice, **changes), at)  # type: ignore[arg-type]

    counts = _counts(built)
    named = brands_named(project.brands)
    headline = tuple(q for q in queries if not named(q.text))
    tracked = project.tracked.name
    return ReportData(
        brand=tracked,
        shares=measure(project, ledger, slice, at),
        engines=_engines(project, ledger, cycle, evidence),
        queries=queries,
        method=_method(project, ledger, cycle, built),
        written_at=at.astimezone(zone(project.time_zone)),
        cells=tuple(_cells(headline, counts, project)),
        ahead=tuple(_ahead(headline, counts, project, built)),
        sources=ask(metrics=("slot_share",), by=("engine", "domain"), limit=SOURCES_SHOWN),  # type: ignore[arg-type]
        owners=_owners(built),
        others=ask(metrics=OTHERS),  # type: ignore[arg-type]
        evidence=evidence,
        answers_total=ledger.revision(cycle)[0],
        project=project.root.resolve().name,
    )


def _engines(project: Project, ledger: Ledger, cycle: Cycle, evidence: tuple[Evidence, ...]) -> tuple[EngineNote, ...]:
    weights = {e.name: e.weight for e in project.engines}
    notes = []
    for engine in ledger.engines(cycle):
        models = {e.model for e in evidence if e.engine == engine.name and e.model}
        weight = weights.get(engine.name, engine.weight)
        notes.append(EngineNote(engine.name, engine.surface, models=tuple(sorted(models)), weight=weight))
    return tuple(notes)


def _method(project: Project, ledger: Ledger, cycle: Cycle, built: Built) -> Method:
    days = built.table("answers").select(first=pl.col("day").min(), last=pl.col("day").max()).collect().row(0)
    here = zone(project.time_zone)
    first, last = (datetime(d.year, d.month, d.day, tzinfo=here) if d else None for d in days)
    engines = ledger.engines(cycle)
    return Method(
        cycle=cycle.name,
        query_set_hash=cycle.set_hash or "",
        query_set_version=ledger.version(cycle.set_hash).number if cycle.set_hash else None,
        runs=max((e.runs for e in engines), default=None) if cycle.kind == "polled" else None,
        first=first,
        last=last,
        extractor=str(EXTRACTOR_VERSION),
        product=f"citepoll {__version__}",
        brands=len(project.brands),
    )


_Counts = Mapping[tuple[str, str], tuple[int, Mapping[str, int]]]
"""(engine, query id) → valid answers, and for each brand the answers that cite it."""


def _counts(built: Built) -> _Counts:
    answers = built.table("answers").filter(pl.col("valid"))
    texts = (pl.col("engine").cast(pl.String), pl.col("query_id").cast(pl.String))
    valid = answers.group_by(*texts).agg(n=pl.len()).collect()
    cited = (
        answers.join(built.table("hits").filter(pl.col("slots") > 0), on="run_id")
        .group_by(*texts, pl.col("brand").cast(pl.String))
        .agg(k=pl.len())
        .collect()
    )
    brands: dict[tuple[str, str], dict[str, int]] = {}
    for engine, query, brand, k in cited.iter_rows():
        brands.setdefault((engine, query), {})[brand] = k
    return {(engine, query): (n, brands.get((engine, query), {})) for engine, query, n in valid.iter_rows()}


def _cells(queries: tuple[Query, ...], counts: _Counts, project: Project) -> Iterator[CellNote]:
    wanted = {q.id for q in queries}
    for (engine, query), (valid, brands) in counts.items():
        if query in wanted:
            ours = brands.get(project.tracked.name, 0)
            theirs = {b.name: brands.get(b.name, 0) for b in project.brands[1:]}
            ahead = tuple(gap.competitor for gap in gaps(query, valid, ours, theirs) if gap.verdict != "none")
            yield CellNote(query, engine, ours, valid, ahead)


def pooled_gaps(queries: tuple[Query, ...], counts: _Counts, project: Project) -> Iterator[Gap]:
    """Per query and competitor, over all engines: who is ahead, confirmed ones first, then by probability."""
    found: list[Gap] = []
    for query in queries:
        cells = [cell for (_, asked), cell in counts.items() if asked == query.id]
        total = sum(valid for valid, _ in cells)
        if not total:
            continue
        ours = sum(brands.get(project.tracked.name, 0) for _, brands in cells)
        theirs = {b.name: sum(brands.get(b.name, 0) for _, brands in cells) for b in project.brands[1:]}
        found += [gap for gap in gaps(query.id, total, ours, theirs) if gap.verdict != "none"]
    yield from sorted(found, key=lambda g: (g.verdict != "confirmed", -g.probability, g.competitor))


def _ahead(queries: tuple[Query, ...], counts: _Counts, project: Project, built: Built) -> Iterator[Ahead]:
    pages = _pages(built)
    for gap in pooled_gaps(queries, counts, project):
        yield Ahead(
            competitor=gap.competitor,
            query_id=gap.query_id,
            theirs=gap.theirs,
            ours=gap.ours,
            valid=gap.n,
            probability=gap.probability,
            confirmed=gap.verdict == "confirmed",
            pages=pages.get((gap.query_id, gap.competitor), ())[:3],
        )


def _pages(built: Built) -> dict[tuple[str, str], tuple[str, ...]]:
    """The pages of each brand that answers to a query cite, the most cited first."""
    cited = built.table("citations").filter(pl.col("new_url") & pl.col("brand").is_not_null())
    found = (
        built.table("answers").filter(pl.col("valid")).select("run_id", pl.col("query_id").cast(pl.String))
        .join(cited.select("run_id", pl.col("brand").cast(pl.String), pl.col("url").cast(pl.String)), on="run_id")
        .group_by("query_id", "brand", "url").agg(n=pl.len())
        .sort(["n", "url"], descending=[True, False])
        .collect()
    )  # fmt: skip
    pages: dict[tuple[str, str], tuple[str, ...]] = {}
    for query, brand, url, _ in found.iter_rows():
        pages[query, brand] = (*pages.get((query, brand), ()), url)
    return pages


def _owners(built: Built) -> dict[str, str]:
    cited = built.table("citations").filter(pl.col("brand").is_not_null() & pl.col("domain").is_not_null())
    pairs = cited.select(pl.col("domain").cast(pl.String), pl.col("brand").cast(pl.String)).unique().collect()
    owners: dict[str, set[str]] = {}
    for domain, brand in pairs.iter_rows():
        owners.setdefault(domain, set()).add(brand)
    return {domain: next(iter(brands)) for domain, brands in owners.items() if len(brands) == 1}


def _evidence(project: Project, ledger: Ledger, cycle: Cycle, built: Built) -> Iterator[Evidence]:
    """Up to ANSWERS_SHOWN answers: for each query in turn its first run on each engine, then the second ones …"""
    order = built.table("answers").sort("run", "query_id", "engine").select("run_id").limit(ANSWERS_SHOWN).collect()
    kept = ledger.kept(cycle, limit=ANSWERS_SHOWN, run_ids=order["run_id"].to_list())
    for shown in seen(project, ledger, cycle, kept):
        yield _shown(shown, zone(project.time_zone))


def _shown(shown: Shown, here: tzinfo) -> Evidence:
    asked = shown.kept.asked_at
    return Evidence(
        key=str(shown.id),
        engine=shown.kept.engine,
        query_id=shown.kept.query_id,
        run=shown.kept.number,
        status=shown.answer.status,
        text=shown.answer.text,
        citations=shown.citations,
        mentions=shown.mentions,
        asked_at=asked.astimezone(here) if asked else None,
        model=shown.answer.model,
    )


def gaps_of(project: Project, ledger: Ledger, cycle: Cycle, at: datetime) -> tuple[tuple[Gap, Query], ...]:
    """Where each competitor is ahead in a cycle, with the query; branded queries left out."""
    named = brands_named(project.brands)
    queries = tuple(q for q in ledger.query_set(cycle).queries if not named(q.text))
    texts = {q.id: q for q in queries}
    counts = _counts(derive(project, ledger, cycle, at))
    return tuple((gap, texts[gap.query_id]) for gap in pooled_gaps(queries, counts, project))
