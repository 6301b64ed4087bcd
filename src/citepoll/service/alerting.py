"""What is worth an alert: evidence in the ledger becomes notices, each kept and put on its way once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from citepoll.channels import Hook, Mail, secrets, shown
from citepoll.measure.losses import Stratum, losses
from citepoll.measure.verdicts import REAL_CHANGE, kind_of_verdict
from citepoll.model import Query, Slice, normal_text
from citepoll.project import Project, secret_of, zone
from citepoll.report.alerts import Notice, of_budget, of_change, of_engine, of_lateness, of_loss
from citepoll.service.cells import Counts, answers_to, count
from citepoll.service.comparing import comparable
from citepoll.service.costs import ceiling_of
from citepoll.service.deriving import derive
from citepoll.service.health import health
from citepoll.service.measuring import measurable, measure
from citepoll.store import alerts as kept
from citepoll.store.attempts import last_failures
from citepoll.store.ledger import Cycle, Ledger, Progress

MANY_FAILED = 0.10
"""Of the runs planned for an engine in a cycle."""
NEAR_THE_END = 0.80
"""Of a budget."""


def raise_alerts(project: Project, ledger: Ledger, cycle: Cycle, at: datetime) -> tuple[int, ...]:
    """Keep what is worth an alert in a cycle that is closed or stopped, and put it on its way. Returns the new ids.

    What was told of this cycle is not told again, nor a state that lasts. Raises what `measure` raises.
    """
    notices = [*changes(project, ledger, cycle, at), *lost(project, ledger, cycle, at)]
    made = kept.enter(ledger, cycle, notices, _names(project), at)
    return (*made, *raise_states(project, ledger, at))


def raise_states(project: Project, ledger: Ledger, at: datetime) -> tuple[int, ...]:
    """The same of the newest cycle's engines, its budget and its age; reads counts only, also while it is open."""
    cycles = ledger.cycles()
    if not cycles:
        return ()
    cycle, progress = cycles[-1], ledger.progress(cycles[-1])
    down = list(engines_down(ledger, cycle, progress))
    late = list(lateness(project, ledger, at))
    kept.end(ledger, "late", [notice.key for notice in late], at)
    if cycle.status != "open":
        kept.end(ledger, "engine", [notice.key for notice in down], at)
    notices = [*down, *budgets(project, ledger, cycle, progress), *late]
    return kept.enter(ledger, cycle, notices, _names(project), at)


def _names(project: Project) -> tuple[str, ...]:
    return tuple(channel.name for channel in project.alerts.channels)


# ---------------------------------------------------------------- evidence


def changes(project: Project, ledger: Ledger, cycle: Cycle, at: datetime) -> Iterator[Notice]:
    """Real changes of share of citation on these queries, since the newest comparable cycle, by brand and engine.

    The verdicts are those of `citepoll compare` and of the report: the same slice, adjusted over the same rows.
    """
    before = comparable(ledger, cycle)
    if not before:
        return
    earlier = before[-1].name
    rows = measure(project, ledger, Slice(cycles=(cycle.name,), compare=earlier, target="fixed_set"), at).rows
    looked_at = sum(row.change is not None and row.change.p is not None for row in rows)
    for row in rows:
        if row.change is not None and kind_of_verdict(row.change, row.adjusted_p) == REAL_CHANGE:
            yield of_change(row, cycle.name, earlier, looked_at)


def lost(project: Project, ledger: Ledger, cycle: Cycle, at: datetime) -> Iterator[Notice]:
    """Citations of the tracked brand that watched queries lost since the newest comparable cycle.

    One on all engines together stands for those on single ones.
    """
    before = comparable(ledger, cycle) if project.alerts.watch else ()
    if not before:
        return
    watched = {q.id: q for q in watched_in(project, ledger, cycle) if q is not None}
    brand, earlier = project.tracked.name, before[-1]
    counted = [_counts(project, ledger, each, at) for each in (earlier, cycle)]
    places = dict(_places(counted[0], counted[1], list(watched), brand))
    found = losses(places)
    for (query, engine), loss in found.items():
        if engine is None or (query, None) not in found:
            text = (query, watched[query].text)
            yield of_loss(loss, brand, text, engine, cycle.name, earlier.name)


def watched_in(project: Project, ledger: Ledger, cycle: Cycle | None) -> tuple[Query | None, ...]:
    """The query that each watched text or ref names in the cycle's set, None where there is none."""
    queries = ledger.query_set(cycle).queries if cycle is not None and cycle.set_hash else ()
    named = {name: q for q in queries for name in (q.ref, normal_text(q.text)) if name}
    return tuple(named.get(text) for text in project.alerts.watch)


def _counts(project: Project, ledger: Ledger, cycle: Cycle, at: datetime) -> Counts:
    built = derive(project, ledger, cycle, at)
    return count(answers_to(project, ledger, cycle, built, "").filter("valid"), built)


def _places(
    before: Counts, now: Counts, queries: list[str], brand: str
) -> Iterator[tuple[tuple[str, str | None], list[Stratum]]]:
    """Each query on each engine that answered it in both cycles, and on all of them where there are several."""
    for query in queries:
        engines = sorted({e for e, q in before if q == query} & {e for e, q in now if q == query})
        strata = [_stratum(before[engine, query], now[engine, query], brand) for engine in engines]
        for engine, stratum in zip(engines, strata, strict=True):
            yield (query, engine), [stratum]
        if len(engines) > 1:
            yield (query, None), strata


def _stratum(before: tuple[int, Mapping[str, int]], now: tuple[int, Mapping[str, int]], brand: str) -> Stratum:
    return before[1].get(brand, 0), before[0], now[1].get(brand, 0), now[0]


def engines_down(ledger: Ledger, cycle: Cycle, progress: tuple[Progress, ...]) -> Iterator[Notice]:
    """Engines that failed in more than a tenth of their runs, or were not asked any more after a failure."""
    failures = last_failures(ledger, cycle)
    for one in progress:
        failed = one.statuses.get("failed", 0)
        unasked = one.todo if cycle.status == "stopped" and one.engine in failures else 0
        if one.planned and (unasked or failed > MANY_FAILED * one.planned):
            last = failures.get(one.engine)
            yield of_engine(one.engine, cycle.name, failed=failed, unasked=unasked, planned=one.planned, last=last)


def budgets(project: Project, ledger: Ledger, cycle: Cycle, progress: tuple[Progress, ...]) -> Iterator[Notice]:
    """The cycle's budget, and those of its engines, of which four fifths are spent."""
    spent = {one.engine: one.cost for one in progress if one.cost is not None}
    ceilings = {engine.name: ceiling_of(project, engine) for engine in ledger.engines(cycle)}
    sums = [
        (None, sum(spent.values()), project.budget),
        *((name, spent.get(name, 0.0), c) for name, c in ceilings.items()),
    ]
    for engine, dollars, ceiling in sums:
        if ceiling and dollars >= NEAR_THE_END * ceiling:
            yield of_budget(engine, cycle.name, dollars, ceiling)


def lateness(project: Project, ledger: Ledger, at: datetime) -> Iterator[Notice]:
    """The newest cycle, where health calls it late."""
    found = health(project, ledger, at)
    if found.late and found.cycle and found.begun_at and found.due_at:
        here = zone(project.time_zone)
        yield of_lateness(found.cycle, *(moment.astimezone(here) for moment in (found.begun_at, found.due_at, at)))


# ---------------------------------------------------------------- what is set up


@dataclass(frozen=True, slots=True)
class ChannelState:
    """A channel: where it leads, the names of its secrets that are not set, what waits, and the last problem."""

    name: str
    form: str
    where: str
    missing: tuple[str, ...]
    waiting: int
    problem: str | None


@dataclass(frozen=True, slots=True)
class Rules:
    """What is set up: watched texts with whether the newest measured cycle asked them, digest, channels."""

    watch: tuple[tuple[str, bool], ...]
    digest: str | None
    channels: tuple[ChannelState, ...]


def rules(project: Project, ledger: Ledger) -> Rules:
    """The project's table [alerts], and how it stands."""
    ready = measurable(ledger)
    known = watched_in(project, ledger, ready[-1] if ready else None)
    watch = tuple((text, query is not None) for text, query in zip(project.alerts.watch, known, strict=True))
    waiting = kept.unsent(ledger)
    states = (_state(one, [d for d in waiting if d.channel == one.name]) for one in project.alerts.channels)
    return Rules(watch, project.alerts.digest, tuple(states))


def _state(channel: Mail | Hook, waiting: list[kept.Delivery]) -> ChannelState:
    problems = [delivery.problem for delivery in waiting if delivery.problem]
    return ChannelState(
        name=channel.name,
        form="mail" if isinstance(channel, Mail) else channel.form,
        where=shown(channel),
        missing=tuple(name for name in secrets(channel) if secret_of(name) is None),
        waiting=len(waiting),
        problem=problems[-1] if problems else None,
    )
