"""Lists a page at a time: `{items, next}`, where `next` is the cursor of the page behind, null at the end."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

import msgspec
from litestar.params import QueryParameter

from citepoll.surfaces.api.rules import refused

T = TypeVar("T")

MOST = 200
Cursor = Annotated[
    str | None, QueryParameter(description="`next` of the page before; left out, the first page.", max_length=400)
]
Limit = Annotated[int, QueryParameter(ge=1, le=MOST, description="The most items of a page.")]


@dataclass(frozen=True, slots=True)
class Items(Generic[T]):
    """A page of a list. `next` is the `cursor` of the page behind it, null at the end."""

    items: tuple[T, ...]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a list goes on: behind so many items, or the item of that number. `of` names the list, where it may move."""

    after: int = 0
    of: str | None = None


def place_of(cursor: str | None) -> Place:
    """The place that a cursor stands for. A cursor that this server did not give is refused."""
    if cursor is None:
        return Place()
    try:
        place = msgspec.json.decode(urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)), type=Place)
    except (ValueError, msgspec.DecodeError):
        place = Place(-1)
    if not 0 <= place.after < 2**62:
        raise refused(400, "The cursor is none that this server gave.", "Take `next` of the page before, as it is.")
    return place


def cursor_of(place: Place) -> str:
    return urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def page(every: Sequence[T], cursor: str | None, limit: int) -> Items[T]:
    """The page of a list that is at hand as a whole."""
    start = place_of(cursor).after
    end = start + limit
    return Items(tuple(every[start:end]), cursor_of(Place(end)) if end < len(every) else None)
