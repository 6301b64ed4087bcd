"""Keys out of bodies: some vendors echo the address that was asked, key included, and error pages echo headers."""

from __future__ import annotations

import base64
import re
from typing import Final

MARK: Final = b"[redacted]"

# Characters that no encoder of URLs, JSON or HTML rewrites.
_PLAIN: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~")
_NAMED: Final = {b"&": b"&amp;", b'"': b"&quot;", b"<": b"&lt;", b">": b"&gt;"}
SHORTEST_PASSWORD: Final = 8


def redact(body: bytes, key: str) -> bytes:
    """`body` with `[redacted]` for every occurrence of `key`; the same bytes where there is none.

    Found as it is, percent-encoded (also twice), escaped as JSON or HTML write it, and in base64, as a Basic
    authorization has it. Of a key `login:password` the password alone counts too, if it has 8 characters or more.
    An empty key changes nothing.
    """
    secrets = _secrets(key)
    if not secrets:
        return body
    longest_first = sorted(secrets, key=len, reverse=True)
    return re.sub(b"|".join(_pattern(secret) for secret in longest_first), MARK, body)


def _secrets(key: str) -> set[bytes]:
    if not key:
        return set()
    raw = key.encode("utf-8", "surrogatepass")
    found = {raw, base64.b64encode(raw), base64.urlsafe_b64encode(raw)}
    password = raw.partition(b":")[2]
    return found | {password} if len(password) >= SHORTEST_PASSWORD else found


def _pattern(secret: bytes) -> bytes:
    return b"".join(_character(secret[at : at + 1]) for at in range(len(secret)))


def _character(one: bytes) -> bytes:
    """One byte of a secret in every form it may have been written in."""
    if one[0] in _PLAIN:
        return one if one.isalnum() else re.escape(one)
    code = f"{one[0]:02x}"
    digits = "".join(f"[{d}{d.upper()}]" if d.isalpha() else d for d in code).encode()
    forms = [b"%(?:25)*" + digits, rb"\\+u00" + digits, b"&#(?:x0*" + digits + b"|0*" + str(one[0]).encode() + b");"]
    if one in _NAMED:
        forms.append(_NAMED[one])
    if one == b" ":
        forms.append(rb"\+")
    # The character itself is tried last, or a percent sign would leave the 25 of its encoded form behind.
    return b"(?:" + b"|".join([*forms, rb"\\?" + re.escape(one)]) + b")"
