"""The dashboard. A page is a module with `ROUTES`; it joins by standing in `PAGES` below."""

from __future__ import annotations

from litestar import Router
from litestar.di import Provide

from citepoll.surfaces.dashboard import (
    alerts,
    answer,
    answers,
    assets,
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

__all__ = ["NAV", "PAGES", "ROUTES", "error_page", "pages"]

NAV = nav_paths(ROUTES)
"""Label → path of the navigation inside a project."""


def pages() -> Router:
    """All pages, to be put into the app. Their handlers may ask for `page`, `room`, `desk` and `reader`."""
    given = {
        "page": Provide(page_of, sync_to_thread=False),
        "room": Provide(room_of_path, sync_to_thread=True),
    }
    return Router("/", route_handlers=ROUTES, dependencies=given)
