"""The transport seam: the one way from a request to a response."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from citepoll.engines.base import HttpRequest, HttpResponse


class Clock(Protocol):
    def now(self) -> datetime: ...

    async def sleep(self, seconds: float) -> None: ...


class Transport(Protocol):
    """Sends a request and returns what came back, whatever its status code.

    Raises `Unanswered` (or another `OSError`) where no whole response came, `EngineError` where the engine cannot be
    asked at all, so that asking again would change nothing.
    """

    async def send(self, request: HttpRequest) -> HttpResponse: ...


class Unanswered(OSError):
    """No whole response. `again`: the same call may succeed later; `sent`: it reached the vendor, who may charge for it."""

    def __init__(self, reason: str, *, again: bool = True, sent: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.again = again
        self.sent = sent
