"""Rebuild: every derived table again from the raw answers, and what that changed, answer by answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from citepoll.project import Project
from citepoll.service.deriving import Step, derivation, derive
from citepoll.service.measuring import measurable
from citepoll.service.retaining import check_kept
from citepoll.store.derived import Built, Derived
from citepoll.store.erasing import dropped
from citepoll.store.ledger import Cycle, Ledger

COMPARED = ("slots", "first", "earned", "mentions", "denied")
"""The columns of `hits` that a diff looks at."""


@dataclass(frozen=True, slots=True)
class Change:
    """One fact about a brand in one answer that two versions see differently."""

    run_id: int
    engine: str
    query: str
    run: int
    brand: str
    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Changes:
    """A rebuilt cycle. `before` says when the version compared with was built; None where there was none."""

    cycle: str
    answers: int
    before: str | None
    answers_changed: tuple[Change, ...]


def rebuild(project: Project, ledger: Ledger, names: tuple[str, ...], at: datetime, *,
            step: Step | None = None) -> tuple[Changes, ...]:  # fmt: skip
    """Derive these cycles again (all measurable ones where none is named) and compare each with the version before.

    Those whose payloads were dropped are passed over; naming one raises `SliceError`.
    """
    cycles = [ledger.cycle(name) for name in names]
    for cycle in cycles:
        check_kept(ledger, cycle)
    gone = dropped(ledger)
    cycles = cycles or [cycle for cycle in measurable(ledger) if cycle.name not in gone]
    return tuple(_rebuilt(project, ledger, cycle, at, step) for cycle in cycles)


def _rebuilt(project: Project, ledger: Ledger, cycle: Cycle, at: datetime, step: Step | None) -> Changes:
    derived = Derived(project.data / "derived")
    versions = derived.versions(cycle)
    same = derived.find(cycle, derivation(project, ledger, cycle))
    before = next((v for v in reversed(versions) if same is None or v.hash != same.hash), same)
    earlier = _facts(before) if before else None
    known = before.table("answers").select("run_id").collect()["run_id"].to_list() if before else []
    built = derive(project, ledger, cycle, at, again=True, step=step)
    answers = built.table("answers").select(pl.len()).collect().item()
    if before is None or earlier is None:
        return Changes(cycle.name, answers, None, ())
    texts = {q.id: q.text for q in ledger.query_set(cycle).queries} if cycle.set_hash else {}
    return Changes(cycle.name, answers, before.built_at, tuple(_changes(earlier, _facts(built), built, known, texts)))


def _facts(built: Built) -> pl.DataFrame:
    hits = built.table("hits").select("run_id", "brand", *(pl.col(c).cast(pl.Int32) for c in COMPARED))
    return (
        hits.unpivot(index=["run_id", "brand"], variable_name="what")
        .filter(pl.col("value").fill_null(-1) != 0)
        .collect()
    )


def _changes(
    before: pl.DataFrame, after: pl.DataFrame, built: Built, known: list[int], texts: dict[str, str]
) -> list[Change]:
    """What differs in the answers that both versions hold (`known`)."""
    keys = ["run_id", "brand", "what"]
    both = before.join(after, on=keys, how="full", coalesce=True, suffix="_after")
    seen = (
        built.table("answers")
        .filter(pl.col("run_id").is_in(known))
        .select("run_id", "engine", "query_id", "run")
        .collect()
    )
    moved = (
        both.filter(pl.col("value").fill_null(0) != pl.col("value_after").fill_null(0))
        .join(seen, on="run_id", how="inner")
        .sort("run_id", "brand", "what")
    )
    return [
        Change(
            row["run_id"], row["engine"], texts.get(row["query_id"], row["query_id"]), row["run"], row["brand"],
            row["what"], _word(row["value"]), _word(row["value_after"]),
        )
        for row in moved.iter_rows(named=True)
    ]  # fmt: skip


def _word(value: int | None) -> str:
    return "0" if value is None else str(value)
