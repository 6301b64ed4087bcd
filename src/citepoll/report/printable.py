"""Untrusted text made safe to place: no control characters, no lone surrogates, only web links, unique anchors and doors."""

from __future__ import annotations

import re

from citepoll.hashing import bytes_hash, short

_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 and C1, but tab and line feed
    "\u202a-\u202e\u2066-\u2069"  # bidirectional overrides turn the text around them
    "\ufffe\uffff]"  # no character in XML
)
_SURROGATE = re.compile("[\ud800-\udfff]")


def printable(text: str) -> str:
    """`text` without control characters and bidirectional overrides; a lone surrogate becomes U+FFFD."""
    return _SURROGATE.sub("\ufffd", _UNSAFE.sub("", text))


def one_line(text: str, limit: int | None = None) -> str:
    """Printable, white space as one space, cut to `limit` characters with an ellipsis."""
    line = " ".join(printable(text).split())
    if limit is None or len(line) <= limit:
        return line
    return line[: limit - 1].rstrip() + "…"


def web_link(url: str | None) -> str | None:
    """The URL if it may stand in a link (http or https, printable, no white space), else None."""
    if url is None or printable(url) != url or not re.match(r"https?://[^\s\"'<>`\\]+$", url, re.IGNORECASE):
        return None
    return url


def anchor(kind: str, *names: str) -> str:
    """An id for an element inside the page: `answers-atlas`. Different names do not share one."""
    return f"{kind}-" + "--".join(_slug(name) for name in names)


def href(door: str) -> str:
    """Where a door leads: a path of the desk (`/p/…`) as it is, else `#id`, an element of the page."""
    return door if door.startswith("/") else f"#{door}"


def _slug(name: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]
    if plain == name:
        return plain
    digest = short(bytes_hash(name.encode("utf-8", "surrogatepass")))[:8]
    return f"{plain}_{digest}"
