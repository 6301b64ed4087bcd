"""What an alert says: what happened, how sure that is, and the command that shows the evidence. Words only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from shlex import quote
from typing import Final, Literal

from citepoll.measure.losses import Loss
from citepoll.measure.verdicts import REAL
from citepoll.model import Row
from citepoll.report.numbers import count, money, noun, percent, share
from citepoll.report.printable import one_line

Kind = Literal["change", "loss", "engine", "budget", "late"]

STATES: Final[frozenset[Kind]] = frozenset({"engine", "late"})
"""What lasts: told again only after it was over."""

BY_CHANCE: Final = f"had nothing changed, at most {REAL * 100:.0f} of 100 cycles would raise one"
TRIED: Final = "3 of 500 did, polling the local engine twice for 18 engines × brands"
"""Counted by bench/aa.py (p_mover, any of the 18); docs/methodology.md has the table."""

RATES: Final[Mapping[Kind, str]] = {
    "change": f"False alarms among changes: {BY_CHANCE}; {TRIED}.",
    "loss": f"False alarms among lost citations: {BY_CHANCE}.",
}
"""How often an alert of a kind is false; kinds that are counted, not tested, are not listed."""

KINDS: Final[Mapping[Kind, tuple[str, str]]] = {
    "change": (
        "A share of citation changed",
        "The change since the last comparable cycle passes the test, after Benjamini–Hochberg over all engines × brands. "
        f"{RATES['change']}",
    ),
    "loss": (
        "A citation was lost on a watched query",
        "Answers to a watched query cited the brand before and none does now, on an engine or on all together, and chance is "
        f"ruled out after Benjamini–Hochberg over all that could have shown it. {RATES['loss']}",
    ),
    "engine": (
        "An engine is down",
        "It stopped with runs left to ask, or more than 10 % of its runs failed. Told again only after a cycle in which it "
        "was well.",
    ),
    "budget": ("The budget is near its end", "80 % of what a cycle, or an engine in it, may cost are spent."),
    "late": (
        "No new cycle",
        "No cycle began though one was due by the schedule or the cadence, and a day of grace is over.",
    ),
}
"""Kind → what it is called, and when it is raised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing worth a message. `key` is what it is about, so that it is told once a cycle; `query` is an id.

    `earlier` is the cycle that this one was compared with, `command` shows the evidence.
    """

    kind: Kind
    key: str
    cycle: str
    title: str
    sentences: tuple[str, ...]
    command: str
    earlier: str | None = None
    engine: str | None = None
    brand: str | None = None
    query: str | None = None


def of_change(row: Row, cycle: str, earlier: str, looked_at: int) -> Notice:
    """A row whose change is real, among so many that were tested."""
    brand, engine = _name(row.dimensions["brand"]), _name(row.dimensions["engine"])
    return Notice(
        kind="change",
        key=f"change {row.dimensions['brand']} {row.dimensions['engine']}",
        cycle=cycle,
        earlier=earlier,
        engine=str(row.dimensions["engine"]),
        brand=str(row.dimensions["brand"]),
        title=f"{brand} on {engine}{' (simulated)' if row.simulated else ''}: {row.verdict}",
        sentences=tuple(_change_sentences(row, cycle, earlier, looked_at)),
        command=f"citepoll compare {quote(earlier)} {quote(cycle)}",
    )


def _change_sentences(row: Row, cycle: str, earlier: str, looked_at: int) -> Iterator[str]:
    if row.change is not None:
        yield (
            f"Share of citation: {share(row.change.before)} in {earlier}, {share(row.change.after)} in {cycle}, on the "
            f"{noun(row.change.n_queries, 'query', 'queries')} with answers in both."
        )
        yield from (f"Mind that {text}." for text in row.change.warnings)
    yield f"It passed among {noun(looked_at, 'comparison')} of engines × brands, after Benjamini–Hochberg."


def of_loss(loss: Loss, brand: str, query: tuple[str, str], engine: str | None, cycle: str, earlier: str) -> Notice:
    """A citation of `brand` that is gone; `query` is id and text, `engine` None where all together have lost it."""
    asked = one_line(query[1], 120)
    where = _name(engine) if engine else "all engines together"
    return Notice(
        kind="loss",
        key=f"loss {brand} {engine or ''} {query[0]}",
        cycle=cycle,
        earlier=earlier,
        engine=engine,
        brand=brand,
        query=query[0],
        title=f"Citation lost: “{asked}” on {where}",
        sentences=(
            f"{_name(brand)} was cited in {count(loss.before)} of {noun(loss.before_of, 'answer')} in {earlier}, and in none "
            f"of {count(loss.now_of)} in {cycle}.",
            f"The chance of that, had nothing changed: {_chance(loss.p)}, and {_chance(loss.adjusted)} among the "
            f"{noun(loss.looked_at, 'place')} where the answers could have shown a loss, after Benjamini–Hochberg.",
        ),
        command=f"citepoll answers --cycle {quote(cycle)} --query {quote(asked)}",
    )


def of_engine(engine: str, cycle: str, *, failed: int, unasked: int, planned: int, last: str | None) -> Notice:
    """An engine that failed in `failed` of `planned` runs, or stopped with `unasked` ones; `last` is what it said."""
    parts = [f"{count(failed)} of {noun(planned, 'run')} failed ({percent(failed / planned)})"] if failed else []
    parts += [f"{noun(unasked, 'run was', 'runs were')} not asked any more"] if unasked else []
    said = (f"The last failure: {one_line(last, 200).rstrip('.')}.",) if last else ()
    return Notice(
        kind="engine", key=f"engine {engine}", cycle=cycle, engine=engine, title=f"Engine down: {_name(engine)}",
        sentences=(f"In {cycle}, {' and '.join(parts)}.", *said),
        command=f"citepoll answers --cycle {quote(cycle)} --engine {quote(engine)} --status failed",
    )  # fmt: skip


def of_budget(engine: str | None, cycle: str, spent: float, ceiling: float) -> Notice:
    """What a cycle, or one engine in it, has cost of what it may; US dollars."""
    whose = f" of {_name(engine)}" if engine else ""
    return Notice(
        kind="budget", key=f"budget {engine or ''}", cycle=cycle, engine=engine,
        title=f"The budget{whose} is near its end: {money(spent)} of {money(ceiling)}",
        sentences=(f"{percent(spent / ceiling)} are spent in {cycle}. No call is made that could pass the ceiling.",),
        command=f"citepoll cycles show {quote(cycle)}",
    )  # fmt: skip


def of_lateness(cycle: str, begun_at: datetime, due_at: datetime, at: datetime) -> Notice:
    """The newest cycle is that begun at `begun_at`, though another one was due."""
    return Notice(
        kind="late", key="late", cycle=cycle, title=f"No new cycle for {noun((at - begun_at).days, 'day')}",
        sentences=(f"The newest cycle, {cycle}, began on {begun_at:%Y-%m-%d}; one was due on {due_at:%Y-%m-%d}.",),
        command="citepoll health",
    )  # fmt: skip


def _name(value: object) -> str:
    return one_line(str(value), 60)


def _chance(p: float) -> str:
    return percent(p, 1) if p >= 0.001 else "under 0.1 %"
