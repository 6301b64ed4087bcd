"""One app of the parts it is given: what pages, API and MCP share is put around them here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.middleware import DefineMiddleware
from litestar.middleware.rate_limit import RateLimitConfig
from litestar.openapi import OpenAPIConfig
from litestar.stores.memory import MemoryStore
from litestar.types import ControllerRouterHandler

from citepoll.service.accounts import Reader
from citepoll.surfaces.web.asking import Asked, Identify, check_needs, guard
from citepoll.surfaces.web.desk import Desk
from citepoll.surfaces.web.problems import ErrorPage, error_handler
from citepoll.surfaces.web.rim import Csrf, Rim, header_writer

PER_MINUTE = 600
"""Requests of one reader, or of one address that nobody is logged in at."""
LARGEST = 2 * 2**20
"""Bytes of a request's body; a route that takes files says more."""

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[Any]]


def assemble(
    desk: Desk,
    routes: Sequence[ControllerRouterHandler],
    error_page: ErrorPage,
    *,
    lifespan: Sequence[Lifespan] = (),
    openapi: OpenAPIConfig | None = None,
) -> Litestar:
    """The app. Handlers may ask for `desk` and `reader`; each route says what it `needs`, or this raises."""
    app = Litestar(
        routes,
        guards=[guard],
        dependencies={
            "desk": Provide(lambda: desk, sync_to_thread=False),
            "reader": Provide(_reader, sync_to_thread=False),
        },
        middleware=[
            DefineMiddleware(Rim, desk=desk),
            DefineMiddleware(Identify, desk=desk),
            _rate_limit().middleware,
            DefineMiddleware(Csrf, desk=desk),
        ],
        before_send=[header_writer(desk)],
        exception_handlers={Exception: error_handler(error_page)},
        lifespan=list(lifespan),
        on_shutdown=[desk.close],
        openapi_config=openapi,
        request_max_body_size=LARGEST,
        stores={"rate_limit": MemoryStore()},
        state=State({"desk": desk}),
        logging_config=None,
        debug=False,
    )
    check_needs(app)
    return app


def _reader(request: Asked) -> Reader:
    return request.user


def _rate_limit() -> RateLimitConfig:
    return RateLimitConfig(
        rate_limit=("minute", PER_MINUTE), identifier_for_request=_identity, check_throttle_handler=_is_counted
    )


def _identity(request: Asked) -> str:
    user = request.scope.get("user")
    if isinstance(user, Reader) and user.via != "nobody":
        return user.name
    return request.client.host if request.client else "nowhere"


def _is_counted(request: Asked) -> bool:
    """Files are not, nor is the one person of a server without accounts."""
    reader = request.scope.get("user")
    local = isinstance(reader, Reader) and reader.via != "nobody" and reader.user is None
    return not local and not request.url.path.startswith("/static/")
