"""What the emulator counts: calls, refusals, faults, answers and money, for each engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.emulator.prices import TICKS
from tests.emulator.wire import Usage


@dataclass(slots=True)
class Entry:
    """A reply that was made, and is charged. `final`: it ends an answer; `delivered` counts how often all of it was sent."""

    engine: str
    key: str
    id: str
    final: bool
    usage: Usage
    ticks: int
    delivered: int = 0

    def shown(self) -> dict[str, object]:
        return {
            "engine": self.engine,
            "key": self.key,
            "id": self.id,
            "final": self.final,
            "delivered": self.delivered,
            "charged_usd": self.ticks / TICKS,
        }


@dataclass(slots=True)
class Tally:
    """Of one engine. `refused` by kind, `faults` by name; `repeated`: replies given again without a charge."""

    calls: int = 0
    repeated: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    most_at_once: int = 0


class Counts:
    """All tallies and entries. Not safe for threads: the emulator holds a lock."""

    def __init__(self) -> None:
        self.tallies: dict[str, Tally] = {}
        self.entries: list[Entry] = []

    def of(self, engine: str) -> Tally:
        return self.tallies.setdefault(engine, Tally())

    def state(self) -> dict[str, object]:
        """`engines`: each with its counts; `total`: over all. Money in US dollars."""
        by_engine: dict[str, list[Entry]] = {engine: [] for engine in self.tallies}
        for entry in self.entries:
            by_engine[entry.engine].append(entry)
        engines = {engine: self._shown(self.tallies[engine], found) for engine, found in sorted(by_engine.items())}
        return {"engines": engines, "total": self._total()}

    def _shown(self, tally: Tally, entries: list[Entry]) -> dict[str, object]:
        return {
            "calls": tally.calls,
            "repeated": tally.repeated,
            "refused": dict(tally.refused),
            "faults": dict(tally.faults),
            "most_at_once": tally.most_at_once,
            **summed(entries),
        }

    def _total(self) -> dict[str, object]:
        calls = sum(tally.calls for tally in self.tallies.values())
        refused = sum(sum(tally.refused.values()) for tally in self.tallies.values())
        return {"calls": calls, "refused": refused, **summed(self.entries)}


def summed(entries: Iterable[Entry]) -> dict[str, object]:
    """`finished` answers, `lost` ones among them (made and charged, never sent whole), usage, and what was charged.

    `legs` are replies on the way to an answer: a paused turn, a page with a token, a task set.
    """
    every = list(entries)
    final = [entry for entry in every if entry.final]
    return {
        "finished": len(final),
        "lost": sum(1 for entry in final if not entry.delivered),
        "legs": len(every) - len(final),
        "input_tokens": sum(entry.usage.input for entry in every),
        "output_tokens": sum(entry.usage.output for entry in every),
        "searches": sum(entry.usage.searches for entry in every),
        "charged_usd": sum(entry.ticks for entry in every) / TICKS,
        "lost_usd": sum(entry.ticks for entry in every if not entry.delivered) / TICKS,
    }
