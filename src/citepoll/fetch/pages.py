"""Pages that a user named, read as text: the door for code that does not wait asynchronously."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from email.message import Message
from typing import Final

from citepoll.errors import FetchError
from citepoll.fetch.guard import Guard

LARGEST: Final = 4 * 2**20
"""Bytes of a page, packed or unpacked."""
SECONDS: Final = 30.0
REDIRECTS: Final = 5
_TEXTS: Final = frozenset({"text/html", "application/xhtml+xml", "text/plain", "text/markdown"})


@dataclass(frozen=True, slots=True)
class Read:
    """A page as text. `url` is where it was in the end, `kind` its media type. Text and URL are of strangers."""

    url: str
    kind: str
    text: str


def read_page(guard: Guard, url: str, *, most: int = LARGEST, seconds: float = SECONDS) -> Read:
    """The page at `url`, after at most five redirects. Not to be called where an event loop runs.

    Raises `FetchError` for an address that is not opened, a status but 200, and what is neither HTML nor text.
    """
    page = asyncio.run(guard.get(url, accept_bytes=most, seconds=seconds, redirects=REDIRECTS))
    place = guard.check(page.url).place
    if page.status != 200:
        raise FetchError(f"{place} answered with HTTP {page.status}.", "Check the address in a browser.")
    said = Message()
    said["content-type"] = page.headers.get("content-type", "text/html")
    kind = said.get_content_type()
    if kind not in _TEXTS:
        raise FetchError(f"{place} gave no page: it is {kind[:60]}.", "Give the address of an HTML page or a text.")
    return Read(page.url, kind, _decoded(page.body, said.get_content_charset()))


def _decoded(body: bytes, charset: str | None) -> str:
    """By the charset that the server names, else UTF-8; bytes that do not fit become U+FFFD."""
    try:
        return body.decode(charset or "utf-8-sig", "replace")
    except (LookupError, UnicodeError):
        return body.decode("utf-8-sig", "replace")
