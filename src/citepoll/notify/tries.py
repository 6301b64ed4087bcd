"""A few tries within seconds: a server that is busy for a moment is no failure."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from citepoll.errors import SendError

T = TypeVar("T")

WAITS: Final = (1.0, 4.0)
"""Seconds between tries."""


def tried(send: Callable[[], T], waits: Sequence[float] = WAITS, sleep: Callable[[float], None] = time.sleep) -> T:
    """What `send` returns. Raises its `SendError` where another try cannot help, and after the last one."""
    for wait in waits:
        try:
            return send()
        except SendError as wrong:
            if not wrong.again:
                raise
        sleep(wait)
    return send()
