"""Two sets of books: what the emulator counted, and what stands in a ledger. What they disagree in is a broken promise."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from citepoll.engines import calls
from citepoll.model import FINAL, Status
from citepoll.store.attempts import Attempt, attempts_of
from citepoll.store.ledger import Ledger

_NAMED = re.compile(rb"[0-9a-f]{24,27}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-0000-[0-9a-f]{8}0000")
"""The name of an answer, which every body of the emulator carries; DataForSEO's has the form of a UUID."""


Key = tuple[str, str]
"""Engine and question."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a ledger with all that was recorded of it."""

    engine: str
    question: str
    number: int
    status: Status | None
    attempts: tuple[Attempt, ...]


def read(ledger: Ledger, cycle: str = "%") -> list[Run]:
    """Every run of a cycle (without a name: of all), asked or not."""
    asked = (
        "select r.id, e.name, q.text, r.number, r.status from runs r join engines e on e.id = r.engine "
        "join queries q on q.id = r.query_id join cycles c on c.id = r.cycle_id where c.name like ? order by r.id"
    )
    with ledger.reading() as link:
        rows = link.exec_driver_sql(asked, (cycle,)).all()
    return [Run(*row[1:], attempts_of(ledger, row[0])) for row in rows]


def wrongs(runs: Iterable[Run]) -> list[str]:
    """What no poll may leave behind, killed or not: a run that was settled twice, an answer that stands in two runs."""
    held: Counter[str] = Counter()
    found: list[str] = []
    for run in runs:
        found += (f"{run.engine}, {run.question}, run {run.number}: {wrong}" for wrong in _wrongs(run))
        if run.status in FINAL and (name := answer_of(run.attempts[-1])):
            held[name] += 1
    return found + [f"the answer {name} stands in {times} runs" for name, times in held.items() if times > 1]


def _wrongs(run: Run) -> Iterator[str]:
    statuses = [attempt.status for attempt in run.attempts]
    if any(status in FINAL for status in statuses[:-1]):
        yield "asked again after its answer"
    if run.status is not None and statuses[-1:] != [run.status]:
        yield "its status is not that of its last attempt"
    if run.status is None and statuses[-1:] and statuses[-1] in FINAL:
        yield "has an answer and no status"
    if [attempt.number for attempt in run.attempts] != list(range(1, len(statuses) + 1)):
        yield "an attempt is missing"
    if run.status == "failed" and not run.attempts[-1].message:
        yield "failed without a reason"


def answer_of(attempt: Attempt) -> str:
    """The name of the answer that an attempt holds, of several calls that of the last; "" for a refusal."""
    replies = calls.apart(attempt.body)
    body = replies[-1].body if replies else attempt.body
    named = _NAMED.search(body) if attempt.http_status == 200 else None
    return named[0].decode() if named else ""


def unrecorded(runs: Iterable[Run], asked: Counter[Key]) -> Counter[Key]:
    """First calls of runs that the emulator got (`Desk.asked`) and no attempt tells of; below 0: more rows than calls."""
    every = list(runs)
    found = Counter({(run.engine, run.question): asked[run.engine, run.question] for run in every})
    found.subtract((run.engine, run.question) for run in every for a in run.attempts if a.request.get("call", 1) == 1)
    return Counter({key: calls for key, calls in found.items() if calls})


def spent(runs: Iterable[Run], engine: str) -> float:
    """US dollars that the ledger says an engine cost."""
    return sum(a.cost or 0.0 for run in runs if run.engine == engine for a in run.attempts)


def charged(state: Mapping[str, Any], engine: str) -> float:
    """US dollars of the emulator for replies that were sent whole: those that were lost cannot be known to a client."""
    counted = state["engines"][engine]
    return float(counted["charged_usd"] - counted["lost_usd"])
