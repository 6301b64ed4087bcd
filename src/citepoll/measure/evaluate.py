"""The read side: a slice in, rows of estimates out. Every surface asks here, so that all show the same numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np
import polars as pl

from citepoll.measure.blendings import TARGETS, of_blend
from citepoll.measure.caveats import caveats
from citepoll.measure.context import Context, CycleFacts, EngineFacts, Frames
from citepoll.measure.estimates import Counted, of_engine, ranked, read_counts, standing
from citepoll.measure.grades import band, grade
from citepoll.measure.methods import NO_ANSWER
from citepoll.measure.metrics import METRICS
from citepoll.measure.question import Question, collected, resolve
from citepoll.measure.scope import Family, Scope, build_scope
from citepoll.measure.weights import Blend, blends
from citepoll.model import Estimate, Row, Slice, SliceResult, Target

__all__ = ["Context", "CycleFacts", "EngineFacts", "Frames", "evaluate"]


def evaluate(frames: Frames, slice: Slice, context: Context) -> SliceResult:
    """Answer a slice from the derived tables. No answers give rows without a value, with the reason.

    Rows stand by metric, then by the fields on answers (cycles from old to new), engines as in the project with the
    blended ones last, brands with the tracked one first, domains and URLs from the largest; fixed_set before category.
    Engines are never averaged in silence: two or more of a kind get a `blended` row after their own. Brand metrics keep
    branded queries out unless the slice names `branded`. Numerators and denominators obey filters as `slices` says.
    Raises `SliceError` for a name that is not known, and for a breakdown that a metric does not have.
    """
    queries = collected(frames.queries)
    question = resolve(slice, context, queries)
    blended = blends(context, question.engines)
    scopes: dict[bool, Scope] = {}
    rows: list[Row] = []
    for name in slice.metrics:
        branded = question.keeps_branded(name)
        if branded not in scopes:
            scopes[branded] = build_scope(question, frames, queries, branded=branded)
        counted = read_counts(METRICS[name], question, context, frames, scopes[branded])
        for family in scopes[branded].families:
            rows += _family_rows(counted, context, family, blended)
    warnings = dict.fromkeys(text for scope in scopes.values() for text in caveats(question, context, scope))
    return SliceResult(
        rows=tuple(rows),
        slice=question.slice,
        cycles=question.cycles,
        warnings=tuple(warnings),
        simulated=any(row.simulated for row in rows),
        labels={blend.name: blend.label for blend in blended} | _query_texts(question, rows, queries),
    )


def _query_texts(question: Question, rows: Sequence[Row], queries: pl.DataFrame) -> dict[str, str]:
    """The text of every query that a row is about, by its id."""
    if "query" not in question.by:
        return {}
    shown = {row.dimensions["query"] for row in rows}
    return {key: text for key, text in queries.select("query_id", "text").iter_rows() if key in shown}


def _family_rows(counted: Counted, context: Context, family: Family, blended: Sequence[Blend]) -> Iterator[Row]:
    """The rows of one metric over the engines of a family, one by one, then blended."""
    standings = {engine: standing(counted, family, group) for engine, group in family.groups.items()}
    own = {engine: ranked(counted, *found) for engine, found in standings.items()}
    mixed = {
        blend.name: ranked(
            counted,
            np.sum([blend.weights[engine] * standings[engine][0] for engine in blend.engines], axis=0),
            np.sum([standings[engine][1] for engine in blend.engines], axis=0),
        )
        for blend in blended
    }
    every = list(dict.fromkeys(code for codes in (*own.values(), *mixed.values()) for code in codes))
    targets = TARGETS if blended else counted.question.targets
    parts = {
        target: {engine: of_engine(counted, family, group, every, target) for engine, group in family.groups.items()}
        for target in targets
    }
    for engine in family.groups:
        estimates = {target: parts[target][engine] for target in targets}
        yield from _rows(counted, context, family, engine, [engine], own[engine], estimates)
    for blend in blended:
        codes = mixed[blend.name]
        estimates = of_blend(counted, family, blend, codes, parts)
        yield from _rows(counted, context, family, blend.name, blend.engines, codes, estimates)


def _rows(
    counted: Counted,
    context: Context,
    family: Family,
    name: str,
    engines: Sequence[str],
    codes: Sequence[int],
    estimates: Mapping[Target, Mapping[int, Estimate]],
) -> Iterator[Row]:
    """The rows of one engine, or of one blend of `engines`, under the name that stands in the engine's place."""
    question, metric = counted.question, counted.metric
    fields, shown = question.entities(metric.name), question.dimensions(metric.name)
    graded = metric.graded and not {"query", "url"} & set(question.by)
    simulated = _simulated(context, family, engines)
    around = {**family.dimensions, "engine": name}
    for code in codes:
        values = {**around, **dict(zip(fields, counted.numerators.entities[code], strict=True))}
        dimensions = {field: values[field] for field in shown}
        for target in question.targets:
            row = Row(metric.name, dimensions, estimates[target][code], simulated=simulated)
            yield _graded(row, context, family, engines) if graded else row
    if not codes and not any(family.groups[engine].position.size for engine in engines):
        dimensions = {field: around.get(field) for field in shown}
        for target in question.targets:
            nothing = Estimate(None, None, None, target, "none", question.slice.confidence, reason=NO_ANSWER)
            yield Row(metric.name, dimensions, nothing, simulated=simulated)


def _simulated(context: Context, family: Family, engines: Sequence[str]) -> bool:
    """Whether any engine here is simulated, or the whole cycle is."""
    cycle = context.cycles[family.cycle] if family.cycle else CycleFacts()
    return cycle.simulated or any(context.engines[engine].surface == "simulated" for engine in engines)


def _graded(row: Row, context: Context, family: Family, engines: Sequence[str]) -> Row:
    """The row with its band, and with the grade that the weakest of its engines allows."""
    groups = [family.groups[engine] for engine in engines]
    cycle = context.cycles[family.cycle] if family.cycle else CycleFacts()
    days = [group.days for group in groups]
    found = _grade(
        n_queries=row.estimate.n_queries,
        runs=min(group.least_runs for group in groups),
        failed=max(group.failed for group in groups),
        share=row.estimate.value,
        days=None if None in days else min(day for day in days if day is not None),
        same_set=None if cycle.previous_hash is None else cycle.previous_hash == cycle.set_hash,
        confidence=row.estimate.confidence,
    )
    return Row(
        row.metric, row.dimensions, row.estimate, found.name, found.next,
        band(row.estimate.low, row.estimate.high), row.simulated,
    )  # fmt: skip


_grade = lru_cache(maxsize=4096)(grade)
