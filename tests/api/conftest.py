"""A desk with one measured project of two cycles, and clients that ask its API."""

from datetime import UTC, datetime

import pytest
from litestar.testing import TestClient

from citepoll.service.importing import import_file
from citepoll.store.ledger import Ledger
from citepoll.surfaces.api import api as routes
from citepoll.surfaces.web import application
from citepoll.surfaces.web.application import assemble
from citepoll.surfaces.web.desk import Settings, open_desk
from citepoll.surfaces.web.problems import as_json

HERE = "http://127.0.0.1:8321"
AT = datetime(2026, 11, 3, 9, tzinfo=UTC)
FORKS, SPADES = "best garden fork", "how to sharpen a spade"
FILE = '[[query]]\ntext = "best garden fork"\n'


class Api:
    """A client of /api/v1 with a bearer token."""

    def __init__(self, app, token):
        self.client = TestClient(app, base_url=HERE, raise_server_exceptions=False)
        self.client.headers["authorization"] = f"Bearer {token}"

    def __getattr__(self, method):
        def ask(path, **options):
            return getattr(self.client, method)(f"/api/v1{path}", **options)

        return ask


@pytest.fixture(autouse=True)
def unhurried(monkeypatch):
    monkeypatch.setattr(application, "PER_MINUTE", 100_000)


@pytest.fixture
def measured(project, row, jsonl):
    """Two cycles on two engines: Acme is cited on forks, first by atlas alone, then by both."""
    ledger = Ledger(project.data / "ledger.db")
    (project.root / "queries.toml").write_text(FILE, "utf-8")
    for cycle, cited in (("october", ("atlas",)), ("november", ("atlas", "beacon"))):
        rows = [
            row(engine=engine, query=query, run=run, citations=[{"url": f"https://{host}/{run}"}], answer_text="=Acme")
            for engine in ("atlas", "beacon")
            for run in (1, 2, 3)
            for query, host in ((FORKS, "acme.com" if engine in cited else "other.com"), (SPADES, "blog.com"))
        ]
        import_file(project, ledger, jsonl(*rows, name=f"{cycle}.jsonl"), cycle, at=AT)
    return project


@pytest.fixture
def desk(measured, tmp_path):
    made = open_desk((measured.root,), tmp_path / "home", Settings())
    made.clock = lambda: AT
    yield made
    made.close()


@pytest.fixture
def app(desk):
    """The API by itself: no page, and no background work."""
    return assemble(desk, [routes()], lambda request, problem: as_json(problem))


@pytest.fixture
def api(app, desk):
    return Api(app, desk.token)
