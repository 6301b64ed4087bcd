"""How a project is doing: is its newest cycle fresh, whole, within its budget, and is there a backup. Reads the ledger only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from citepoll.project import Project
from citepoll.report.numbers import count, money, noun, percent
from citepoll.service.background import resting
from citepoll.service.backup import last_backup
from citepoll.service.scheduling import next_time
from citepoll.store.alerts import unsent
from citepoll.store.ledger import Ledger, Progress
from citepoll.store.redirects import revision

CADENCES = {"weekly": 7, "fortnightly": 14, "monthly": 31, "quarterly": 92}
"""Days between the beginnings of two cycles, the longest month and quarter."""
GRACE = timedelta(days=1)
"""A cycle is late only after this: a poll begins at some hour of its day."""
MANY_FAILED = 0.05
NEAR_THE_END = 0.9
"""Of the budget."""
OLD_BACKUP = timedelta(days=35)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The state of a project at a moment. None where it is not known, or there is no cycle yet.

    `cycle` is the newest, begun at `begun_at`; the next one is `due_at` by the schedule or else the `cadence` of the
    project, and `late` a day after. `next_at` is when the schedule begins a cycle. Of its `runs`, `recorded` have an
    answer or have `failed`. `spent` and `ceiling` are US dollars of this cycle. `unresolved` counts redirects that
    hide a cited page, of `redirects`. `warnings` are sentences for people, the most pressing first; () where all is
    well.
    """

    project: str
    at: datetime
    cycle: str | None = None
    status: str | None = None
    begun_at: datetime | None = None
    cadence: str | None = None
    due_at: datetime | None = None
    late: bool | None = None
    next_at: datetime | None = None
    runs: int | None = None
    recorded: int | None = None
    failed: int | None = None
    spent: float | None = None
    ceiling: float | None = None
    redirects: int | None = None
    unresolved: int | None = None
    backed_up_at: datetime | None = None
    warnings: tuple[str, ...] = ()


def health(project: Project, ledger: Ledger, at: datetime) -> Health:
    """The health of a project: a few counts, quick enough for every page."""
    found = Health(
        project=project.root.resolve().name, at=at, cadence=project.cadence, ceiling=project.budget,
        backed_up_at=last_backup(ledger), next_at=next_time(project, at),
    )  # fmt: skip
    cycles, trouble = ledger.cycles(), tuple(_trouble(ledger))
    if not cycles:
        return replace(found, warnings=(*trouble, "There is no cycle yet: nothing was polled or imported."))
    newest = cycles[-1]
    begun = datetime.fromisoformat(newest.created_at)
    due = _due(project, begun)
    progress = ledger.progress(newest)
    redirects, resolved = revision(ledger, newest)
    found = replace(
        found,
        cycle=newest.name,
        status=newest.status,
        begun_at=begun,
        due_at=due,
        late=at > due + GRACE if due else None,
        runs=sum(p.planned for p in progress),
        recorded=sum(p.planned - p.todo for p in progress),
        failed=sum(p.statuses.get("failed", 0) for p in progress),
        spent=_spent(progress),
        redirects=redirects,
        unresolved=redirects - resolved,
    )
    return replace(found, warnings=(*trouble, *_warnings(found), *_unsent(ledger)))


def _due(project: Project, begun: datetime) -> datetime | None:
    scheduled = next_time(project, begun)
    if scheduled is not None:
        return scheduled
    return begun + timedelta(days=CADENCES[project.cadence]) if project.cadence else None


def _trouble(ledger: Ledger) -> Iterator[str]:
    """What background work could not do, or was told not to."""
    work = resting(ledger)
    if work.state == "failed":
        yield f"The poll of {work.cycle} failed: {work.reason}"
    if work.state == "paused":
        yield f"{work.cycle} is paused: no other cycle begins until it is resumed or stopped."


def _unsent(ledger: Ledger) -> Iterator[str]:
    """A sentence for each channel that did not take its alerts."""
    failing = [delivery for delivery in unsent(ledger) if delivery.problem]
    for channel in dict.fromkeys(delivery.channel for delivery in failing):
        mine = [delivery for delivery in failing if delivery.channel == channel]
        given_up = ", and are given up" if all(delivery.given_up for delivery in mine) else ""
        yield (
            f"{noun(len(mine), 'alert')} could not be sent to {channel}{given_up}: {(mine[-1].problem or '').rstrip('.')}. "
            "`citepoll alerts send` tries again."
        )


def _spent(progress: Sequence[Progress]) -> float | None:
    known = [p.cost for p in progress if p.cost is not None]
    return sum(known) if known else None


def _warnings(found: Health) -> Iterator[str]:
    if found.late and found.begun_at:
        age = noun((found.at - found.begun_at).days, "day")
        cadence = f"the cadence is {found.cadence}" if found.cadence else f"one was due on {found.due_at:%Y-%m-%d}"
        yield f"The newest cycle, {found.cycle}, began {age} ago; {cadence}."
    if found.runs and found.recorded is not None and found.status == "open" and found.recorded < found.runs:
        yield f"{found.cycle} is not finished: {count(found.recorded)} of {noun(found.runs, 'run')} are recorded."
    if found.recorded and found.failed and found.failed / found.recorded > MANY_FAILED:
        share = percent(found.failed / found.recorded)
        yield f"{noun(found.failed, 'run')} of {found.cycle} failed ({share}): `citepoll poll --retry-failed` asks again."
    if found.spent is not None and found.ceiling and found.spent > NEAR_THE_END * found.ceiling:
        yield f"{money(found.spent)} of {money(found.ceiling)} are spent in {found.cycle}."
    if found.unresolved:
        yield (
            f"{count(found.unresolved)} of {noun(found.redirects or 0, 'redirect')} in {found.cycle} are not resolved: "
            f"`citepoll cycles resolve {found.cycle}` goes on."
        )
    if found.backed_up_at is None:
        yield "There is no backup yet: `citepoll backup` writes one."
    elif found.at - found.backed_up_at > OLD_BACKUP:
        yield f"The last backup is {noun((found.at - found.backed_up_at).days, 'day')} old."
