"""Addresses as a user or an answer wrote them, read as a browser reads them, and which of them the guard opens."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from upa_url import URL

from citepoll.errors import FetchError, InputError
from citepoll.fetch.addresses import kept_out

PORTS: Final = {"http:": 80, "https:": 443}
LONGEST: Final = 8192
"""Characters of an address; a longer one is not asked for."""


@dataclass(frozen=True, slots=True)
class Target:
    """An address that may be asked for. `host` is without brackets; `path` holds the query; `open` is set by the operator."""

    url: str
    scheme: str
    host: str
    port: int
    path: str
    open: bool = False

    @property
    def place(self) -> str:
        """Scheme, host and port: what may be shown. The rest of an address may be a secret, as with webhooks."""
        port = "" if self.port == PORTS[f"{self.scheme}:"] else f":{self.port}"
        return f"{self.scheme}://{self.authority}{port}"

    @property
    def authority(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def numeric(self) -> bool:
        """Whether the host is an IP address: in a URL that was read, only such a one ends in a number."""
        return ":" in self.host or self.host.rpartition(".")[2].isdigit()


class Allowed:
    """An operator's list of hosts and ports that stay open: `hooks.intranet`, `10.0.0.7:8080`, `[::1]:8000`.

    A host alone is open on 80 and 443, one with a port on that port too, wherever its name leads. Raises `InputError`.
    """

    def __init__(self, entries: Iterable[str]) -> None:
        self._places = {place for entry in entries for place in _places(entry)}

    def holds(self, host: str, port: int) -> bool:
        return (host, port) in self._places


def _places(entry: str) -> set[tuple[str, int]]:
    try:
        url = URL(f"http://{entry}/")
    except (RuntimeError, TypeError):
        url = None
    if url is None or url.pathname != "/" or url.username or url.search or url.hash or not url.hostname:
        raise InputError(
            f"{entry!r} is no host that could be allowed.", "Write a host, or a host and a port: hooks.intranet:8080."
        )
    host = _bare(url.hostname)
    return {(host, port) for port in (80, 443, int(url.port or 80))}


def read(url: str, allowed: Allowed) -> Target:
    """The address, if its form may be asked for: http(s) on 80 and 443 or what is allowed, no credentials, and no
    IP address of an inner network. Raises `FetchError`, which shows no more than the host."""
    if len(url) > LONGEST:
        raise refused(f"An address of {len(url):,} characters is not asked for.")
    try:
        parts = URL(url)
    except (RuntimeError, TypeError):  # the latter for a lone surrogate
        raise refused("A text that is no address cannot be asked for.") from None
    if parts.protocol not in PORTS:
        raise refused(f"{parts.protocol[:20]} addresses are not asked for.")
    if parts.username or parts.password:
        raise refused("An address with a user name or a password in it is not asked for.")
    port = int(parts.port) if parts.port else PORTS[parts.protocol]
    host = _bare(parts.hostname)
    is_open = allowed.holds(host, port)
    target = Target(parts.href, parts.protocol[:-1], host, port, parts.pathname + parts.search, is_open)
    if not is_open and port not in PORTS.values():
        raise refused(f"{target.place} is not asked for: port {port} is closed.")
    if not is_open and target.numeric and (why := kept_out(host)):
        raise refused(f"{target.place} is not asked for: it is {why}.")
    return target


def joined(base: str, location: str) -> str:
    """The address that a `Location` header names, seen from `base`. Raises `FetchError` for what is none."""
    try:
        return str(URL(location[: LONGEST + 1], base).href)
    except (RuntimeError, TypeError):
        raise refused("A redirect leads to a text that is no address.") from None


def refused(cause: str) -> FetchError:
    fix = "Use a public http or https address, or ask the operator to allow this host and port."
    return FetchError(cause, fix, refused=True)


def _bare(host: str) -> str:
    return host.removesuffix(".").removeprefix("[").removesuffix("]")
