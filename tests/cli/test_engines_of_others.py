"""An engine of another distribution: installed by its files alone, listed, checked and polled like the built-in ones."""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

MODULE = """
from citepoll.engines import bodies, settings
from citepoll.engines.base import Auth, Facts, HttpRequest
from citepoll.engines.failures import Failed, opened
from citepoll.model import Answer

FACTS = Facts(
    id="acme:answers", name="Acme Answers", surface="api", returns_spans=False, returns_sources=False,
    returns_queries=False, docs="https://docs.acme.example", verified="documentation", key_variable="ACME_API_KEY",
    default_model="acme-2", settings={"address": "where the server is"}, auth=Auth("header", "x-key"),
)


def request(query, values):
    given = settings.read(FACTS, values)
    return HttpRequest("POST", given.text("address"), {"content-type": "application/json"}, {"question": query.text})


def parse(status_code, headers, body):
    document = opened(status_code, headers, body, "answer")
    if isinstance(document, Failed):
        return document
    cited = bodies.numbered(bodies.cite(url, "listed") for url in bodies.texts(document.get("cited")))
    return Answer("answered", bodies.text(document["answer"]), cited, model="acme-2.1")
"""


@pytest.fixture
def acme(tmp_path, monkeypatch):
    """The folder of an installed distribution with one engine in it."""
    site = tmp_path / "site"
    meta = site / "acme_citepoll-1.0.dist-info"
    meta.mkdir(parents=True)
    (site / "acme_citepoll.py").write_text(MODULE, "utf-8")
    (meta / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-citepoll\nVersion: 1.0\n", "utf-8")
    (meta / "entry_points.txt").write_text("[citepoll.engines]\nacme:answers = acme_citepoll\n", "utf-8")
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("ACME_API_KEY", "canary-4f1b")
    yield
    sys.modules.pop("acme_citepoll", None)


@pytest.fixture
def server(monkeypatch):
    """Answers every call; `seen` has the key and the question of each."""
    seen = []

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            seen.append((self.headers["x-key"], asked["question"]))
            body = json.dumps({"answer": "Acme makes one.", "cited": ["https://acme.com/forks"]}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with HTTPServer(("127.0.0.1", 0), Answering) as running:
        running.seen = seen
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join(5)


def test_it_is_listed_checked_polled_and_measured(acme, server, citepoll, project):
    assert "acme:answers" in citepoll("engines").out
    (project.root / "citepoll.toml").write_text(
        '[brand]\nname = "Acme"\nowns = ["acme.com"]\n[[engine]]\nid = "acme:answers"\nruns = 2\n'
        f'settings = {{ address = "http://127.0.0.1:{server.server_port}/answers" }}\n',
        "utf-8",
    )
    (project.root / "queries.toml").write_text('[[query]]\ntext = "which fork is best"\n', "utf-8")
    checked = citepoll("engines", "check", "--yes")
    assert "acme:answers: works" in checked.out, checked
    assert citepoll("queries", "lock").code == 0
    polled = citepoll("poll", "--cycle", "c", "--json")
    assert polled.code == 0, polled.err
    assert json.loads(polled.out)["status"] == "closed"
    assert [key for key, _ in server.seen] == ["canary-4f1b"] * 3
    assert [question for _, question in server.seen[1:]] == ["which fork is best"] * 2
    rows = json.loads(citepoll("measure", "--json").out)
    assert {(row["engine"], row["value"]) for row in rows} == {("acme:answers", 1.0)}
