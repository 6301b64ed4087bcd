"""Which call meets which fault: by a seed, or by a script."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

STOPPING = ("unauthorized", "forbidden", "no_model", "no_quota")
"""No call to the engine can succeed."""

PASSING = (
    "rate_limited", "rate_limited_date", "rate_limited_info", "server_error", "unavailable", "overloaded",
    "error_in_200", "proxy_page", "echoed_error", "stalled", "truncated", "cut_off", "reset",
)  # fmt: skip
"""The same call may succeed when it is made again."""

BLOCKING = ("policy",)
"""The question itself is refused, before the model speaks."""

HARMLESS = ("slow", "duplicate", "gzip", "chunked", "huge", "echoed_key")
"""The answer arrives, in a form that a client has to cope with."""

ENDLESS = ("endless",)
"""A body that no client should read to its end."""

CONTINUED = ("paused", "deferred", "queued")
"""The answer takes a second call."""

OUTCOMES = ("absent", "refused", "blocked", "empty", "uncited", "truncated_text")
"""Answers of another status than the common one; an uncited one is valid."""

FAULTS = (*STOPPING, *PASSING, *BLOCKING, *HARMLESS, *ENDLESS, *CONTINUED, *OUTCOMES)

DELIVERED = frozenset({
    "slow", "stalled", "truncated", "cut_off", "reset", "duplicate", "gzip", "chunked", "huge", "endless", "echoed_key",
})  # fmt: skip
"""Faults of the delivery: the answer was made, and is charged."""

FORMS = frozenset({*CONTINUED, *OUTCOMES})
"""Faults that a surface words in a body of its own."""


class Plan(Protocol):
    def fault(self, engine: str, key: str, nth: int, possible: Collection[str]) -> str | None:
        """The fault of the nth call (from 0) of an engine with this key, out of `possible`; None: it goes well."""
        ...


@dataclass(frozen=True, slots=True)
class Seeded:
    """A `share` of all calls meets one of `names`. The order of calls has no say, so concurrency does not matter."""

    seed: str = "emulator"
    share: float = 0.0
    names: tuple[str, ...] = (*PASSING, *HARMLESS, *CONTINUED)

    def fault(self, engine: str, key: str, nth: int, possible: Collection[str]) -> str | None:
        names = [name for name in self.names if name in possible]
        digest = hashlib.sha256(f"{self.seed}\n{engine}\n{key}\n{nth}".encode("utf-8", "replace")).digest()
        if not names or int.from_bytes(digest[:8], "big") / 2**64 >= self.share:
            return None
        return names[int.from_bytes(digest[8:16], "big") % len(names)]


class Script:
    """Faults that the next calls of an engine meet, in their order; "" and None go well. A plan rules when it is used up."""

    def __init__(self) -> None:
        self._next: dict[str, deque[str | None]] = {}

    def add(self, engine: str, names: Iterable[str | None]) -> None:
        """Raises `ValueError` for a name that is no fault."""
        listed = list(names)
        for name in listed:
            if name and name not in FAULTS:
                raise ValueError(f"there is no fault {name!r}; known are {', '.join(FAULTS)}")
        self._next.setdefault(engine, deque()).extend(listed)

    def next(self, engine: str) -> tuple[bool, str | None]:
        """Whether the script says anything of this call, and what."""
        queue = self._next.get(engine)
        return (True, queue.popleft()) if queue else (False, None)
