"""A cycle beside the ones before it, as a report shows them: what changed, the trend, and where it is broken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from citepoll.model import Slice, SliceResult
from citepoll.project import Project
from citepoll.report.data import Break
from citepoll.service.measuring import differences, measurable, measure, read_frames, set_warnings
from citepoll.store.ledger import Cycle, Ledger

WORDS: Mapping[str, str] = {
    "the model inside": "another model",
    "the locale": "another locale",
    "the engine's settings": "other settings",
}
"""How a difference between two cycles begins, and the word for it in a picture; failed runs have none."""


HEADLINE = Slice()
"""Share of citation by brand and engine, both targets."""


@dataclass(frozen=True, slots=True)
class Past:
    """`changes` since the newest comparable cycle, the `trend` over all of them; None in a first cycle."""

    changes: SliceResult | None = None
    trend: SliceResult | None = None
    breaks: tuple[Break, ...] = ()


def past(
    project: Project,
    ledger: Ledger,
    cycle: Cycle,
    at: datetime,
    *,
    question: Slice = HEADLINE,
    newest: int | None = None,
) -> Past:
    """Share of citation of a cycle against its past: the cycles before it with an engine and a query in common.

    `question` may ask for another metric, one target, or an earlier cycle to compare with; `newest` bounds the trend to
    so many cycles. Raises `SliceError` for an unknown name.
    """
    line = [*comparable(ledger, cycle), cycle]
    if len(line) < 2:
        return Past()
    asked = replace(question, cycles=(cycle.name,), compare=question.compare or line[-2].name)
    line = line[-newest:] if newest else line
    over = replace(asked, by=("brand", "cycle", "engine"), compare=None, cycles=tuple(c.name for c in line))
    return Past(
        changes=measure(project, ledger, asked, at),
        trend=measure(project, ledger, over, at),
        breaks=tuple(_breaks(project, ledger, line, at)),
    )


def comparable(ledger: Ledger, cycle: Cycle) -> tuple[Cycle, ...]:
    """The measurable cycles before this one with an engine and a query in common, the oldest first."""
    names, queries = _asked(ledger, cycle)
    before = [(c, *_asked(ledger, c)) for c in measurable(ledger) if c.place < cycle.place]
    return tuple(c for c, engines, asked in before if names & engines and queries & asked)


def _asked(ledger: Ledger, cycle: Cycle) -> tuple[set[str], set[str]]:
    queries = ledger.query_set(cycle).queries if cycle.set_hash else ()
    return {engine.name for engine in ledger.engines(cycle)}, {query.id for query in queries}


def _breaks(project: Project, ledger: Ledger, cycles: Sequence[Cycle], at: datetime) -> Iterator[Break]:
    frames = read_frames(project, ledger, cycles, at)
    for earlier, later, found in differences(ledger, frames, cycles):
        for text in set_warnings(ledger, earlier, later):
            yield Break(later.name, "another query set", text, severs=True)
        for engine, texts in sorted(found.items()):
            for text in texts:
                word = next((word for start, word in WORDS.items() if text.startswith(start)), None)
                if word:
                    yield Break(later.name, word, f"{later.name}: {text}", engine)
