"""A loopback HTTP server of a few lines: a thread with its own loop, one answer for each request, whatever it is told."""

import asyncio
import json
import socket
import struct
import threading
from dataclasses import dataclass, field

import pytest

MOST = 1000  # requests that one server takes


@dataclass
class Request:
    method: str
    target: str
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


@dataclass
class Reply:
    """`first` and `then` are seconds before the head and before the last byte; `cut` closes before that byte.

    `reset` breaks the connection off before the head, `broken` after the last byte.
    """

    body: bytes | dict = b"{}"
    status: int = 200
    headers: dict = field(default_factory=dict)
    first: float = 0.0
    then: float = 0.0
    cut: bool = False
    reset: bool = False
    broken: bool = False


class Server:
    def __init__(self):
        self.seen, self.answer = [], lambda request: Reply()
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(ready,), daemon=True)
        self._thread.start()
        ready.wait(5)

    def _serve(self, ready):
        asyncio.set_event_loop(self._loop)
        self._server = self._loop.run_until_complete(asyncio.start_server(self._talk, "127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        ready.set()
        self._loop.run_forever()
        self._server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def close(self):
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    async def _talk(self, reader, writer):
        try:
            while len(self.seen) < MOST:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                method, target, _ = head[0].split(" ")
                headers = {n.lower(): v for n, _, v in (line.partition(": ") for line in head[1:] if line)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.seen.append(Request(method, target, headers, body))
                if not await self._reply(writer, self.answer(self.seen[-1])):
                    break
        except (asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
            pass
        finally:
            writer.close()

    async def _reply(self, writer, reply):
        if reply.reset:
            writer.transport.abort()
            return False
        await asyncio.sleep(reply.first)
        body = json.dumps(reply.body).encode() if isinstance(reply.body, dict) else reply.body
        headers = {"content-type": "application/json", "content-length": str(len(body)), **reply.headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"HTTP/1.1 {reply.status} X\r\n{head}\r\n".encode("latin-1") + body[:-1])
        await writer.drain()
        await asyncio.sleep(reply.then)
        if reply.cut:
            return False
        writer.write(body[-1:])
        await writer.drain()
        if reply.broken:
            linger = struct.pack("ii", 1, 0)  # closing then sends RST
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
        return not reply.broken


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    made = Server()
    yield made
    made.close()


@pytest.fixture
def reply():
    return Reply
