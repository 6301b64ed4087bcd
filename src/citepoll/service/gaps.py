"""Where competitors are ahead, query by query and by topic, sorted by what that is worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from citepoll.errors import SliceError
from citepoll.explain.gaps import CONFIRMED, MARGIN, Gap, gaps
from citepoll.explain.worth import Cell, GroupGap, IntentWeights, QueryGap, grouped, intent_weights, query_gap, ranked
from citepoll.measure.found import plain
from citepoll.measure.methods import NO_ANSWER
from citepoll.model import Query, Row, Slice, SliceResult
from citepoll.project import FILE, Project
from citepoll.service.cells import Cells, kept_out, newest, read_cells
from citepoll.store.ledger import Cycle, Ledger

GROUPS = ("query", "topic", "intent")
METRIC = "citation_gap"
NOBODY_AHEAD = "no competitor is ahead"
PAGES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class GapList:
    """The gaps of a cycle. `groups` is empty but where they were asked for by topic or intent.

    A gap is a lead of more than `margin` of answers; `confirmed_from` is the probability that confirms one. `unasked`
    counts the `silent` queries, which have no valid answer, `branded_out` those that name a brand of the project.
    """

    cycle: str
    brand: str
    engines: tuple[str, ...]
    by: str
    weights: IntentWeights
    queries: tuple[QueryGap, ...]
    groups: tuple[GroupGap, ...]
    branded_out: int
    unasked: int
    margin: float = MARGIN
    confirmed_from: float = CONFIRMED
    silent: tuple[Query, ...] = ()


def find_gaps(
    project: Project, ledger: Ledger, at: datetime, *, cycle: str | None = None, where: str = "", by: str = "query"
) -> GapList:
    """The gaps of a cycle (default: the newest measurable one). Raises `SliceError` for an unknown filter or grouping."""
    if by not in GROUPS:
        raise SliceError(f"Gaps are shown by {', '.join(GROUPS)}, not by {by!r}.", "Say --by query, topic or intent.")
    cells = read_cells(project, ledger, newest(ledger, cycle), at, where)
    weights = weights_of(project)
    found = ranked(query_gaps(project, cells, weights))
    asked = {gap.query.id for gap in found}
    return GapList(
        cycle=cells.cycle.name,
        brand=project.tracked.name,
        engines=cells.engines,
        by=by,
        weights=weights,
        queries=found,
        groups=grouped(found, by) if by != "query" else (),
        branded_out=cells.branded_out,
        unasked=len(cells.queries) - len(found),
        silent=tuple(query for query in cells.queries if query.id not in asked),
    )


def read_gaps(project: Project, ledger: Ledger, slice: Slice, at: datetime) -> SliceResult:
    """The rows of `citation_gap`: by query, topic or intent, each competitor that is ahead and by how much."""
    by = slice.by[0]
    cycle = slice.cycles[0] if slice.cycles else None
    found = find_gaps(project, ledger, at, cycle=cycle, where=slice.where, by=by)
    rows = _query_rows(found) if by == "query" else _group_rows(found)
    warnings = (found.weights.words(), *kept_out(found.branded_out))
    return SliceResult(tuple(rows), replace(slice, cycles=(found.cycle,)), (found.cycle,), warnings)


def _query_rows(found: GapList) -> Iterator[Row]:
    for on in found.queries:
        for gap in on.ahead:
            yield _lead(found.brand, gap, on)
        if not on.ahead:
            yield _nobody({"query": on.query.id}, NOBODY_AHEAD, on.n)
    for query in found.silent:
        yield _nobody({"query": query.id}, NO_ANSWER, 0)


def _lead(brand: str, gap: Gap, on: QueryGap) -> Row:
    pages = on.pages.get(gap.competitor, ())
    instead = f"; cited instead: {pages[0]}" if pages else ""
    counted = [(cell, cell.cited.get(gap.competitor, 0), cell.cited.get(brand, 0)) for cell in on.cells]
    worth = on.weight * gap.probability
    evidence = {
        "words": f"{gap.verdict}, probability {gap.probability:.2f}, worth {worth:.1f}; "
        f"{gap.theirs} : {gap.ours} of {gap.n}{instead}",
        "verdict": gap.verdict,
        "probability": gap.probability,
        "weight": on.weight,
        "worth": worth,
        "theirs": gap.theirs,
        "ours": gap.ours,
        "pages": list(pages),
        "engines": [{"engine": cell.engine, "theirs": k, "ours": b, "n": cell.n} for cell, k, b in counted],
    }
    estimate = plain((gap.theirs - gap.ours) / gap.n, n=gap.n, n_queries=1)
    return Row(METRIC, {"query": gap.query_id, "competitor": gap.competitor}, estimate, evidence=evidence)


def _group_rows(found: GapList) -> Iterator[Row]:
    for group in found.groups:
        here = [on for on in found.queries if getattr(on.query, found.by) == group.name]
        for competitor, on in group.ahead.items():
            yield _mean_lead(found, group.name, competitor, here, on)
        if not group.ahead:
            yield _nobody({found.by: group.name}, NOBODY_AHEAD, sum(one.n for one in here))


def _mean_lead(found: GapList, name: str | None, competitor: str, here: Sequence[QueryGap], on: int) -> Row:
    """A competitor's lead over a group of queries: the mean of its leads, each query weighing the same."""
    cited = [sum(cell.cited.get(competitor, 0) for cell in one.cells) for one in here]
    gaps_here = [gap for one in here for gap in one.ahead if gap.competitor == competitor]
    worth = sum(one.weight * gap.probability for one in here for gap in one.ahead if gap.competitor == competitor)
    pages = dict.fromkeys(page for one in here for page in one.pages.get(competitor, ()))
    evidence = {
        "words": f"ahead on {on} of {len(here)} queries, worth {worth:.1f}",
        "worth": worth,
        "theirs": sum(cited),
        "ours": sum(one.ours for one in here),
        "queries": len(here),
        "on": on,
        "confirmed": sum(gap.verdict == "confirmed" for gap in gaps_here),
        "expected": sum(gap.probability for gap in gaps_here),
        "pages": list(pages)[:PAGES_SHOWN],
    }
    lead = sum((k - one.ours) / one.n for k, one in zip(cited, here, strict=True)) / len(here)
    estimate = plain(lead, n=sum(one.n for one in here), n_queries=len(here))
    return Row(METRIC, {found.by: name, "competitor": competitor}, estimate, evidence=evidence)


def _nobody(place: Mapping[str, str | None], reason: str, n: int) -> Row:
    estimate = plain(None, reason=reason, n=n, n_queries=1 if n else 0)
    return Row(METRIC, {**place, "competitor": None}, estimate, evidence={"words": reason})


def weights_of(project: Project) -> IntentWeights:
    return intent_weights(project.intent_weights, FILE)


def query_gaps(project: Project, cells: Cells, weights: IntentWeights) -> Iterator[QueryGap]:
    """A gap, `none` included, for every query with a valid answer, in the order of the set."""
    pages = cited_pages(cells)
    brand = project.tracked.name
    for query in cells.queries:
        here = tuple(
            Cell(engine, *cells.counts[engine, query.id])
            for engine in cells.engines
            if (engine, query.id) in cells.counts
        )
        if here:
            ours = sum(cell.cited.get(brand, 0) for cell in here)
            theirs = {b.name: sum(cell.cited.get(b.name, 0) for cell in here) for b in project.brands[1:]}
            shown = {name: pages.get((query.id, name), ())[:PAGES_SHOWN] for name in theirs}
            found = gaps(query.id, sum(cell.n for cell in here), ours, theirs)
            yield query_gap(query, found, here, ours, weights, shown)


def leads(project: Project, cells: Cells) -> tuple[tuple[Gap, QueryGap], ...]:
    """Every competitor's lead on a query, over all engines: confirmed ones first, then by probability."""
    found = [(gap, on) for on in query_gaps(project, cells, weights_of(project)) for gap in on.ahead]
    return tuple(sorted(found, key=lambda one: (one[0].verdict != "confirmed", -one[0].probability, one[0].competitor)))


def gaps_of(project: Project, ledger: Ledger, cycle: Cycle, at: datetime) -> tuple[tuple[Gap, Query], ...]:
    """Where each competitor is ahead in a cycle, with the query; branded queries left out."""
    return tuple((gap, on.query) for gap, on in leads(project, read_cells(project, ledger, cycle, at)))


def cited_pages(cells: Cells) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """(query id, brand) → the brand's pages that answers cite, the most cited first."""
    cited = cells.built.table("citations").filter(pl.col("new_url") & pl.col("brand").is_not_null())
    found = (
        cells.answers.join(cited.select("run_id", pl.col("brand", "url").cast(pl.String)), on="run_id")
        .group_by("query_id", "brand", "url").agg(n=pl.len())
        .sort(["n", "url"], descending=[True, False])
        .collect()
    )  # fmt: skip
    pages: dict[tuple[str, str], list[str]] = {}
    for query, brand, url, _ in found.iter_rows():
        pages.setdefault((query, brand), []).append(url)
    return {key: tuple(urls) for key, urls in pages.items()}
