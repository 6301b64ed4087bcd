"""The documents that the local engine answers from: `/p/PROJECT/corpus` lists them, and takes files.

Files arrive as bytes with a name, never as a path of this machine; a zip is unpacked, within bounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body

from citepoll.errors import CitepollError, InputError
from citepoll.report.numbers import count, noun
from citepoll.report.printable import one_line
from citepoll.sampling.local.documents import is_address
from citepoll.service import corpus as service
from citepoll.service.corpus import SENT, Added
from citepoll.service.unpacking import PACKED, unpacked
from citepoll.store.corpus import CORPUS_FILE, Listed
from citepoll.surfaces.dashboard.doors import page_path
from citepoll.surfaces.dashboard.measured import part_of
from citepoll.surfaces.dashboard.page import Page, PageNow
from citepoll.surfaces.web.asking import DeskNow, RoomNow
from citepoll.surfaces.web.rooms import Room

LISTED = 100


@dataclass(frozen=True, slots=True)
class Line:
    """A document in the list. `origin` is its file's name, or the address it was fetched from."""

    id: str
    title: str
    url: str
    origin: str
    passages: int


@dataclass(frozen=True, slots=True)
class Sent:
    """Files, and the address below which they are published, for pages that do not say their own."""

    files: list[UploadFile] = field(default_factory=list)
    base: str = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The document that a form is about."""

    id: str = ""


@get("/p/{project:str}/corpus", needs="read", nav="Documents", sync_to_thread=True)
def documents(page: PageNow, room: RoomNow) -> Response[str]:
    """The list, and the form for more."""
    return _shown(page, room)


@post("/p/{project:str}/corpus", needs="write", sync_to_thread=True, request_max_body_size=PACKED)
def take(
    page: PageNow, room: RoomNow, desk: DeskNow,
    data: Annotated[Sent, Body(media_type=RequestEncodingType.MULTI_PART)],
) -> Response[Any]:  # fmt: skip
    """Puts files into the corpus; those that cannot be read are named with the reason."""
    base = data.base.strip()
    try:
        sent = unpacked((one_line(file.filename, 200), file.file.read()) for file in data.files if file.filename)
        if not sent:
            raise InputError("No file came along.", "Choose HTML, Markdown or text, or a zip of them.")
        added = service.add_files(_corpus(room), sent, base or None)
    except CitepollError as wrong:
        return _shown(page, room, error=wrong, base=base)
    desk.note(
        page.reader, "documents added", f"{room.id}: {noun(added.added + added.replaced, 'document')}", page.address
    )
    if added.skipped:
        return _shown(page, room, added=added, base=base)
    return page.go(page_path(room.id, "corpus"), _told(added))


@post("/p/{project:str}/corpus/remove", needs="write", sync_to_thread=True)
def remove(
    page: PageNow, room: RoomNow, desk: DeskNow,
    data: Annotated[Chosen, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[Any]:  # fmt: skip
    """Takes one document out."""
    try:
        gone = service.remove_document(_corpus(room), data.id)
    except CitepollError as wrong:
        return _shown(page, room, error=wrong)
    title = one_line(gone.title, 80)
    desk.note(page.reader, "document removed", f"{room.id}: {title}", page.address)
    return page.go(page_path(room.id, "corpus"), f"{title} is taken out. Recorded answers stay as they are.")


def _shown(
    page: Page, room: Room, *, added: Added | None = None, error: CitepollError | None = None,
    base: str = "",
) -> Response[str]:  # fmt: skip
    held = service.documents(_corpus(room))
    listed = part_of(held, page.request.query_params.get("page", ""), LISTED, room.id, "corpus", {})
    return page.show(
        "corpus.html", "Documents", status=422 if error or added else 200, room=room.id, error=error, base=base,
        listed=listed, lines=tuple(_lines(listed.items)), passages=sum(document.passages for document in held),
        told=_told(added) if added else "", skipped=added.skipped[:20] if added else (),
        local=service.answers_locally(room.project),
    )  # fmt: skip


def _lines(items: tuple[Listed, ...]) -> Iterator[Line]:
    for document in items:
        yield Line(
            service.document_id(document),
            document.title,
            document.url,
            _origin(document.origin),
            document.passages,
        )


def _origin(origin: str) -> str:
    """Where a document came from, without folders of the server."""
    if origin.startswith(SENT) or is_address(origin):
        return origin.removeprefix(SENT)
    return PurePath(origin).name


def _told(added: Added) -> str:
    parts = [f"{noun(added.added, 'document')} added", f"{count(added.replaced)} replaced"]
    parts += [f"{count(added.unchanged)} unchanged"] if added.unchanged else []
    parts += [f"{noun(added.others, 'file')} of other kinds passed over"] if added.others else []
    return f"{', '.join(parts)}."


def _corpus(room: Room) -> Path:
    return room.project.data / CORPUS_FILE


ROUTES = [documents, take, remove]
