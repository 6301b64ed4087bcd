"""A write that may be sent twice is done once: the second time it is answered as the first."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from citepoll.errors import InputError
from citepoll.hashing import bytes_hash, content_hash
from citepoll.store import repeats
from citepoll.store.accounts import AccountFile

KEPT = timedelta(hours=24)
ABANDONED = timedelta(minutes=15)
"""After which a write without an answer is taken for one that a killed server left behind."""

_KEY = re.compile(r"[!-~]{1,200}")


@dataclass(frozen=True, slots=True)
class Given:
    """The answer to a write: its HTTP status and body. `again`: it was given before, and nothing was done now."""

    status: int
    body: bytes
    again: bool = False


@dataclass(frozen=True, slots=True)
class Write:
    """A write as it was sent: by whom, to which address with which method, and its body."""

    who: str
    method: str
    address: str
    body: bytes

    @property
    def hash(self) -> str:
        return content_hash([self.method, self.address, bytes_hash(self.body)])


class InFlight(InputError):
    """The first write under this key is not answered yet."""


def once(accounts: AccountFile, key: str, write: Write, at: datetime, make: Callable[[], Given]) -> Given:
    """Do a write under a key, or give the answer that it had within the last 24 hours.

    Keys are each reader's own. A write that fails gives its key back. Raises `InputError` for a key that cannot be one
    or that stands for another write, `InFlight` while the first is being done.
    """
    if not _KEY.fullmatch(key):
        raise InputError("The Idempotency-Key is not usable.", "Use 1 to 200 visible ASCII characters, as a UUID.")
    mark = content_hash([write.who, key])
    held = repeats.claim(accounts, mark, write.hash, at, forget=at - KEPT, abandoned=at - ABANDONED)
    if held is not None:
        return _again(held, write)
    try:
        given = make()
    except BaseException:
        repeats.free(accounts, mark)
        raise
    repeats.keep(accounts, mark, given.status, given.body)
    return given


def _again(held: repeats.Repeat, write: Write) -> Given:
    if held.asked != write.hash:
        raise InputError("This Idempotency-Key was used for another request.", "Use a fresh key for each request.")
    if held.status is None:
        raise InFlight("The first request with this Idempotency-Key is not answered yet.", "Wait, then send it again.")
    return Given(held.status, held.body, again=True)
