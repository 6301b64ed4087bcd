"""Counted metrics: a Slice in, estimates out. `service.reading` is the door, which also leads to what is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from typing import Any

import altair as alt
import polars as pl

from citepoll.errors import QuerySetError, SliceError
from citepoll.extract.mentions import Matcher
from citepoll.hashing import canonical_json
from citepoll.measure.caveats import FAILED
from citepoll.measure.context import Context, CycleFacts, EngineFacts, Frames
from citepoll.measure.evaluate import evaluate
from citepoll.measure.found import unit_of
from citepoll.measure.movements import compare
from citepoll.measure.slices import parse_where
from citepoll.model import Brand, Engine, Query, Slice, SliceResult
from citepoll.project import Project
from citepoll.queryset.lint import plan_warnings
from citepoll.report import tables
from citepoll.report.charts import Mark, shares_by_engine
from citepoll.report.pairs import Pair, pairs
from citepoll.report.palette import fixed
from citepoll.report.render import coloured, svg
from citepoll.service.classing import classed
from citepoll.service.deriving import Step, derive
from citepoll.service.retaining import losses
from citepoll.store.derived import TABLES, Built
from citepoll.store.ledger import Cycle, Ledger
from citepoll.store.rounds import planned_runs


@dataclass(frozen=True, slots=True)
class Measured(SliceResult):
    """A SliceResult with ways to look at it in Python."""

    def to_dict(self) -> dict[str, object]:
        """All of it fit for JSON, as the API answers it: slice, cycles, simulated, warnings, labels, rows."""
        return tables.json_value(self)

    def to_polars(self) -> pl.DataFrame:
        """One row per estimate, with the columns of `citepoll measure --json`; mappings and lists as JSON text."""
        return frame(self)

    def chart(self) -> alt.TopLevelMixin:
        """The shares as points with both intervals, as the report shows them; the first 40 where there are more.

        Raises `SliceError` where no row is a share.
        """
        shown = self._shares()[:40]
        if not shown:
            raise SliceError("No row of this slice is a share, so there is no picture.", "Look at to_polars().")
        drawn = shares_by_engine([_mark(pair, tracked=pair.brand == shown[0].brand) for pair in shown])
        return alt.LayerChart.from_json(coloured(drawn.to_json(), fixed("light")))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows: a picture of the shares that needs no network, and the table as text."""
        if not self._shares():
            return {"text/plain": tables.markdown_text(self)}
        picture = svg(self.chart(), label="Shares with their intervals", palette={}, doors=False)
        return {"image/svg+xml": picture, "text/plain": tables.markdown_text(self)}

    def _shares(self) -> tuple[Pair, ...]:
        return tuple(pair for pair in pairs(self.rows) if unit_of(pair.main.metric) == "share")


def frame(result: SliceResult) -> pl.DataFrame:
    """The rows of `tables.json_rows` as a frame; mappings and lists as JSON text. No row gives an empty frame."""
    rows = [
        {k: canonical_json(v).decode() if isinstance(v, dict | list) else v for k, v in row.items()}
        for row in tables.json_rows(result)
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _mark(pair: Pair, *, tracked: bool) -> Mark:
    names = [str(value) for value in pair.main.dimensions.values() if value is not None]
    kind = "simulated" if pair.main.simulated else "api"
    estimates = (pair.fixed_set and pair.fixed_set.estimate, pair.category and pair.category.estimate)
    return Mark(" · ".join(names), *estimates, kind=kind, tracked=tracked)  # type: ignore[arg-type]


def measurable(ledger: Ledger) -> tuple[Cycle, ...]:
    """The cycles that have shares: closed or stopped ones. An open one shows progress only."""
    return tuple(c for c in ledger.cycles() if c.status != "open")


_TO_FINISH = {
    "polled": "Let `citepoll poll` finish it, or `citepoll cycles close` it.",
    "recorded": "Let its import come to the end, or import the file again.",
}


def compared(slice: Slice, ledger: Ledger) -> tuple[Cycle, Cycle]:
    """The earlier and the later cycle of a comparison; `previous` is the one before the later one.

    Raises `SliceError` for unknown or open cycles, and for a comparison of a cycle with itself.
    """
    later = chosen(replace(slice, compare=None), ledger)[-1]
    if slice.compare == "previous":
        before = [c for c in measurable(ledger) if c.place < later.place]
        if not before:
            raise SliceError(f"There is no cycle before {later.name!r}.", "A comparison needs two.")
        return before[-1], later
    earlier = chosen(Slice(cycles=(slice.compare or "",)), ledger)[0]
    if earlier.id == later.id:
        raise SliceError(f"{later.name!r} cannot be compared with itself.", "Name two cycles.")
    if earlier.place > later.place:
        raise SliceError(f"{earlier.name!r} is not before {later.name!r}.", "Name the earlier cycle first.")
    return earlier, later


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
    if slice.compare is not None:
        return _compared(project, ledger, slice, at, step)
    cycles = chosen(slice, ledger)
    frames = classed(project, slice, read_frames(project, ledger, cycles, at, step=step))
    found = evaluate(frames, slice, context(project, ledger, cycles))
    more = dict.fromkeys((*limits(ledger, cycles), *broken_off(ledger, cycles), *losses(project, ledger, cycles)))
    return measured(replace(found, warnings=(*found.warnings, *more)))


def limits(ledger: Ledger, cycles: Sequence[Cycle]) -> Iterator[str]:
    """What limits every number of these cycles: one engine, none of those that most buyers ask, few runs, a changed set."""
    for cycle in cycles:
        asked = ledger.runs_per_query(cycle)
        engines = [replace(e, runs=asked.get(e.name, e.runs)) for e in ledger.engines(cycle)]
        before = [c.set_hash for c in ledger.cycles() if c.place < cycle.place and c.set_hash]
        if engines and cycle.set_hash:
            yield from (found.cause for found in plan_warnings(engines, cycle.set_hash, before[-1] if before else None))


def broken_off(ledger: Ledger, cycles: Sequence[Cycle]) -> Iterator[str]:
    """A warning for each cycle whose last import did not reach the end of its file."""
    for cycle in cycles:
        imports = [event for event in ledger.history(cycle.name) if event["what"] == "import"]
        if imports and imports[-1].get("whole") is False:
            yield f"{cycle.name}: the import of {imports[-1]['file']} broke off: the cycle holds a part of that file"


def measured(result: SliceResult) -> Measured:
    """A result with the ways to look at it in Python."""
    return Measured(**{f.name: getattr(result, f.name) for f in fields(result)})


def _compared(project: Project, ledger: Ledger, slice: Slice, at: datetime, step: Step | None) -> Measured:
    earlier, later = compared(slice, ledger)
    frames = classed(project, slice, read_frames(project, ledger, (earlier, later), at, step=step))
    _, _, found_else = differences(ledger, frames, (earlier, later))[0]
    about = {name: tuple(texts) for name, texts in found_else.items()}
    asked = replace(slice, cycles=(later.name,), compare=earlier.name)
    found = compare(frames, asked, context(project, ledger, (earlier, later)), about)
    more = (*set_warnings(ledger, earlier, later), *losses(project, ledger, (earlier, later)))
    return measured(replace(found, warnings=(*found.warnings, *more)))


def set_warnings(ledger: Ledger, earlier: Cycle, later: Cycle) -> Iterator[str]:
    """What two query sets differ in, with the queries named (the first three)."""
    if earlier.set_hash == later.set_hash or not (earlier.set_hash and later.set_hash):
        return
    before, after = ({q.id: q.text for q in ledger.query_set(c).queries} for c in (earlier, later))
    common = len(before.keys() & after.keys())
    only = [text for key, text in (before | after).items() if (key in before) != (key in after)]
    if only:
        named = ", ".join(f"“{text}”" for text in only[:3]) + (f" and {len(only) - 3} more" if len(only) > 3 else "")
        yield (
            f"{earlier.name} and {later.name} stand on different query sets: only the {common} common queries are compared; "
            f"left out: {named}"
        )


def differences(
    ledger: Ledger, frames: Frames, cycles: Sequence[Cycle]
) -> tuple[tuple[Cycle, Cycle, Mapping[str, list[str]]], ...]:  # fmt: skip
    """For each cycle and the one after it: per engine what else changed, or failed, which may be the reason of a change."""
    known = _conditions(ledger, frames, cycles)
    return tuple((*pair, _differences(*(known[cycle.name] for cycle in pair))) for pair in pairwise(cycles))


@dataclass(frozen=True, slots=True)
class _Conditions:
    """How a cycle was asked, by engine: its settings, the models that answered, the sentence on too many failed runs."""

    engines: Mapping[str, Engine]
    models: Mapping[str, set[str]]
    failures: Mapping[str, str]


def _differences(earlier: _Conditions, later: _Conditions) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in earlier.engines.keys() & later.engines.keys():
        old, new = earlier.engines[name], later.engines[name]
        texts = found.setdefault(name, [])
        if (old.country, old.language) != (new.country, new.language):
            texts.append(f"the locale changed: {old.country}, {old.language} → {new.country}, {new.language}")
        if dict(old.settings) != dict(new.settings):
            texts.append("the engine's settings changed between the cycles")
        versions = [at.models.get(name) or {at.engines[name].model} - {None} for at in (earlier, later)]
        if versions[0] != versions[1] and all(versions):
            words = " → ".join(", ".join(sorted(map(str, some))) for some in versions)
            texts.append(f"the model inside the engine changed: {words}")
        texts += [at.failures[name] for at in (earlier, later) if name in at.failures]
    return found


def _conditions(ledger: Ledger, frames: Frames, cycles: Sequence[Cycle]) -> dict[str, _Conditions]:
    models: dict[str, dict[str, set[str]]] = {cycle.name: {} for cycle in cycles}
    answers = frames.answers.lazy().filter(pl.col("cycle").is_in(list(models)) & pl.col("model").is_not_null())
    for cycle, engine, model in answers.select("cycle", "engine", "model").unique().collect().iter_rows():
        models[cycle].setdefault(engine, set()).add(model)
    return {
        cycle.name: _Conditions(
            {e.name: e for e in ledger.engines(cycle)}, models[cycle.name], _failures(ledger, cycle)
        )
        for cycle in cycles
    }


def _failures(ledger: Ledger, cycle: Cycle) -> dict[str, str]:
    """Engine → the sentence on its failed runs, where they are too many."""
    found = {}
    for progress in ledger.progress(cycle):
        failed = sum(progress.statuses.get(status, 0) for status in ("failed", "deferred")) + progress.todo
        if failed > FAILED * progress.planned:
            found[progress.engine] = f"{failed} of {progress.planned} runs failed in {cycle.name}"
    return found


def read_frames(project: Project, ledger: Ledger, cycles: Sequence[Cycle], at: datetime, *,
                step: Step | None = None) -> Frames:  # fmt: skip
    """The derived tables of these cycles, derived first where they are not there yet."""
    built = [derive(project, ledger, cycle, at, step=step) for cycle in cycles]
    return _frames(project, ledger, tuple(cycles), built)


def _frames(project: Project, ledger: Ledger, cycles: tuple[Cycle, ...], built: list[Built]) -> Frames:
    # Rows of a version rise by run; told so, the joins of one cycle need half of the time and memory.
    sort = len(built) == 1
    parts = {name: [version.table(name) for version in built] for name in TABLES}
    found = {name: tables[0].set_sorted("run_id") if sort else pl.concat(tables) for name, tables in parts.items()}
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
            engines[engine.name] = EngineFacts(engine.surface, weights.get(engine.name, engine.weight))
    return Context(
        brands=tuple(b.name for b in project.brands),
        tracked=project.tracked.name,
        engines=engines,
        cycles={cycle.name: _cycle_facts(ledger, cycle) for cycle in cycles},
        mix_surfaces=project.mix_surfaces,
    )


def _cycle_facts(ledger: Ledger, cycle: Cycle) -> CycleFacts:
    before = [c for c in ledger.cycles() if c.place < cycle.place and c.set_hash]
    try:
        ids = frozenset(q.id for q in ledger.query_set(cycle).queries)
    except QuerySetError:
        ids = frozenset()
    simulated = all(e.surface == "simulated" for e in ledger.engines(cycle))
    planned = planned_runs(ledger, cycle) if cycle.kind == "polled" else {}
    return CycleFacts(cycle.set_hash, ids, before[-1].set_hash if before else None, simulated, planned)
