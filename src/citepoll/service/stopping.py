"""Ending an engine early: a look at its interval after each whole round, and the rest of its runs is never asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from citepoll.errors import InputError
from citepoll.measure.budgeting import FIRST_LOOK, Decision, stop_rule
from citepoll.model import VALID, Engine
from citepoll.project import FILE, Project
from citepoll.sampling.sampler import Event
from citepoll.service.deriving import observer_of, parse
from citepoll.service.measuring import brands_named
from citepoll.store.ledger import Cycle, Kept, Ledger
from citepoll.store.rounds import end_early, whole_rounds

_POINTS = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(pp|points?|%|)\s*", re.ASCII)


def points(text: str, option: str) -> float:
    """A number of points as a fraction: `5pp`, `5 %`, `5 points` and `0.05` are all .05.

    A bare number must be below 1, since 5 may mean 5 points or a slip. Raises `InputError` naming `option`.
    """
    found = _POINTS.fullmatch(text)
    if not found:
        raise InputError(f"{option} is {text!r}, not a number of points.", "Write 5pp, 5% or 0.05: all mean 5 points.")
    number = float(found[1])
    if not found[2] and number >= 1:
        raise InputError(f"{option} is {text!r}, without a unit.", f"Write {number:g}pp for {number:g} points.")
    value = number / 100.0 if found[2] else number
    if not 0 < value <= 1:
        raise InputError(f"{option} is {text!r}, not between 0 and 100 points.", "Write it like 5pp, 5% or 0.05.")
    return value


def check_caps(engines: Sequence[Engine], half_width: float | None) -> None:
    """Raises `InputError` for an engine with too few runs to be looked at, or a half-width above 50 points.

    None, no half-width, asks for nothing.
    """
    if half_width is None:
        return
    for engine in engines:
        if engine.runs < FIRST_LOOK:
            raise InputError(
                f"--stop-at looks after {FIRST_LOOK} rounds at the earliest, and {engine.name} has "
                f"{engine.runs} {'run' if engine.runs == 1 else 'runs'} a query, which is its cap.",
                f"Give it `runs = {FIRST_LOOK}` or more in {FILE} and begin a new cycle, or leave --stop-at away.",
            )
        stop_rule(half_width, cap=engine.runs)


class Looks:
    """Called after each round of a poll: ends the engines whose interval is narrow enough.

    What is looked at is the tracked brand's share of citation on the queries of the headline (those that name no
    brand), with its fixed-set interval. All state is in the ledger; answers are only remembered so as to be read once.
    """

    def __init__(
        self, project: Project, ledger: Ledger, cycle: Cycle, half_width: float, tell: Callable[[Event], None]
    ) -> None:
        self._ledger, self._cycle, self._half_width, self._tell = ledger, cycle, half_width, tell
        self._tracked = project.tracked.name
        self._observer = observer_of(project)
        named = brands_named(project.brands)
        self._texts = {q.id: q.text for q in ledger.query_set(cycle).queries if not named(q.text)}
        self._cites: dict[int, bool] = {}

    def __call__(self, round: int) -> bool:
        """Look after round `round`; returns whether any run is left to ask."""
        whole = whole_rounds(self._ledger, self._cycle) if round >= FIRST_LOOK else {}
        for engine in self._ledger.engines(self._cycle):
            if whole.get(engine.name) == round < engine.runs:
                self._look(engine, round)
        return any(progress.todo for progress in self._ledger.progress(self._cycle))

    def _look(self, engine: Engine, round: int) -> None:
        decision = self._decision(engine, round)
        if not decision.stop or decision.half_width is None:
            return
        ended = end_early(self._ledger, self._cycle, engine.name, round, decision.half_width, datetime.now(UTC))
        self._tell(Event("enough", engine.name, reason=f"{decision.reason}; {ended.calls} calls saved", round=round))

    def _decision(self, engine: Engine, round: int) -> Decision:
        cited, valid = dict.fromkeys(self._texts, 0), dict.fromkeys(self._texts, 0)
        for kept in self._answers():
            if kept.engine == engine.name and kept.query_id in valid and kept.status in VALID:
                valid[kept.query_id] += 1
                cited[kept.query_id] += self._is_cited(kept)
        rule = stop_rule(self._half_width, cap=engine.runs)
        return rule.decide(list(cited.values()), list(valid.values()), round)

    def _answers(self) -> Iterator[Kept]:
        after = 0
        while page := self._ledger.kept(self._cycle, after=after):
            after = page[-1].run_id
            yield from page

    def _is_cited(self, kept: Kept) -> bool:
        if kept.run_id not in self._cites:
            day = kept.asked_at.date() if kept.asked_at else None
            seen = self._observer.observe(parse(self._cycle, kept), self._texts[kept.query_id], day)
            self._cites[kept.run_id] = any(hit.brand == self._tracked and hit.slots for hit in seen.hits)
        return self._cites[kept.run_id]
