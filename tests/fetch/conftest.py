"""A site on the loopback, and a guard that may ask it and nothing else of the machine."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from citepoll.fetch.guard import Guard


class Site(ThreadingHTTPServer):
    """`routes`: path → (status, headers, body), or a function from the request to it. `seen` holds method and path."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.routes, self.seen, self.headers = {}, [], []
        self.place = f"127.0.0.1:{self.server_port}"
        self.url = f"http://{self.place}"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def redirect(self, path, location, status=302):
        self.routes[path] = (status, {"location": location}, b"")

    def handle_error(self, request, client_address):
        """A client that hangs up is what some tests are about."""


class Handler(BaseHTTPRequestHandler):
    def answer(self):
        site = self.server
        length = int(self.headers.get("content-length") or 0)
        self.body = self.rfile.read(length)
        site.seen.append((self.command, self.path))
        site.headers.append(dict(self.headers))
        route = site.routes.get(self.path.partition("?")[0], (404, {}, b""))
        status, headers, body = route(self) if callable(route) else route
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "content-length" not in headers:
            self.send_header("content-length", str(len(body) if isinstance(body, bytes) else 1_000_000))
        self.end_headers()
        if self.command == "HEAD":
            return
        for part in [body] if isinstance(body, bytes) else body:
            self.wfile.write(part)
            self.wfile.flush()

    do_GET = do_HEAD = do_POST = answer

    def log_message(self, *_):
        pass


def drip(seconds, times=200):
    """A body of single bytes, each after a wait."""
    for _ in range(times):
        time.sleep(seconds)
        yield b"x"


@pytest.fixture
def site():
    site = Site()
    yield site
    site.shutdown()
    site.server_close()


@pytest.fixture
def guard(site):
    return Guard([site.place])
