"""What moves: citations won and lost between two cycles, the change of shares per cycle, how long a page stays cited.

`/p/PROJECT/movement?cycle=&compare=&owner=&what=won|lost&sure=yes&page=`
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from litestar import Response, get
from litestar.params import FromQuery
from markupsafe import Markup

from citepoll.explain.halflife import HalfLife
from citepoll.explain.movement import Moved
from citepoll.measure.metrics import METRICS
from citepoll.model import Contrast, Row, Slice
from citepoll.report.moved import CYCLES_SHOWN
from citepoll.report.numbers import noun, part, points, words
from citepoll.report.panels import Picture
from citepoll.report.printable import one_line
from citepoll.report.staying import Step, said, staying
from citepoll.service.cells import newest
from citepoll.service.comparing import comparable
from citepoll.service.measuring import measurable
from citepoll.service.moving import Movement, decay, won_and_lost
from citepoll.service.velocity import velocity
from citepoll.store.ledger import Cycle
from citepoll.surfaces.dashboard.doors import answers_path
from citepoll.surfaces.dashboard.measured import (
    Choices,
    chosen_of,
    cycles_offered,
    drawn_part,
    engines_offered,
    part_of,
    tags_of,
    unmeasured,
)
from citepoll.surfaces.dashboard.page import PageNow
from citepoll.surfaces.web.asking import DeskNow, RoomNow
from citepoll.surfaces.web.desk import Desk
from citepoll.surfaces.web.rooms import Room

WAITING = "Citations won and lost, and how fast shares move, will stand here after a second cycle."
LISTED = 40
WHAT: Choices = (("won", "won"), ("lost", "lost"))
METRIC = "share_of_citation"
STAYS_OVER = 26
"""Cycles over which a half-life is shown: of a year of weekly ones the newer half, in 2 s and 140 MB."""


@dataclass(frozen=True, slots=True)
class Asked:
    cycle: str
    compare: str
    owner: str = ""
    what: str = ""
    sure: bool = False
    number: str = ""

    @property
    def address(self) -> dict[str, str]:
        given = {name: getattr(self, name) for name in ("cycle", "compare", "owner", "what")}
        return {**given, "sure": "yes" if self.sure else ""}


@dataclass(frozen=True, slots=True)
class Line:
    """A citation won or lost; `doors` lead to the answers before and after that cite the page."""

    what: str
    sure: bool
    url: str
    owner: str
    engine: str
    query: str
    before: str
    after: str
    doors: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Speed:
    """The change per cycle of a brand's share on an engine, and the share now."""

    brand: str
    engine: str
    slope: str
    now: str
    door: str
    tracked: bool


@dataclass(frozen=True, slots=True)
class Stay:
    """How long citations stay: in words, and as a picture where there is a curve, with its `steps`."""

    whose: str
    sentence: str
    picture: Picture | None
    steps: tuple[str, ...]


@get("/p/{project:str}/movement", needs="read", nav="Movement", sync_to_thread=True)
def movement(
    page: PageNow, room: RoomNow, desk: DeskNow, cycle: FromQuery[str] = "", compare: FromQuery[str] = "",
    owner: FromQuery[str] = "", what: FromQuery[str] = "", sure: FromQuery[str] = "",
) -> Response[str]:  # fmt: skip
    """Won and lost against an earlier cycle; velocity and half-life over the newest ones."""
    if waiting := unmeasured(page, room, "Movement", WAITING):
        return waiting
    here = newest(room.ledger, cycle or None)
    earlier = room.remember(("comparable", here.name), lambda: _earlier(room, here))
    if not earlier:
        return page.show("waiting.html", "Movement", what=WAITING, room=room.id)
    since = compare if compare in dict(earlier) else earlier[0][0]
    asked = Asked(here.name, since, owner, what, sure == "yes", page.request.query_params.get("page", ""))
    moved, pace = shown(room, desk, asked, earlier)
    return page.show("movement.html", "Movement", moved=moved, pace=pace, tags_=tags_of(room, here))


def shown(room: Room, desk: Desk, asked: Asked, earlier: Choices) -> tuple[Markup, Markup]:
    """What was won and lost as asked; velocity and half-life."""
    moved = room.remember(("movement", asked), lambda: _moved(room, desk, asked, earlier))
    return moved, room.remember(("pace",), lambda: _pace(room, desk))


def shown_first(room: Room, desk: Desk) -> None:
    """Make what the page shows where nothing is asked."""
    here = newest(room.ledger, None)
    earlier = room.remember(("comparable", here.name), lambda: _earlier(room, here))
    if earlier:
        shown(room, desk, Asked(here.name, earlier[0][0]), earlier)


def _earlier(room: Room, cycle: Cycle) -> Choices:
    """The cycles that this one can be compared with, the newest first."""
    return [(one.name, one_line(one.name, 60)) for one in reversed(comparable(room.ledger, cycle))]


# ---------------------------------------------------------------- won and lost


def _moved(room: Room, desk: Desk, asked: Asked, earlier: Choices) -> Markup:
    brands = [(brand.name, one_line(brand.name, 60)) for brand in room.project.brands]
    chosen_of("brand", asked.owner, brands)
    chosen_of("movement", asked.what, WHAT)
    owner = asked.owner or None
    found = won_and_lost(room.project, room.ledger, asked.compare, asked.cycle, desk.clock(), owner=owner)
    shown = [one for one in found.moved if asked.what in ("", one.what) and (one.sure or not asked.sure)]
    listed = part_of(shown, asked.number, LISTED, room.id, "movement", asked.address)
    return drawn_part(
        "movement_list.html", room=room.id, asked=asked, listed=listed, sentence=_sentence(found),
        lines=[_line(room.id, found, one) for one in listed.items],
        options={"cycle": cycles_offered(room), "compare": earlier, "owner": brands, "what": WHAT},
    )  # fmt: skip


def _sentence(found: Movement) -> str:
    won = sum(one.what == "won" for one in found.moved)
    sure = sum(one.sure for one in found.moved)
    return (
        f"{noun(won, 'citation')} won and {noun(len(found.moved) - won, 'citation')} lost from "
        f"{one_line(found.earlier, 60)} to {one_line(found.later, 60)}; in {sure} of them all runs agree."
    )


def _line(project: str, found: Movement, one: Moved) -> Line:
    def door(cycle: str, **more: str) -> str:
        return answers_path(project, cycle=cycle, engine=one.engine, query=one.query_id, status="valid", **more)

    cited = ({"url": one.url} if one.before else {}, {"url": one.url} if one.after else {})
    return Line(
        what=one.what,
        sure=one.sure,
        url=one.url,
        owner=one_line(one.owner or "", 60),
        engine=one_line(one.engine, 60),
        query=one_line(found.texts.get(one.query_id, one.query_id), 200),
        before=part(one.before, one.before_of),
        after=part(one.after, one.after_of),
        doors=(door(found.earlier, **cited[0]), door(found.later, **cited[1])),
    )


# ---------------------------------------------------------------- velocity, half-life


def _pace(room: Room, desk: Desk) -> Markup:
    """Over the newest cycles, whatever two are compared above."""
    at = desk.clock()
    names = tuple(cycle.name for cycle in measurable(room.ledger))
    asked = Slice((METRIC,), cycles=names[-CYCLES_SHOWN:], target="fixed_set")
    speeds = velocity(room.project, room.ledger, asked, at)
    found = decay(room.project, room.ledger, at, names=names[-STAYS_OVER:])
    labels = dict(engines_offered(room, newest(room.ledger, None)))
    tracked = room.project.tracked.name
    lines = [_speed(room.id, row, slope, labels, tracked, speeds.cycles[-1]) for row, slope in speeds.rows]
    stays = (("All pages", found.every), (f"Pages of {one_line(tracked, 60)}", found.owned))
    return drawn_part(
        "pace.html", speeds=sorted(lines, key=lambda line: not line.tracked), cycles=speeds.cycles,
        metric=METRICS[METRIC].label.lower(), warnings=speeds.warnings,
        stays=[_stay(whose, life) for whose, life in stays], over=found.cycles,
    )  # fmt: skip


def _speed(
    project: str, row: Row, slope: Contrast, labels: Mapping[str, str], tracked: str, cycle: str
) -> Speed:  # fmt: skip
    brand, engine = (str(row.dimensions.get(name) or "") for name in ("brand", "engine"))
    return Speed(
        brand=one_line(brand, 60),
        engine=labels.get(engine, one_line(engine.replace("blended", "Blended", 1), 60)),
        slope=points(slope),
        now=words(row.estimate),
        door=answers_path(project, cycle=cycle, cites=brand, engine=engine if engine in labels else None),
        tracked=brand == tracked,
    )


def _stay(whose: str, found: HalfLife) -> Stay:
    seen = f"{noun(found.n, 'stay')} that began in sight, {found.ended} ended"
    if found.value is None:
        sentence = f"No half-life: {found.reason} ({seen})."
    else:
        low, high = (
            f"{end:g}" if end is not None else other for end, other in ((found.low, "?"), (found.high, "more"))
        )
        sentence = f"Half are gone after {found.value:g} cycles ({low} to {high}; {seen})."
    steps = tuple(Step(one.cycles, one.value, one.low, one.high) for one in found.curve)
    return Stay(whose, sentence, _curve(whose, steps), tuple(map(said, steps)))


def _curve(whose: str, steps: Sequence[Step]) -> Picture | None:
    if not steps:
        return None
    label = f"{whose}: the part that is still cited, by cycles"
    return Picture(label, staying(steps), staying(steps, 320))


ROUTES = [movement]
