"""A slice resolved against a project: which cycles, engines and brands, by what, under which filters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import polars as pl

from citepoll.measure.context import Context, Table
from citepoll.measure.metrics import ENTITY_FIELDS, METRICS
from citepoll.measure.slices import Filter, entities_of, known, validate
from citepoll.model import Slice, Target, normal_text

QUERY_FIELDS: tuple[str, ...] = ("query", "topic", "intent", "language", "market", "branded")
"""Fields that the queries table holds; the other fields on answers are columns of the answers table."""


@dataclass(frozen=True, slots=True)
class Question:
    """`by` holds every dimension, engine among them; `brands` those shown; `engines` and `cycles` those looked at."""

    slice: Slice
    filters: tuple[Filter, ...]
    by: tuple[str, ...]
    cycles: tuple[str, ...]
    engines: tuple[str, ...]
    brands: tuple[str, ...]

    @property
    def targets(self) -> tuple[Target, ...]:
        return ("fixed_set", "category") if self.slice.target == "both" else (self.slice.target,)

    @property
    def answer_dimensions(self) -> tuple[str, ...]:
        """The dimensions that say which answers are looked at, but for the engine."""
        return tuple(field for field in self.by if field not in ENTITY_FIELDS and field != "engine")

    def dimensions(self, metric: str) -> tuple[str, ...]:
        """The dimensions of this metric's rows, in the order of `by`."""
        entities = self.entities(metric)
        return tuple(field for field in self.by if field not in ENTITY_FIELDS or field in entities)

    def entities(self, metric: str) -> tuple[str, ...]:
        return entities_of(metric, self.by)

    def on(self, *fields: str) -> tuple[Filter, ...]:
        """The filters on these fields."""
        return tuple(f for f in self.filters if f.field in fields)

    def names(self, field: str) -> bool:
        return field in self.slice.by or bool(self.on(field))

    def keeps_branded(self, metric: str) -> bool:
        """Branded queries stay in where `by` or `where` names them, and in metrics without a brand in their rows."""
        return self.names("branded") or "brand" not in self.entities(metric)

    def column(self, field: str) -> str:
        """The column of citations that holds an entity field."""
        if field == "domain" and not self.slice.private_suffixes:
            return "domain_icann"
        return "level" if field == "citation_level" else field


def resolve(slice: Slice, context: Context, queries: pl.DataFrame) -> Question:
    """The question that `slice` asks of a project. Raises `SliceError` for any name that is not known.

    Without cycles it is the newest one, or all where `by` or `where` names the cycle. Engine is always a dimension, and
    so is the cycle where there are several; brand, where a metric has brands and `by` has no other entity.
    """
    filters = validate(slice)
    _check_names(filters, slice, context, queries)
    about_cycles = "cycle" in slice.by or any(f.field == "cycle" for f in filters)
    cycles = slice.cycles or (tuple(context.cycles) if about_cycles else tuple(context.cycles)[-1:])
    cycles = _kept([cycle for cycle in context.cycles if cycle in cycles], filters, "cycle")
    by = _dimensions(slice, len(cycles) > 1)
    return Question(
        slice=replace(slice, by=by, cycles=cycles),
        filters=filters,
        by=by,
        cycles=cycles,
        engines=_kept(context.engines, filters, "engine"),
        brands=_kept(context.ordered_brands, filters, "brand"),
    )


def expression(found: Filter, column: str) -> pl.Expr:
    """The filter on a column. A null is unequal to everything, contains nothing and is neither more nor less."""
    numeric = found.field in ("run", "branded")
    value = pl.col(column) if numeric else pl.col(column).cast(pl.String)
    first = pl.lit(found.values[0])
    if found.op == "in":
        return value.is_in(list(found.values))
    if found.op == "~":
        return value.str.to_lowercase().str.contains(first.str.to_lowercase(), literal=True)
    comparisons = {
        "=": value.eq, "!=": value.ne_missing, "<": value.lt, "<=": value.le, ">": value.gt, ">=": value.ge,
    }  # fmt: skip
    return comparisons[found.op](first)


def kept_queries(question: Question, queries: pl.DataFrame) -> pl.DataFrame:
    """The queries that the filters on questions leave."""
    for found in question.on(*QUERY_FIELDS):
        queries = queries.filter(_query_expression(found) if found.field == "query" else expression(found, found.field))
    return queries


def collected(table: Table) -> pl.DataFrame:
    return table.collect(engine="streaming") if isinstance(table, pl.LazyFrame) else table


def _query_expression(found: Filter) -> pl.Expr:
    """A query is named by its text or its id; ~ looks into the text."""
    if found.op == "~":
        return expression(found, "text")
    text = replace(found, values=tuple(normal_text(str(value)) for value in found.values))
    by_id, by_text = expression(found, "query_id"), expression(text, "text")
    return by_id & by_text if found.op == "!=" else by_id | by_text


def _dimensions(slice: Slice, several_cycles: bool) -> tuple[str, ...]:
    by = list(slice.by)
    per_brand = any(METRICS[metric].per_brand for metric in slice.metrics)
    if per_brand and not set(by) & set(ENTITY_FIELDS):
        by.insert(0, "brand")
    if "engine" not in by:
        by.append("engine")
    if several_cycles and "cycle" not in by:
        by.append("cycle")
    return tuple(by)


def _kept(names: Iterable[str], filters: Iterable[Filter], field: str) -> tuple[str, ...]:
    table = pl.DataFrame({field: list(names)}, schema={field: pl.String})
    for found in filters:
        if found.field == field:
            table = table.filter(expression(found, field))
    return tuple(table[field].to_list())


def _check_names(filters: Iterable[Filter], slice: Slice, context: Context, queries: pl.DataFrame) -> None:
    closed: dict[str, Iterable[str]] = {
        "brand": context.ordered_brands, "engine": context.engines, "cycle": context.cycles,
    }  # fmt: skip
    for found in filters:
        if found.field in ("topic", "intent", "language", "market"):
            closed[found.field] = queries[found.field].drop_nulls().unique().sort().cast(pl.String).to_list()
        if found.field in closed:
            for name in found.names:
                known(found.field, str(name), closed[found.field])
    for cycle in slice.cycles:
        known("cycle", cycle, context.cycles)
