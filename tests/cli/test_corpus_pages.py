"""`corpus add URL` and `corpus refresh` against a site on the loopback."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.server.pages.get(self.path)
        self.send_response(200 if body else 404)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_):
        pass


@pytest.fixture
def site(monkeypatch):
    monkeypatch.setattr("citepoll.fetch.robots.time.sleep", lambda seconds: None)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.pages = {"/robots.txt": b"User-agent: *\nDisallow: /private"}
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_pages_are_added_by_their_url_and_read_again(citepoll, project, site):
    place = f"127.0.0.1:{site.server_port}"
    site.pages["/fork"] = "<h1>Forks</h1><p>A garden fork has four tines, and café soil.</p>".encode()
    (project.root / "list.txt").write_text(f"http://{place}/private\nhttp://{place}/none\n")
    (project.root / "rake.md").write_text("# Rakes\n\nA rake.")
    added = ("corpus", "add", f"http://{place}/fork", "rake.md", "--from", "list.txt", "--base-url", "https://acme.com")
    said = citepoll(*added, "--allow", place)
    assert said.code == 0
    assert "2 pages added" in said.err
    assert "robots.txt" in said.err
    assert "HTTP 404" in said.err
    found = json.loads(citepoll("corpus", "list", "--json").out)
    assert [d["url"] for d in found] == ["https://acme.com/rake.md", f"http://{place}/fork"]
    site.pages["/fork"] = site.pages["/fork"].replace(b"four", b"five")
    again = json.loads(citepoll("corpus", "refresh", "--allow", place, "--json").out)
    assert (again["replaced"], again["unchanged"]) == (1, 0)


def test_an_inner_address_is_refused_unless_it_is_allowed(citepoll, site):
    said = citepoll("corpus", "add", f"http://127.0.0.1:{site.server_port}/fork")
    assert "0 pages added" in said.err
    assert "is not asked for" in said.err
    assert citepoll("corpus", "add").code == 4
