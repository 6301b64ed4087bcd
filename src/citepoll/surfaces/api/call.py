"""One request of a program being answered: kept answers with their ETag, fresh ones, writes that are done once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import zstandard
from litestar import Response
from litestar.di import NamedDependency

from citepoll import __version__
from citepoll.errors import CitepollError, InputError, SliceError
from citepoll.hashing import bytes_hash, content_hash, short
from citepoll.service import repeats
from citepoll.service.accounts import Reader
from citepoll.service.repeats import Given, InFlight, Write
from citepoll.surfaces.api.rules import JSON, refused
from citepoll.surfaces.web.asking import Asked, DeskNow, ReaderNow, RoomNow
from citepoll.surfaces.web.desk import Desk
from citepoll.surfaces.web.rooms import Room


@dataclass(frozen=True, slots=True)
class Call:
    """A request about no project or about several."""

    request: Asked
    desk: Desk
    reader: Reader
    body: bytes

    @property
    def at(self) -> datetime:
        return self.desk.clock()

    @property
    def address(self) -> str:
        """Where the request came from, for the audit log."""
        return self.request.client.host if self.request.client else "nowhere"

    def fresh(self, found: object) -> Response[Any]:
        """An answer that was made for this request. Its ETag is that of its bytes."""
        body = encoded(found)
        return self.answered(body, tag_of(body))

    def page_of(self, body: bytes) -> Response[Any]:
        """A page of HTML that is made of nothing but this program."""
        return self.answered(body, tag_of(body), "text/html")

    def answered(self, body: bytes, tag: str, kind: str = JSON) -> Response[Any]:
        """The body, or 304 without one where the reader has it already."""
        headers = {"ETag": f'"{tag}"'}
        if self.has(tag):
            return Response(b"", status_code=304, media_type=kind, headers=headers)
        return Response(body, status_code=200, media_type=kind, headers=headers)

    def has(self, tag: str) -> bool:
        """Whether If-None-Match names this tag."""
        return _named(self.request.headers.get("if-none-match"), tag)


@dataclass(frozen=True, slots=True)
class RoomCall(Call):
    """A request about one project."""

    room: Room

    def kept(self, make: Callable[[], object]) -> Response[Any]:
        """An answer that stands while the project's state does: made once, and known by its ETag without being made."""
        return self.kept_bytes(lambda: encoded(make()), JSON)

    def kept_bytes(self, make: Callable[[], bytes], kind: str) -> Response[Any]:
        asked = sorted(self.request.query_params.multi_items(), key=lambda item: item[0])
        key = ("api", self.request.url.path, tuple(asked))
        tag = short(content_hash([__version__, self.room.state(), *key]))
        if self.has(tag):
            return self.answered(b"", tag, kind)
        squeezed = self.room.remember(key, lambda: zstandard.compress(make(), 1))
        return self.answered(zstandard.decompress(squeezed), tag, kind)

    def write(self, what: str, about: str, make: Callable[[], object], status: int = 200) -> Response[Any]:
        """Do a write and note it in the audit log; a request with an Idempotency-Key that came before is not done again."""
        key = self.request.headers.get("idempotency-key")
        given = self._once(key, lambda: self._written(what, about, make, status)) if key else self._written(
            what, about, make, status
        )  # fmt: skip
        headers = {"Idempotency-Replayed": "true"} if given.again else {}
        return Response(given.body, status_code=given.status, media_type=JSON, headers=headers)

    def _written(self, what: str, about: str, make: Callable[[], object], status: int) -> Given:
        try:
            body = encoded(make())
        except CitepollError as wrong:
            if wrong.kept:
                self.note(f"{what} in part", about)
            raise
        self.note(what, about)
        return Given(status, body)

    def note(self, what: str, about: str) -> None:
        """Enter a write into the audit log."""
        self.desk.note(self.reader, what, f"{self.room.id}: {about}", self.address)

    def _once(self, key: str, make: Callable[[], Given]) -> Given:
        sent = sorted(self.request.query_params.multi_items(), key=lambda item: item[0])
        address = f"{self.room.id} {self.request.url.path} {sent}"
        write = Write(self.reader.name, self.request.method, address, self.body)
        try:
            return repeats.once(self.desk.accounts, key, write, self.at, make)
        except InFlight as wrong:
            raise refused(409, wrong.cause, wrong.fix) from None


async def call_of(request: Asked, desk: DeskNow, reader: ReaderNow) -> Call:
    """The dependency `call`."""
    return Call(request, desk, reader, await request.body())


async def room_call_of(request: Asked, desk: DeskNow, reader: ReaderNow, room: RoomNow) -> RoomCall:
    """The dependency `here`: a call about the room that `?project=` names."""
    return RoomCall(request, desk, reader, await request.body(), room)


CallNow = NamedDependency[Call]
Here = NamedDependency[RoomCall]


def tag_of(body: bytes) -> str:
    """The ETag of what has these bytes."""
    return short(bytes_hash(body))


def encoded(found: object) -> bytes:
    """As JSON; what is no number is null. Half a character, which no JSON may hold, becomes a question mark."""
    try:
        return msgspec.json.encode(found)
    except UnicodeEncodeError:
        return msgspec.json.encode(_whole(msgspec.to_builtins(found)))


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_whole(key): _whole(part) for key, part in value.items()}
    return [_whole(part) for part in value] if isinstance(value, list | tuple) else value


def named(find: Callable[[], Any]) -> Any:
    """What an address names. One that is not there is told as 404, not as a mistake in a question."""
    try:
        return find()
    except (InputError, SliceError) as wrong:
        raise absent(wrong) from None


def absent(wrong: CitepollError) -> Exception:
    return refused(404, wrong.cause, wrong.fix)


def _named(header: str | None, tag: str) -> bool:
    return header is not None and any(
        part.strip() == "*" or part.strip().removeprefix("W/") == f'"{tag}"' for part in header.split(",")
    )
