"""Where competitors are ahead: query by query, topic by topic, with the probability, what it is worth, and the evidence.

`/p/PROJECT/gaps?cycle=&by=query|topic|intent&engine=&intent=&topic=&verdict=&page=`
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from litestar import Response, get
from litestar.params import FromQuery
from markupsafe import Markup

from citepoll.explain.gaps import Gap
from citepoll.explain.worth import GroupGap, QueryGap
from citepoll.measure.slices import quoted
from citepoll.model import INTENTS
from citepoll.report.numbers import noun, part
from citepoll.report.printable import one_line
from citepoll.report.todos import chance
from citepoll.service.cells import newest
from citepoll.service.gaps import GapList, find_gaps
from citepoll.surfaces.dashboard.doors import answers_path, page_path
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

WAITING = "The queries on which competitors are cited and you are not will stand here after the first cycle."
LISTED = 25
WIDE = 70
"""Pixels of a whole bar."""
BY: Choices = (("query", "query"), ("topic", "topic"), ("intent", "intent"))
VERDICTS: Choices = (("confirmed", "confirmed"), ("candidate", "candidate"), ("none", "no gap"))
NONE_GIVEN = "none given"


@dataclass(frozen=True, slots=True)
class Asked:
    cycle: str = ""
    by: str = "query"
    engine: str = ""
    intent: str = ""
    topic: str = ""
    verdict: str = ""
    number: str = ""

    @property
    def where(self) -> str:
        given = (("engine", self.engine), ("intent", self.intent), ("topic", self.topic))
        return " and ".join(f"{name} = {quoted(value)}" for name, value in given if value)

    @property
    def address(self) -> dict[str, str]:
        names = ("cycle", "by", "engine", "intent", "topic", "verdict")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class Rival:
    """A competitor that is ahead on a query: `6 of 6, 0 of 6 ours`, the answers that cite it, its pages that are cited."""

    name: str
    score: str
    door: str
    pages: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A query. `half` is the length of the bar from a probability of one half to one, in pixels; None below."""

    query: str
    door: str
    about: str
    verdict: str
    half: float | None
    chance: str
    worth: str
    reckoned: str
    rivals: tuple[Rival, ...]
    engines: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Group:
    """A topic or an intent."""

    name: str
    href: str
    queries: str
    confirmed: str
    candidates: str
    expected: str
    worth: str
    ahead: str


@get("/p/{project:str}/gaps", needs="read", nav="Gaps", sync_to_thread=True)
def gaps(
    page: PageNow, room: RoomNow, desk: DeskNow, cycle: FromQuery[str] = "", by: FromQuery[str] = "query",
    engine: FromQuery[str] = "", intent: FromQuery[str] = "", topic: FromQuery[str] = "", verdict: FromQuery[str] = "",
) -> Response[str]:  # fmt: skip
    """Gaps, worth most first."""
    if waiting := unmeasured(page, room, "Gaps", WAITING):
        return waiting
    number = page.request.query_params.get("page", "")
    listed = shown(room, desk, Asked(cycle, by or "query", engine, intent, topic, verdict, number))
    return page.show("gaps.html", "Gaps", shown=listed)


def shown(room: Room, desk: Desk, asked: Asked = Asked()) -> Markup:
    """The gaps as asked, by default of the newest cycle."""
    asked = replace(asked, cycle=newest(room.ledger, asked.cycle or None).name)
    return room.remember(("gaps", asked), lambda: _gaps(room, desk, asked))


def _gaps(room: Room, desk: Desk, asked: Asked) -> Markup:
    cycle = room.ledger.cycle(asked.cycle)
    offered = _offered(room, asked)
    for name in ("engine", "verdict"):
        chosen_of(name, getattr(asked, name), offered[name])
    found = find_gaps(room.project, room.ledger, desk.clock(), cycle=asked.cycle, where=asked.where, by=asked.by)
    fitting = [on for on in found.queries if asked.verdict in ("", on.verdict) and (on.ahead or asked.verdict)]
    listed = part_of(fitting, asked.number, LISTED, room.id, "gaps", asked.address)
    return drawn_part(
        "gaps_list.html", room=room.id, asked=asked, options=offered, tags_=tags_of(room, cycle), found=found,
        listed=listed, lines=[_line(room.id, found, on) for on in listed.items],
        groups=[_group(room.id, asked, group) for group in found.groups], sentence=_sentence(found),
        ahead=sum(bool(on.ahead) for on in found.queries),
    )  # fmt: skip


def _offered(room: Room, asked: Asked) -> dict[str, Choices]:
    cycle = room.ledger.cycle(asked.cycle)
    queries = room.ledger.query_set(cycle).queries if cycle.set_hash else ()
    return {
        "cycle": cycles_offered(room),
        "by": BY,
        "engine": engines_offered(room, cycle),
        "intent": [(name, name) for name in INTENTS if any(query.intent == name for query in queries)],
        "topic": [(name, one_line(name, 60)) for name in sorted({query.topic for query in queries if query.topic})],
        "verdict": VERDICTS,
    }


def _sentence(found: GapList) -> str:
    """`A competitor is ahead on 30 of 40 queries: 21 confirmed, 9 candidates.`"""
    of = noun(len(found.queries), "query", "queries")
    confirmed, candidates = (sum(on.verdict == name for on in found.queries) for name in ("confirmed", "candidate"))
    if not confirmed + candidates:
        return f"No competitor is ahead on any of {of}."
    both = f"{confirmed} confirmed, {noun(candidates, 'candidate')}"
    return f"A competitor is ahead on {confirmed + candidates} of {of}: {both}."


def _line(project: str, found: GapList, on: QueryGap) -> Line:
    query = on.query
    half = (on.probability - 0.5) * 2 * WIDE
    cells = [(one_line(cell.engine, 40), cell) for cell in on.cells]
    return Line(
        query=one_line(query.text, 300),
        door=answers_path(project, cycle=found.cycle, query=query.id, status="valid"),
        about=", ".join(one_line(text, 60) for text in (query.intent, query.topic) if text),
        verdict=dict(VERDICTS)[on.verdict],
        half=round(half, 1) if half > 0 else None,
        chance=chance(on.probability),
        worth=f"{on.worth:.1f}",
        reckoned=f"weight {on.weight:g} × {chance(on.probability)}" if on.ahead else "",
        rivals=tuple(_rival(project, found, on, gap) for gap in on.ahead),
        engines=tuple(
            (label, part(cell.cited.get(found.brand, 0), cell.n),
             answers_path(project, cycle=found.cycle, query=query.id, engine=cell.engine, status="valid"))
            for label, cell in cells
        ),
    )  # fmt: skip


def _rival(project: str, found: GapList, on: QueryGap, gap: Gap) -> Rival:
    def door(**more: str) -> str:
        return answers_path(project, cycle=found.cycle, query=gap.query_id, status="valid", **more)

    pages = on.pages.get(gap.competitor, ())
    return Rival(
        name=one_line(gap.competitor, 60),
        score=f"{part(gap.theirs, gap.n)}, we {gap.ours}",
        door=door(cites=gap.competitor),
        pages=tuple((url, door(url=url)) for url in pages),
    )


def _group(project: str, asked: Asked, group: GroupGap) -> Group:
    given = {**asked.address, "by": "query", asked.by: group.name or ""}
    ahead = [f"{one_line(name, 60)} on {number}" for name, number in list(group.ahead.items())[:3]]
    more = len(group.ahead) - len(ahead)
    return Group(
        name=one_line(group.name or NONE_GIVEN, 60),
        href=page_path(project, "gaps", **given) if group.name else "",
        queries=str(group.queries),
        confirmed=str(group.confirmed),
        candidates=str(group.candidates),
        expected=f"{group.expected:.1f}",
        worth=f"{group.worth:.1f}",
        ahead=", ".join(ahead) + (f" and {more} more" if more > 0 else ""),
    )


ROUTES = [gaps]
