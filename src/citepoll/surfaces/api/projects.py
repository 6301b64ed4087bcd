"""/projects, /version, /metrics, and what a project is made of: /brands, /topics, /engines, /health."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from litestar import Response, get

from citepoll import __version__
from citepoll.errors import CitepollError
from citepoll.measure.found import FOUND
from citepoll.measure.metrics import METRICS
from citepoll.service.engines import Listed, list_engines
from citepoll.service.health import Health, health
from citepoll.surfaces.api.call import CallNow, Here, RoomCall
from citepoll.surfaces.api.paging import Cursor, Items, Limit, page
from citepoll.surfaces.web.asking import seen_rooms
from citepoll.surfaces.web.rooms import Room


@dataclass(frozen=True, slots=True)
class Version:
    """The version of citepoll that answers, and of this API."""

    citepoll: str
    api: str


@dataclass(frozen=True, slots=True)
class ProjectLine:
    """A project that the reader sees. `id` is what `?project=` takes; `problem` says why citepoll.toml cannot be read."""

    id: str
    brand: str | None = None
    category: str | None = None
    cycles: int | None = None
    newest_cycle: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class BrandLine:
    """A brand, its other names, and the domains and paths that are its own. One is `tracked`, the others compete."""

    name: str
    tracked: bool
    aliases: tuple[str, ...]
    owns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of the locked query set (null: queries without one), with the queries that it holds, and those by intent."""

    topic: str | None
    queries: int
    intents: dict[str, int]


@dataclass(frozen=True, slots=True)
class EngineLine:
    """What is known of an engine before it is asked. `project_names` are the project's engines made from it.

    `key_set` is null where it needs no key; a key itself is never shown.
    """

    engine: Listed
    project_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MetricLine:
    """A metric that a slice may name. `kind` is `counted`, or which use case finds it: one slice asks for one kind.

    `dimensions` are those of a found metric's rows; a counted one takes any that `by` knows, of what is cited `entities`.
    """

    name: str
    label: str
    kind: str
    formula: str
    unit: str
    without_data: str
    dimensions: tuple[str, ...]
    entities: tuple[str, ...]


@get("/version", needs="read", sync_to_thread=True)
def version(call: CallNow) -> Response[Version]:
    """What answers here."""
    return call.fresh(Version(__version__, "v1"))


@get("/projects", needs="read", sync_to_thread=True)
def projects(call: CallNow, cursor: Cursor = None, limit: Limit = 50) -> Response[Items[ProjectLine]]:
    """The projects that the reader sees."""
    rooms = page(seen_rooms(call.desk, call.reader), cursor, limit)
    return call.fresh(Items(tuple(_project(room) for room in rooms.items), rooms.next))


def _project(room: Room) -> ProjectLine:
    try:
        project, cycles = room.project, room.ledger.cycles()
    except CitepollError as wrong:
        return ProjectLine(room.id, problem=wrong.cause)
    newest = cycles[-1].name if cycles else None
    return ProjectLine(room.id, project.tracked.name, project.category or None, len(cycles), newest)


@get("/brands", needs="read", sync_to_thread=True)
def brands(here: Here, cursor: Cursor = None, limit: Limit = 50) -> Response[Items[BrandLine]]:
    """The tracked brand first, then its competitors."""
    found = [
        BrandLine(brand.name, brand.tracked, tuple(a.text for a in brand.aliases), tuple(p.rule for p in brand.owns))
        for brand in here.room.project.brands
    ]
    return here.kept(lambda: page(found, cursor, limit))


@get("/topics", needs="read", sync_to_thread=True)
def topics(here: Here, cursor: Cursor = None, limit: Limit = 50) -> Response[Items[Topic]]:
    """The topics of the newest locked query set. /measures?by=topic has their shares."""
    return here.kept(lambda: page(_topics(here), cursor, limit))


def _topics(here: RoomCall) -> list[Topic]:
    current = here.room.ledger.current()
    queries = current.queries.queries if current else ()
    intents: dict[str | None, Counter[str]] = {}
    for query in queries:
        intents.setdefault(query.topic, Counter())[query.intent or "none"] += 1
    return [Topic(name, sum(found.values()), dict(found)) for name, found in intents.items()]


@get("/engines", needs="read", sync_to_thread=True)
def engines(here: Here, cursor: Cursor = None, limit: Limit = 50) -> Response[Items[EngineLine]]:
    """Every engine that can stand in a project: what it returns, its price note, whether its key is set."""
    names: dict[str, list[str]] = {}
    for engine in here.room.project.engines:
        names.setdefault(engine.id, []).append(engine.name)
    found = [EngineLine(listed, tuple(names.get(listed.id, ()))) for listed in list_engines()]
    return here.fresh(page(found, cursor, limit))


@get("/metrics", needs="read", sync_to_thread=True)
def metrics(call: CallNow, cursor: Cursor = None, limit: Limit = 50) -> Response[Items[MetricLine]]:
    """Every metric with its definition: the counted ones first, then the found ones."""
    counted = [
        MetricLine(m.name, m.label, "counted", m.formula, m.unit, m.empty, (), m.entities) for m in METRICS.values()
    ]
    found = [MetricLine(m.name, m.label, m.kind, m.formula, m.unit, m.empty, m.dimensions, ()) for m in FOUND.values()]
    return call.fresh(page([*counted, *found], cursor, limit))


@get("/health", needs="read", sync_to_thread=True)
def health_of(here: Here) -> Response[Health]:
    """How the project is doing: is its newest cycle fresh, whole and within its budget, is there a backup."""
    return here.fresh(health(here.room.project, here.room.ledger, here.at))


ROUTES = [version, projects, brands, topics, engines, metrics, health_of]
