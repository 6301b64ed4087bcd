"""Where the project's targets stand after a cycle."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from citepoll.explain.targets import Goal, Standing, sentence, standing
from citepoll.model import Slice
from citepoll.project import Project, zone
from citepoll.service.measuring import measure
from citepoll.store.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Aim:
    """A target on one engine (or blended), where it stands, and the sentence that says so."""

    standing: Standing
    label: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Aims:
    """Every target of the project on every engine of a cycle; `warnings` are those of the estimates' slices."""

    brand: str
    cycle: str | None
    aims: tuple[Aim, ...]
    warnings: tuple[str, ...] = ()


def list_targets(project: Project, ledger: Ledger, at: datetime, *, cycle: str | None = None) -> Aims:
    """The targets of citepoll.toml against a cycle (default: the newest measurable one); none give no rows.

    The share is that of the locked queries (fixed_set). Raises `SliceError` for an unknown cycle.
    """
    found: list[Aim] = []
    warnings: dict[str, None] = {}
    shown = cycle
    for goal in project.targets:
        result = measure(project, ledger, _slice(goal, project, cycle), at)
        shown = result.cycles[0] if result.cycles else shown
        warnings.update(dict.fromkeys(result.warnings))
        for row in result.rows:
            engine = str(row.dimensions["engine"])
            today = at.astimezone(zone(project.time_zone)).date()
            one = standing(goal, engine, shown or "", row.estimate, today)
            found.append(Aim(one, result.labels.get(engine, engine), sentence(one)))
    return Aims(project.tracked.name, shown, tuple(found), tuple(warnings))


def _slice(goal: Goal, project: Project, cycle: str | None) -> Slice:
    name = project.tracked.name.replace("\\", "\\\\").replace('"', '\\"')
    return Slice(
        metrics=(goal.metric,), where=f'brand = "{name}"', cycles=(cycle,) if cycle else (), target="fixed_set"
    )
