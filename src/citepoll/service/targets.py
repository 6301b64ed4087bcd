"""Where the project's targets stand after a cycle."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from citepoll.explain.targets import Goal, Standing, sentence, standing
from citepoll.measure.slices import quoted
from citepoll.model import Row, Slice, SliceResult
from citepoll.project import Project, zone
from citepoll.service.measuring import measure
from citepoll.store.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Aim:
    """A target on one engine (or blended), where it stands, and the sentence that says so."""

    standing: Standing
    label: str
    sentence: str
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Aims:
    """Every target of the project on every engine of a cycle; `warnings` are those of the estimates' slices."""

    brand: str
    cycle: str | None
    aims: tuple[Aim, ...]
    warnings: tuple[str, ...] = ()


def list_targets(
    project: Project, ledger: Ledger, at: datetime, *, cycle: str | None = None, confidence: float = 0.95
) -> Aims:
    """The targets of citepoll.toml against a cycle (default: the newest measurable one); none give no rows.

    The share is that of the locked queries (fixed_set). Raises `SliceError` for an unknown cycle.
    """
    found: list[Aim] = []
    warnings: dict[str, None] = {}
    shown = cycle
    for goal in project.targets:
        result = measure(project, ledger, _slice(goal, project, cycle, confidence), at)
        shown = result.cycles[0] if result.cycles else shown
        warnings.update(dict.fromkeys(result.warnings))
        for row in result.rows:
            engine = str(row.dimensions["engine"])
            today = at.astimezone(zone(project.time_zone)).date()
            one = standing(goal, engine, shown or "", row.estimate, today)
            found.append(Aim(one, result.labels.get(engine, engine), sentence(one), row.simulated))
    return Aims(project.tracked.name, shown, tuple(found), tuple(warnings))


def read_targets(project: Project, ledger: Ledger, slice: Slice, at: datetime) -> SliceResult:
    """The rows of `target`: the metric aimed at as the estimate, the chance that it is there in the evidence."""
    cycle = slice.cycles[0] if slice.cycles else None
    found = list_targets(project, ledger, at, cycle=cycle, confidence=slice.confidence)
    rows = tuple(_row(project.targets.index(aim.standing.goal) + 1, aim) for aim in found.aims)
    labels = {aim.standing.engine: aim.label for aim in found.aims if aim.label != aim.standing.engine}
    cycles = (found.cycle,) if found.cycle else ()
    return SliceResult(rows, replace(slice, cycles=cycles), cycles, found.warnings, labels=labels)


def _row(number: int, aim: Aim) -> Row:
    found = aim.standing
    evidence = {
        "words": f"{found.goal.value * 100:g} % by {found.goal.by}: {aim.sentence}",
        "value": found.goal.value,
        "due": found.goal.by.isoformat(),
        "chance": found.chance,
        "reason": found.reason,
        "days_left": found.days_left,
    }
    return Row(
        "target", {"goal": number, "aims_at": found.goal.metric, "engine": found.engine}, found.estimate,
        simulated=aim.simulated, evidence=evidence,
    )  # fmt: skip


def _slice(goal: Goal, project: Project, cycle: str | None, confidence: float) -> Slice:
    return Slice(
        metrics=(goal.metric,),
        where=f"brand = {quoted(project.tracked.name)}",
        cycles=(cycle,) if cycle else (),
        target="fixed_set",
        confidence=confidence,
    )
