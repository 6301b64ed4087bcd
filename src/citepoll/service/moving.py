"""Citations won, lost and kept over cycles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from citepoll.errors import SliceError
from citepoll.explain.halflife import HalfLife, half_life, stays
from citepoll.explain.movement import Cited, Moved, moved
from citepoll.measure.found import plain
from citepoll.model import Estimate, Row, Slice, SliceResult
from citepoll.project import Project
from citepoll.service.cells import answers_to
from citepoll.service.deriving import derive
from citepoll.service.measuring import chosen, compared
from citepoll.store.ledger import Cycle, Ledger


@dataclass(frozen=True, slots=True)
class Movement:
    """What was won and lost between two cycles; `texts` holds the questions by id."""

    earlier: str
    later: str
    moved: tuple[Moved, ...]
    texts: dict[str, str]


@dataclass(frozen=True, slots=True)
class Decay:
    """How long citations stay, over the cycles named: of all pages, and of the tracked brand's own."""

    cycles: tuple[str, ...]
    absent: int
    every: HalfLife
    owned: HalfLife


def won_and_lost(project: Project, ledger: Ledger, earlier: str, later: str | None, at: datetime, *,
                 owner: str | None = None, where: str = "") -> Movement:  # fmt: skip
    """Citations won and lost between two cycles (`previous`: the one before the later), of one owner's pages or of all.

    Raises `SliceError` for cycles that cannot be compared, and for a filter on other fields than `WHERE_FIELDS`.
    """
    if owner is not None and owner not in (brands := [brand.name for brand in project.brands]):
        raise SliceError(f"There is no brand {owner!r}.", f"Brands here: {', '.join(brands)}.")
    first, second = compared(Slice(cycles=(later,) if later else (), compare=earlier), ledger)
    found = moved(*(_cited(project, ledger, cycle, at, where) for cycle in (first, second)))
    texts = {q.id: q.text for cycle in (first, second) for q in ledger.query_set(cycle).queries}
    return Movement(first.name, second.name, tuple(m for m in found if owner in (None, m.owner)), texts)


def decay(project: Project, ledger: Ledger, at: datetime, *, names: tuple[str, ...] = (), absent: int = 1,
          where: str = "", confidence: float = 0.95) -> Decay:  # fmt: skip
    """The half-life of a newly cited URL over the measurable cycles (or those named), with censoring handled.

    A cycle without a valid answer of a query on an engine ends no stay there, and begins none. Fewer than two cycles:
    null with its reason. Raises `SliceError` for a project without cycles, an unknown or open cycle, and a filter.
    """
    cycles = chosen(Slice(by=("cycle",), cycles=names), ledger)
    cited = _looked([_counted(project, ledger, cycle, at, where) for cycle in cycles], project.tracked.name)
    every, owned = (
        half_life(stays(*(rows[name].to_numpy() for name in STAY), absent=absent), confidence=confidence)
        for rows in (cited, cited.filter("ours"))
    )
    return Decay(tuple(c.name for c in cycles), absent, every, owned)


def read_movement(project: Project, ledger: Ledger, slice: Slice, at: datetime) -> SliceResult:
    """The rows of `movement`, the surest first: the part of answers that cite the URL, after less before."""
    later = slice.cycles[0] if slice.cycles else None
    found = won_and_lost(project, ledger, slice.compare or "previous", later, at, where=slice.where)
    asked = replace(slice, cycles=(found.later,), compare=found.earlier)
    return SliceResult(tuple(_moved_row(one) for one in found.moved), asked, (found.later,))


def read_half_life(project: Project, ledger: Ledger, slice: Slice, at: datetime) -> SliceResult:
    """The rows of `half_life`: of every page (brand is null), and of the tracked brand's own."""
    found = decay(project, ledger, at, names=slice.cycles, where=slice.where, confidence=slice.confidence)
    lives = ((None, found.every), (project.tracked.name, found.owned))
    rows = tuple(_life_row(brand, life, found) for brand, life in lives)
    return SliceResult(rows, replace(slice, cycles=found.cycles), found.cycles)


def _moved_row(one: Moved) -> Row:
    value = one.after / one.after_of - one.before / one.before_of
    evidence = {
        "words": f"{one.what}{'' if one.sure else ', perhaps by chance'}: "
        f"{one.before} of {one.before_of}, then {one.after} of {one.after_of}",
        **{name: getattr(one, name) for name in ("what", "sure", "before", "before_of", "after", "after_of")},
    }
    place = {"query": one.query_id, "engine": one.engine, "url": one.url, "brand": one.owner}
    return Row("movement", place, plain(value, n=one.before_of + one.after_of, n_queries=1), evidence=evidence)


def _life_row(brand: str | None, life: HalfLife, found: Decay) -> Row:
    method = "none" if life.value is None else "kaplan-meier"
    estimate = Estimate(
        life.value, life.low, life.high, "fixed_set", method, life.confidence, life.n, reason=life.reason
    )
    evidence = {
        "words": f"{life.n} stays that began in sight, {life.ended} ended",
        "cycles": list(found.cycles),
        "ended": life.ended,
        "absent": found.absent,
        "curve": [{key: getattr(s, key) for key in ("cycles", "value", "low", "high")} for s in life.curve],
    }
    return Row("half_life", {"brand": brand}, estimate, evidence=evidence)


STAY = ("key", "cycle", "look", "looks")
_CELL = ("query_id", "engine")


def _looked(counted: Sequence[tuple[pl.LazyFrame, pl.LazyFrame]], tracked: str) -> pl.DataFrame:
    """A row for each citation in each cycle, as `stays` wants it, and whether the page is `ours`.

    Over a year they are too many to hold as text: `key` is a hash of 64 bits, and two of a million fall together once in
    40 million projects. A look at a cell (query, engine) is a cycle with a valid answer of it.
    """
    cells = [
        _numbered(answers.select(_hash(_CELL, "cell")).unique().collect(), n) for n, (answers, _) in enumerate(counted)
    ]
    every = pl.concat(cells) if cells else pl.DataFrame(schema={"cell": pl.UInt64, "cycle": pl.Int16})
    look = pl.int_range(pl.len(), dtype=pl.Int16).over("cell")
    seen = every.with_columns(look=look, looks=pl.len().over("cell").cast(pl.Int16))
    ours = (pl.col("brand") == tracked).fill_null(False).alias("ours")
    found = pl.DataFrame(schema={"ours": pl.Boolean, "key": pl.UInt64, **dict.fromkeys(STAY[1:], pl.Int16)})
    for n, (_, cited) in enumerate(counted):
        rows = cited.select(ours, _hash((*_CELL, "url"), "key"), _hash(_CELL, "cell")).collect()
        here = rows.join(seen.filter(pl.col("cycle") == n), on="cell").select("ours", *STAY)
        found.vstack(here, in_place=True)
    return found


def _numbered(rows: pl.DataFrame, cycle: int) -> pl.DataFrame:
    return rows.with_columns(cycle=pl.lit(cycle, pl.Int16))


def _hash(names: Sequence[str], to: str) -> pl.Expr:
    return pl.struct(pl.col(*names).cast(pl.String)).hash().alias(to)


def _counted(
    project: Project, ledger: Ledger, cycle: Cycle, at: datetime, where: str
) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """The valid answers, and a row per (query, engine, URL) that they cite: the runs `n`, the page's owner."""
    built = derive(project, ledger, cycle, at)
    answers = answers_to(project, ledger, cycle, built, where).filter("valid").select("run_id", "query_id", "engine")
    first = built.table("citations").filter(pl.col("new_url")).select("run_id", "url", "brand")
    grouped = answers.join(first, on="run_id").group_by("query_id", "engine", "url")
    return answers, grouped.agg(n=pl.len(), brand=pl.col("brand").first())


def _cited(project: Project, ledger: Ledger, cycle: Cycle, at: datetime, where: str) -> Cited:
    answers, counted = _counted(project, ledger, cycle, at, where)
    rows = counted.collect()
    valid = answers.group_by("query_id", "engine").agg(n=pl.len()).collect()
    return Cited(
        runs={(q, e, u): n for q, e, u, n in rows.select("query_id", "engine", "url", "n").iter_rows()},
        valid={(q, e): n for q, e, n in valid.iter_rows()},
        owners=dict(rows.filter(pl.col("brand").is_not_null()).select("url", "brand").unique("url").iter_rows()),
    )
