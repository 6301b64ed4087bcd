"""The answers behind the numbers, as a list.

Its address says which, so that every number can lead here (`doors.answers_path` writes it):

`/p/PROJECT/answers?cycle=&engine=&query=&intent=&topic=&branded=&run=&status=&cites=&domain=&url=&mentions=&q=&page=`

- `cycle`: its name; without it the newest measured cycle
- `engine`: the engine's name
- `query`: the id of a question (`sha256:…`), or a part of its text
- `intent`, `topic`: of the question; `branded`: `yes` or `no`, whether the question names a brand of the project
- `run`: the number of the run
- `status`: one of `model.STATUSES`, or `valid` for those that metrics count
- `cites`, `mentions`: a brand by its name; whose pages the answer cites, who is named in its text
- `domain`: a registrable domain that it cites; `url`: a canonical URL that it cites
- `q`: words of the answer's text, whatever the case
- `page`: the number of an answer; the list goes on behind it

All that are given must hold; an empty one says nothing. What cannot be (an unknown cycle, brand or status) is refused
with cause and fix.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Response, get

from citepoll.errors import SliceError
from citepoll.model import INTENTS, STATUSES
from citepoll.report.data import EngineNote
from citepoll.report.numbers import count, noun
from citepoll.report.printable import one_line
from citepoll.report.sentences import TAGGED, engine_label
from citepoll.service.answers import Batch, Listed, Wanted, browse
from citepoll.service.cells import newest
from citepoll.service.measuring import measurable
from citepoll.store.ledger import Cycle
from citepoll.surfaces.dashboard.doors import ANSWER_FILTERS, answer_path, answers_path
from citepoll.surfaces.dashboard.page import PageNow
from citepoll.surfaces.web.asking import DeskNow, RoomNow
from citepoll.surfaces.web.desk import Desk
from citepoll.surfaces.web.rooms import Room

LONGEST = 2000
"""Characters of one filter; a longer URL is cut by no engine that is known here."""
RARER = frozenset({"mentions", "domain", "url", "status", "intent", "topic", "branded", "run"})
"""Filters that stand folded away until one of them is set."""
NAMES: Mapping[str, str] = {
    "engine": "engine", "query": "question", "intent": "intent", "topic": "topic", "branded": "names a brand", "run": "run",
    "status": "status", "cites": "cites", "domain": "cites domain", "url": "cites page", "mentions": "names", "q": "text",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """An answer in the list."""

    href: str
    query: str
    engine: str
    run: int
    status: str
    citations: str
    cites: str
    names: str


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters offer: pairs of value and words."""

    cycles: tuple[tuple[str, str], ...]
    engines: tuple[tuple[str, str], ...]
    topics: tuple[tuple[str, str], ...]
    brands: tuple[tuple[str, str], ...]
    texts: Mapping[str, str]
    tags: tuple[str, ...]
    intents: tuple[tuple[str, str], ...] = tuple((name, name) for name in INTENTS)
    statuses: tuple[tuple[str, str], ...] = (("valid", "valid"), *((name, name) for name in STATUSES))


@get("/p/{project:str}/answers", needs="read", nav="Answers", sync_to_thread=True)
def answers(page: PageNow, room: RoomNow, desk: DeskNow) -> Response[str]:
    """The list, a page at a time; for htmx the rows that follow."""
    given = given_filters(page.request.query_params)
    if not measurable(room.ledger):
        return page.show("answers_none.html", "Answers", project=room.id)
    found = _found(room, desk, given)
    choices = room.remember(("answer choices", found.cycle), lambda: _choices(room, found.cycle))
    shown: dict[str, Any] = {
        "lines": [_line(room.id, one, dict(choices.engines)) for one in found.answers],
        "more": _more(room.id, given, found),
        "searching": bool(given.get("q")) and not found.answers,
        "searched": _searched(given, found),
    }
    if "hx-request" in page.request.headers:
        return page.part("answers_rows.html", **shown)
    return page.show(
        "answers.html", "Answers", project=room.id, given=dict.fromkeys(ANSWER_FILTERS, "") | given,
        choices=choices, cycle=found.cycle,
        sentence=_sentence(given, found), active=_active(room.id, given, choices),
        question=choices.texts.get(given.get("query", ""), given.get("query", "")),
        rarer=bool(RARER & given.keys()),
        first=answers_path(room.id, **{**given, "page": None}), **shown,
    )  # fmt: skip


def given_filters(params: Mapping[str, str]) -> dict[str, str]:
    """The filters that an address gives, empty ones left out. Raises `SliceError` for one that is too long."""
    given = {name: value for name in ANSWER_FILTERS if (value := params.get(name, "").strip())}
    if long := [name for name, value in given.items() if len(value) > LONGEST]:
        raise SliceError(f"The filter {long[0]} has more than {count(LONGEST)} characters.", "Shorten it.")
    return given


def wanted(given: Mapping[str, str]) -> Wanted:
    """What these filters ask for. Raises `SliceError` for a status, a run or a choice that cannot be."""
    status, branded = given.get("status"), given.get("branded")
    if status not in (None, "valid", *STATUSES):
        raise SliceError(f"{status!r} is not a status.", f"Choose one of valid, {', '.join(STATUSES)}.")
    if branded not in (None, "yes", "no"):
        raise SliceError(f"{branded!r} is neither yes nor no.", "Say branded=yes or branded=no.")
    return Wanted(
        cycle=given.get("cycle"), engine=given.get("engine"), query=given.get("query"), intent=given.get("intent"),
        topic=given.get("topic"), branded=None if branded is None else branded == "yes", run=_number(given, "run"),
        status=status, cites=given.get("cites"), names=given.get("mentions"), domain=given.get("domain"),
        url=given.get("url"), text=given.get("q"),
    )  # fmt: skip


def _number(given: Mapping[str, str], name: str) -> int | None:
    text = given.get(name)
    if text is not None and not (text.isascii() and text.isdigit() and len(text) < 16):
        raise SliceError(f"{text[:40]!r} is not a number.", f"Give {name} as a number, or leave it out.")
    return None if text is None else int(text)


def _found(room: Room, desk: Desk, given: Mapping[str, str]) -> Batch:
    asked, after = wanted(given), _number(given, "page") or 0
    return room.remember(
        ("answers", asked, after), lambda: browse(room.project, room.ledger, asked, desk.clock(), after=after)
    )


def _choices(room: Room, name: str) -> Choices:
    project, ledger = room.project, room.ledger
    cycle = newest(ledger, name)
    notes = [EngineNote(engine.name, engine.surface) for engine in ledger.engines(cycle)]
    queries = ledger.query_set(cycle).queries if cycle.set_hash else ()
    topics = sorted({query.topic for query in queries if query.topic})
    brands = tuple((brand.name, one_line(brand.name, 60)) for brand in project.brands)
    kinds = {note.surface for note in notes}
    return Choices(
        cycles=tuple(map(_named, reversed(measurable(ledger)))),
        engines=tuple((note.name, engine_label(note)) for note in notes),
        topics=tuple((topic, one_line(topic, 60)) for topic in topics),
        brands=brands,
        texts={query.id: query.text for query in queries},
        tags=tuple(kind if kinds == {kind} else f"partly {kind}" for kind in sorted(kinds & TAGGED)),
    )


def _named(cycle: Cycle) -> tuple[str, str]:
    return cycle.name, one_line(cycle.name, 60)


def _line(project: str, one: Listed, labels: Mapping[str, str]) -> Line:
    return Line(
        href=answer_path(project, one.id),
        query=one_line(one.query, 200),
        engine=labels[one.engine],
        run=one.run,
        status=one.status,
        citations=noun(one.citations, "citation"),
        cites=", ".join(one_line(name, 60) for name in one.brands),
        names=", ".join(one_line(name, 60) for name in one.named),
    )


def _sentence(given: Mapping[str, str], found: Batch) -> str:
    """How many there are; of a text's nobody knows before all are opened."""
    of = f"of cycle {one_line(found.cycle, 60)}"
    if "q" in given:
        return f"{noun(found.total, 'answer')} {of} to look through for “{one_line(given['q'], 80)}”."
    fit = " fit" if len(given.keys() - {"cycle", "page"}) and found.total != 1 else ""
    return f"{noun(found.total, 'answer')} {of}{fit}."


def _searched(given: Mapping[str, str], found: Batch) -> str:
    if "q" not in given:
        return ""
    end = "" if found.next else ", to the end"
    return f"{noun(found.looked, 'answer')} opened{end}: {noun(len(found.answers), 'holds', 'hold')} the text."


def _more(project: str, given: Mapping[str, str], found: Batch) -> str | None:
    here = {**given, "cycle": found.cycle, "page": str(found.next)}
    return answers_path(project, **here) if found.next else None


def _active(project: str, given: Mapping[str, str], choices: Choices) -> list[tuple[str, str]]:
    """Each filter that is set, in words, with the address of the list without it."""
    known = {"query": choices.texts, "engine": dict(choices.engines)}
    return [
        (
            f"{NAMES[name]}: {one_line(known.get(name, {}).get(value, value), 120)}",
            answers_path(project, **{other: text for other, text in given.items() if other not in (name, "page")}),
        )
        for name, value in given.items()
        if name in NAMES
    ]


ROUTES = [answers]
