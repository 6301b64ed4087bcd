"""Small answers: a page of a list, and the cursor of the page behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeAlias, TypeVar

from pydantic import Field

from citepoll.errors import InputError

T = TypeVar("T")

PAGE = 25
"""Rows of an answer."""
Cursor: TypeAlias = Annotated[
    str | None,
    Field(description="`next` of the answer before, to go on; all else must stay as it was.", max_length=300),
]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a list goes on: behind so many rows, or behind the answer of that number. `of` is the cycle that it is of, so
    that it goes on there when a newer one closes meanwhile."""

    after: int = 0
    of: str | None = None

    @property
    def cursor(self) -> str:
        return str(self.after) if self.of is None else f"{self.after}@{self.of}"


def place_of(cursor: str | None) -> Place:
    """The place that a cursor stands for. Raises `InputError` for one that no tool gave."""
    if cursor is None:
        return Place()
    after, at, of = cursor.partition("@")
    if not (after.isascii() and after.isdigit() and len(after) < 19):
        raise InputError("The cursor is none that a tool gave.", "Take `next` of the answer before, as it is.")
    return Place(int(after), of if at else None)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of a list of `total` rows; `next` is None at its end."""

    rows: Sequence[T]
    total: int
    next: str | None


def page(every: Sequence[T], place: Place, of: str | None = None) -> Page[T]:
    """The page at a place of a list that is at hand as a whole."""
    end = place.after + PAGE
    behind = Place(end, of).cursor if end < len(every) else None
    return Page(every[place.after : end], len(every), behind)
