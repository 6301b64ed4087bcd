"""Starting a cycle: what it would ask, cost and see, before anything is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromQuery

from citepoll.errors import CitepollError, InputError
from citepoll.report.numbers import count, duration, money, noun
from citepoll.report.printable import one_line
from citepoll.service.background import Order, preview
from citepoll.service.corpus import lacks_documents
from citepoll.service.outlays import outlay_words
from citepoll.service.planning import Sight
from citepoll.service.polling import Planned
from citepoll.service.starting import cautions, sights
from citepoll.service.stopping import points
from citepoll.surfaces.dashboard.doors import cycle_path
from citepoll.surfaces.dashboard.page import Page, PageNow
from citepoll.surfaces.web.asking import DeskNow, RoomNow
from citepoll.surfaces.web.desk import Desk
from citepoll.surfaces.web.rooms import Room


@dataclass(frozen=True, slots=True)
class Form:
    """What was typed; empty: as the project has it. `over` as in 36h, `stop_at` as in 2pp, `runs` a whole number."""

    name: str = ""
    over: str = ""
    runs: str = ""
    stop_at: str = ""

    def order(self) -> Order:
        """Raises `InputError` for what is no number."""
        runs = self.runs.strip()
        if runs and not (runs.isascii() and runs.isdigit() and len(runs) < 7):
            raise InputError(f"{self.runs[:40]!r} is not a number of runs.", "Write a whole number, as 3.")
        return Order(
            cycle=self.name.strip() or None,
            over=self.over.strip() or None,
            stop_at=points(self.stop_at, "Stop at") if self.stop_at.strip() else None,
            runs=int(runs) if runs else None,
        )


@dataclass(frozen=True, slots=True)
class EngineLine:
    """What one engine would be asked, cost, and see on each target, in words."""

    name: str
    tag: str
    runs: str
    cost: str
    fixed_set: str
    category: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The preview in words; `keyless` says that a poll would be refused."""

    cycle: str
    resumes: bool
    sentence: str
    total: str
    engines: tuple[EngineLine, ...]
    cautions: tuple[str, ...]
    keyless: bool


@get("/p/{project:str}/cycles/new", needs="read", sync_to_thread=True)
def new_cycle(
    page: PageNow, room: RoomNow, desk: DeskNow, name: FromQuery[str] = "", over: FromQuery[str] = "",
    runs: FromQuery[str] = "", stop_at: FromQuery[str] = "",
) -> Response[str]:  # fmt: skip
    """The preview of a cycle with these options, and the button that starts it."""
    return _shown(page, room, desk, Form(name, over, runs, stop_at))


@post("/p/{project:str}/cycles/new", needs="write", sync_to_thread=True)
def start_cycle(
    page: PageNow, room: RoomNow, desk: DeskNow,
    data: Annotated[Form, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[Any]:  # fmt: skip
    """Starts it in the background; the form again where it cannot be started."""
    try:
        if desk.worker is None:
            raise InputError("This server does not poll by itself.", "Run `citepoll poll` in the project's folder.")
        standing = desk.worker.start(room.id, data.order())
    except CitepollError as wrong:
        return _shown(page, room, desk, data, wrong)
    cycle = standing.cycle or data.name
    desk.note(page.reader, "cycle: start", f"{room.id}: {cycle}", page.address)
    return page.go(cycle_path(room.id, cycle), f"{cycle} is started.")


def _shown(page: Page, room: Room, desk: Desk, form: Form, error: CitepollError | None = None) -> Response[str]:
    plan, locked = None, room.ledger.current() is not None
    try:
        plan = _preview(room, desk, form.order())
    except CitepollError as wrong:
        error = error or (wrong if locked or form != Form() else None)
    return page.show(
        "new_cycle.html", "Start a cycle", status=422 if error else 200, plan=plan, form=form, error=error,
        room=room.id, worker=desk.worker is not None, empty=lacks_documents(room.project), locked=locked,
    )  # fmt: skip


def _preview(room: Room, desk: Desk, order: Order) -> Plan:
    project, ledger, at = room.project, room.ledger, desk.clock()
    planned = preview(project, ledger, order, at)
    runs = tuple((engine.name, engine.runs) for engine in planned.engines)
    seen = room.remember(("sights", runs), lambda: sights(project, ledger, planned.engines, at))
    return _plan(planned, seen, tuple(cautions(project, ledger, planned)))


# ---------------------------------------------------------------- in words


def _plan(planned: Planned, seen: Sequence[Sight], warned: Sequence[str]) -> Plan:
    version = f"version {planned.version}" if planned.version else "its version"
    what = f"Goes on with {planned.cycle}" if planned.resumes else f"Begins {planned.cycle}"
    return Plan(
        planned.cycle,
        planned.resumes,
        f"{what}: {noun(planned.queries, 'query', 'queries')} ({version} of the query set), "
        f"{noun(len(planned.engines), 'engine')}.",
        f"To ask now: {count(planned.todo)} of {noun(planned.runs, 'run')}{''.join(_more(planned))}.",
        tuple(_engines(planned, seen)),
        tuple(one_line(text, 400) for text in warned),
        bool(planned.missing_keys),
    )


def _more(planned: Planned) -> Iterator[str]:
    """Cost, ceiling and time of the runs to ask, those that are known."""
    known = sum(estimate.usd or 0.0 for estimate in planned.estimates)
    unknown = [one_line(estimate.engine, 40) for estimate in planned.estimates if estimate.usd is None]
    if known:
        yield f"; about {money(known)}"
    if unknown:
        yield f"; an unknown price for {', '.join(unknown)}"
    if not known and not unknown:
        yield "; without a cost"
    if planned.ceiling is not None:
        yield f", at most {money(planned.ceiling)} a cycle"
    if planned.seconds is not None and planned.seconds >= 1:
        yield f"; about {duration(planned.seconds)}"


def _engines(planned: Planned, seen: Sequence[Sight]) -> Iterator[EngineLine]:
    outlays = {outlay.engine: outlay for outlay in planned.estimates}
    for engine in planned.engines:
        yield EngineLine(
            one_line(engine.name, 60),
            engine.surface if engine.surface in ("simulated", "recorded") else "",
            noun(engine.runs, "run") + " a query",
            outlay_words(outlays[engine.name]) if engine.name in outlays else "not known",
            _sight(engine.name, "fixed_set", seen),
            _sight(engine.name, "category", seen),
        )


def _sight(engine: str, target: str, sights: Sequence[Sight]) -> str:
    """`± 4.1 points; sees a move of 6.2`: half the interval's width, and the least move seen four times in five."""
    for sight in sights:
        if (sight.engine, sight.target) == (engine, target):
            half = f"± {sight.width * 50:.1f} points"
            return half if sight.detectable is None else f"{half}; sees a move of {sight.detectable * 100:.1f}"
    return "not known: no query without a brand's name"


ROUTES = [new_cycle, start_cycle]
