"""Other houses' numbers of a cycle, counted with the tallies that our own metrics stand on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from citepoll.explain.views import BrandCounts, EngineCounts, View, views
from citepoll.measure.definitions import DEFINITIONS, Definition
from citepoll.measure.found import plain
from citepoll.measure.tallies import answer_tallies, brand_tallies
from citepoll.model import Row, Slice, SliceResult
from citepoll.project import Project
from citepoll.service.cells import Cells, kept_out, newest, read_cells
from citepoll.store.ledger import Ledger

NOTHING_BELOW = "nothing to divide by"
KEYS = ("engine", "query_id")


@dataclass(frozen=True, slots=True)
class ViewList:
    """The numbers of a cycle by definition, engine and brand; `branded_out` queries were left out."""

    cycle: str
    definitions: tuple[Definition, ...]
    views: tuple[View, ...]
    branded_out: int


def list_views(
    project: Project, ledger: Ledger, at: datetime, *, cycle: str | None = None, where: str = ""
) -> ViewList:
    """Reconcile a cycle (default: the newest measurable one) with other tools. Branded queries are left out, as ever."""
    cells = read_cells(project, ledger, newest(ledger, cycle), at, where)
    engines = _engine_counts(cells)
    brands = _brand_counts(cells)
    found = [
        view
        for engine in cells.engines
        for view in views(
            engine, engines.get(engine, EngineCounts(0, 0, 0, 0, 0)),
            {b.name: brands.get((engine, b.name), BrandCounts()) for b in project.brands},
        )
    ]  # fmt: skip
    order = {definition.name: at for at, definition in enumerate(DEFINITIONS)}
    return ViewList(
        cells.cycle.name, DEFINITIONS, tuple(sorted(found, key=lambda view: order[view.name])), cells.branded_out
    )


def read_views(project: Project, ledger: Ledger, slice: Slice, at: datetime) -> SliceResult:
    """The rows of other houses' numbers: plain ratios of counts, by brand and engine."""
    found = list_views(project, ledger, at, cycle=slice.cycles[0] if slice.cycles else None, where=slice.where)
    wanted = {d.name: d for name in slice.metrics for d in found.definitions if d.metric == name}
    rows = tuple(_row(view, wanted[view.name]) for name in wanted for view in found.views if view.name == name)
    asked = replace(slice, cycles=(found.cycle,))
    return SliceResult(rows, asked, (found.cycle,), kept_out(found.branded_out))


def _row(view: View, definition: Definition) -> Row:
    k, n = view.numerator, view.denominator
    evidence = {
        "words": f"{k} of {n}: {definition.numerator} ÷ {definition.denominator}",
        **{name: getattr(definition, name) for name in ("numerator", "denominator", "ours", "differs")},
    }
    estimate = plain(view.value, reason=NOTHING_BELOW if view.value is None else None, n=n, cited=k, of=n)
    return Row(definition.metric, {"brand": view.brand, "engine": view.engine}, estimate, evidence=evidence)


def _engine_counts(cells: Cells) -> dict[str, EngineCounts]:
    by_query = answer_tallies(cells.requests, KEYS)
    found = by_query.group_by("engine").agg(
        pl.col("requests", "valid", "citing", "all_slots").cast(pl.Int64).sum(), queries=(pl.col("valid") > 0).sum()
    )
    return {row[0]: EngineCounts(*row[1:]) for row in found.collect().iter_rows()}


def _brand_counts(cells: Cells) -> dict[tuple[str, str], BrandCounts]:
    by_query = brand_tallies(cells.requests, cells.built.table("hits"), KEYS)
    found = by_query.group_by("engine", pl.col("brand").cast(pl.String)).agg(
        pl.col("cited", "present", "slots", "mentions").cast(pl.Int64).sum(), queries=(pl.col("cited") > 0).sum()
    )
    return {(row[0], row[1]): BrandCounts(*row[2:]) for row in found.collect().iter_rows()}
