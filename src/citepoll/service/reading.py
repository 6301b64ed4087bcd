"""The read side's one door: a Slice in, rows out, whether they are counted or found, whoever asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias

from citepoll.measure.found import Kind, kind_of, resolved
from citepoll.model import Row, Slice, SliceResult
from citepoll.project import Project
from citepoll.service.deriving import Step
from citepoll.service.experiments import read_experiments
from citepoll.service.gaps import read_gaps
from citepoll.service.measuring import Measured, broken_off, limits, measure, measured
from citepoll.service.moving import read_half_life, read_movement
from citepoll.service.opportunities import read_opportunities
from citepoll.service.sources import read_engines, read_naming_pages
from citepoll.service.targets import read_targets
from citepoll.service.velocity import read_velocity
from citepoll.service.views import read_views
from citepoll.store.ledger import Ledger

Reader: TypeAlias = Callable[[Project, Ledger, Slice, datetime], SliceResult]

READERS: Mapping[Kind, Reader] = {
    "velocity": read_velocity,
    "citation_gap": read_gaps,
    "half_life": read_half_life,
    "movement": read_movement,
    "effective_sources": read_engines,
    "engine_overlap": read_engines,
    "naming_page": read_naming_pages,
    "opportunity": read_opportunities,
    "target": read_targets,
    "experiment": read_experiments,
    "view": read_views,
}
"""The use case that finds each kind of metric. Each takes a slice that `resolved` has checked."""


def read(project: Project, ledger: Ledger, slice: Slice, at: datetime, *, step: Step | None = None) -> Measured:
    """Answer a slice: counted metrics from the tallies, found ones from their use case; `limit` keeps the first found rows.

    Raises `SliceError` for a name that is not known, for metrics that do not go together, and for what a metric cannot be
    shown by or filtered on.
    """
    kind = kind_of(slice)
    if kind is None:
        return measure(project, ledger, slice, at, step=step)
    found = READERS[kind](project, ledger, resolved(slice), at)
    rows = found.rows if kind == "velocity" else found.rows[: slice.limit]
    return measured(_told(ledger, replace(found, rows=rows)))


def _told(ledger: Ledger, found: SliceResult) -> SliceResult:
    """The result with what the ledger knows of its cycles: which rows are simulated, the questions' texts, the limits."""
    cycles = [ledger.cycle(name) for name in found.cycles]
    simulated = {e.name for cycle in cycles for e in ledger.engines(cycle) if e.surface == "simulated"}
    rows = tuple(
        row if row.evidence is None else replace(row, simulated=_simulated(row, simulated)) for row in found.rows
    )
    texts: dict[str, str] = {}
    if any("query" in row.dimensions for row in rows):
        texts = {q.id: q.text for cycle in cycles if cycle.set_hash for q in ledger.query_set(cycle).queries}
    more = (*found.warnings, *limits(ledger, cycles[-1:]), *broken_off(ledger, cycles))
    return replace(
        found,
        rows=rows,
        simulated=any(row.simulated for row in rows),
        labels={**texts, **found.labels},
        warnings=tuple(dict.fromkeys(more)),
    )


def _simulated(row: Row, simulated: set[str]) -> bool:
    """Whether an engine of the row is simulated, or for a row over all engines any of them is."""
    engines = {row.dimensions[name] for name in ("engine", "other_engine") if row.dimensions.get(name)}
    return row.simulated or bool(engines & simulated if engines else simulated)
