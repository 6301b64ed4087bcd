"""The rim over real HTTP: headers, hosts, origins, forwarding, cookies."""

import http.client
import re
import socket
import threading
import time
from dataclasses import replace
from urllib.parse import urlencode, urlsplit

import pytest

from citepoll.main import build_app
from citepoll.service import accounts
from citepoll.surfaces.dashboard.assets import asset
from citepoll.surfaces.web import listening as limits
from citepoll.surfaces.web.desk import Settings, open_desk, proxies, public_origin
from citepoll.surfaces.web.listening import bound, server

from .conftest import PASSWORD

OPEN = asset("desk.css")
"""What everybody may have: there is no page without a token."""


class Served:
    def __init__(self, desk, port):
        self.desk, self.port = desk, port

    def ask(self, path, method="GET", body=None, **headers):
        """The answer and its text. A header is given with _ for -; Host as `host`."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            named.setdefault("content-type", "application/x-www-form-urlencoded")
        link.request(method, path, urlencode(body) if body is not None else None, named)
        answer = link.getresponse()
        text = answer.read().decode()
        link.close()
        return answer, text

    def raw(self, *pieces, pause=0.0):
        """What comes back for bytes sent piece by piece, until the server closes the connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as link:
            found = b""
            try:
                for piece in pieces:
                    link.sendall(piece.replace(b"HERE", f"127.0.0.1:{self.port}".encode()))
                    time.sleep(pause)
                while block := link.recv(2**16):
                    found += block
            except OSError:
                return found
            return found


@pytest.fixture
def serve(shelf):
    """Serves a desk at a free port until the test ends."""
    running = []

    def start(*, owner=False, **settings):
        listening = bound("127.0.0.1", 0)
        port = listening.getsockname()[1]
        desk = open_desk((shelf,), shelf / ".citepoll", replace(Settings(port=port), **settings))
        if owner:
            accounts.add_user(desk.accounts, "olga", PASSWORD, "owner", None, desk.clock())
        ready = threading.Event()
        one = server(build_app(desk), desk.settings, ready.set)
        thread = threading.Thread(target=one.run, kwargs={"sockets": [listening]})
        thread.start()
        running.append((one, thread, listening))
        assert ready.wait(20)
        return Served(desk, port)

    yield start
    for one, thread, listening in running:
        one.should_exit = True
        thread.join(20)
        listening.close()


def test_every_answer_carries_the_security_headers(serve):
    served = serve()
    for path in ("/", "/nothing", "/login", "/api/v1/nothing", f"/enter/{served.desk.token}"):
        answer, _ = served.ask(path)
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert "strict-transport-security" not in answer.headers
        assert "server" not in answer.headers
        assert answer.headers["cache-control"] == "private, no-cache"


def test_a_name_that_is_not_ours_is_refused(serve):
    served = serve()
    for host in (
        "evil.example",
        "127.0.0.1.evil.example",
        f"evil.example:{served.port}",
        "a@127.0.0.1",
        "127.0.0.1/x",
        "",
    ):
        answer, _ = served.ask(OPEN, host=host)
        assert answer.status in (400, 421), host
    for host in ("127.0.0.1", f"localhost:{served.port}", f"[::1]:{served.port}"):
        assert served.ask(OPEN, host=host)[0].status == 200


def test_another_origin_is_refused(serve):
    served = serve()
    for origin in ("https://evil.example", "null", "http://127.0.0.1:3000", "http://localhost"):
        assert served.ask(OPEN, origin=origin)[0].status == 403
    assert served.ask(OPEN, origin=f"http://127.0.0.1:{served.port}")[0].status == 200


@pytest.mark.parametrize(
    "name", ["forwarded", "x_forwarded_for", "x_forwarded_host", "x_forwarded_new", "x_real_ip", "via"]
)
def test_without_accounts_nothing_may_come_through_a_proxy(serve, name):
    answer, text = serve().ask(OPEN, **{name: "for=1.2.3.4"})
    assert answer.status == 400
    assert "citepoll user add" in text


def test_forwarded_headers_count_from_the_trusted_proxy_only(serve):
    served = serve(owner=True)
    served.ask("/login", x_forwarded_for="203.0.113.9")
    assert _failed_login(served, x_forwarded_for="203.0.113.9") == "127.0.0.1"


def test_the_trusted_proxy_says_where_a_request_came_from(serve):
    served = serve(owner=True, trusted_proxies=("127.0.0.1",), public_url="https://polls.example.org")
    assert _failed_login(served, x_forwarded_for="203.0.113.9", x_forwarded_proto="https") == "203.0.113.9"


def _failed_login(served, **headers):
    """The address that the log has for a login that failed."""
    page, text = served.ask("/login", **headers)
    cookie = page.headers["set-cookie"].split(";")[0]
    form = {"name": "olga", "password": "wrong", "_csrf_token": re.search(r'_csrf_token" value="(\w+)', text)[1]}
    answer, _ = served.ask("/login", "POST", form, cookie=cookie, **headers)
    assert answer.status == 403
    entry = served.desk.accounts.audit(1)[0]
    assert entry.what == "login failed"
    return entry.address


def test_cookies_are_kept_from_scripts_and_other_sites(serve):
    served = serve()
    answer, _ = served.ask(f"/enter/{served.desk.token}")
    for cookie in answer.headers.get_all("set-cookie"):
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Secure" not in cookie


def test_under_https_cookies_are_secure_and_bound_to_the_host(serve):
    served = serve(owner=True, public_url="https://polls.example.org")
    answer, text = served.ask("/login", host="polls.example.org")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    first = answer.headers["set-cookie"]
    form = {"name": "olga", "password": PASSWORD, "_csrf_token": re.search(r'_csrf_token" value="(\w+)', text)[1]}
    host = {"host": "polls.example.org", "origin": "https://polls.example.org"}
    entered, _ = served.ask("/login", "POST", form, cookie=first.split(";")[0], **host)
    assert entered.status == 303
    for cookie in (first, *entered.headers.get_all("set-cookie")):
        assert cookie.startswith("__Host-citepoll-")
        assert "Secure" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie
    assert served.ask("/login", host="polls.example.org", origin="http://polls.example.org")[0].status == 403


def test_a_form_without_its_token_changes_nothing(serve):
    served = serve()
    cookie = served.ask(f"/enter/{served.desk.token}")[0].headers.get_all("set-cookie")[0].split(";")[0]
    form = {"brand": "New", "domains": "new.com"}
    for sent in (form, {**form, "_csrf_token": "x" * 128}):
        answer, text = served.ask("/projects", "POST", sent, cookie=cookie)
        assert answer.status == 403
        assert "not one that this server gave" in text
    assert len(served.desk.rooms.all()) == 2


def test_a_body_that_is_too_large_is_refused(serve):
    served = serve()
    answer, _ = served.ask("/login", "POST", {"name": "x" * (3 * 2**20)})
    assert answer.status in (403, 413)


def test_programs_get_problems_as_json(serve):
    answer, text = serve().ask("/api/v1/nothing")
    assert answer.headers["content-type"] == "application/problem+json"
    assert '"status":404' in text


def test_static_files_have_their_hash_in_the_address_and_stay(serve):
    served = serve()
    _, text = served.ask("/nothing")
    for path in re.findall(r'(?:href|src)="(/static/[^"]+)"', text):
        answer, _ = served.ask(path)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert served.ask(path.replace("/static/", "/static/0"))[0].status == 404
    assert served.ask("/static/x/..%2f..%2fpage.py")[0].status == 404
    assert not urlsplit(path).netloc


@pytest.mark.parametrize(
    "text", ["polls.example.org", "https://a/b", "ftp://a", "https://u@a", "https://", "https://a?b"]
)
def test_a_public_url_is_an_origin(text):
    with pytest.raises(ValueError, match="not an address of a server"):
        public_origin(text)


def test_a_proxy_is_an_address_and_never_everybody():
    assert proxies(["127.0.0.1", "10.0.0.0/24"]) == ("127.0.0.1", "10.0.0.0/24")
    for everybody in ("*", "0.0.0.0/0", "::/0"):
        with pytest.raises(ValueError, match="not the address of a proxy"):
            proxies([everybody])


def test_a_request_that_is_not_whole_in_time_is_cut_off(serve, monkeypatch):
    monkeypatch.setattr(limits, "TO_ASK", 0.3)
    monkeypatch.setattr(limits, "TO_SEND", 0.6)
    served = serve()
    began = time.monotonic()
    assert served.raw() == b""
    assert served.raw(b"GET / HTTP/1.1\r\nHost: HERE\r\n", *[b"X: y\r\n"] * 20, pause=0.1) == b""
    head = b"POST /login HTTP/1.1\r\nHost: HERE\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 999\r\n\r\n"
    assert served.raw(head, *[b"x"] * 20, pause=0.1) == b""
    assert 1 < time.monotonic() - began < 8
    assert served.ask(OPEN)[0].status == 200


def test_connections_beyond_the_bound_are_closed_and_the_others_go_on(serve, monkeypatch):
    served = serve()
    monkeypatch.setattr(limits, "MOST", 8)
    held = [socket.create_connection(("127.0.0.1", served.port), timeout=5) for _ in range(8)]
    assert served.raw(b"GET /login HTTP/1.1\r\nHost: HERE\r\n\r\n") == b""
    for link in held:
        link.close()
    time.sleep(0.2)
    assert served.ask(OPEN)[0].status == 200


@pytest.mark.parametrize(
    "head",
    [
        b"GET /login HTTP/1.0\r\n",
        b"GET /login HTTP/1.1\r\nHost: HERE\r\nHost: evil.example\r\n",
        b"POST /login HTTP/1.1\r\nHost: HERE\r\nContent-Length: 4\r\nContent-Length: 5\r\n",
        b"POST /login HTTP/1.1\r\nHost: HERE\r\nContent-Length: +5\r\n",
        b"POST /login HTTP/1.1\r\nHost: HERE\r\nTransfer-Encoding: xchunked\r\n",
        b"POST /login HTTP/1.1\r\nHost: HERE\r\nTransfer-Encoding : chunked\r\n",
        b"GET /login HTTP/1.1\r\nHost: HERE\r\nX: a\x00b\r\n",
        b"GET /login?" + b"a" * 300_000 + b" HTTP/1.1\r\nHost: HERE\r\n",
        b"GET /static/%2e%2e/%2e%2e%2fpage.py HTTP/1.1\r\nHost: HERE\r\n",
    ],
)
def test_a_request_that_two_servers_could_read_differently_is_refused(serve, head):
    answer = serve().raw(head + b"Connection: close\r\n\r\n")
    assert answer == b"" or answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 404", b"HTTP/1.1 421"))


def test_a_cookie_bound_to_the_host_is_dropped_with_what_browsers_ask_for(serve):
    served = serve(owner=True, public_url="https://polls.example.org")
    host = {"host": "polls.example.org"}
    said = f"{served.desk.cookie}-said=hello"
    answer, text = served.ask("/login", cookie=said, **host)
    assert "hello" in text
    gone = next(line for line in answer.headers.get_all("set-cookie") if "-said=" in line)
    assert "Max-Age=0" in gone
    assert "Secure" in gone
    assert "Path=/" in gone
