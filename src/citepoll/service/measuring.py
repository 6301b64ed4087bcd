"""The read side's one door: a Slice in, a SliceResult out, whoever asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache
from typing import Any

import altair as alt
import polars as pl

from citepoll.errors import QuerySetError, SliceError
from citepoll.extract.mentions import Matcher
from citepoll.hashing import canonical_json
from citepoll.measure.context import Context, CycleFacts, EngineFacts, Frames
from citepoll.measure.evaluate import evaluate
from citepoll.measure.slices import parse_where
from citepoll.model import Brand, Query, Slice, SliceResult
from citepoll.project import Project
from citepoll.report import tables
from citepoll.report.charts import Mark, shares_by_engine
from citepoll.report.pairs import Pair, pairs
from citepoll.service.deriving import Step, derive
from citepoll.store.derived import TABLES, Built
from citepoll.store.ledger import Cycle, Ledger


@dataclass(frozen=True, slots=True)
class Measured(SliceResult):
    """A SliceResult with ways to look at it in Python."""

    def to_polars(self) -> pl.DataFrame:
        """One row per estimate, with the columns of `citepoll measure --json`; `excluded` and `warnings` as JSON text."""
        return frame(self)

    def chart(self) -> alt.LayerChart:
        """The shares as points with both intervals, as the report shows them; the first 40 where there are more."""
        return shares_by_engine([_mark(pair) for pair in pairs(self.rows)[:40]])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return self.chart()._repr_mimebundle_(include, exclude)


def frame(result: SliceResult) -> pl.DataFrame:
    """The rows of `tables.json_rows` as a frame; mappings and lists as JSON text. No row gives an empty frame."""
    rows = [
        {k: canonical_json(v).decode() if isinstance(v, dict | list) else v for k, v in row.items()}
        for row in tables.json_rows(result)
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _mark(pair: Pair) -> Mark:
    names = [str(value) for value in pair.main.dimensions.values() if value is not None]
    kind = "simulated" if pair.main.simulated else "api"
    estimates = (pair.fixed_set and pair.fixed_set.estimate, pair.category and pair.category.estimate)
    return Mark(" · ".join(names), *estimates, kind=kind)  # type: ignore[arg-type]


def measurable(ledger: Ledger) -> tuple[Cycle, ...]:
    """The cycles that have shares: closed or stopped ones. An open one shows progress only."""
    return tuple(c for c in ledger.cycles() if c.status != "open")


_TO_FINISH = {
    "polled": "Let `citepoll poll` finish it, or `citepoll cycles close` it.",
    "recorded": "Let its import come to the end, or import the file again.",
}


def chosen(slice: Slice, ledger: Ledger) -> tuple[Cycle, ...]:
    """The cycles that a slice looks at: those named, all where it asks by cycle, else the newest measurable one.

    Raises `SliceError` for an unknown cycle, one that is still open, or a project without any.
    """
    ready = measurable(ledger)
    named = [ledger.cycle(name) for name in slice.cycles]
    for cycle in named:
        if cycle.status == "open":
            raise SliceError(f"The cycle {cycle.name!r} is still open.", _TO_FINISH[cycle.kind])
    if named:
        return tuple(c for c in ready if c in named)
    if not ready:
        raise SliceError("There is no measured cycle yet.", "Import recorded answers or run `citepoll poll`.")
    across = "cycle" in slice.by or any(f.field == "cycle" for f in parse_where(slice.where))
    return ready if across else ready[-1:]


def measure(project: Project, ledger: Ledger, slice: Slice, at: datetime, *, step: Step | None = None) -> Measured:
    """Answer a slice, deriving tables first where brands or extractor changed. Raises `SliceError` for an unknown name."""
    cycles = chosen(slice, ledger)
    built = [derive(project, ledger, cycle, at, step=step) for cycle in cycles]
    result = evaluate(_frames(project, ledger, cycles, built), slice, context(project, ledger, cycles))
    return Measured(**{f.name: getattr(result, f.name) for f in fields(result)})


def _frames(project: Project, ledger: Ledger, cycles: tuple[Cycle, ...], built: list[Built]) -> Frames:
    found = {name: pl.concat([version.table(name) for version in built]) for name in TABLES}
    return Frames(**found, queries=query_frame(project, ledger, cycles))


def query_frame(project: Project, ledger: Ledger, cycles: tuple[Cycle, ...]) -> pl.DataFrame:
    """The queries of these cycles' sets, the newest cycle's wording of intent and topic first, with `branded`."""
    queries: dict[str, Query] = {}
    for cycle in reversed(cycles):
        if cycle.set_hash:
            for query in ledger.query_set(cycle).queries:
                queries.setdefault(query.id, query)
    named = brands_named(project.brands)
    columns = {
        "query_id": list(queries),
        "text": [q.text for q in queries.values()],
        "language": [q.language for q in queries.values()],
        "market": [q.market for q in queries.values()],
        "intent": [q.intent for q in queries.values()],
        "topic": [q.topic for q in queries.values()],
        "branded": [bool(named(q.text)) for q in queries.values()],
    }
    types = {name: pl.Boolean if name == "branded" else pl.String for name in columns}
    return pl.DataFrame(columns, schema=types)


def brands_named(brands: tuple[Brand, ...]) -> Callable[[str], tuple[str, ...]]:
    """Which of these brands a question names: a function from text to their names, in reading order."""
    matcher = _matcher(brands)
    return lambda text: tuple(dict.fromkeys(mention.brand for mention in matcher.find(text).mentions))


@lru_cache(maxsize=8)
def _matcher(brands: tuple[Brand, ...]) -> Matcher:
    return Matcher(brands)


def context(project: Project, ledger: Ledger, cycles: tuple[Cycle, ...]) -> Context:
    """What the derived tables do not hold: brands, engines with today's weights, and the cycles' query sets."""
    weights = {e.name: e.weight for e in project.engines}
    engines: dict[str, EngineFacts] = {}
    for cycle in cycles:
        for engine in ledger.engines(cycle):
            runs = engine.runs if cycle.kind == "polled" else None
            engines[engine.name] = EngineFacts(engine.surface, weights.get(engine.name, engine.weight), runs)
    return Context(
        brands=tuple(b.name for b in project.brands),
        tracked=project.tracked.name,
        engines=engines,
        cycles={cycle.name: _cycle_facts(ledger, cycle) for cycle in cycles},
        mix_surfaces=project.mix_surfaces,
    )


def _cycle_facts(ledger: Ledger, cycle: Cycle) -> CycleFacts:
    before = [c for c in ledger.cycles() if c.id < cycle.id and c.set_hash]
    try:
        ids = frozenset(q.id for q in ledger.query_set(cycle).queries)
    except QuerySetError:
        ids = frozenset()
    simulated = all(e.surface == "simulated" for e in ledger.engines(cycle))
    return CycleFacts(cycle.set_hash, ids, before[-1].set_hash if before else None, simulated)
