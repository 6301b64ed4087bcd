"""The one way to an address that a user or an answer named: looked up once, checked, and connected to as checked."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from typing import Final

import httpx2

from citepoll.errors import FetchError
from citepoll.fetch.addresses import kept_out
from citepoll.fetch.targets import Allowed, Target, joined, read, refused

SECONDS: Final = 15.0
TO_CONNECT: Final = 5.0
"""Seconds for one of a name's addresses, so that the next one gets its turn."""
MOST_ADDRESSES: Final = 4
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_READ: Final = frozenset({"", "identity", "gzip", "x-gzip", "deflate"})
"""Encodings that are unpacked piece by piece, so that a small body cannot fill the memory."""

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""From host and port to IP addresses, in order of preference. Raises `OSError` where the name has none."""


@dataclass(frozen=True, slots=True)
class Page:
    """What came back. `url` is where it was in the end; `headers` have lower-case names; `body` is unpacked."""

    status: int
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


async def by_dns(host: str, port: int) -> Sequence[str]:
    """The addresses that the machine's resolver gives."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Guard:
    """Opens public http and https addresses on ports 80 and 443, and those that the operator allows (`Allowed`).

    No cookie, no credentials, no proxy and no setting of the environment; a connection for each request. It holds
    nothing between calls, so that threads and event loops may share it. `lookup` and `transport` are seams for tests.

    Every method raises `FetchError`, and `refused` says whether the address itself is the cause. What it shows of an
    address is scheme, host and port.
    """

    def __init__(
        self, allow: Iterable[str] = (), *, lookup: Lookup = by_dns,
        transport: Callable[[], httpx2.AsyncBaseTransport] | None = None,
    ) -> None:  # fmt: skip
        self._allowed = Allowed(allow)
        self._lookup = lookup
        self._transport = transport or self._connections

    async def get(self, url: str, *, accept_bytes: int = 0, seconds: float = SECONDS, redirects: int = 0) -> Page:
        """The page at `url`, after at most so many redirects, each checked like the first address.

        `accept_bytes` bounds the body as sent and as unpacked, and a larger one is an error; 0 reads none. `seconds`
        bound the whole. A redirect beyond `redirects`, or without an address, is returned as it is.
        """
        return await self._followed("GET", url, accept_bytes, seconds, redirects)

    async def head(self, url: str, *, seconds: float = SECONDS, redirects: int = 0) -> Page:
        """As `get`, without a body."""
        return await self._followed("HEAD", url, 0, seconds, redirects)

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str] | None = None, *, seconds: float = SECONDS
    ) -> Page:
        """Send `body` once. No redirect is followed, and no body read: what an inner service says stays unseen."""
        async with _within(seconds):
            return await self._asked("POST", self.check(url), 0, seconds, headers or {}, body)

    def check(self, url: str) -> Target:
        """The address as it would be asked for, by its form alone: no name is looked up."""
        return read(url, self._allowed)

    async def _followed(self, method: str, url: str, accept_bytes: int, seconds: float, redirects: int) -> Page:
        async with _within(seconds):
            for _ in range(redirects):
                page = await self._asked(method, self.check(url), accept_bytes, seconds)
                location = page.headers.get("location")
                if page.status not in REDIRECTS or not location:
                    return page
                url = joined(page.url, location)
            return await self._asked(method, self.check(url), accept_bytes, seconds)

    async def _asked(
        self, method: str, target: Target, accept_bytes: int, seconds: float,
        headers: Mapping[str, str] | None = None, body: bytes | None = None,
    ) -> Page:  # fmt: skip
        try:
            addresses = await self._addresses(target)
            requests = [_request(method, target, address, seconds, headers or {}, body) for address in addresses]
            async with self._transport() as transport:
                response = await _connected(transport, requests)
                try:
                    content = await _body(response, target, accept_bytes)
                finally:
                    await response.aclose()
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError, UnicodeError) as wrong:
            cause = f"{target.place} gave nothing: {_words(wrong)}."
            raise FetchError(cause, "Check the address, and try again later.") from None
        return Page(response.status_code, target.url, {k.lower(): v for k, v in response.headers.items()}, content)

    async def _addresses(self, target: Target) -> Sequence[str]:
        """All addresses of the host. Raises where one of them is not public: a name of two faces is not trusted."""
        found = [target.host] if target.numeric else await self._lookup(target.host, target.port)
        if not found:
            raise OSError("the name has no address")
        for address in () if target.open else found:
            if why := kept_out(address):
                raise refused(f"{target.place} is not asked for: its name leads to {why}.")
        return found[:MOST_ADDRESSES]

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return httpx2.create_ssl_context()

    def _connections(self) -> httpx2.AsyncBaseTransport:
        return httpx2.AsyncHTTPTransport(
            verify=self._tls, trust_env=False, limits=httpx2.Limits(max_keepalive_connections=0)
        )


async def _connected(transport: httpx2.AsyncBaseTransport, requests: Sequence[httpx2.Request]) -> httpx2.Response:
    """The response of the first address that takes the connection."""
    *others, last = requests
    for request in others:
        with suppress(httpx2.ConnectError, httpx2.ConnectTimeout):
            return await transport.handle_async_request(request)
    return await transport.handle_async_request(last)


def _request(
    method: str, target: Target, address: str, seconds: float, headers: Mapping[str, str], body: bytes | None
) -> httpx2.Request:
    """A request to `address` in which all that names the host (Host, SNI, the certificate's name) stays the host."""
    at = f"[{address}]" if ":" in address else address
    timeout = httpx2.Timeout(seconds, connect=min(seconds, TO_CONNECT)).as_dict()
    ours = {"host": target.place.partition("//")[2], "user-agent": user_agent(), "accept-encoding": "gzip"}
    given = {name: value for name, value in headers.items() if name.lower() not in ours}
    return httpx2.Request(
        method, f"{target.scheme}://{at}:{target.port}{target.path}", headers={**ours, **given}, content=body,
        extensions={"timeout": timeout, "sni_hostname": target.host},
    )  # fmt: skip


def user_agent() -> str:
    """Who asks, for the log of a server that wonders."""
    return (
        f"citepoll/{version('citepoll')} (reads pages that AI answers cite; docs/sampling.md of the package citepoll)"
    )


async def _body(response: httpx2.Response, target: Target, most: int) -> bytes:
    """The body, unpacked; none is read of a redirect, and where `most` is 0.

    Raises `FetchError` where it is larger than `most`, packed or unpacked.
    """
    if not most or response.status_code in REDIRECTS:
        return b""
    if response.headers.get("content-encoding", "").strip().lower() not in _READ:
        raise FetchError(
            f"{target.place} gave a body in an encoding that was not asked for.", "It cannot be read here."
        )
    found = bytearray()
    async with aclosing(response.aiter_bytes()) as parts:
        async for part in parts:
            found += part
            if len(found) > most or response.num_bytes_downloaded > most:
                raise FetchError(f"{target.place} gave a body of more than {most:,} bytes.", "It is not read here.")
    return bytes(found)


@asynccontextmanager
async def _within(seconds: float) -> AsyncIterator[None]:
    """Bounds a whole exchange, however slowly it drips. Raises `FetchError` at its end."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise FetchError(f"No whole answer came within {seconds:g} s.", "Try again later.") from None


def _words(wrong: Exception) -> str:
    if "certificate" in str(wrong).lower():
        return "its certificate does not hold"
    name = type(wrong).__name__
    return {"ConnectError": "no connection", "gaierror": "its name is not known"}.get(name, name)
