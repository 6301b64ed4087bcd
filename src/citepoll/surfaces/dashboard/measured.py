"""What the pages about measured cycles share: their parts drawn once, choices of cycles and engines, lists in pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from litestar import Response
from markupsafe import Markup

from citepoll.errors import SliceError
from citepoll.report.data import EngineNote
from citepoll.report.printable import one_line
from citepoll.report.sentences import TAGGED, engine_label
from citepoll.service.measuring import measurable
from citepoll.store.ledger import Cycle
from citepoll.surfaces.dashboard.doors import page_path
from citepoll.surfaces.dashboard.page import Page, environment
from citepoll.surfaces.web.rooms import Room

T = TypeVar("T")
Choices = Sequence[tuple[str, str]]
"""What a filter offers: pairs of value and words."""


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """One page of a list: `items`, counted from `first` (1) of `total`, and the addresses of the pages beside it."""

    items: tuple[T, ...]
    first: int
    total: int
    back: str | None
    on: str | None

    @property
    def last(self) -> int:
        return self.first + len(self.items) - 1


def part_of(items: Sequence[T], number: str, size: int, project: str, noun: str, asked: Mapping[str, str]) -> Part[T]:
    """The `number`-th part of a list (`""`: the first). Raises `SliceError` for what is no number; past the end is empty."""
    if number and not (number.isascii() and number.isdigit() and len(number) < 7):
        raise SliceError(f"{number[:40]!r} is not a page.", "Give a number, or leave it out.")
    at = max(1, int(number or 1))
    begin = (at - 1) * size

    def path(to: int) -> str:
        return page_path(project, noun, **asked, page=to if to > 1 else None)

    return Part(
        tuple(items[begin : begin + size]), begin + 1, len(items), path(at - 1) if at > 1 else None,
        path(at + 1) if begin + size < len(items) else None,
    )  # fmt: skip


def drawn_part(template: str, **values: Any) -> Markup:
    """A part of a page that measured cycles decide alone, ready to be remembered."""
    return Markup(environment().get_template(template).render(**values))


def unmeasured(page: Page, room: Room, title: str, what: str) -> Response[str] | None:
    """The page in place of one that has nothing to show yet: one sentence on `what` will stand there, one button."""
    if measurable(room.ledger):
        return None
    return page.show("waiting.html", title, what=what, room=room.id)


def cycles_offered(room: Room) -> tuple[tuple[str, str], ...]:
    """The measurable cycles, the newest first."""
    return tuple((cycle.name, one_line(cycle.name, 60)) for cycle in reversed(measurable(room.ledger)))


def engines_offered(room: Room, cycle: Cycle) -> tuple[tuple[str, str], ...]:
    return tuple((e.name, engine_label(EngineNote(e.name, e.surface))) for e in room.ledger.engines(cycle))


def tags_of(room: Room, *cycles: Cycle) -> tuple[str, ...]:
    """What numbers over all engines of these cycles are labelled: `simulated`, `partly recorded`; () where all were asked."""
    kinds = {engine.surface for cycle in cycles for engine in room.ledger.engines(cycle)}
    return tuple(kind if kinds == {kind} else f"partly {kind}" for kind in sorted(kinds & TAGGED))


def chosen_of(name: str, value: str, offered: Choices) -> str:
    """`value` if it is offered or empty. Raises `SliceError` otherwise."""
    if value and value not in dict(offered):
        known = ", ".join(key for key, _ in offered) or "none"
        raise SliceError(f"There is no {name} {one_line(value, 60)!r}.", f"Choose one of {known}.")
    return value
