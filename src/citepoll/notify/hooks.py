"""Webhooks out: one post to an address, through the guard, with a signature where there is a secret."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal

from citepoll.errors import FetchError, SendError
from citepoll.fetch.guard import REDIRECTS, Guard
from citepoll.report import letters
from citepoll.report.letters import Letter

SECONDS: Final = 15.0
BUSY: Final = frozenset({408, 425, 429})
SIGNATURE, TIMESTAMP = "Citepoll-Signature", "Citepoll-Timestamp"


def send(guard: Guard, url: str, form: Literal["slack", "json"], letter: Letter, secret: str | None = None) -> None:
    """Post the letter, once. Any 2xx is taken for a yes.

    Raises `SendError`, which shows no more of the address than scheme and host; `again` where the cause may pass.
    """
    body = letters.slack(letter) if form == "slack" else letters.data(letter)
    headers = {"Content-Type": "application/json"}
    if secret:
        headers |= signed(body, secret, letter.at)
    try:
        place = guard.check(url).place
        page = asyncio.run(guard.post(url, body, headers, seconds=SECONDS))
    except FetchError as wrong:
        raise SendError(wrong.cause, wrong.fix, again=not wrong.refused) from None
    if page.status in REDIRECTS:
        raise SendError(f"{place} answers with a redirect, which is not followed.", "Give the address it leads to.")
    if not 200 <= page.status < 300:
        again = page.status >= 500 or page.status in BUSY
        raise SendError(f"{place} answered {page.status}.", "Check the address of the webhook.", again=again)


def signed(body: bytes, secret: str, at: datetime) -> Mapping[str, str]:
    """HMAC-SHA256 of the time (seconds since 1970), a dot, and the body. The time keeps an old post from being replayed."""
    moment = str(int(at.timestamp()))
    digest = hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {TIMESTAMP: moment, SIGNATURE: f"sha256={digest}"}
