"""/cycles: what was polled and imported, how a poll gets on, and its start, pause, going on and end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.params import JSONBody, PathParameter

from citepoll.model import Engine
from citepoll.service import polling
from citepoll.store.ledger import Cycle, Progress
from citepoll.surfaces.api.call import Here, RoomCall, named
from citepoll.surfaces.api.paging import Cursor, Items, Limit, page
from citepoll.surfaces.api.rules import refused
from citepoll.surfaces.web.worker import Order, Standing, Worker

Name = Annotated[
    str, PathParameter(description="The cycle's name; or `@` and its id, for a name that cannot stand in an address.")
]


@dataclass(frozen=True, slots=True)
class CycleLine:
    """A cycle. Of its `runs`, `recorded` have a status and `failed` failed; `cost` is in US dollars, null where unknown.

    `kind` is polled or recorded (imported), `status` open, stopped or closed: an open one has progress and no share.
    """

    id: int
    name: str
    kind: str
    status: str
    set_hash: str | None
    created_at: str
    closed_at: str | None
    runs: int
    recorded: int
    failed: int
    cost: float | None


@dataclass(frozen=True, slots=True)
class CycleShown:
    """A cycle with its engines as they stood in it, and what was done to it, oldest first."""

    cycle: CycleLine
    engines: tuple[Engine, ...]
    history: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class CycleProgress:
    """How far a cycle is, engine by engine; `work` is what the server does for the project now, null without a worker."""

    cycle: CycleLine
    engines: tuple[Progress, ...]
    work: Standing | None


class Start(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A poll to start. `cycle` left out: go on with what is open, else a new one named by the date. `over`: the span to
    spread its runs over, as `36h`. `retry`: ask failed runs again. `stop_at`: the half-width, a fraction, at which an
    engine ends before its runs are used up. `allocate`: runs of an engine, shared out by what the last cycle left open.
    `engines` (names; none is all) and `runs` a query (left out: each engine's own) count for a new cycle only."""

    cycle: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None
    over: Annotated[str, msgspec.Meta(max_length=20)] | None = None
    retry: bool = False
    stop_at: Annotated[float, msgspec.Meta(gt=0, le=0.5)] | None = None
    allocate: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    engines: tuple[str, ...] = ()
    runs: Annotated[int, msgspec.Meta(ge=1, le=100)] | None = None


@get("/cycles", needs="read", sync_to_thread=True)
def cycles(here: Here, cursor: Cursor = None, limit: Limit = 50) -> Response[Items[CycleLine]]:
    """Every cycle, in order of creation."""
    found = page(here.room.ledger.cycles(), cursor, limit)
    return here.fresh(Items(tuple(_line(here, cycle) for cycle in found.items), found.next))


@get("/cycles/{cycle:str}", needs="read", sync_to_thread=True)
def show(here: Here, cycle: Name) -> Response[CycleShown]:
    """One cycle: its engines, its runs, its history."""
    found = cycle_named(here, cycle)
    history = tuple(dict(event) for event in here.room.ledger.history(found.name))
    return here.fresh(CycleShown(_line(here, found), here.room.ledger.engines(found), history))


@get("/cycles/{cycle:str}/progress", needs="read", sync_to_thread=True)
def progress(here: Here, cycle: Name) -> Response[CycleProgress]:
    """How far a cycle is; to be asked again every few seconds, with If-None-Match."""
    found = cycle_named(here, cycle)
    worker = here.desk.worker
    work = worker.standing(here.room.id) if worker else None
    return here.fresh(CycleProgress(_line(here, found), here.room.ledger.progress(found), work))


@post("/cycles", needs="write", status_code=202, sync_to_thread=True)
def start(here: Here, data: JSONBody[Start]) -> Response[Standing]:
    """Start a poll in the background, or go on with one. It may cost money: `citepoll plan` says how much."""
    worker = _worker(here)
    order = Order(**msgspec.structs.asdict(data))
    return here.write("poll started", data.cycle or "next", lambda: worker.start(here.room.id, order), 202)


@post("/cycles/{cycle:str}/pause", needs="write", status_code=200, sync_to_thread=True)
def pause(here: Here, cycle: Name) -> Response[Standing]:
    """Ask nothing more after the calls in flight; the cycle stays open."""
    return _told(here, cycle, "poll paused", lambda worker: worker.pause(here.room.id))


@post("/cycles/{cycle:str}/resume", needs="write", status_code=200, sync_to_thread=True)
def resume(here: Here, cycle: Name) -> Response[Standing]:
    """Go on with a paused cycle."""
    return _told(here, cycle, "poll resumed", lambda worker: worker.resume(here.room.id))


@post("/cycles/{cycle:str}/stop", needs="write", status_code=200, sync_to_thread=True)
def stop(here: Here, cycle: Name) -> Response[Standing]:
    """End a cycle as it is: it can be measured without the runs that are missing."""
    return _told(here, cycle, "poll stopped", lambda worker: worker.stop(here.room.id))


@post("/cycles/{cycle:str}/close", needs="write", status_code=200, sync_to_thread=True)
def close(here: Here, cycle: Name) -> Response[CycleLine]:
    """Close a cycle that nothing polls now, whatever runs have no answer."""
    found = cycle_named(here, cycle)
    _check_idle(here, found)
    return here.write("cycle closed", found.name, lambda: _closed(here, found))


def _closed(here: RoomCall, cycle: Cycle) -> CycleLine:
    return _line(here, polling.close(here.room.project, here.room.ledger, cycle.name, here.at))


def _told(here: RoomCall, cycle: str, what: str, tell: Callable[[Worker], Standing]) -> Response[Any]:
    """Tell the worker, if it is this cycle that it works on."""
    found, worker = cycle_named(here, cycle), _worker(here)
    now = worker.standing(here.room.id)
    if now.cycle != found.name:
        doing = f"The server works on {now.cycle!r}." if now.cycle else "The server polls nothing for this project."
        raise refused(409, doing, "Ask for /cycles/NAME/progress.")
    return here.write(what, found.name, lambda: tell(worker))


def _worker(here: RoomCall) -> Worker:
    if here.desk.worker is None:
        raise refused(409, "This server does not poll by itself.", "Start polls with `citepoll poll`.")
    return here.desk.worker


def _check_idle(here: RoomCall, cycle: Cycle) -> None:
    worker = here.desk.worker
    now = worker.standing(here.room.id) if worker else None
    if now and now.cycle == cycle.name and now.state in ("running", "stopping"):
        raise refused(409, f"{cycle.name} is being polled.", "Stop it instead: that closes it as it is.")


def cycle_named(here: RoomCall, text: str) -> Cycle:
    """The cycle of a name, else of `@` and an id. 404 where there is none."""
    for cycle in here.room.ledger.cycles():
        if text in (cycle.name, f"@{cycle.id}"):
            return cycle
    found: Cycle = named(lambda: here.room.ledger.cycle(text))
    return found


def _line(here: RoomCall, cycle: Cycle) -> CycleLine:
    runs = here.room.ledger.progress(cycle)
    known = [each.cost for each in runs if each.cost is not None]
    return CycleLine(
        cycle.id, cycle.name, cycle.kind, cycle.status, cycle.set_hash, cycle.created_at, cycle.closed_at,
        sum(each.planned for each in runs), sum(each.planned - each.todo for each in runs),
        sum(_failed(each.statuses) for each in runs), sum(known) if known else None,
    )  # fmt: skip


def _failed(statuses: Mapping[str, int]) -> int:
    return statuses.get("failed", 0)


ROUTES = [cycles, show, progress, start, pause, resume, stop, close]
