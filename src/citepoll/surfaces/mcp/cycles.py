"""Tools for cycles: what was polled and imported, how a poll gets on, its start and end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeAlias

from pydantic import Field

from citepoll.errors import InputError
from citepoll.service import background, polling
from citepoll.service.background import Order, Standing
from citepoll.service.polling import Planned
from citepoll.service.uploads import import_bytes
from citepoll.store.ledger import Cycle, Ledger, Progress
from citepoll.surfaces.mcp.calling import Caller, Ctx, ProjectId, caller_of, room_of, tool, writer_of
from citepoll.surfaces.mcp.paging import PAGE, Cursor, page, place_of
from citepoll.surfaces.mcp.questions import OutlayLine, cost_words
from citepoll.surfaces.mcp.replies import Reply
from citepoll.surfaces.web.rooms import Room
from citepoll.surfaces.web.worker import Worker

SENT = 1_000_000
"""Characters of recorded answers in one call."""
CycleHere: TypeAlias = Annotated[str | None, Field(description="A cycle by name.", max_length=200)]


class CycleLine(Reply):
    """A cycle. Of its `runs`, `recorded` have a status and `failed` failed; `cost` is in US dollars, null where unknown.

    `kind` is polled or recorded (imported). `status` is open, stopped or closed: an open one has progress and no share.
    """

    name: str
    kind: str
    status: str
    created_at: str
    closed_at: str | None
    runs: int
    recorded: int
    failed: int
    cost: float | None


class Cycles(Reply):
    """Every cycle, the newest first."""

    rows: tuple[CycleLine, ...]
    total: int
    next: str | None


class EngineProgress(Reply):
    """How far one engine is: runs planned, still to ask, and by status."""

    engine: str
    planned: int
    todo: int
    statuses: dict[str, int]
    cost: float | None


class Work(Reply):
    """What is done for the project now: idle, running, paused, stopping or failed, and why."""

    state: str
    cycle: str | None
    reason: str


class CycleProgress(Reply):
    """How far a cycle is; `cycle` is null where it is only about to begin.

    `work` is null where nobody polls here: `citepoll poll` on the machine may.
    """

    cycle: CycleLine | None
    engines: tuple[EngineProgress, ...]
    work: Work | None


class Started(Reply):
    """What a poll does, or would do: the cycle, whether it goes on with one, the runs still to ask, and what they may cost.

    `ceiling` is what the cycle may cost at most in US dollars, null without one.
    """

    cycle: str
    resumes: bool
    queries: int
    runs_to_ask: int
    engines: tuple[OutlayLine, ...]
    cost: str
    ceiling: float | None
    seconds: float | None
    missing_keys: dict[str, str]
    work: Work | None


class Imported(Reply):
    """What an import did: rows `new`, `known` before, and `rejected`."""

    cycle: str
    rows: int
    new: int
    known: int
    rejected: int
    statuses: dict[str, int]
    engines: tuple[str, ...]
    queries: int
    warnings: tuple[str, ...]


@tool
def list_cycles(ctx: Ctx, project: ProjectId = None, cursor: Cursor = None) -> Cycles:
    """Every cycle with its progress and cost, the newest first."""
    ledger = room_of(ctx, project).ledger
    cut = page(ledger.cycles()[::-1], place_of(cursor))
    rows = tuple(_line(cycle, ledger.progress(cycle)) for cycle in cut.rows)
    return Cycles(rows=rows, total=cut.total, next=cut.next)


@tool
def cycle_progress(
    ctx: Ctx,
    project: ProjectId = None,
    cycle: Annotated[str | None, Field(description="A cycle by name. Left out: the open one, else the newest.")] = None,
) -> CycleProgress:
    """How far a cycle is, engine by engine. Ask again every few seconds while one is polled."""
    caller, room = caller_of(ctx), room_of(ctx, project)
    return _progress(caller, room, _polled(caller, room, cycle) or cycle or _newest(room.ledger))


@tool
def start_cycle(
    ctx: Ctx,
    project: ProjectId = None,
    cycle: CycleHere = None,
    over: Annotated[str | None, Field(description="Spread the runs over this span, as 36h.", max_length=20)] = None,
    retry: Annotated[bool, Field(description="Ask failed runs of the open cycle again.")] = False,
    stop_at: Annotated[
        float | None, Field(description="The half-width, a fraction, at which an engine ends early.", gt=0, le=0.5)
    ] = None,
    dry_run: Annotated[bool, Field(description="Only say what would be asked, and what it may cost.")] = False,
) -> Started:
    """Poll in the background: go on with what is open, else begin a cycle. It may cost money: make a dry run first.

    It returns at once; cycle_progress tells how it gets on.
    """
    caller, room = writer_of(ctx), room_of(ctx, project)
    order = Order(cycle=cycle, over=over, retry=retry, stop_at=stop_at)
    planned = background.preview(room.project, room.ledger, order, caller.at())
    if dry_run:
        return _started(planned, None)
    standing = _worker(caller).start(room.id, order)
    caller.note("poll started", f"{room.id}: {planned.cycle}")
    return _started(planned, standing)


@tool
def stop_cycle(ctx: Ctx, project: ProjectId = None, cycle: CycleHere = None) -> CycleProgress:
    """End the cycle that is open: it can then be measured without the runs that are missing. Calls in flight finish first."""
    caller, room = writer_of(ctx), room_of(ctx, project)
    name = _polled(caller, room, cycle)
    if name is not None and caller.worker is not None:
        caller.worker.stop(room.id)
    else:
        name = cycle or _newest(room.ledger)
        if room.ledger.cycle(name).status == "closed":
            raise InputError(f"The cycle {name!r} is closed.", "Closed cycles stay as they are.")
        polling.close(room.project, room.ledger, name, caller.at())
    caller.note("poll stopped", f"{room.id}: {name}")
    return _progress(caller, room, name)


@tool
def import_answers(
    ctx: Ctx,
    cycle: Annotated[str, Field(description="The cycle; it is made if absent.", min_length=1, max_length=200)],
    jsonl: Annotated[str, Field(description="Recorded answers, a JSON object a line.", min_length=2, max_length=SENT)],
    project: ProjectId = None,
    engine: Annotated[str | None, Field(description="For rows that do not name theirs.", max_length=200)] = None,
) -> Imported:
    """Import answers that were recorded elsewhere, as JSON lines with engine, query, answer_text and citations."""
    caller, room = writer_of(ctx), room_of(ctx, project)
    data = jsonl.encode("utf-8", "replace")
    kind, at = "application/x-ndjson", caller.at()
    found = import_bytes(room.project, room.ledger, data, kind, cycle, at, engine=engine, name="mcp")
    caller.note("answers imported", f"{room.id}: {cycle}")
    return Imported(
        cycle=found.cycle,
        rows=found.rows,
        new=found.new,
        known=found.known,
        rejected=found.rejected,
        statuses=dict(found.statuses),
        engines=found.engines[:PAGE],
        queries=found.queries,
        warnings=found.warnings[:PAGE],
    )


def _polled(caller: Caller, room: Room, cycle: str | None) -> str | None:
    """The cycle that is being polled here, if it is the one asked for; it may not stand in the ledger yet."""
    now = caller.worker.standing(room.id) if caller.worker else None
    at_work = now is not None and now.state in ("running", "stopping")
    return now.cycle if now and at_work and cycle in (None, now.cycle) else None


def _newest(ledger: Ledger) -> str:
    """The newest open cycle, else the newest. Raises `InputError` where there is none."""
    cycles = ledger.cycles()
    if not cycles:
        raise InputError("There is no cycle yet.", "Poll with `citepoll poll`, or import answers.")
    return next((cycle.name for cycle in reversed(cycles) if cycle.status == "open"), cycles[-1].name)


def _worker(caller: Caller) -> Worker:
    if caller.worker is None:
        raise InputError("This server does not poll by itself.", "Start polls with `citepoll poll`.")
    return caller.worker


def _progress(caller: Caller, room: Room, name: str) -> CycleProgress:
    work = caller.worker.standing(room.id) if caller.worker else None
    if work and work.cycle == name and all(cycle.name != name for cycle in room.ledger.cycles()):
        return CycleProgress(cycle=None, engines=(), work=_work(work))
    cycle = room.ledger.cycle(name)
    progress = room.ledger.progress(cycle)
    engines = tuple(map(EngineProgress.of, progress))
    return CycleProgress(cycle=_line(cycle, progress), engines=engines, work=_work(work))


def _line(cycle: Cycle, progress: tuple[Progress, ...]) -> CycleLine:
    known = [each.cost for each in progress if each.cost is not None]
    return CycleLine(
        name=cycle.name,
        kind=cycle.kind,
        status=cycle.status,
        created_at=cycle.created_at,
        closed_at=cycle.closed_at,
        runs=sum(each.planned for each in progress),
        recorded=sum(each.planned - each.todo for each in progress),
        failed=sum(_failed(each.statuses) for each in progress),
        cost=sum(known) if known else None,
    )


def _failed(statuses: Mapping[str, int]) -> int:
    return statuses.get("failed", 0)


def _work(standing: Standing | None) -> Work | None:
    return Work.of(standing) if standing else None


def _started(planned: Planned, standing: Standing | None) -> Started:
    return Started(
        cycle=planned.cycle,
        resumes=planned.resumes,
        queries=planned.queries,
        runs_to_ask=planned.todo,
        engines=tuple(map(OutlayLine.of, planned.estimates[:PAGE])),
        cost=cost_words(planned.estimates),
        ceiling=planned.ceiling,
        seconds=planned.seconds,
        missing_keys=dict(planned.missing_keys),
        work=_work(standing),
    )


READS = (list_cycles, cycle_progress)
WRITES = (start_cycle, stop_cycle, import_answers)
