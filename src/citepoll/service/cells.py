"""The answers of one cycle by engine and query: what gaps, opportunities, experiments and views count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from citepoll.errors import SliceError
from citepoll.measure.question import QUERY_FIELDS, Question, expression, kept_queries
from citepoll.measure.slices import Filter, parse_where
from citepoll.model import Query, Slice
from citepoll.project import Project
from citepoll.report.numbers import noun
from citepoll.service.deriving import derive
from citepoll.service.measuring import chosen, query_frame
from citepoll.store.derived import Built
from citepoll.store.ledger import Cycle, Ledger

Counts = Mapping[tuple[str, str], tuple[int, Mapping[str, int]]]
"""(engine, query id) → valid answers, and for each brand the answers that cite it."""

WHERE_FIELDS = (*QUERY_FIELDS, "engine", "run")


@dataclass(frozen=True, slots=True)
class Cells:
    """The answers to a cycle's queries that name no brand of the project, under filters.

    `requests` holds the answers of every status, `answers` the valid ones, with engine, query_id and status as text.
    `queries` stand in the order of their set, `branded_out` were left out, `engines` are those of the cycle that the
    filters leave.
    """

    cycle: Cycle
    built: Built
    queries: tuple[Query, ...]
    engines: tuple[str, ...]
    branded_out: int
    requests: pl.LazyFrame
    answers: pl.LazyFrame
    counts: Counts


def newest(ledger: Ledger, name: str | None) -> Cycle:
    """The cycle of that name, or the newest measurable one. Raises `SliceError` where there is none, or it is open."""
    return chosen(Slice(cycles=(name,) if name else ()), ledger)[0]


def read_cells(project: Project, ledger: Ledger, cycle: Cycle, at: datetime, where: str = "") -> Cells:
    """Count the answers of a cycle. Raises `SliceError` for a filter on another field than `WHERE_FIELDS`."""
    filters = checked(where, WHERE_FIELDS)
    built = derive(project, ledger, cycle, at)
    frame = query_frame(project, ledger, (cycle,))
    kept = fitting(frame, filters)
    named_branded = any(f.field == "branded" for f in filters)
    shown = kept if named_branded else kept.filter(~pl.col("branded"))
    queries = _queries(ledger, cycle, shown["query_id"].to_list())
    requests = _requests(built, queries, filters)
    answers = requests.filter("valid")
    engines = tuple(
        e.name for e in ledger.engines(cycle)
        if not pl.DataFrame({"engine": [e.name]}).filter(*_on(filters, "engine")).is_empty()
    )  # fmt: skip
    return Cells(cycle, built, queries, engines, kept.height - shown.height, requests, answers, count(answers, built))


def kept_out(branded: int) -> tuple[str, ...]:
    """The warning that so many queries name a brand and do not count; none for 0."""
    if not branded:
        return ()
    return (f"{noun(branded, 'query names', 'queries name')} a brand of the project: left out",)


def answers_to(project: Project, ledger: Ledger, cycle: Cycle, built: Built, where: str) -> pl.LazyFrame:
    """The answers of every status to a cycle's queries, branded ones included, under filters on `WHERE_FIELDS`."""
    filters = checked(where, WHERE_FIELDS)
    answers = built.table("answers").filter(*_on(filters, "engine"), *_on(filters, "run"))
    if not any(found.field in QUERY_FIELDS for found in filters):
        return answers
    asked = fitting(query_frame(project, ledger, (cycle,)), filters).lazy().select("query_id")
    return answers.with_columns(pl.col("query_id").cast(pl.String)).join(asked, on="query_id", how="semi")


def checked(where: str, fields: Iterable[str]) -> tuple[Filter, ...]:
    """The filters of `where`, all on `fields`. Raises `SliceError` otherwise."""
    filters = parse_where(where)
    for found in filters:
        if found.field not in fields:
            raise SliceError(f"The filter {where!r} is on {found.field}.", f"Filter here on {', '.join(fields)}.")
    return filters


def fitting(queries: pl.DataFrame, filters: tuple[Filter, ...]) -> pl.DataFrame:
    """The rows of a query frame that the filters on questions leave."""
    return kept_queries(Question(Slice(), filters, (), (), (), ()), queries)


def count(answers: pl.LazyFrame, built: Built, *, earned: bool = False) -> Counts:
    """The counts of these valid answers by engine and query; with `earned`, citations of others in its passages too."""
    shown = (pl.col("slots") > 0) | pl.col("earned").fill_null(False) if earned else pl.col("slots") > 0
    valid = answers.group_by("engine", "query_id").agg(n=pl.len()).collect()
    cited = (
        answers.join(built.table("hits").filter(shown), on="run_id")
        .group_by("engine", "query_id", pl.col("brand").cast(pl.String))
        .agg(k=pl.len())
        .sort("brand")
        .collect()
    )
    brands: dict[tuple[str, str], dict[str, int]] = {}
    for engine, query, brand, k in cited.iter_rows():
        brands.setdefault((engine, query), {})[brand] = k
    return {(engine, query): (n, brands.get((engine, query), {})) for engine, query, n in valid.iter_rows()}


def _queries(ledger: Ledger, cycle: Cycle, ids: list[str]) -> tuple[Query, ...]:
    wanted = set(ids)
    return tuple(q for q in ledger.query_set(cycle).queries if q.id in wanted) if cycle.set_hash else ()


def _requests(built: Built, queries: tuple[Query, ...], filters: tuple[Filter, ...]) -> pl.LazyFrame:
    answers = built.table("answers").filter(*_on(filters, "engine"), *_on(filters, "run"))
    ids = pl.LazyFrame({"query_id": [q.id for q in queries]}, schema={"query_id": pl.String})
    texts = answers.with_columns(pl.col("engine", "query_id", "status").cast(pl.String))
    return texts.join(ids, on="query_id", how="semi")


def _on(filters: tuple[Filter, ...], field: str) -> list[pl.Expr]:
    return [expression(f, field) for f in filters if f.field == field]
