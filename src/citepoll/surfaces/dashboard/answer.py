"""One answer: what the engine said, whom it cites and why that counts, and how it was asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery

from citepoll.errors import SliceError
from citepoll.model import VALID
from citepoll.project import zone
from citepoll.report.data import EngineNote
from citepoll.report.evidence import CitationLine, citation_line
from citepoll.report.glossary import meaning
from citepoll.report.margin import reading
from citepoll.report.numbers import count, duration, money, noun
from citepoll.report.printable import one_line, printable
from citepoll.report.sentences import TAGGED, engine_label
from citepoll.service import answers as service
from citepoll.service.answers import Shown
from citepoll.store.attempts import Attempt
from citepoll.surfaces.dashboard.doors import answer_path, answers_path
from citepoll.surfaces.dashboard.page import Link, PageNow
from citepoll.surfaces.web.asking import RoomNow
from citepoll.surfaces.web.rooms import Room

TABS = {
    "text": "Text", "sources": "Sources", "searches": "Searches", "payload": "Payload", "timing": "Timing and cost",
}  # fmt: skip
LINES = 200
"""Citations in a table; an answer of a real engine has some ten, and retrieves some fifty."""
PAYLOAD = 200_000
"""Characters of a payload that are shown; the download holds all of it."""
SEARCHES = 200
GROUPS = (
    ("Cited", ("span", "marker"), "Anchored to a passage of the answer, or to a mark in its text."),
    ("Listed", ("listed",), meaning("level", "listed")),
    ("Retrieved", ("retrieved",), meaning("level", "retrieved")),
)


@dataclass(frozen=True, slots=True)
class Group:
    """The citations of some levels; `left_out` more are not shown."""

    title: str
    meaning: str
    lines: tuple[CitationLine, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class Head:
    """What stands above every tab."""

    id: int
    query: str
    engine: str
    run: int
    cycle: str
    status: str
    tag: str
    facts: tuple[tuple[str, str], ...]
    told: str
    message: str
    cell: str


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt, in words."""

    number: int
    asked: str
    status: str
    http: str
    took: str
    cost: str
    message: str


@get("/p/{project:str}/answers/{run:int}", needs="read", sync_to_thread=True)
def answer(page: PageNow, room: RoomNow, run: FromPath[int], tab: FromQuery[str] = "text") -> Response[str]:
    """The answer under one of its tabs."""
    if tab not in TABS:
        raise NotFoundException(f"An answer has no tab {tab[:40]!r}.")
    shown = _shown(room, run)
    head = _head(room, shown)
    tabs = tuple(Link(label, answer_path(room.id, run, name), name == tab) for name, label in TABS.items())
    return page.show(
        f"answer_{tab}.html", head.query, head=head, tabs=tabs, project=room.id, **_VIEWS[tab](room, shown)
    )


@get("/p/{project:str}/answers/{run:int}/payload", needs="read", sync_to_thread=True)
def payload(room: RoomNow, run: FromPath[int]) -> Response[bytes]:
    """The payload as it was recorded, byte for byte, as a file."""
    headers = {"Content-Disposition": f'attachment; filename="answer-{run}.json"'}
    return Response(_shown(room, run).kept.body, media_type="application/octet-stream", headers=headers)


def _shown(room: Room, run: int) -> Shown:
    try:
        return service.show(room.project, room.ledger, min(run, 2**62))
    except SliceError as wrong:
        raise NotFoundException(
            wrong.cause, extra={"fix": "It may have been deleted. The list has those there are."}
        ) from None


def _head(room: Room, shown: Shown) -> Head:
    kept, status = shown.kept, shown.answer.status
    cell = answers_path(room.id, cycle=shown.cycle, engine=kept.engine, query=kept.query_id)
    labels = " · ".join(part for part in (shown.query.intent, shown.query.topic) if part)
    facts = (
        ("Model", shown.answer.model or "not stated by the surface"),
        ("Asked", _moment(room, kept.asked_at) or "the recording does not say when"),
        ("Question", f"{shown.query.language}, {shown.query.market}" + (f" · {labels}" if labels else "")),
    )
    return Head(
        id=shown.id,
        query=one_line(shown.query.text, 300),
        engine=engine_label(EngineNote(kept.engine, kept.surface)),  # type: ignore[arg-type]
        run=kept.number,
        cycle=one_line(shown.cycle, 60),
        status=status,
        tag=kept.surface if kept.surface in TAGGED else "",
        facts=tuple((name, one_line(value, 120)) for name, value in facts),
        told="" if status == "answered" else _told(status),
        message=one_line(shown.answer.message or kept.message or "", 1000) if status != "answered" else "",
        cell=cell,
    )


def _told(status: str) -> str:
    counts = "It counts as a valid answer." if status in VALID else "It is not a valid answer: no share counts it."
    return f"{meaning('status', status)} {counts}".replace("`", "")


def _moment(room: Room, at: datetime | None) -> str:
    return at.astimezone(zone(room.project.time_zone)).strftime("%Y-%m-%d %H:%M:%S %Z").strip() if at else ""


# ---------------------------------------------------------------- tabs


def _text(room: Room, shown: Shown) -> dict[str, Any]:
    tracked = room.project.tracked.name
    cited = [c for c in shown.citations if c.level != "retrieved"]
    lines = tuple(citation_line(c) for c in cited[:LINES])
    return {
        "reading": reading(shown.answer.text, shown.citations, shown.mentions, tracked=tracked),
        "brand": tracked,
        "named": tuple(dict.fromkeys(one_line(m.brand, 60) for m in shown.mentions if not m.denied)),
        "group": Group("Citations", "", lines, len(cited) - len(lines)),
    }


def _sources(room: Room, shown: Shown) -> dict[str, Any]:
    groups = []
    for title, levels, words in GROUPS:
        found = [c for c in shown.citations if c.level in levels]
        lines = tuple(citation_line(c) for c in found[:LINES])
        groups.append(Group(f"{title}: {count(len(found))}", words, lines, len(found) - len(lines)))
    return {"groups": tuple(groups)}


def _searches(room: Room, shown: Shown) -> dict[str, Any]:
    searches = shown.answer.queries
    return {
        "searches": tuple(one_line(text, 500) for text in searches[:SEARCHES]),
        "left_out": max(0, len(searches) - SEARCHES),
    }


def _payload(room: Room, shown: Shown) -> dict[str, Any]:
    body = shown.kept.body
    text, indented = _indented(body[: 4 * PAYLOAD], whole=len(body) <= 4 * PAYLOAD)
    return {
        "text": printable(text[:PAYLOAD]),
        "indented": indented,
        "cut": len(text) > PAYLOAD or len(body) > 4 * PAYLOAD,
        "size": count(len(body)),
        "imported": shown.kept.surface == "recorded",
    }


def _indented(body: bytes, *, whole: bool) -> tuple[str, bool]:
    """JSON over lines, for reading; anything else as it is."""
    try:
        if whole and body[:1] in b"{[":
            return msgspec.json.format(body, indent=2).decode("utf-8", "replace"), True
    except (msgspec.DecodeError, RecursionError):
        pass
    return body.decode("utf-8", "replace"), False


def _timing(room: Room, shown: Shown) -> dict[str, Any]:
    tries = service.attempts(room.ledger, shown.id)
    took = [one.latency for one in tries if one.latency is not None]
    costs = [one.cost for one in tries if one.cost is not None]
    usage = shown.answer.usage
    return {
        "calls": tuple(_call(room, one) for one in tries),
        "sum": f"{noun(len(tries), 'call')}, {duration(sum(took)) if took else 'time not known'}, "
        f"{money(sum(costs)) if costs else 'cost not known'}.",
        "usage": tuple((one_line(name, 60), one_line(str(value), 120)) for name, value in list(usage.items())[:40]),
    }


def _call(room: Room, one: Attempt) -> Call:
    return Call(
        number=one.number,
        asked=_moment(room, one.asked_at) or "not stated",
        status=one.status,
        http=str(one.http_status) if one.http_status else "none",
        took="not known" if one.latency is None else duration(one.latency),
        cost="not known" if one.cost is None else money(one.cost),
        message=one_line(one.message or "", 300),
    )


_VIEWS: Mapping[str, Callable[[Room, Shown], dict[str, Any]]] = {
    "text": _text, "sources": _sources, "searches": _searches, "payload": _payload, "timing": _timing,
}  # fmt: skip

ROUTES = [answer, payload]
