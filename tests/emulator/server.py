"""The loopback server: HTTP/1.1 over asyncio streams, in a thread of its own or in the foreground. Every loop has an end."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from email.utils import formatdate
from http import HTTPStatus
from types import TracebackType
from urllib.parse import parse_qsl, urlsplit

from tests.emulator.desk import Delivery, Desk, Settings
from tests.emulator.wire import Call, Reply

MOST_CALLS = 10_000
"""Calls that one connection may make."""

MOST_BODY = 16 * 2**20
HEAD_LIMIT = 2**16
IDLE_SECONDS = 60.0
CHUNK = 2**16


class Emulator:
    """The emulator as a context: `with Emulator(Settings()) as emulator`, then `emulator.url`; a thread serves it."""

    def __init__(self, settings: Settings | None = None, port: int = 0) -> None:
        self.desk = Desk(settings or Settings())
        self._port = port
        self._bound = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="emulator", daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Emulator:
        self._thread.start()
        self._bound.wait(10)
        if self._failed or not self._bound.is_set():
            raise RuntimeError("the emulator did not start") from self._failed
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop and self._stopping:
            with contextlib.suppress(RuntimeError):  # it has stopped by itself
                self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as wrong:
            self._failed = wrong
        finally:
            self._bound.set()

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        await serve(self.desk, self._port, self._stopping, self._ready)

    def _ready(self, port: int) -> None:
        self._port = port
        self._bound.set()


async def serve(desk: Desk, port: int, stopping: asyncio.Event, ready: Callable[[int], None]) -> None:
    """Serve on 127.0.0.1 until `stopping` is set, or the settings' `max_seconds` are over. Port 0: any free one."""
    open_tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        open_tasks.add(task)
        try:
            with contextlib.suppress(asyncio.CancelledError):  # the server stops, and streams would report it
                await _Connection(desk, reader, writer).serve()
        finally:
            open_tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", port, limit=HEAD_LIMIT, backlog=1024)
    try:
        ready(server.sockets[0].getsockname()[1])
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), desk.settings.max_seconds)
    finally:
        server.close()
        for task in list(open_tasks):
            task.cancel()
        await asyncio.gather(*open_tasks, return_exceptions=True)


class _Connection:
    def __init__(self, desk: Desk, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.desk = desk
        self.reader = reader
        self.writer = writer

    async def serve(self) -> None:
        for _ in range(MOST_CALLS):
            try:
                call = await asyncio.wait_for(self._read(), IDLE_SECONDS)
            except (TimeoutError, ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
                return
            if not await self._answer(call):
                return

    async def _read(self) -> Call:
        """The next call. Raises `ValueError` for what is no HTTP that is read here, and closes the connection so."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip("\r\n").split("\r\n")
        method, target, _ = first.split(" ")
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        length = int(headers.get("content-length") or 0)
        if not 0 <= length <= MOST_BODY or "transfer-encoding" in headers:
            raise ValueError("a body of a kind that is not read")
        body = await self.reader.readexactly(length)
        return call_of(method, target, headers, body)

    async def _answer(self, call: Call) -> bool:
        """Whether the connection can go on."""
        delivery = self.desk.respond(call)
        self.desk.began(delivery)
        try:
            if delivery.engine and self.desk.settings.latency:
                await asyncio.sleep(self.desk.settings.latency)
            goes_on = await self._deliver(call, delivery)
        except (ConnectionError, TimeoutError):
            goes_on = False
        finally:
            self.desk.ended(delivery)
        return goes_on and call.headers.get("connection", "").lower() != "close"

    async def _deliver(self, call: Call, delivery: Delivery) -> bool:
        """Whether the connection can go on."""
        fault, reply, settings = delivery.fault, delivery.reply, self.desk.settings
        if fault == "reset":
            return self._reset()
        if fault == "endless":
            return await self._endless(reply, settings)
        if fault in ("stalled", "cut_off"):
            await self._send(_head(reply, len(reply.body)) + reply.body[: len(reply.body) // 2])
            await asyncio.sleep(settings.stall if fault == "stalled" else 0)
            return False
        if fault == "truncated":
            half = reply.body[: len(reply.body) // 2]
            await self._send(_head(reply, len(half)) + half)
            return True
        await asyncio.sleep(settings.slow if fault == "slow" else 0)
        return await self._whole(call, delivery)

    async def _whole(self, call: Call, delivery: Delivery) -> bool:
        fault, reply = delivery.fault, delivery.reply
        body = _padded(reply.body, self.desk.settings.huge) if fault == "huge" else reply.body
        message = _encoded(call, reply, body, fault)
        if self.reader.at_eof():  # the client has gone
            return False
        self.desk.sent(delivery, 1)  # before it is: a client that has read it all must find it counted
        try:
            await self._send(message * 2 if fault == "duplicate" else message)
        except (ConnectionError, TimeoutError):
            self.desk.sent(delivery, -1)
            raise
        return True

    async def _send(self, data: bytes) -> None:
        self.writer.write(data)
        await asyncio.wait_for(self.writer.drain(), IDLE_SECONDS)

    async def _endless(self, reply: Reply, settings: Settings) -> bool:
        """A chunked body that goes on with spaces, and breaks off without its end when the limit is reached."""
        await self._send(_head(reply, None) + _chunk(reply.body[:1]))
        for _ in range(settings.endless // CHUNK):
            await self._send(_chunk(b" " * CHUNK))
        return False

    def _reset(self) -> bool:
        """Closing with unsent data thrown away makes the kernel send RST."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()
        return False


def call_of(method: str, target: str, headers: dict[str, str], body: bytes) -> Call:
    """The call in a request for `/<host>/<path>`; a first part that is no host belongs to the path (host "")."""
    parts = urlsplit(target)
    host, _, rest = parts.path.removeprefix("/").partition("/")
    path = f"/{rest}"
    if host != "__emulator__" and "." not in host:
        host, path = "", parts.path
    asked = target.removeprefix(f"/{host}") if host else target
    return Call(method, host, path, asked, dict(parse_qsl(parts.query, keep_blank_values=True)), headers, body)


def _encoded(call: Call, reply: Reply, body: bytes, fault: str | None) -> bytes:
    if call.method == "HEAD":
        return _head(reply, len(body))
    if fault == "gzip" and "gzip" in call.headers.get("accept-encoding", ""):
        packed = gzip.compress(body)
        return _head(reply, len(packed), "content-encoding: gzip\r\n") + packed
    if fault == "chunked":
        return _head(reply, None) + b"".join(_chunk(piece) for piece in _pieces(body)) + b"0\r\n\r\n"
    return _head(reply, len(body)) + body


def _pieces(body: bytes) -> Iterator[bytes]:
    """Pieces of uneven length, which cut characters in two."""
    size = max(1, len(body) // 7) | 1
    return (body[at : at + size] for at in range(0, len(body), size))


def _chunk(piece: bytes) -> bytes:
    return f"{len(piece):x}\r\n".encode() + piece + b"\r\n" if piece else b""


def _head(reply: Reply, length: int | None, more: str = "") -> bytes:
    """Status line and headers; no length: the body is chunked."""
    try:
        phrase = HTTPStatus(reply.status).phrase
    except ValueError:
        phrase = "Overloaded"
    size = "transfer-encoding: chunked" if length is None else f"content-length: {length}"
    headers = {"date": formatdate(usegmt=True), "content-type": "application/json", **reply.headers}
    lines = "".join(f"{name}: {ascii_value(value)}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {reply.status} {phrase}\r\n{lines}{size}\r\n{more}\r\n".encode("latin-1")


def ascii_value(value: str) -> str:
    """A header's value in ASCII: an address is percent-encoded where it has to be."""
    return "".join(c if c.isascii() else "".join(f"%{b:02X}" for b in c.encode()) for c in value)


def _padded(body: bytes, size: int) -> bytes:
    """The same document with a field that nobody needs, of `size` bytes."""
    document = json.loads(body)
    return json.dumps({"padding": "x" * size, **document}, ensure_ascii=False).encode()
