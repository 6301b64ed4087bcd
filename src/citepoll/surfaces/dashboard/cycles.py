"""The cycles of a project: the list, one with its progress, and what may be done with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.exceptions import NotFoundException
from litestar.params import Body, FromPath

from citepoll.errors import InputError, SliceError
from citepoll.model import Engine
from citepoll.project import zone
from citepoll.report.numbers import count, duration, money, noun
from citepoll.report.printable import one_line
from citepoll.report.squares import squares
from citepoll.service.background import Order, Standing
from citepoll.service.cycles import (
    RUN_STATES,
    CycleLine,
    CycleState,
    close_cycle,
    cycle_state,
    list_cycles,
    run_states,
    runs_words,
    told,
)
from citepoll.service.measuring import measurable
from citepoll.service.scheduling import upcoming
from citepoll.store.progress import Runs
from citepoll.surfaces.dashboard.doors import answers_path, cycle_named, cycle_path, overview_path
from citepoll.surfaces.dashboard.page import Page, PageNow
from citepoll.surfaces.web.asking import DeskNow, RoomNow
from citepoll.surfaces.web.desk import Desk
from citepoll.surfaces.web.rooms import Room

ACTS = ("pause", "resume", "retry", "close")


@dataclass(frozen=True, slots=True)
class Line:
    """A cycle in the list, in words."""

    name: str
    href: str
    status: str
    tag: str
    recorded: str
    failed: str
    cost: str
    version: str
    begun: str


@dataclass(frozen=True, slots=True)
class Bar:
    """The progress of an engine: its squares, the same in words, what it costs, and what its failures say."""

    engine: str
    tag: str
    squares: tuple[str, ...]
    words: str
    cost: str
    failure: str
    answers: str | None
    failed: str | None


@dataclass(frozen=True, slots=True)
class Progress:
    """The part of a cycle's page that is asked for again while the cycle is open (`live`). `acts` may be done now."""

    name: str
    href: str
    status: str
    sentence: str
    pace: str
    bars: tuple[Bar, ...]
    each: str
    acts: tuple[str, ...]
    notes: tuple[str, ...]
    live: bool
    numbers: str | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """What a form asks to be done with a cycle."""

    what: str = ""


@get("/p/{project:str}/cycles", needs="read", nav="Cycles", sync_to_thread=True)
def cycles_page(page: PageNow, room: RoomNow, desk: DeskNow) -> Response[str]:
    """Every cycle, the newest first, and when the next one begins."""
    every = room.ledger.cycles()
    lines = (*done(room), *list_cycles(room.ledger, [c for c in every if c.status == "open"]))
    shown = [_line(line, room) for line in sorted(lines, key=lambda line: -line.cycle.id)]
    return page.show(
        "cycles.html", "Cycles", lines=shown, room=room.id, worker=desk.worker is not None,
        standing=_standing(desk, room), schedule=upcoming(room.project, room.ledger, desk.clock()),
    )  # fmt: skip


def done(room: Room) -> tuple[CycleLine, ...]:
    """The lines of the cycles that are not open."""
    return room.remember("cycles", lambda: list_cycles(room.ledger, measurable(room.ledger)))


@get("/p/{project:str}/cycles/{name:str}", needs="read", sync_to_thread=True)
def cycle_page(page: PageNow, room: RoomNow, desk: DeskNow, name: FromPath[str]) -> Response[str]:
    """One cycle: progress, cost, what may be done, what was done."""
    if soon := _ordered(room, desk, cycle_named(name)):
        return page.show("ordered.html", f"Cycle {soon.name}", progress=soon, states=RUN_STATES, room=room.id)
    state = _state(room, desk, name)
    cycle = state.line.cycle
    here = zone(room.project.time_zone)
    events = [
        (datetime.fromisoformat(str(e["at"])).astimezone(here), str(e["what"]), one_line(told(e), 300))
        for e in room.ledger.history(cycle.name)
    ]
    return page.show(
        "cycle.html", f"Cycle {cycle.name}", progress=_progress(state, room, desk, page), state=state, events=events,
        room=room.id, measured=cycle.status != "open", line=_line(state.line, room), states=RUN_STATES,
    )  # fmt: skip


@get("/p/{project:str}/cycles/{name:str}/progress", needs="read", sync_to_thread=True)
def progress_part(page: PageNow, room: RoomNow, desk: DeskNow, name: FromPath[str]) -> Response[str]:
    """The progress alone, for a page that is open already."""
    if soon := _ordered(room, desk, cycle_named(name)):
        return page.part("progress.html", progress=soon, states=RUN_STATES)
    state = _state(room, desk, name)
    return page.part("progress.html", progress=_progress(state, room, desk, page), states=RUN_STATES)


@post("/p/{project:str}/cycles/{name:str}", needs="write", sync_to_thread=True)
def act(
    page: PageNow, room: RoomNow, desk: DeskNow, name: FromPath[str],
    data: Annotated[Act, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[Any]:  # fmt: skip
    """Pause, resume, retry or close a cycle."""
    cycle = _state(room, desk, name).line.cycle
    if data.what not in ACTS:
        raise InputError(f"{data.what[:40]!r} cannot be done with a cycle.", f"Known: {', '.join(ACTS)}.")
    said = _carry_out(data.what, cycle.name, room, desk)
    desk.note(page.reader, f"cycle: {data.what}", f"{room.id}: {cycle.name}", page.address)
    return page.go(cycle_path(room.id, cycle.name), said)


def _carry_out(what: str, name: str, room: Room, desk: Desk) -> str:
    """Do it; returns what to say of it."""
    standing = _standing(desk, room)
    mine = standing.cycle == name and standing.state in ("running", "stopping")
    if what == "close" and not mine:
        close_cycle(room.project, room.ledger, name, desk.clock())
        return f"{name} is closed as it is."
    if desk.worker is None:
        raise InputError("This server does not poll by itself.", "Run `citepoll poll` in the project's folder.")
    if what in ("close", "pause") and not mine:
        raise InputError(f"{name} is not being polled.", "Look at the list of cycles.")
    if what == "close":
        desk.worker.stop(room.id)
        return f"{name} is being closed: the calls in flight come to their end first."
    if what == "pause":
        desk.worker.pause(room.id)
        return f"{name} is being paused: the calls in flight come to their end first."
    desk.worker.start(room.id, Order(cycle=name, retry=what == "retry"))
    return f"What failed in {name} is asked again." if what == "retry" else f"{name} goes on."


def _state(room: Room, desk: Desk, part: str) -> CycleState:
    name, at = cycle_named(part), desk.clock()
    try:
        if room.ledger.cycle(name).status == "open":
            return cycle_state(room.ledger, name, at)
        return room.remember(("cycle", name), lambda: cycle_state(room.ledger, name, at))
    except SliceError as wrong:
        raise NotFoundException(wrong.cause, extra={"fix": wrong.fix}) from None


def _ordered(room: Room, desk: Desk, name: str) -> Progress | None:
    """A cycle that was ordered and is not in the ledger yet: it begins in a moment, or came to nothing."""
    standing = _standing(desk, room)
    if standing.cycle != name or any(cycle.name == name for cycle in room.ledger.cycles()):
        return None
    failed = standing.state == "failed"
    notes = (f"The poll came to nothing: {standing.reason}",) if failed else ()
    sentence = "Nothing was asked" if failed else "It begins in a moment"
    return Progress(
        name, cycle_path(room.id, name), "failed" if failed else "ordered", sentence, "", (), "", (), notes, not failed
    )


def _standing(desk: Desk, room: Room) -> Standing:
    return desk.worker.standing(room.id) if desk.worker else Standing("idle")


# ---------------------------------------------------------------- in words


def _line(line: CycleLine, room: Room) -> Line:
    cycle, runs = line.cycle, line.runs
    begun = datetime.fromisoformat(cycle.created_at).astimezone(zone(room.project.time_zone))
    return Line(
        cycle.name,
        cycle_path(room.id, cycle.name),
        cycle.status,
        "simulated" if line.simulated else "recorded" if cycle.kind == "recorded" else "",
        f"{count(runs.planned - runs.left)} of {count(runs.planned)}",
        count(runs.failed),
        "not known" if runs.cost is None else money(runs.cost),
        "" if line.version is None else f"version {line.version}",
        f"{begun:%Y-%m-%d %H:%M}",
    )


def _progress(state: CycleState, room: Room, desk: Desk, page: Page) -> Progress:
    cycle, runs = state.line.cycle, state.line.runs
    standing = _standing(desk, room)
    bars = [_bar(engine, state, room) for engine in state.engines]
    most = max((r.planned for r in state.runs.values()), default=0)
    shown = max((len(bar.squares) for bar in bars), default=0)
    return Progress(
        cycle.name,
        cycle_path(room.id, cycle.name),
        cycle.status,
        f"{count(runs.planned - runs.left)} of {noun(runs.planned, 'run')} recorded"
        + (f", {count(runs.failed)} of them failed" if runs.failed else ""),
        ", ".join(_pace(state, room, at_rest=standing.cycle == cycle.name and standing.state in ("paused", "failed"))),
        tuple(bars),
        "a run" if most == shown else f"about {noun(round(most / shown), 'run')}" if shown else "",
        tuple(_acts(state, standing, desk)) if page.reader.may("write") else (),
        tuple(_notes(state, standing, desk)),
        cycle.status == "open",
        overview_path(room.id, cycle.name) if cycle.status != "open" else None,
    )


def _bar(engine: Engine, state: CycleState, room: Room) -> Bar:
    runs = state.runs.get(engine.name, Runs())
    cycle = state.line.cycle
    measured = cycle.status != "open"
    return Bar(
        one_line(engine.name, 60),
        engine.surface if engine.surface in ("simulated", "recorded") else "",
        squares(run_states(runs)),
        runs_words(runs),
        "" if runs.cost is None else money(runs.cost),
        one_line(state.failures.get(engine.name, ""), 200),
        answers_path(room.id, cycle=cycle.name, engine=engine.name) if measured else None,
        answers_path(room.id, cycle=cycle.name, engine=engine.name, status="failed")
        if measured and runs.failed
        else None,
    )


def _pace(state: CycleState, room: Room, *, at_rest: bool) -> Iterator[str]:
    """Spend, and unless nobody polls rate and time left; what is not known is left out."""
    runs = state.line.runs
    if runs.cost is not None:
        ceiling = f" of {money(room.project.budget)}" if room.project.budget is not None else ""
        yield f"{money(runs.cost)}{ceiling} spent"
    if at_rest:
        return
    if state.a_minute is not None:
        yield f"{noun(round(state.a_minute), 'run')} a minute"
    if state.seconds_left is not None:
        yield f"about {duration(state.seconds_left)} left"


def _acts(state: CycleState, standing: Standing, desk: Desk) -> Iterator[str]:
    """What may be done with the cycle now."""
    cycle, runs = state.line.cycle, state.line.runs
    mine = standing.cycle == cycle.name
    if cycle.kind != "polled" or cycle.status == "closed" or (mine and standing.state == "stopping"):
        return
    running = mine and standing.state == "running"
    free = desk.worker is not None and standing.state not in ("running", "stopping")
    if running:
        yield "pause"
    if free and cycle.status == "open":
        yield "resume"
    if free and runs.failed:
        yield "retry"
    yield "close"


def _notes(state: CycleState, standing: Standing, desk: Desk) -> Iterator[str]:
    """What a reader should know about who polls, and what follows."""
    cycle = state.line.cycle
    mine = standing.cycle == cycle.name
    if mine and standing.state == "failed":
        yield f"The poll came to nothing: {standing.reason}"
    if mine and standing.state == "paused":
        yield "The poll is paused. Nothing is asked until somebody resumes it; what was recorded is kept."
    if mine and standing.state == "stopping":
        yield "The calls in flight come to their end; nothing else is asked."
    if cycle.status == "open" and cycle.kind == "recorded":
        yield "Its import did not come to its end: import the file again, rows that are here are passed over."
    if cycle.status == "open" and cycle.kind == "polled" and desk.worker is None:
        yield "This server does not poll by itself: `citepoll poll` in the project's folder goes on with the cycle."
    if cycle.status == "stopped":
        yield "The cycle is measured with what is there. Runs that failed can be asked again until it is closed."


ROUTES = [cycles_page, cycle_page, progress_part, act]
