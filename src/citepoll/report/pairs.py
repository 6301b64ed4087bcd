"""The two targets of one number, side by side: what a picture or a table shows as one mark."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from citepoll.model import Row, SliceResult

BLENDED = "blended"


@dataclass(frozen=True, slots=True)
class Pair:
    """The rows of one metric and one place in the slice; at least one of the two is there."""

    fixed_set: Row | None
    category: Row | None

    @property
    def main(self) -> Row:
        """The headline row: `fixed_set`, or `category` where only that was asked for."""
        row = self.fixed_set or self.category
        assert row is not None
        return row

    @property
    def dimensions(self) -> Mapping[str, str | int | bool | None]:
        return self.main.dimensions

    @property
    def engine(self) -> str:
        return str(self.dimensions.get("engine") or "")

    @property
    def brand(self) -> str:
        return str(self.dimensions.get("brand") or "")

    @property
    def is_blended(self) -> bool:
        return is_blended(self.engine)


def pairs(rows: Iterable[Row]) -> tuple[Pair, ...]:
    """Join the rows of both targets, in the order of first appearance."""
    places: dict[tuple[object, ...], dict[str, Row]] = {}
    for row in rows:
        key = (row.metric, *sorted(row.dimensions.items(), key=lambda item: item[0]))
        places.setdefault(key, {})[row.estimate.target] = row
    return tuple(Pair(found.get("fixed_set"), found.get("category")) for found in places.values())


def is_blended(engine: str) -> bool:
    """True for `blended` and for a blend within one kind of engine, as `blended (recorded)`."""
    return engine == BLENDED or engine.startswith(f"{BLENDED} (")


def engines(found: Iterable[Pair]) -> tuple[str, ...]:
    """The engines of the pairs in their order, blended ones last."""
    names = dict.fromkeys(pair.engine for pair in found)
    return tuple(sorted(names, key=is_blended))


def leading(found: Iterable[Pair], kinds: Mapping[str, str]) -> tuple[str, ...]:
    """Where a headline stands: the blended rows, then every engine that is in no blend.

    `kinds` maps an engine to its surface: `blended (recorded)` holds the recorded ones, `blended` alone holds all.
    """
    names = engines(found)
    blends = [name for name in names if is_blended(name)]
    held = {kind for name in blends for kind in blended_kinds(name)}
    if BLENDED in blends:
        return tuple(blends)
    return (*blends, *(name for name in names if not is_blended(name) and kinds.get(name) not in held))


def blended_kinds(engine: str) -> tuple[str, ...]:
    """The kinds that the name of a blend holds: `blended (api + ui)` gives api and ui; empty where it names none."""
    inner = engine.partition(" (")[2].rstrip(")")
    return tuple(inner.split(" + ")) if inner else ()


def dimension_names(result: SliceResult) -> tuple[str, ...]:
    """The dimensions of the rows in the slice's order; those a row adds follow."""
    names = dict.fromkeys(result.slice.by)
    for row in result.rows:
        names.update(dict.fromkeys(row.dimensions))
    used = {name for row in result.rows for name in row.dimensions}
    return tuple(name for name in names if name in used or not result.rows)


def dimension_values(row: Row, names: Iterable[str], result: SliceResult) -> dict[str, str | int | bool | None]:
    """The values of a row's dimensions; a query is its text, with its id beside it as `query_id`."""
    values: dict[str, str | int | bool | None] = {}
    for name in names:
        value = row.dimensions.get(name)
        values[name] = result.labels.get(value, value) if name == "query" and isinstance(value, str) else value
        if name == "query":
            values["query_id"] = value
    return values


def column_names(names: Iterable[str]) -> tuple[str, ...]:
    """The columns that `dimension_values` gives for these dimensions."""
    return tuple(column for name in names for column in (("query", "query_id") if name == "query" else (name,)))


def with_texts(result: SliceResult) -> SliceResult:
    """The same rows with each query's text in place of its id, for people to read."""
    if "query" not in result.slice.by:
        return result

    def read(row: Row) -> Row:
        asked = row.dimensions.get("query")
        return replace(row, dimensions={**row.dimensions, "query": result.labels.get(str(asked), str(asked))})

    return replace(result, rows=tuple(read(row) for row in result.rows))
