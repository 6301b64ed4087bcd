"""/query-sets and /queries: locked versions, what differs between them, and the draft that becomes the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post, put
from litestar.params import HeaderParameter, JSONBody, PathParameter, QueryParameter

from citepoll.errors import QuerySetError
from citepoll.model import Query, QuerySet
from citepoll.queryset.finding import Finding
from citepoll.queryset.lock import diff
from citepoll.service.drafts import ABSENT, Draft, DraftMoved, read_draft, save_draft
from citepoll.service.measuring import brands_named
from citepoll.service.queries import check, lock_file, numbered, unlocked_edits, with_intents
from citepoll.store.ledger import Version
from citepoll.surfaces.api.call import Here, RoomCall, absent, encoded, tag_of
from citepoll.surfaces.api.paging import Cursor, Items, Limit, page
from citepoll.surfaces.api.rules import JSON, refused

Number = Annotated[int, PathParameter(ge=1, lt=2**31, description="The number of a locked version.")]
Of = Annotated[str, QueryParameter(description="The number of a locked version, or `draft`.")]
Locked = Annotated[
    int | None, QueryParameter(ge=1, lt=2**31, description="A locked version by its number. Left out: the newest.")
]
Expected = Annotated[str | None, HeaderParameter(name="If-Match", description="The ETag of the draft as it was read.")]


@dataclass(frozen=True, slots=True)
class QueryLine:
    """A query. `id` is the hash of text, language and market; `ref` the id that a file gave it. `brands`: those of the
    project that it names."""

    id: str
    text: str
    language: str
    market: str
    intent: str | None
    topic: str | None
    ref: str | None
    brands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SetLine:
    """A locked version of the query set. `hash` is that of its content, whatever the order."""

    number: int
    hash: str
    locked_at: str
    origin: str
    queries: int


@dataclass(frozen=True, slots=True)
class SetShown:
    """A locked version with its queries."""

    version: SetLine
    queries: tuple[QueryLine, ...]


@dataclass(frozen=True, slots=True)
class DiffShown:
    """What differs between two sets. `relabelled` and `reworded` are pairs (old, new); `common` counts the queries in
    both, on which a comparison stands."""

    added: tuple[QueryLine, ...]
    removed: tuple[QueryLine, ...]
    relabelled: tuple[tuple[QueryLine, QueryLine], ...]
    reworded: tuple[tuple[QueryLine, QueryLine], ...]
    common: int


@dataclass(frozen=True, slots=True)
class DraftShown:
    """The draft: the query file as it is. `edits` says how it differs from the locked set, empty where it does not;
    `findings` are those of lint. The ETag is its version, for If-Match."""

    queries: tuple[QueryLine, ...]
    warnings: tuple[str, ...]
    findings: tuple[Finding, ...]
    edits: str


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A query of a draft. Language and market left out are the project's; `intent` is one of the seven."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    language: str | None = None
    market: str | None = None
    intent: str | None = None
    topic: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    ref: Annotated[str, msgspec.Meta(max_length=200)] | None = None


class NewDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All queries of the draft: those left out are gone from it."""

    queries: Annotated[tuple[Entry, ...], msgspec.Meta(max_length=5000)]


@get("/query-sets", needs="read", sync_to_thread=True)
def query_sets(here: Here, cursor: Cursor = None, limit: Limit = 50) -> Response[Items[SetLine]]:
    """The locked versions, the oldest first."""
    return here.kept(lambda: page([_set(version) for version in here.room.ledger.versions()], cursor, limit))


@get("/query-sets/{number:int}", needs="read", sync_to_thread=True)
def query_set(here: Here, number: Number) -> Response[SetShown]:
    """One locked version with its queries."""
    version = _version(here, number)
    return here.kept(lambda: SetShown(_set(version), _lines(here, version.queries.queries)))


@get("/query-sets/diff", needs="read", sync_to_thread=True)
def difference(here: Here, before: Of, after: Of) -> Response[DiffShown]:
    """What differs between two versions, or between a version and the draft."""
    old, new = _set_of(here, before), _set_of(here, after)
    return here.fresh(_diff(here, old, new))


@get("/query-sets/draft", needs="read", sync_to_thread=True)
def draft(here: Here) -> Response[DraftShown]:
    """The draft with its lint."""
    found = read_draft(here.room.project)
    return here.answered(*_draft(here, found))


@put("/query-sets/draft", needs="write", sync_to_thread=True)
def save(here: Here, data: JSONBody[NewDraft], if_match: Expected = None) -> Response[DraftShown]:
    """Write the draft. If-Match with the ETag that was read is needed, so that nobody's change is lost unseen."""
    if if_match is None:
        raise refused(428, "The request has no If-Match.", "Read the draft, and send the ETag that it came with.")
    entries = [msgspec.to_builtins(entry) for entry in data.queries]
    project, seen = here.room.project, _seen(if_match)
    try:
        saved = save_draft(project, entries, seen)
    except DraftMoved as wrong:
        raise refused(412, wrong.cause, wrong.fix) from None
    here.note("draft saved", f"{len(saved.queries)} queries")
    body, tag = _draft(here, saved)
    shown: Response[Any] = Response(body, media_type=JSON, headers={"ETag": f'"{tag}"'})
    return shown


@post("/query-sets", needs="write", status_code=201, sync_to_thread=True)
def lock(here: Here, if_match: Expected = None) -> Response[SetLine]:
    """Lock the draft, with intents filled in: the next cycle asks this version. The same content is the same version."""
    project, ledger = here.room.project, here.room.ledger
    version = read_draft(project).version
    if version == ABSENT:
        raise refused(409, "There is no draft to lock.", "Write one first: PUT /query-sets/draft.")
    if if_match is not None and version != _seen(if_match):
        raise refused(412, "The query file was changed meanwhile.", "Read the draft again, and lock that.")
    return here.write("query set locked", "the draft", lambda: _set(lock_file(project, ledger, here.at)[0]), 201)


@get("/queries", needs="read", sync_to_thread=True)
def queries(
    here: Here, version: Locked = None,
    cursor: Cursor = None, limit: Limit = 50,
) -> Response[Items[QueryLine]]:  # fmt: skip
    """The queries of a locked version, with the brands that each names."""
    return here.kept(lambda: page(_queries(here, version), cursor, limit))


def _queries(here: RoomCall, number: int | None) -> tuple[QueryLine, ...]:
    if number is None and here.room.ledger.current() is None:
        return ()
    return _lines(here, _version(here, number).queries.queries)


def _seen(if_match: str) -> str:
    """The version of the draft in its ETag; behind the hyphen stands the rest of what is shown."""
    return if_match.strip().strip('"').partition("-")[0]


def query_line(query: Query, brands: tuple[str, ...] = ()) -> QueryLine:
    return QueryLine(query.id, query.text, query.language, query.market, query.intent, query.topic, query.ref, brands)


def _lines(here: RoomCall, found: tuple[Query, ...]) -> tuple[QueryLine, ...]:
    named = brands_named(here.room.project.brands)
    return tuple(query_line(query, named(query.text)) for query in found)


def _set(version: Version) -> SetLine:
    return SetLine(version.number or 0, version.hash, version.locked_at, version.origin, len(version.queries.queries))


def _version(here: RoomCall, number: int | None) -> Version:
    try:
        return numbered(here.room.ledger, number)
    except QuerySetError as wrong:
        raise absent(wrong) from None


def _set_of(here: RoomCall, text: str) -> QuerySet:
    if text == "draft":
        return QuerySet(with_intents(read_draft(here.room.project).queries))
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise refused(400, f"{text[:40]!r} is no version of the query set.", "Give a number, or draft.")
    return _version(here, int(text)).queries


def _diff(here: RoomCall, old: QuerySet, new: QuerySet) -> DiffShown:
    found = diff(old, new)
    return DiffShown(
        _lines(here, found.added), _lines(here, found.removed), _pairs(here, found.relabelled),
        _pairs(here, found.reworded), found.common,
    )  # fmt: skip


def _pairs(here: RoomCall, found: tuple[tuple[Query, Query], ...]) -> tuple[tuple[QueryLine, QueryLine], ...]:
    return tuple((old, new) for old, new in (_lines(here, pair) for pair in found))


def _draft(here: RoomCall, found: Draft) -> tuple[bytes, str]:
    """The draft as shown, and its ETag."""
    project, ledger = here.room.project, here.room.ledger
    findings = check(project, ledger, found.queries) if found.queries else ()
    shown = DraftShown(_lines(here, found.queries), found.warnings, findings, unlocked_edits(project, ledger))
    body = encoded(shown)
    return body, f"{found.version}-{tag_of(body)}"


ROUTES = [query_sets, query_set, difference, draft, save, lock, queries]
