"""The dashboard. A page is a module with `ROUTES`; it joins by standing in `PAGES` below."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from litestar import Router
from litestar.di import Provide

from citepoll.service.measuring import measurable
from citepoll.surfaces.dashboard import (
    alerts,
    answer,
    answers,
    assets,
    corpus,
    cycles,
    editing,
    engines,
    entering,
    experiments,
    exports,
    gaps,
    movement,
    overview,
    projects,
    queries,
    sources,
    starting,
    todo,
    versions,
    words,
)
from citepoll.surfaces.dashboard.errors import error_page
from citepoll.surfaces.dashboard.page import nav_paths, page_of
from citepoll.surfaces.web.asking import room_of_path
from citepoll.surfaces.web.desk import Desk
from citepoll.surfaces.web.rooms import Room

PAGES = (
    assets,
    entering,
    projects,
    overview,
    queries,
    editing,
    versions,
    answers,
    answer,
    cycles,
    starting,
    engines,
    corpus,
    sources,
    gaps,
    todo,
    movement,
    alerts,
    experiments,
    exports,
    words,
)

ROUTES = [route for page in PAGES for route in page.ROUTES]

__all__ = ["NAV", "PAGES", "ROUTES", "ahead", "error_page", "pages"]

NAV = nav_paths(ROUTES)
"""Label → path of the navigation inside a project."""


def ahead(room: Room, desk: Desk) -> Iterator[Callable[[], object]]:
    """What makes the pages that a project's readers open first, one after the other."""
    if measurable(room.ledger):
        yield lambda: overview.shown(room, desk)
        yield lambda: queries.whole(room, desk)
        yield lambda: sources.shown(room, desk)
        yield lambda: gaps.shown(room, desk)
        yield lambda: todo.shown(room, desk)
        yield lambda: cycles.done(room)
        yield lambda: movement.shown_first(room, desk)


def pages() -> Router:
    """All pages, to be put into the app. Their handlers may ask for `page`, `room`, `desk` and `reader`."""
    given = {
        "page": Provide(page_of, sync_to_thread=False),
        "room": Provide(room_of_path, sync_to_thread=True),
    }
    return Router("/", route_handlers=ROUTES, dependencies=given)
