"""Citations won, lost and kept over cycles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from citepoll.errors import SliceError
from citepoll.explain.halflife import HalfLife, half_life, spells
from citepoll.explain.movement import Cited, Moved, moved, stays
from citepoll.model import Slice
from citepoll.project import Project
from citepoll.service.deriving import derive
from citepoll.service.measuring import compared, measurable
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
                 owner: str | None = None) -> Movement:  # fmt: skip
    """Citations won and lost between two cycles (`previous`: the one before the later), of one owner's pages or of all.

    Raises `SliceError` for cycles that cannot be compared.
    """
    if owner is not None and owner not in (brands := [brand.name for brand in project.brands]):
        raise SliceError(f"There is no brand {owner!r}.", f"Brands here: {', '.join(brands)}.")
    first, second = compared(Slice(cycles=(later,) if later else (), compare=earlier), ledger)
    found = moved(_cited(project, ledger, first, at), _cited(project, ledger, second, at))
    texts = {q.id: q.text for cycle in (first, second) for q in ledger.query_set(cycle).queries}
    return Movement(first.name, second.name, tuple(m for m in found if owner in (None, m.owner)), texts)


def decay(project: Project, ledger: Ledger, at: datetime, *, names: tuple[str, ...] = (), absent: int = 1) -> Decay:
    """The half-life of a newly cited URL over the measurable cycles (or those named), with censoring handled.

    Fewer than two cycles: null with its reason. Raises `SliceError` for an unknown cycle.
    """
    wanted = [ledger.cycle(name).name for name in names]
    cycles = [c for c in measurable(ledger) if not wanted or c.name in wanted]
    cited = [_cited(project, ledger, cycle, at) for cycle in cycles]
    every, owned = (half_life(spells(stays(cited, owner), absent=absent)) for owner in (None, project.tracked.name))
    return Decay(tuple(c.name for c in cycles), absent, every, owned)


def _cited(project: Project, ledger: Ledger, cycle: Cycle, at: datetime) -> Cited:
    built = derive(project, ledger, cycle, at)
    answers = built.table("answers").filter(pl.col("valid")).select("run_id", "query_id", "engine")
    first = built.table("citations").filter(pl.col("new_url")).select("run_id", "url", "brand")
    counted = answers.join(first, on="run_id").group_by("query_id", "engine", "url")
    rows = counted.agg(n=pl.len(), brand=pl.col("brand").first()).collect()
    valid = answers.group_by("query_id", "engine").agg(n=pl.len()).collect()
    return Cited(
        runs={(q, e, u): n for q, e, u, n in rows.select("query_id", "engine", "url", "n").iter_rows()},
        valid={(q, e): n for q, e, n in valid.iter_rows()},
        owners=dict(rows.filter(pl.col("brand").is_not_null()).select("url", "brand").unique("url").iter_rows()),
    )
