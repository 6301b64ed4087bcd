"""The transport seam: the one way from a request to a response."""

from __future__ import annotations

from typing import Protocol

from citepoll.engines.base import HttpRequest, HttpResponse


class Transport(Protocol):
    """Sends a request and returns what came back, whatever its status code.

    Raises `EngineError` where the engine cannot be asked at all, so that asking again would change nothing.
    """

    async def send(self, request: HttpRequest) -> HttpResponse: ...
