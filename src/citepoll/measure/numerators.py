"""What stands above the line: counts of brands and sources in the answers of a scope, sparse, by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from citepoll.measure.bounds import Floats
from citepoll.measure.context import Context, Frames
from citepoll.measure.metrics import ENTITY_FIELDS, SOURCE_FIELDS, Metric
from citepoll.measure.question import Question, collected, expression
from citepoll.measure.scope import GROUP, Group, GroupKey, Scope, collected_by_group
from citepoll.measure.tallies import brand_tallies, source_tallies

T = TypeVar("T")
Entity: TypeAlias = tuple[str, ...]
"""The values of the entity dimensions of a row; empty for a metric of the engine."""

OUT_OF_HITS = frozenset({"cited_or_earned", "mentioned", "mentions", "present", "first"})


@dataclass(frozen=True, slots=True)
class Sparse:
    """Counts that are not zero: `entity` (its code), `column` (query or answer of the group) and `value`, in step."""

    entity: NDArray[np.intp]
    column: NDArray[np.intp]
    value: Floats

    def dense(self, codes: Sequence[int], columns: int, entities: int) -> Floats:
        """Counts of shape (codes, columns), in the order of `codes`, zero where nothing was counted."""
        row_of = np.full(entities, -1, dtype=np.intp)
        row_of[list(codes)] = np.arange(len(codes))
        rows = row_of[self.entity]
        kept = rows >= 0
        table = np.zeros((len(codes), columns))
        table[rows[kept], self.column[kept]] = self.value[kept]
        return table


NOTHING = Sparse(np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp), np.zeros(0))


@dataclass(frozen=True, slots=True)
class Numerators:
    """`entities` by code: brands in order, then names; `always` have rows even where they were not counted."""

    entities: tuple[Entity, ...]
    always: frozenset[int]
    parts: Mapping[GroupKey, Sparse]

    def of(self, family: int, engine: str) -> Sparse:
        return self.parts.get((family, engine), NOTHING)


def count(metric: Metric, question: Question, frames: Frames, scope: Scope) -> Numerators:
    """The numerator of a metric by entity: over queries for a share, over single answers for a ratio or a mean."""
    fields = question.entities(metric.name)
    column = "position" if metric.estimator == "share" else "answer"
    keys = [*GROUP, column]
    if fields == ("brand",) and (metric.numerator in OUT_OF_HITS or not question.on(*SOURCE_FIELDS)):
        names = ["brand"]
        counted = collected(brand_tallies(scope.answers.lazy(), frames.hits.lazy(), keys))
    else:
        names = [question.column(field) for field in fields]
        counted = collected(_from_citations(question, frames, scope, fields, keys))
    if "brand" in fields:
        counted = counted.filter(pl.col("brand").is_in(list(question.brands)))
    entities = _entities(question, fields, counted.select(names).unique().rows() if names else [()])
    parts = _parts(counted, names, entities, column, metric.numerator)
    return Numerators(entities, _always(question, fields, entities), parts)


def brand_totals(numerator: str, context: Context, frames: Frames, scope: Scope) -> Numerators:
    """`slots` or `mentions` of all the project's brands together, by answer: what a share of voice divides by."""
    hits = frames.hits.lazy().filter(pl.col("brand").is_in(list(context.ordered_brands)))
    keys = [*GROUP, "answer"]
    counted = collected(brand_tallies(scope.answers.lazy(), hits, keys).group_by(keys).agg(pl.col(numerator).sum()))
    return Numerators(((),), frozenset(), _parts(counted, [], ((),), "answer", numerator))


def cited_urls(question: Question, frames: Frames, scope: Scope) -> dict[GroupKey, list[list[frozenset[str]]]]:
    """Per group: queries -> valid answers -> the set of cited URLs."""
    citations = _filtered(question, frames, ()).filter(pl.col("url").is_not_null(), pl.col("level") != "retrieved")
    answers = scope.answers.lazy().filter("valid").select("run_id", *GROUP, "answer")
    cited = answers.join(citations, on="run_id").group_by(*GROUP, "answer").agg(pl.col("url").unique())
    found = {(f, e, a): frozenset(urls) for f, e, a, urls in collected(cited).iter_rows()}
    return {
        (family.index, engine): by_query(
            [found.get((family.index, engine, a), frozenset()) for a in range(group.position.size)], group
        )
        for family in scope.families
        for engine, group in family.groups.items()
    }


def by_query(values: Sequence[T], group: Group) -> list[list[T]]:
    """Values of a group's valid answers as queries -> answers; queries without a valid answer are left out."""
    ends = (np.flatnonzero(np.diff(group.position, append=-1)) + 1).tolist()
    return [list(values[start:end]) for start, end in zip([0, *ends], ends, strict=False)]


def _from_citations(
    question: Question, frames: Frames, scope: Scope, fields: Sequence[str], keys: Sequence[str]
) -> pl.LazyFrame:
    names = [question.column(field) for field in fields]
    citations = _filtered(question, frames, fields)
    whole = not {f.field for f in question.on(*ENTITY_FIELDS)} - set(fields)
    return source_tallies(scope.answers.lazy(), citations, names, keys, whole=whole)


def _filtered(question: Question, frames: Frames, fields: Sequence[str]) -> pl.LazyFrame:
    """The citations that the filters on entities leave; one on brand counts only where rows are by some entity."""
    citations = frames.citations.lazy()
    for found in question.on(*(ENTITY_FIELDS if fields else SOURCE_FIELDS)):
        citations = citations.filter(expression(found, question.column(found.field)))
    return citations


def _entities(question: Question, fields: Sequence[str], seen: Sequence[Entity]) -> tuple[Entity, ...]:
    """Brands that are shown, cited or not; other entities where they were cited or are named by = or in."""
    if fields == ("brand",):
        return tuple((brand,) for brand in question.brands)
    if len(fields) == 1:
        seen = list({*seen, *((name,) for name in _named(question, fields[0]))})
    if "brand" not in fields:
        return tuple(sorted(seen))
    at, place = fields.index("brand"), {brand: index for index, brand in enumerate(question.brands)}
    return tuple(sorted(seen, key=lambda entity: (place[entity[at]], entity)))


def _always(question: Question, fields: Sequence[str], entities: Sequence[Entity]) -> frozenset[int]:
    """The entities that have a row in every group."""
    if fields in ((), ("brand",)):
        return frozenset(range(len(entities)))
    named = set(_named(question, fields[0])) if len(fields) == 1 else set()
    return frozenset(code for code, entity in enumerate(entities) if entity[0] in named)


def _named(question: Question, field: str) -> list[str]:
    """The values that the filters on a field name, where all of them allow these values."""
    filters = question.on(field)
    names = [str(name) for found in filters if found.op in ("=", "in") for name in found.values]
    table = pl.DataFrame({field: list(dict.fromkeys(names))}, schema={field: pl.String})
    return table.filter(*(expression(found, field) for found in filters))[field].to_list()


def _parts(
    counted: pl.DataFrame, names: Sequence[str], entities: Sequence[Entity], column: str, value: str
) -> dict[GroupKey, Sparse]:
    """The counts above zero, with the code of their entity, by group."""
    counted = counted.filter(pl.col(value) > 0)
    if names:
        codes = pl.DataFrame(list(entities), schema=[(name, pl.String) for name in names], orient="row")
        codes = codes.with_columns(entity=pl.int_range(pl.len()))
        counted = counted.join(codes, on=names)
    else:
        counted = counted.with_columns(entity=pl.lit(0))
    parts = collected_by_group(counted.sort(*GROUP), "entity", column, value)
    return {
        key: Sparse(arrays["entity"].astype(np.intp), arrays[column].astype(np.intp), arrays[value].astype(np.float64))
        for key, arrays in parts.items()
    }
