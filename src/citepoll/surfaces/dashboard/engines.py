"""The engines of a project and all others: what they return, key and price, the last cycle, and a check by one call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.exceptions import NotFoundException
from litestar.params import Body

from citepoll.report.numbers import count, money, noun
from citepoll.report.printable import one_line
from citepoll.report.sentences import SURFACES, TAGGED
from citepoll.service.cycles import runs_words
from citepoll.service.engine_checks import Checked, candidates, check, expected, measured_words
from citepoll.service.engine_list import InProject, engines_of_project
from citepoll.service.engines import Listed, key_words
from citepoll.surfaces.dashboard.doors import cycle_path
from citepoll.surfaces.dashboard.page import Page, PageNow
from citepoll.surfaces.web.asking import DeskNow, RoomNow
from citepoll.surfaces.web.rooms import Room

VERIFIED = {
    "recording": "parser tested on recorded answers",
    "documentation": "parser tested on the vendor's documentation only",
    "built-in": "built in",
}


@dataclass(frozen=True, slots=True)
class Used:
    """An engine of the project, in words. `lines` are facts of it; `cycle` and `failure` of the newest cycle."""

    name: str
    id: str
    tag: str
    surface: str
    lines: tuple[tuple[str, str], ...]
    cycle: str
    href: str | None
    failure: str
    note: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Other:
    """An engine that is not in the project, with the lines that would put it there."""

    id: str
    name: str
    surface: str
    returns: str
    key: str
    price: str
    verified: str
    docs: str
    problem: str
    toml: str


@dataclass(frozen=True, slots=True)
class Result:
    """How a check ended, in words."""

    engine: str
    works: bool
    says: str
    fix: str
    vendor: str
    measured: str


@dataclass(frozen=True, slots=True)
class Asked:
    engine: str = ""


@get("/p/{project:str}/engines", needs="read", nav="Engines", sync_to_thread=True)
def engines_page(page: PageNow, room: RoomNow) -> Response[str]:
    """Every engine, the project's own first."""
    return _shown(page, room)


@post("/p/{project:str}/engines/check", needs="write", sync_to_thread=True)
def check_engine(
    page: PageNow, room: RoomNow, desk: DeskNow,
    data: Annotated[Asked, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[str]:  # fmt: skip
    """One call to an engine of the project, as a poll would make it. Records nothing."""
    if data.engine not in {engine.name for engine in room.project.engines}:
        raise NotFoundException(f"There is no engine {data.engine[:60]!r} in this project.")
    desk.note(page.reader, "engine checked", f"{room.id}: {data.engine}", page.address)
    result = _result(check(candidates(room.project, data.engine))[0])
    if "hx-request" in page.request.headers:
        return page.part("checked.html", result=result)
    return _shown(page, room, result)


def _shown(page: Page, room: Room, result: Result | None = None) -> Response[str]:
    found = engines_of_project(room.project, room.ledger)
    used = [_used(each, at, room) for at, each in enumerate(found.used)]
    others = [_other(each) for each in found.others]
    return page.show("engines.html", "Engines", result=result, used=used, others=others, room=room.id)


# ---------------------------------------------------------------- in words


def _used(found: InProject, at: int, room: Room) -> Used:
    engine, cycle = found.engine, found.cycle
    return Used(
        one_line(engine.name, 60),
        one_line(engine.id, 60),
        engine.surface if engine.surface in TAGGED else "",
        SURFACES[engine.surface],
        tuple(_lines(found)),
        f"{cycle.name}, {cycle.status}: {runs_words(found.runs)}" if cycle and found.runs else "not asked yet",
        cycle_path(room.id, cycle.name) if cycle else None,
        one_line(found.failure or "", 300),
        _cost_note(found, room),
        f"check-{at}",
    )


def _lines(found: InProject) -> Iterator[tuple[str, str]]:
    """Label and words."""
    engine, facts = found.engine, found.facts
    yield "Model", one_line(engine.model or (facts.default_model if facts else "") or "as the surface chooses", 80)
    yield "Runs a query", count(engine.runs)
    if engine.country or engine.language:
        yield "Country, language", ", ".join(part for part in (engine.country, engine.language) if part)
    if engine.weight is not None:
        yield "Weight", f"{engine.weight:g}"
    if facts:
        yield "Key", key_words(facts)
        yield "Returns", returns_words(facts)
        yield "Price", _price(found)
        yield "Parser", VERIFIED.get(facts.verified, facts.verified)


def returns_words(facts: Listed) -> str:
    """What the surface returns beside the text and its citations."""
    return ", ".join(("text", "citations", *facts.returns))


def _price(found: InProject) -> str:
    if found.engine.surface in TAGGED:
        return "costs nothing"
    dated = f", by the price table of {found.priced_on}" if found.priced_on else ""
    note = f" ({one_line(found.facts.price_note, 160)})" if found.facts and found.facts.price_note else ""
    known = "not known" if found.usd_a_call is None else f"about {money(found.usd_a_call)} a call{dated}"
    return known + note


def _cost_note(found: InProject, room: Room) -> str:
    """What the check would cost; empty where the engine cannot be asked."""
    if found.facts is None or found.engine.surface == "recorded":
        return ""
    calls, usd, unknown = expected(candidates(room.project, found.engine.name))
    if not calls:
        return "Makes no call."
    return f"Sends {noun(calls, 'call')}: " + (
        "its price is not known." if unknown else f"about {money(usd)}." if usd else "without a cost."
    )


def _other(facts: Listed) -> Other:
    return Other(
        one_line(facts.id, 60),
        one_line(facts.name, 80),
        SURFACES.get(facts.surface, facts.surface),
        returns_words(facts),
        key_words(facts),
        one_line(facts.price_note or "", 200),
        VERIFIED.get(facts.verified, facts.verified),
        facts.docs,
        one_line(facts.problem or "", 200),
        f'[[engine]]\nid = "{one_line(facts.id, 60)}"\nruns = 3',
    )


def _result(found: Checked) -> Result:
    return Result(
        one_line(found.engine, 60),
        found.works,
        one_line(found.says, 400),
        one_line(found.fix, 400),
        one_line(found.vendor or "", 400),
        measured_words(found),
    )


ROUTES = [engines_page, check_engine]
