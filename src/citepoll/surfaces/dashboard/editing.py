"""Editing the query set: the query file as a draft, its lint, and the lock that makes a version of it.

`/p/PROJECT/queries/edit` shows and saves the draft; `…/queries/import`, `starter`, `undo` and `lock` are its other forms.
Each names the version of the draft that it was drawn from: what somebody else saved meanwhile is never overwritten.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromQuery

from citepoll.errors import CitepollError, InputError
from citepoll.hashing import short
from citepoll.model import INTENTS, Query
from citepoll.queryset import formats
from citepoll.queryset.entries import query_of
from citepoll.queryset.finding import Finding
from citepoll.report.numbers import count, noun
from citepoll.report.printable import one_line
from citepoll.service import queries as service
from citepoll.service.drafts import Draft, DraftMoved, can_undo, draft_version, read_draft, save_draft, undo_draft
from citepoll.surfaces.dashboard.page import Page, PageNow
from citepoll.surfaces.web.asking import DeskNow, RoomNow
from citepoll.surfaces.web.desk import Desk
from citepoll.surfaces.web.problems import problem_of
from citepoll.surfaces.web.rooms import Room

ROWS = 100
"""Queries on one page of the editor."""
BLANK = 3
MOST = 2000
"""Queries of a set that is edited here: lint compares them in pairs, and takes about a second for so many."""
LONGEST = 2000
"""Characters of a question, as the API takes it."""
UPLOAD = 2**20
"""Bytes of a file of queries: some 10,000 of them."""
COLUMNS = ("text", "intent", "topic", "language", "market")

Form = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.URL_ENCODED)]


@dataclass(frozen=True, slots=True)
class Row:
    """A query in the editor. `id` is that of the draft's query, empty for a new one; `rule` says why an intent is
    suggested; `marks` are findings about it, by their place in the list."""

    number: int
    id: str
    text: str
    intent: str = ""
    topic: str = ""
    language: str = ""
    market: str = ""
    suggested: str = ""
    brands: str = ""
    marks: tuple[tuple[int, str], ...] = ()
    removed: bool = False

    def marked(self, removed: bool) -> Row:
        """The same, to be removed or not."""
        return replace(self, removed=removed and bool(self.id))


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of queries: TOML, CSV or JSONL by its name. `mode` is `add` or `replace`."""

    file: UploadFile
    version: str
    mode: str = "add"


@get("/p/{project:str}/queries/edit", needs="write", sync_to_thread=True)
def edit(page: PageNow, room: RoomNow, sheet: FromQuery[int] = 1) -> Response[str]:
    """The editor with the draft as it is."""
    return _editor(page, room, sheet=sheet)


@post("/p/{project:str}/queries/edit", needs="write", sync_to_thread=True)
def save(page: PageNow, room: RoomNow, desk: DeskNow, data: Form, sheet: FromQuery[int] = 1) -> Response[Any]:
    """Saves the rows of one page with the rows of the others; the form again where something is wrong."""

    def saved() -> Response[Any]:
        draft = _save(room, edited(read_draft(room.project).queries, data, room), _one(data, "version"))
        _note(page, desk, room, "queries saved", draft)
        return page.go(
            _edit_path(room, sheet), f"{_queries(len(draft.queries))} saved. They are locked when you say so."
        )

    return _tried(page, room, saved, typed=data, sheet=sheet)


@post("/p/{project:str}/queries/import", needs="write", sync_to_thread=True)
def take_file(
    page: PageNow, room: RoomNow, desk: DeskNow,
    data: Annotated[Upload, Body(media_type=RequestEncodingType.MULTI_PART)],
) -> Response[Any]:  # fmt: skip
    """Adds the queries of a file to the draft, or puts them in its place."""

    def taken() -> Response[Any]:
        found = read_upload(room, data)
        held = () if data.mode == "replace" else read_draft(room.project).queries
        draft = _save(room, [_entry(query) for query in (*held, *found.queries)], data.version)
        _note(page, desk, room, "queries imported", draft)
        notes = " ".join(one_line(text, 120) for text in found.warnings[:2])
        return page.go(
            _edit_path(room), f"{len(found.queries)} read, {_queries(len(draft.queries))} in the draft. {notes}"
        )

    return _tried(page, room, taken)


@post("/p/{project:str}/queries/starter", needs="write", sync_to_thread=True)
def start(page: PageNow, room: RoomNow, desk: DeskNow, data: Form) -> Response[Any]:
    """Adds a starter set for a category to the draft."""

    def started() -> Response[Any]:
        number = min(max(_number(_one(data, "count")), 7), 500)
        made = service.start(room.project, _one(data, "category").strip()[:80] or None, None, number)
        held = read_draft(room.project).queries
        draft = _save(room, [_entry(query) for query in (*held, *made)], _one(data, "version"))
        _note(page, desk, room, "queries started", draft)
        return page.go(
            _edit_path(room), f"{_queries(len(draft.queries))} in the draft. Read and edit them, then lock them."
        )

    return _tried(page, room, started)


@post("/p/{project:str}/queries/undo", needs="write", sync_to_thread=True)
def undo(page: PageNow, room: RoomNow, desk: DeskNow, data: Form) -> Response[Any]:
    """Takes the last save back; the next undo brings it again."""

    def undone() -> Response[Any]:
        draft = undo_draft(room.project, _one(data, "version"))
        _note(page, desk, room, "queries undone", draft)
        return page.go(
            _edit_path(room), f"The last save is taken back: {_queries(len(draft.queries))}. Undo brings it again."
        )

    return _tried(page, room, undone)


@post("/p/{project:str}/queries/lock", needs="write", sync_to_thread=True)
def lock(page: PageNow, room: RoomNow, desk: DeskNow, data: Form) -> Response[Any]:
    """Locks the draft: the next cycle asks this version."""

    def locked() -> Response[Any]:
        if draft_version(room.project) != _one(data, "version"):
            raise DraftMoved("The query file was changed meanwhile.", "Read it again, and lock that.")
        version, _ = service.lock_file(room.project, room.ledger, desk.clock())
        about = f"{room.id}: version {version.number}, {version.hash}"
        desk.note(page.reader, "query set locked", about, page.address)
        told = f"Version {version.number} is locked: {_queries(len(version.queries.queries))}, {short(version.hash)}."
        return page.go(f"/p/{room.id}/queries/versions", told)

    return _tried(page, room, locked)


# ---------------------------------------------------------------- from forms to queries


def edited(queries: Sequence[Query], data: Mapping[str, Any], room: Room) -> list[Mapping[str, object]]:
    """The entries of the whole set: rows of the form in the place of the queries that they show, new ones behind them.

    Raises `InputError` with the number of the row for one that is no query.
    """
    rows = [row for row in typed_rows(data) if not row.removed]
    removed = set(_many(data, "remove"))
    shown = {row.id: row for row in rows if row.id}
    entries: list[Mapping[str, object]] = []
    for number, query in enumerate(queries, 1):
        if query.id in shown:
            entries.append(_checked({**_of_row(shown[query.id]), "ref": query.ref}, f"Row {number}", room))
        elif query.id not in removed:
            entries.append(_entry(query))
    more = [_of_row(row) for row in rows if not row.id and row.text.strip()]
    more += [{"text": line} for line in _one(data, "lines").splitlines() if line.strip()]
    return entries + [_checked(entry, f"New row {number}", room) for number, entry in enumerate(more, 1)]


def typed_rows(data: Mapping[str, Any]) -> list[Row]:
    """The rows as somebody typed them. Raises `InputError` for a form that did not arrive whole."""
    ids, removed = _many(data, "id"), set(_many(data, "remove"))
    columns = [_many(data, name) for name in COLUMNS]
    numbers = _many(data, "number")
    if any(len(column) != len(ids) for column in (*columns, numbers)):
        raise InputError("The form did not arrive whole.", "Open the page again, and send it once more.")
    found = zip(numbers, ids, *columns, strict=True)
    return [Row(_number(number), id, *values).marked(id in removed) for number, id, *values in found]


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0


def read_upload(room: Room, data: Upload) -> formats.Reading:
    """The queries of an uploaded file. Raises `InputError` with its line, or where it is too large."""
    held = data.file.file.read(UPLOAD + 1)
    if len(held) > UPLOAD:
        raise InputError(f"The file has more than {count(UPLOAD)} bytes.", "Send it in parts.")
    project = room.project
    name = one_line(data.file.filename, 80) or "The file"
    found = formats.read(held, formats.format_of(name), language=project.language, market=project.market)
    if not found.queries:
        raise InputError(f"{name} holds no query.", "Give each question in a column called text.")
    return found


def _of_row(row: Row) -> dict[str, object]:
    return {name: getattr(row, name) for name in COLUMNS}


def _entry(query: Query) -> Mapping[str, object]:
    return {name: value for name, value in msgspec.to_builtins(query).items() if value is not None}


def _checked(entry: Mapping[str, object], where: str, room: Room) -> Mapping[str, object]:
    query = query_of(entry, where, language=room.project.language, market=room.project.market)
    if len(query.text) > LONGEST:
        raise InputError(f"{where}: the question has more than {count(LONGEST)} characters.", "Shorten it.")
    return _entry(query)


def _save(room: Room, entries: Sequence[Mapping[str, object]], seen: str) -> Draft:
    if len(entries) > MOST:
        raise InputError(f"The set would have {count(len(entries))} queries; {count(MOST)} can be edited here.",
                         "Edit larger sets in the query file, with citepoll queries lint.")  # fmt: skip
    return save_draft(room.project, entries, seen)


def _many(data: Mapping[str, Any], name: str) -> list[str]:
    found = data.get(name, [])
    return [str(each) for each in found] if isinstance(found, list) else [str(found)]


def _one(data: Mapping[str, Any], name: str) -> str:
    return next(iter(_many(data, name)), "")


# ---------------------------------------------------------------- the page


def _tried(
    page: Page, room: Room, done: Callable[[], Response[Any]], *, typed: Mapping[str, Any] | None = None, sheet: int = 1
) -> Response[Any]:
    """What `done` answers, or the editor with the reason why not."""
    try:
        return done()
    except CitepollError as wrong:
        return _editor(page, room, sheet=sheet, error=wrong, typed=typed)


def _editor(
    page: Page,
    room: Room,
    *,
    sheet: int = 1,
    error: CitepollError | None = None,
    typed: Mapping[str, Any] | None = None,
) -> Response[str]:
    draft, unread = _draft(room)
    sheets = max(1, -(-len(draft.queries) // ROWS))
    sheet = min(max(sheet, 1), sheets)
    findings = _findings(room, draft)
    rows = _typed(typed) if typed else ()
    current = room.ledger.current()
    problem = error or unread
    return page.show(
        "editing.html", "Edit the queries", status=problem_of(error).status if error else 200, project=room.id,
        draft=draft, error=problem, moved=isinstance(error, DraftMoved), lines=_one(typed or {}, "lines"),
        # what was typed is saved over the version that its writer has seen, never over another
        version=_one(typed, "version") if typed else draft.version,
        rows=rows or _rows(room, draft, findings, sheet), sheet=sheet, sheets=sheets, findings=findings,
        intents=INTENTS, category=room.project.category, language=room.project.language, market=room.project.market,
        edits=_edits(room, draft), current=current, next=current.number + 1 if current and current.number else 1,
        undo=can_undo(room.project, draft.version), queries=_queries(len(draft.queries)), too_many=len(draft.queries) > MOST,
    )  # fmt: skip


def _draft(room: Room) -> tuple[Draft, CitepollError | None]:
    """The draft; an empty one and the reason where the file cannot be read."""
    try:
        return read_draft(room.project), None
    except CitepollError as wrong:
        return Draft(draft_version(room.project), ()), wrong


def _findings(room: Room, draft: Draft) -> tuple[Finding, ...]:
    if not draft.queries or len(draft.queries) > MOST:
        return ()
    return room.remember(("lint", draft.version), lambda: service.check(room.project, room.ledger, draft.queries))


def _edits(room: Room, draft: Draft) -> str:
    return service.unlocked_edits(room.project, room.ledger) if draft.queries else ""


def _typed(data: Mapping[str, Any]) -> tuple[Row, ...]:
    try:
        return tuple(typed_rows(data))
    except InputError:
        return ()


def _rows(room: Room, draft: Draft, findings: Sequence[Finding], sheet: int) -> tuple[Row, ...]:
    start = (sheet - 1) * ROWS
    here = draft.queries[start : start + ROWS]
    marks: dict[str, list[tuple[int, str]]] = {}
    for place, found in enumerate(findings, 1):
        for id in found.query_ids:
            marks.setdefault(id, []).append((place, found.code))
    rows = []
    for number, (own, told) in enumerate(zip(here, service.labelled(room.project, here), strict=True), start + 1):
        row = Row(number, own.id, own.text, own.intent or "", own.topic or "", own.language, own.market)
        suggested = "" if own.intent else told.query.intent or ""
        brands = ", ".join(one_line(name, 60) for name in told.brands)
        rows.append(replace(row, suggested=suggested, brands=brands, marks=tuple(marks.get(own.id, ()))))
    blank = [Row(0, "", "") for _ in range(BLANK)] if start + ROWS >= len(draft.queries) else []
    return (*rows, *blank)


def _note(page: Page, desk: Desk, room: Room, what: str, draft: Draft) -> None:
    desk.note(page.reader, what, f"{room.id}: {_queries(len(draft.queries))}, {draft.version}", page.address)


def _edit_path(room: Room, sheet: int = 1) -> str:
    return f"/p/{room.id}/queries/edit" + (f"?sheet={sheet}" if sheet > 1 else "")


def _queries(number: int) -> str:
    return noun(number, "query", "queries")


ROUTES = [edit, save, take_file, start, undo, lock]
