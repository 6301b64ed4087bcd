"""A desk with one measured project of two cycles, and a browser that has entered it."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from litestar.testing import TestClient

from citepoll.main import build_app
from citepoll.service.importing import import_file
from citepoll.store.ledger import Ledger
from citepoll.surfaces.web import application
from citepoll.surfaces.web.desk import Settings, open_desk

HERE = "http://127.0.0.1:8321"
AT = datetime(2026, 11, 3, 9, tzinfo=UTC)
FORKS, SPADES = "best garden fork", "how to sharpen a spade"
FILE = '[[query]]\ntext = "best garden fork"\n'
INLINE = re.compile(r"<style|\sstyle=|<script(?! src=)|\son\w+=|javascript:")
"""What the policy of the pages forbids."""


@dataclass
class Browser:
    """A client that sends forms with the token of the page it saw last, as a browser would."""

    client: TestClient
    form: str = ""

    def get(self, path, **options):
        found = self.client.get(path, follow_redirects=False, **options)
        if token := re.search(r'name="_csrf_token" value="(\w+)"', found.text):
            self.form = token[1]
        return found

    def post(self, path, data=None, **options):
        fields = {"_csrf_token": self.form, **(data or {})}
        return self.client.post(path, data=fields, follow_redirects=False, **options)


@pytest.fixture(autouse=True)
def unhurried(monkeypatch):
    monkeypatch.setattr(application, "PER_MINUTE", 100_000)


@pytest.fixture
def recorded(project, row, jsonl):
    """Two cycles on two engines: Acme is cited on forks, first by atlas alone, then by both; hostile names and texts."""
    ledger = Ledger(project.data / "ledger.db")
    (project.root / "queries.toml").write_text(FILE, "utf-8")
    for cycle, cited in (("october", ("atlas",)), ("november", ("atlas", "<b>eacon"))):
        rows = [
            row(
                engine=engine,
                query=query,
                run=run,
                citations=[{"url": f"https://{host}/{run}"}],
                answer_text="Acme <i>",
            )
            for engine in ("atlas", "<b>eacon")
            for run in (1, 2, 3)
            for query, host in ((FORKS, "acme.com" if engine in cited else "other.com"), (SPADES, "blog.com"))
        ]
        import_file(project, ledger, jsonl(*rows, name=f"{cycle}.jsonl"), cycle, at=AT)
    return project


@pytest.fixture
def desk(project, tmp_path):
    """Of the project as it is when the fixture is asked for; with `recorded` before it, it has two measured cycles."""
    made = open_desk((project.root,), tmp_path / "home", Settings())
    made.clock = lambda: AT
    yield made
    made.close()


@pytest.fixture
def room(desk):
    return desk.rooms.find("project")


@pytest.fixture
def browser(desk):
    """Has entered a server without accounts; without background work unless a test gives the desk a worker."""
    app = build_app(desk)
    desk.worker = None
    made = Browser(TestClient(app, base_url=HERE, raise_server_exceptions=False))
    assert made.get(f"/enter/{desk.token}").status_code == 303
    made.get("/")
    return made
