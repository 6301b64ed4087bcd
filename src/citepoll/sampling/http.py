"""The transport over the network: the only HTTP client of the sampler. A key is put in last, and goes nowhere else."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib.metadata import version
from typing import Final, Self

import httpx2
import msgspec

from citepoll.engines.base import Auth, HttpRequest, HttpResponse, with_key
from citepoll.engines.redaction import redact
from citepoll.sampling.transport import Unanswered

LARGEST_BODY: Final = 32 * 2**20
"""Bytes of a body after decompression."""

CALLS_PER_POOL: Final = 16
"""The client looks at every connection of a pool for each call: at 200 in one pool this doubles its processor time."""

_NEVER_SENT: Final = (
    httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError, httpx2.UnsupportedProtocol,
    httpx2.LocalProtocolError, httpx2.InvalidURL,
)  # fmt: skip
_HOPELESS: Final = (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError, httpx2.InvalidURL)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to connect, from then to the first byte of the response, and for the call as a whole.

    A model that searches sends its first byte when it is done, so the second is long.
    """

    connect: float = 10.0
    first_byte: float = 300.0
    total: float = 600.0


class _TooLarge(Exception):
    pass


class _NoFirstByte(Exception):
    pass


class HttpTransport:
    """Sends one engine's requests. Use it as an asynchronous context manager; connections are kept for the calls to come.

    No redirect is followed and no cookie kept. Proxies come from the environment, as the HTTP client reads it.
    """

    def __init__(
        self, auth: Auth | None, key: str | None, *, at_once: int = 8, timeouts: Timeouts | None = None
    ) -> None:
        self._auth = auth
        self._key = key or ""
        self._timeouts = timeouts or Timeouts()
        self._pools = max(1, -(-at_once // CALLS_PER_POOL))
        self._clients: list[httpx2.AsyncClient] = []
        self._calls = 0

    async def __aenter__(self) -> Self:
        _hush()
        tls = httpx2.create_ssl_context()
        self._clients = [_client(self._timeouts, tls) for _ in range(self._pools)]
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients:
            await client.aclose()

    async def send(self, request: HttpRequest) -> HttpResponse:
        """The response, with the key taken out of body and headers where the vendor echoed it.

        Raises `Unanswered`, which holds no request and no key, and has no other exception behind it.
        """
        try:
            async with asyncio.timeout(self._timeouts.total):
                return await self._exchanged(request)
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError, _TooLarge, _NoFirstByte) as wrong:
            problem = self._problem(wrong)
        raise problem

    async def _exchanged(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        self._calls += 1
        client = self._clients[self._calls % len(self._clients)]
        limit = self._timeouts.connect + self._timeouts.first_byte
        try:
            async with asyncio.timeout(limit):
                response = await client.send(self._built(client, request), stream=True)
        except TimeoutError:
            raise _NoFirstByte from None
        try:
            body = await _body(response)
        finally:
            await response.aclose()
        clean = redact(body, self._key)
        headers = {name: self._words(value) for name, value in response.headers.items()}
        return HttpResponse(response.status_code, headers, clean, time.perf_counter() - began, clean != body)

    def _built(self, client: httpx2.AsyncClient, request: HttpRequest) -> httpx2.Request:
        content = None if request.json is None else msgspec.json.encode(request.json)
        sent = with_key(request, self._auth, self._key) if self._auth and self._key else request
        return client.build_request(sent.method, sent.url, headers=dict(sent.headers), content=content)

    def _words(self, text: str) -> str:
        if not self._key:
            return text
        return redact(text.encode("utf-8", "surrogateescape"), self._key).decode("utf-8", "replace")

    def _problem(self, wrong: Exception) -> Unanswered:
        if isinstance(wrong, _TooLarge):
            return Unanswered(f"the body is larger than {LARGEST_BODY // 2**20} MiB", again=False)
        if isinstance(wrong, TimeoutError):
            return Unanswered(f"no whole answer within {self._timeouts.total:g} s")
        if isinstance(wrong, _NoFirstByte | httpx2.ReadTimeout):
            return Unanswered(f"nothing came for {self._timeouts.first_byte:g} s")
        sent, again = not isinstance(wrong, _NEVER_SENT), not isinstance(wrong, _HOPELESS)
        # A request that cannot be written is quoted in the words of the error, key included.
        words = self._words(str(wrong)) if again else ""
        return Unanswered(f"{type(wrong).__name__}{': ' if words else ''}{words}", again=again, sent=sent)


def _client(timeouts: Timeouts, tls: ssl.SSLContext) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        headers={"user-agent": f"citepoll/{version('citepoll')}", "accept-encoding": "gzip"},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        verify=tls,
        timeout=httpx2.Timeout(timeouts.first_byte, connect=timeouts.connect, pool=None),
        # A connection is not used twice: a reply that a proxy delivers twice would be read as that of the next question.
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=0),
    )


async def _body(response: httpx2.Response) -> bytes:
    found = bytearray()
    async for part in response.aiter_bytes():
        found += part
        if len(found) > LARGEST_BODY:
            raise _TooLarge
    return bytes(found)


class _Warnings(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING


_WARNINGS: Final = _Warnings()


def _hush() -> None:
    """The client logs addresses and headers below WARNING, keys included: these lines are dropped at their source."""
    for name in ("httpx2", *(f"httpcore2.{part}" for part in ("connection", "http11", "http2", "proxy", "socks"))):
        logging.getLogger(name).addFilter(_WARNINGS)
