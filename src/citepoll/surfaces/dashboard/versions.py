"""The locked versions of the query set, and what differs between two of them or one and the draft.

`/p/PROJECT/queries/versions?old=1&new=2`; `new=draft` is the query file. Without them: the draft where it differs from
the newest version, else the newest two.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from litestar import Response, get
from litestar.exceptions import NotFoundException

from citepoll.errors import CitepollError, QuerySetError, SliceError
from citepoll.hashing import short
from citepoll.model import QuerySet
from citepoll.project import zone
from citepoll.queryset.lock import Diff, diff
from citepoll.report.numbers import noun
from citepoll.report.printable import one_line
from citepoll.service.drafts import read_draft
from citepoll.service.queries import numbered, unlocked_edits, with_intents
from citepoll.store.ledger import Version
from citepoll.surfaces.dashboard.page import PageNow
from citepoll.surfaces.web.asking import RoomNow
from citepoll.surfaces.web.rooms import Room

DRAFT = "draft"


@dataclass(frozen=True, slots=True)
class Line:
    """A version in the list."""

    number: str
    hash: str
    locked: str
    queries: str
    origin: str
    cycles: str


@get("/p/{project:str}/queries/versions", needs="read", sync_to_thread=True)
def versions(page: PageNow, room: RoomNow) -> Response[str]:
    """The versions, the newest first, and a difference."""
    every = room.ledger.versions()
    asked = page.request.query_params
    old, new = asked.get("old", ""), asked.get("new", "")
    if not (old and new):
        old, new = _usual(room, every)
    found = _difference(room, old, new) if old else None
    names = [(str(each.number), f"version {each.number}") for each in reversed(every)]
    return page.show(
        "versions.html", "Versions of the query set", project=room.id, lines=[_line(room, each) for each in reversed(every)],
        difference=found, old=old, new=new, olds=names, news=[(DRAFT, "the query file"), *names],
        told=_told(old, new) if found is not None else "",
    )  # fmt: skip


def _usual(room: Room, every: tuple[Version, ...]) -> tuple[str, str]:
    """What is compared where nobody says; empty where there is nothing to compare."""
    try:
        edits = unlocked_edits(room.project, room.ledger)
    except CitepollError:
        edits = ""
    if every and edits:
        return str(every[-1].number), DRAFT
    return (str(every[-2].number), str(every[-1].number)) if len(every) > 1 else ("", "")


def _difference(room: Room, old: str, new: str) -> Diff:
    return diff(_set(room, old), _set(room, new))


def _set(room: Room, name: str) -> QuerySet:
    if name == DRAFT:
        return QuerySet(with_intents(read_draft(room.project).queries))
    if not (name.isascii() and name.isdigit() and len(name) < 10):
        raise SliceError(f"{name[:40]!r} is no version.", "Give its number, or draft.")
    try:
        return numbered(room.ledger, int(name)).queries
    except QuerySetError as wrong:
        raise NotFoundException(wrong.cause, extra={"fix": wrong.fix}) from None


def _line(room: Room, version: Version) -> Line:
    used = [cycle.name for cycle in room.ledger.cycles() if cycle.set_hash == version.hash]
    here = zone(room.project.time_zone)
    return Line(
        number=str(version.number),
        hash=short(version.hash),
        locked=datetime.fromisoformat(version.locked_at).astimezone(here).strftime("%Y-%m-%d %H:%M %Z").strip(),
        queries=noun(len(version.queries.queries), "query", "queries"),
        origin=one_line(version.origin, 60),
        cycles=", ".join(one_line(name, 40) for name in used[-5:]) + (f" and {len(used) - 5} earlier" if len(used) > 5 else ""),
    )  # fmt: skip


def _told(old: str, new: str) -> str:
    return f"From version {old} to {'the query file' if new == DRAFT else f'version {new}'}"


ROUTES = [versions]
