"""The REST API of a desk, /api/v1: the same slices and use cases as everywhere, for programs."""

from __future__ import annotations

from litestar import Router
from litestar.di import Provide

from citepoll.surfaces.api.call import call_of, room_call_of
from citepoll.surfaces.api.description import ROUTES as DOCUMENTS
from citepoll.surfaces.api.description import document
from citepoll.surfaces.api.nouns import ROUTES
from citepoll.surfaces.api.rules import know_body, know_parameters, see_project
from citepoll.surfaces.web.asking import room_asked

__all__ = ["api", "document"]


def api() -> Router:
    """The API, to be put into the app. Handlers may ask for `here` (a call about a room) or `call` (about none)."""
    given = {
        "call": Provide(call_of),
        "here": Provide(room_call_of),
        "room": Provide(room_asked, sync_to_thread=True),
    }
    guards = [see_project, know_parameters, know_body]
    return Router("/api/v1", route_handlers=[*ROUTES, *DOCUMENTS], dependencies=given, guards=guards)
