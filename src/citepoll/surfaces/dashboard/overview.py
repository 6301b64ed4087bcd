"""The overview of a project: where the brand stands, what changed, what to do first, and how the polling is doing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, cast

from litestar import Response, get
from litestar.params import FromQuery
from markupsafe import Markup

from citepoll.errors import SliceError
from citepoll.measure.metrics import METRICS
from citepoll.model import Slice
from citepoll.project import zone
from citepoll.report.data import ReportData
from citepoll.report.evidence import Doors
from citepoll.report.moved import trend_notes, trend_panels
from citepoll.report.numbers import count, money, noun, percent
from citepoll.report.pairs import engines, pairs
from citepoll.report.sentences import TARGETS, engine_labels
from citepoll.report.view import page as viewed
from citepoll.service.corpus import lacks_documents
from citepoll.service.health import Health, health
from citepoll.service.measuring import measurable
from citepoll.service.overview import SHOWN, overview
from citepoll.surfaces.dashboard.doors import answers_path, cycle_path, page_path
from citepoll.surfaces.dashboard.page import PageNow, environment
from citepoll.surfaces.web.asking import DeskNow, RoomNow
from citepoll.surfaces.web.desk import Desk
from citepoll.surfaces.web.rooms import Room

BOTH = {"both": "Both", **TARGETS}
NAMED = ("mention_rate", "mention_share_of_voice")
"""Metrics that count names in the text: their doors lead to the answers that name the brand."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What the page is asked to show; empty: the newest cycle, against the one before, share of citation, both targets."""

    cycle: str = ""
    compare: str = ""
    metric: str = ""
    target: str = ""

    def slice(self) -> Slice:
        """The question to the read side. Raises `SliceError` for an unknown target."""
        if self.target and self.target not in BOTH:
            raise SliceError(f"{self.target[:40]!r} is not a target of inference.", f"Choose one of {', '.join(BOTH)}.")
        return Slice(
            metrics=(self.metric or SHOWN[0],),
            cycles=(self.cycle,) if self.cycle else (),
            compare=self.compare or None,
            target=cast(Literal["fixed_set", "category", "both"], self.target or "both"),
        )


@dataclass(frozen=True, slots=True)
class Fact:
    """A part of the health line, with the page behind it."""

    text: str
    href: str | None = None


@get("/p/{project:str}", needs="read", nav="Overview", sync_to_thread=True)
def overview_page(
    page: PageNow, room: RoomNow, desk: DeskNow, cycle: FromQuery[str] = "", compare: FromQuery[str] = "",
    metric: FromQuery[str] = "", target: FromQuery[str] = "",
) -> Response[str]:  # fmt: skip
    """Headline, engines, competitors, trend, three things to do, health."""
    found = health(room.project, room.ledger, desk.clock())
    line = health_line(found, room)
    if not measurable(room.ledger):
        return page.show("unmeasured.html", "Overview", health=found, line=line, begun=_begun(room), room=room.id)
    numbers = shown(room, desk, Filters(cycle, compare, metric, target))
    return page.show("overview.html", "Overview", numbers=numbers, health=found, line=line, room=room.id)


def shown(room: Room, desk: Desk, asked: Filters = Filters()) -> Markup:
    """What the overview shows of measured cycles, by default or as asked."""
    return room.remember(("overview", asked, desk.clock().date()), lambda: _numbers(asked, room, desk))


def _numbers(asked: Filters, room: Room, desk: Desk) -> Markup:
    """All of the page that measured cycles decide, drawn once."""
    found = overview(room.project, room.ledger, asked.slice(), desk.clock())
    data, folded = _leading_trend(found.data)
    text = environment().get_template("overview_numbers.html").render(
        view=viewed(data, doors(room.id, found.asked, data.brand)), asked=found.asked, room=room.id,
        options=_options(found.cycles, found.earlier), folded=folded, trends=_trends_path(room, found.asked),
        counted="Cited of answers" if found.asked.metrics[0] == SHOWN[0] else "Counted of all",
    )  # fmt: skip
    return Markup(text)


def _leading_trend(data: ReportData) -> tuple[ReportData, int]:
    """The report with the trend of the last engine alone (blended, where there is a blend), and how many are left out.

    A picture takes a tenth of a second: those of ten engines are drawn on a page of their own.
    """
    if data.trend is None:
        return data, 0
    names = engines(pairs(data.trend.rows))
    rows = tuple(row for row in data.trend.rows if row.dimensions.get("engine") in names[-1:])
    return replace(data, trend=replace(data.trend, rows=rows)), max(0, len(names) - 1)


def _trends_path(room: Room, asked: Slice) -> str:
    return page_path(room.id, "trends", cycle=asked.cycles[0], metric=asked.metrics[0], target=asked.target)


@get("/p/{project:str}/trends", needs="read", sync_to_thread=True)
def trends_page(
    page: PageNow, room: RoomNow, desk: DeskNow, cycle: FromQuery[str] = "", metric: FromQuery[str] = "",
    target: FromQuery[str] = "",
) -> Response[str]:  # fmt: skip
    """The trend of every engine, blended last."""
    asked = Filters(cycle, "", metric, target)
    shown = room.remember(("trends", asked), lambda: _trends(asked, room, desk))
    return page.show("trends.html", "By cycle", shown=shown, room=room.id)


def _trends(asked: Filters, room: Room, desk: Desk) -> Markup:
    found = overview(room.project, room.ledger, asked.slice(), desk.clock())
    data = found.data
    text = environment().get_template("trends_numbers.html").render(
        panels=trend_panels(data, engine_labels(data), doors(room.id, found.asked, data.brand)), brand=data.brand,
        notes=trend_notes(data), asked=found.asked, label=METRICS[data.metric].label,
    )  # fmt: skip
    return Markup(text)


def _options(cycles: tuple[str, ...], earlier: tuple[str, ...]) -> Mapping[str, Mapping[str, str]]:
    """What the filters offer: value → words."""
    return {
        "cycle": {name: name for name in cycles},
        "compare": {name: name for name in earlier},
        "metric": {name: METRICS[name].label for name in SHOWN},
        "target": BOTH,
    }


def doors(project: str, asked: Slice, brand: str) -> Doors:
    """Doors to the desk's answers: an engine's are those of its answers that count for the brand."""
    counts = "mentions" if asked.metrics[0] in NAMED else "cites"

    def lead(to: Mapping[str, str]) -> str:
        found = {"cycle": asked.cycles[0], **to}
        who = found.pop("cites", None if found.keys() & {"domain", "query"} else brand)
        return answers_path(project, **found, **({counts: who} if who else {}))

    return Doors(lead)


# ---------------------------------------------------------------- health


def health_line(found: Health, room: Room) -> tuple[Fact, ...]:
    """`last cycle 2026-11, begun 3 Nov`, `576 of 576 runs`, `4 failed (0.7 %)`, `$11.40 of $20.00`; () without a cycle."""
    if found.cycle is None or found.begun_at is None:
        return ()
    day = found.begun_at.astimezone(zone(room.project.time_zone)).date().isoformat()
    cycle = cycle_path(room.id, found.cycle)
    return (
        Fact(f"newest cycle {found.cycle}, {found.status}, begun {day}", cycle),
        Fact(f"{count(found.recorded or 0)} of {noun(found.runs or 0, 'run')} recorded", cycle),
        _failed(found, room),
        _spent(found, room),
    )


def _failed(found: Health, room: Room) -> Fact:
    failed = found.failed or 0
    if not failed or not found.recorded:
        return Fact("none failed")
    text = f"{count(failed)} failed ({percent(failed / found.recorded, 1)})"
    return Fact(text, answers_path(room.id, cycle=found.cycle, status="failed"))


def _spent(found: Health, room: Room) -> Fact:
    """What the newest cycle cost, of the ceiling where there is one."""
    spent = f"{money(found.spent)} spent" if found.spent is not None else "no cost known"
    ceiling = f" of {money(found.ceiling)}" if found.ceiling is not None else ""
    return Fact(spent + ceiling, cycle_path(room.id, found.cycle or ""))


@dataclass(frozen=True, slots=True)
class Begun:
    """How far a project is that has no share yet. `empty`: it asks the local engine, which has no documents."""

    empty: bool
    locked: int
    open_cycle: str | None
    href: str | None


def _begun(room: Room) -> Begun:
    version = room.ledger.current()
    cycles = room.ledger.cycles()
    name = cycles[-1].name if cycles else None
    questions = len(version.queries.queries) if version else 0
    return Begun(lacks_documents(room.project), questions, name, cycle_path(room.id, name) if name else None)


ROUTES = [overview_page, trends_page]
