"""The answers that a question looks at, in groups: what stands under every share, and what to warn of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from citepoll.measure.bounds import Floats
from citepoll.measure.context import Frames
from citepoll.measure.question import QUERY_FIELDS, Question, collected, expression, kept_queries
from citepoll.measure.tallies import answer_tallies, excluded_tallies

Value: TypeAlias = str | int | bool | None
GroupKey: TypeAlias = tuple[int, str]

GROUP = ("family", "engine")
COUNTED = ("requests", "valid", "triggerable")
COLUMNS = ("run_id", "cycle", "engine", "query_id", "run", "status", "valid", "slots", "unresolved", "spans", "day")


@dataclass(frozen=True, slots=True)
class Group:
    """The answers of one engine in a family. Arrays of `counts` run over the family's queries, those of answers over
    the valid answers, by query: `position` is the query of each, `slots` its citations.

    `unplaced` answers have citations, and nothing says which passage carries which; `citing` have citations.
    `failed` is the part of the requests that failed or were not completed; `least_runs` the fewest requests of a query.
    """

    engine: str
    counts: Mapping[str, Floats]
    position: NDArray[np.intp]
    slots: Floats
    excluded: Mapping[str, int] = field(default_factory=dict)
    citing: int = 0
    unplaced: int = 0
    failed: float = 0.0
    least_runs: int = 0
    days: int | None = None

    @property
    def runs(self) -> Floats:
        return self.counts["valid"]


@dataclass(frozen=True, slots=True)
class Family:
    """Groups that differ by engine only. `dimensions` are the other fields on answers that `by` names."""

    index: int
    dimensions: Mapping[str, Value]
    cycle: str | None
    groups: Mapping[str, Group]


@dataclass(frozen=True, slots=True)
class Scope:
    """`answers`: one row a request, with family, engine, position (of the query in its family), answer (place among the
    valid answers of its group, null for the others). `queries` could be asked, `branded_out` were not."""

    answers: pl.DataFrame
    families: tuple[Family, ...]
    queries: pl.DataFrame
    branded_out: int


def build_scope(question: Question, frames: Frames, queries: pl.DataFrame, *, branded: bool) -> Scope:
    """The answers of a question, with or without the branded queries, in families and groups.

    Every family has a group for every engine of the question, every cycle a family: empty ones give no estimate.
    """
    kept = kept_queries(question, queries)
    out = kept.filter("branded") if not branded else kept.clear()
    answers = _selected(question, frames, kept, out)
    dimensions = _family_dimensions(question, answers, queries)
    answers = _placed(answers, question, dimensions)
    sizes: dict[int, int] = dict(answers.group_by("family").agg(pl.col("position").max() + 1).iter_rows())
    groups = _groups(answers, sizes)
    families = tuple(
        Family(
            index,
            values,
            _cycle(question, values),
            {e: groups.get((index, e)) or _empty(e, sizes.get(index, 0)) for e in question.engines},
        )
        for index, values in enumerate(dimensions)
    )
    return Scope(answers, families, kept.join(out, on="query_id", how="anti"), out.height)


def _selected(question: Question, frames: Frames, kept: pl.DataFrame, out: pl.DataFrame) -> pl.DataFrame:
    """The answers that the filters leave, with the attributes of their queries."""
    answers = frames.answers.lazy().filter(
        pl.col("cycle").is_in(list(question.cycles)), pl.col("engine").is_in(list(question.engines))
    )
    for found in question.on("run"):
        answers = answers.filter(expression(found, "run"))
    if not out.is_empty():
        answers = answers.join(out.lazy(), on="query_id", how="anti")
    attributes = [name for name in question.answer_dimensions if name in QUERY_FIELDS and name != "query"]
    asked = kept.lazy().select("query_id", *attributes)
    answers = answers.join(asked, on="query_id", how="inner" if question.on(*QUERY_FIELDS) else "left")
    return collected(answers.select(*COLUMNS, *attributes).rename({"query_id": "query"}))


def _cycle(question: Question, dimensions: Mapping[str, Value]) -> str | None:
    if "cycle" in dimensions:
        return str(dimensions["cycle"])
    return question.cycles[0] if question.cycles else None


def _family_dimensions(question: Question, answers: pl.DataFrame, queries: pl.DataFrame) -> list[dict[str, Value]]:
    """What each family stands for, sorted: cycles from old to new, queries as in their set, the rest by name."""
    fields = question.answer_dimensions
    if not fields:
        return [{}]
    found = answers.select(fields).unique().to_dicts()
    seen = {values.get("cycle") for values in found}
    if "cycle" in fields:
        found += [dict.fromkeys(fields) | {"cycle": cycle} for cycle in question.cycles if cycle not in seen]
    place = {"cycle": _places(question.cycles), "query": _places(queries["query_id"].to_list())}

    def order(values: Mapping[str, Value]) -> list[tuple[bool, Value]]:
        return [(v is None, place[f].get(v, -1) if f in place else v) for f, v in values.items()]

    return sorted(found, key=order) or [dict.fromkeys(fields)]


def _places(names: Sequence[str]) -> dict[Value, int]:
    return {name: index for index, name in enumerate(names)}


def _placed(answers: pl.DataFrame, question: Question, dimensions: list[dict[str, Value]]) -> pl.DataFrame:
    """The answers with their family, the position of their query in it, and their place in their group."""
    fields = question.answer_dimensions
    if fields:
        schema = {name: answers.schema[name] for name in fields}
        index = pl.DataFrame(dimensions, schema=schema).with_row_index("family")
        answers = answers.join(index, on=fields, how="left", nulls_equal=True)
    else:
        answers = answers.with_columns(family=pl.lit(0, pl.UInt32))
    position = pl.col("query").rank("dense").over("family").cast(pl.Int64) - 1
    answers = answers.with_columns(position=position).sort(*GROUP, "position", "run_id")
    place = pl.col("valid").cast(pl.Int64).cum_sum().over(GROUP) - 1
    return answers.with_columns(answer=pl.when("valid").then(place))


def _groups(answers: pl.DataFrame, sizes: Mapping[int, int]) -> dict[GroupKey, Group]:
    tally = answer_tallies(answers, [*GROUP, "position"]).sort(*GROUP)
    valid = answers.filter("valid")
    excluded = collected_by_group(excluded_tallies(answers, GROUP).sort(*GROUP, "status"), "status", "excluded")
    counts = collected_by_group(tally, "position", *COUNTED)
    places = collected_by_group(valid, "position", "slots")
    none = {"position": np.zeros(0, dtype=np.int64), "slots": np.zeros(0)}
    return {
        (family, engine): Group(
            engine=engine,
            counts={name: _spread(counts[family, engine], name, sizes[family]) for name in COUNTED},
            position=places.get((family, engine), none)["position"],
            slots=places.get((family, engine), none)["slots"].astype(np.float64),
            excluded=_by_status(excluded.get((family, engine), {})),
            least_runs=int(counts[family, engine]["requests"].min()),
            **facts,
        )
        for family, engine, facts in _facts(answers)
    }


def _facts(answers: pl.DataFrame) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """What one pass over the answers tells of each group."""
    citing = pl.col("valid") & (pl.col("slots") > 0)
    rows = answers.group_by(*GROUP).agg(
        citing=citing.sum(),
        unplaced=(citing & ~pl.col("spans")).sum(),
        failed=pl.col("status").is_in(["failed", "deferred"]).mean(),
        days=pl.col("day").filter("valid").drop_nulls().n_unique(),
    )
    for row in rows.iter_rows(named=True):
        family, engine = row.pop("family"), row.pop("engine")
        yield family, engine, row | {"days": row["days"] or None}


def _by_status(columns: Mapping[str, NDArray[Any]]) -> dict[str, int]:
    return {str(s): int(n) for s, n in zip(columns["status"], columns["excluded"], strict=True)} if columns else {}


def _empty(engine: str, size: int) -> Group:
    return Group(engine, {name: np.zeros(size) for name in COUNTED}, np.zeros(0, dtype=np.intp), np.zeros(0))


def _spread(columns: Mapping[str, NDArray[Any]], name: str, size: int) -> Floats:
    """A column of a tally over all queries of a family."""
    values = np.zeros(size)
    values[columns["position"]] = columns[name]
    return values


def collected_by_group(frame: pl.DataFrame, *columns: str) -> dict[GroupKey, dict[str, NDArray[Any]]]:
    """Columns of a frame, sorted by group, as arrays of each group."""
    arrays = {name: frame[name].to_numpy() for name in columns}
    parts: dict[GroupKey, dict[str, NDArray[Any]]] = {}
    start = 0
    for family, engine, length in frame.group_by(*GROUP, maintain_order=True).len().iter_rows():
        parts[family, engine] = {name: array[start : start + length] for name, array in arrays.items()}
        start += length
    return parts
