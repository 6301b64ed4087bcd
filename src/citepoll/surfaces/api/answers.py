"""/answers: the evidence behind the numbers, found by what it cites, opened with its reasons, and as it was recorded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

from litestar import Response, get
from litestar.params import PathParameter, QueryParameter

from citepoll.model import STATUSES, Mention, ResolvedCitation
from citepoll.service.answers import Batch, Listed, Shown, Wanted, browse, show
from citepoll.surfaces.api.call import Here, RoomCall, named, tag_of
from citepoll.surfaces.api.found import Cycle
from citepoll.surfaces.api.paging import Cursor, Limit, Place, cursor_of, place_of
from citepoll.surfaces.api.queries import QueryLine, query_line
from citepoll.surfaces.api.rules import refused

PAYLOAD = "application/octet-stream"
Number = Annotated[int, PathParameter(ge=1, lt=2**62, description="The number of the answer.")]
Text = Annotated[str | None, QueryParameter(max_length=500)]
Searched = Annotated[
    str | None, QueryParameter(max_length=500, description="Text in the answer itself; a page may then hold fewer items.")
]  # fmt: skip
Asked = Annotated[
    str | None, QueryParameter(name="query", max_length=2000, description="The id of a query, or part of its text.")
]
Fits = Annotated[str | None, QueryParameter(description=f"One of {', '.join(STATUSES)}; or `valid`.")]
Cites = Annotated[str | None, QueryParameter(description="A brand of which a page is cited.")]
Mentions = Annotated[str | None, QueryParameter(description="A brand that the text names.")]
Domain = Annotated[str | None, QueryParameter(description="A registrable domain that is cited.")]
Url = Annotated[str | None, QueryParameter(description="A canonical URL that is cited.")]


@dataclass(frozen=True, slots=True)
class Answers:
    """A page of answers. `total` counts all that fit but for `q`; `next` is the cursor of the page behind, or null."""

    cycle: str
    total: int
    items: tuple[Listed, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class AnswerShown:
    """One answer: its text, which is somebody else's and may say anything, its citations with the brand that each counts
    for and by which rule, and the brands that it names. Offsets are code points of the text."""

    id: int
    cycle: str
    engine: str
    engine_id: str
    surface: str
    query: QueryLine
    run: int
    status: str
    message: str | None
    asked_at: datetime | None
    model: str | None
    text: str
    search_queries: tuple[str, ...]
    citations: tuple[ResolvedCitation, ...]
    mentions: tuple[Mention, ...]


@get("/answers", needs="read", sync_to_thread=True)
def answers(
    here: Here, cycle: Cycle = None, engine: Text = None, asked: Asked = None, status: Fits = None,
    cites: Cites = None, domain: Domain = None, url: Url = None, mentions: Mentions = None, intent: Text = None,
    topic: Text = None, branded: Annotated[bool | None, QueryParameter()] = None,
    run: Annotated[int | None, QueryParameter(ge=1, lt=2**31)] = None, q: Searched = None, cursor: Cursor = None,
    limit: Limit = 50,
) -> Response[Answers]:  # fmt: skip
    """The answers of a measured cycle that fit, in the order of recording."""
    if status is not None and status not in (*STATUSES, "valid"):
        raise refused(400, f"{status[:40]!r} is not a status.", f"Use one of {', '.join(STATUSES)}; or valid.")
    wanted = Wanted(cycle, engine, asked, cites, mentions, domain, url, status, intent, topic, branded, run, q or None)
    return here.kept(lambda: _batch(here, wanted, cursor, limit))


def _batch(here: RoomCall, wanted: Wanted, cursor: str | None, limit: int) -> Answers:
    """A page; the cursor holds the cycle, so that a list goes on in it when a newer one comes."""
    place = place_of(cursor)
    if place.of is not None and wanted.cycle is None:
        wanted = replace(wanted, cycle=place.of)
    found: Batch = browse(here.room.project, here.room.ledger, wanted, here.at, after=place.after, limit=limit)
    behind = cursor_of(Place(found.next, found.cycle)) if found.next is not None else None
    return Answers(found.cycle, found.total, found.answers, behind)


@get("/answers/{number:int}", needs="read", sync_to_thread=True)
def answer(here: Here, number: Number) -> Response[AnswerShown]:
    """One answer, read from its payload now."""
    found: Shown = named(lambda: show(here.room.project, here.room.ledger, number))
    return here.fresh(_shown(found))


def _shown(found: Shown) -> AnswerShown:
    kept = found.kept
    return AnswerShown(
        found.id, found.cycle, kept.engine, kept.engine_id, kept.surface, query_line(found.query), kept.number,
        kept.status, kept.message, kept.asked_at, found.answer.model, found.answer.text, found.answer.queries,
        found.citations, found.mentions,
    )  # fmt: skip


@get("/answers/{number:int}/payload", needs="read", gives=(PAYLOAD,), sync_to_thread=True)
def payload(here: Here, number: Number) -> Response[bytes]:
    """The payload as it was recorded, byte for byte."""
    _, kept = named(lambda: here.room.ledger.run(number))
    shown = here.answered(kept.body, tag_of(kept.body), PAYLOAD)
    shown.headers["Content-Disposition"] = f'attachment; filename="answer-{number}.bin"'
    return shown


ROUTES = [answers, answer, payload]
