"""Where competitors are ahead, query by query and by topic, sorted by what that is worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from citepoll.errors import SliceError
from citepoll.explain.gaps import CONFIRMED, MARGIN, Gap, gaps
from citepoll.explain.worth import Cell, GroupGap, IntentWeights, QueryGap, grouped, intent_weights, query_gap, ranked
from citepoll.model import Query
from citepoll.project import FILE, Project
from citepoll.service.cells import Cells, newest, read_cells
from citepoll.store.ledger import Cycle, Ledger

GROUPS = ("query", "topic", "intent")
PAGES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class GapList:
    """The gaps of a cycle. `groups` is empty but where they were asked for by topic or intent.

    A gap is a lead of more than `margin` of answers; `confirmed_from` is the probability that confirms one. `unasked`
    counts queries without a valid answer, `branded_out` those that name a brand of the project.
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


def find_gaps(
    project: Project, ledger: Ledger, at: datetime, *, cycle: str | None = None, where: str = "", by: str = "query"
) -> GapList:
    """The gaps of a cycle (default: the newest measurable one). Raises `SliceError` for an unknown filter or grouping."""
    if by not in GROUPS:
        raise SliceError(f"Gaps are shown by {', '.join(GROUPS)}, not by {by!r}.", "Say --by query, topic or intent.")
    cells = read_cells(project, ledger, newest(ledger, cycle), at, where)
    weights = weights_of(project)
    found = ranked(query_gaps(project, cells, weights))
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
    )


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
