"""Tools for what there is: projects, metrics."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from citepoll.errors import CitepollError
from citepoll.measure.found import FOUND
from citepoll.measure.metrics import METRICS
from citepoll.model import Brand, Slice
from citepoll.service.health import health
from citepoll.service.measuring import measurable
from citepoll.service.queries import unlocked_edits
from citepoll.service.reading import read
from citepoll.surfaces.mcp.calling import Ctx, ProjectId, caller_of, room_of, tool
from citepoll.surfaces.mcp.paging import PAGE, Cursor, Place, page, place_of
from citepoll.surfaces.mcp.replies import Line, Reply, measures
from citepoll.surfaces.web.rooms import Room


class ProjectLine(Reply):
    """A project. `problem` says why citepoll.toml cannot be read."""

    id: str
    brand: str | None = None
    category: str | None = None
    cycles: int | None = None
    newest_cycle: str | None = None
    problem: str | None = None


class Projects(Reply):
    rows: tuple[ProjectLine, ...]
    total: int
    next: str | None


class BrandLine(Reply):
    """A brand, its other names, and the domains and paths that are its own. One is tracked, the others compete."""

    name: str
    tracked: bool
    aliases: tuple[str, ...]
    owns: tuple[str, ...]


class EngineLine(Reply):
    """An engine that the project asks. `surface` is api, ui, serp, recorded or simulated: they are different products."""

    name: str
    id: str
    surface: str
    model: str | None
    runs: int
    weight: float | None


class ProjectShown(Reply):
    """A project: who is measured, on which engines, by which questions, and where the tracked brand stands.

    `headline` is its share of citation in the newest measured cycle, for both targets; empty without one. `edits` says how
    the query file differs from the locked set. `warnings` are those of the headline and of the project's health.
    """

    id: str
    brand: str
    category: str | None
    brands: tuple[BrandLine, ...]
    engines: tuple[EngineLine, ...]
    query_set: int | None = Field(description="The number of the newest locked version.")
    queries: int
    edits: str
    measured_cycles: int
    newest_measured: str | None
    open_cycle: str | None
    simulated: bool
    headline: tuple[Line, ...]
    warnings: tuple[str, ...]


class MetricLine(Reply):
    """A metric. `kind` is counted, or which use case finds it: one call of measure asks for one kind."""

    name: str
    label: str
    kind: str
    formula: str
    unit: str
    dimensions: tuple[str, ...] = Field(description="Of a found metric's rows; a counted one takes those of `by`.")


class Metrics(Reply):
    rows: tuple[MetricLine, ...]
    total: int
    next: str | None


@tool
def list_projects(ctx: Ctx, cursor: Cursor = None) -> Projects:
    """The projects here: the tracked brand of each, and its newest cycle. Their ids are what other tools take."""
    cut = page(caller_of(ctx).rooms(), place_of(cursor))
    return Projects(rows=tuple(map(_project, cut.rows)), total=cut.total, next=cut.next)


@tool
def describe_project(ctx: Ctx, project: ProjectId = None) -> ProjectShown:
    """One project: brands, engines, query set, cycles, where the tracked brand stands, and what to be careful about."""
    return described(room_of(ctx, project), caller_of(ctx).at())


@tool
def list_metrics(ctx: Ctx, cursor: Cursor = None) -> Metrics:
    """Every metric that measure takes, with its formula; the counted ones first, then the found ones."""
    counted = [
        MetricLine(name=m.name, label=m.label, kind="counted", formula=m.formula, unit=m.unit, dimensions=())
        for m in METRICS.values()
    ]
    found = [
        MetricLine(name=m.name, label=m.label, kind=m.kind, formula=m.formula, unit=m.unit, dimensions=m.dimensions)
        for m in FOUND.values()
    ]
    cut = page([*counted, *found], place_of(cursor))
    return Metrics(rows=tuple(cut.rows), total=cut.total, next=cut.next)


def described(room: Room, at: datetime) -> ProjectShown:
    """A project as an agent needs to know it first."""
    project, ledger = room.project, room.ledger
    cycles, closed, version = ledger.cycles(), measurable(ledger), ledger.current()
    asked = Slice(where=f'brand = "{_escaped(project.tracked.name)}"')
    result = room.remember(("mcp", asked), lambda: read(project, ledger, asked, at)) if closed else None
    found = measures(result, Place()) if result else None
    told = (*(result.warnings if result else ()), *health(project, ledger, at).warnings)
    return ProjectShown(
        id=room.id,
        brand=project.tracked.name,
        category=project.category or None,
        brands=tuple(map(_brand, project.brands[:PAGE])),
        engines=tuple(map(EngineLine.of, project.engines[:PAGE])),
        query_set=version.number if version else None,
        queries=len(version.queries.queries) if version else 0,
        edits=unlocked_edits(project, ledger),
        measured_cycles=len(closed),
        newest_measured=closed[-1].name if closed else None,
        open_cycle=next((c.name for c in reversed(cycles) if c.status == "open"), None),
        simulated=bool(result and result.simulated),
        headline=found.rows if found else (),
        warnings=tuple(dict.fromkeys(told)),
    )


def _project(room: Room) -> ProjectLine:
    try:
        project, cycles = room.project, room.ledger.cycles()
    except CitepollError as wrong:
        return ProjectLine(id=room.id, problem=wrong.cause)
    return ProjectLine(
        id=room.id,
        brand=project.tracked.name,
        category=project.category or None,
        cycles=len(cycles),
        newest_cycle=cycles[-1].name if cycles else None,
    )


def _brand(brand: Brand) -> BrandLine:
    return BrandLine(
        name=brand.name,
        tracked=brand.tracked,
        aliases=tuple(alias.text for alias in brand.aliases[:PAGE]),
        owns=tuple(owned.rule for owned in brand.owns[:PAGE]),
    )


def _escaped(name: str) -> str:
    """A name between the double quotes of a filter."""
    return name.replace("\\", "\\\\").replace('"', '\\"')


READS = (list_projects, describe_project, list_metrics)
