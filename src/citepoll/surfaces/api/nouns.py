"""The nouns of the API: each is a module with `ROUTES`, and joins by standing here."""

from __future__ import annotations

from litestar.handlers import HTTPRouteHandler

from citepoll.surfaces.api import (
    answers,
    cycles,
    experiments,
    exports,
    found,
    opportunities,
    projects,
    queries,
    slices,
)

NOUNS = (projects, slices, found, queries, cycles, answers, opportunities, experiments, exports)

ROUTES: tuple[HTTPRouteHandler, ...] = tuple(route for noun in NOUNS for route in noun.ROUTES)
