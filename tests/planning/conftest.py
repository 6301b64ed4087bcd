"""A project that can be polled: two local engines over pages of two brands, one of which draws between equals."""

from datetime import UTC, datetime

import pytest

from citepoll.model import Query, QuerySet
from citepoll.project import parse_project
from citepoll.service import polling
from citepoll.service.corpus import add
from citepoll.store.ledger import Ledger

QUERIES = 12
CAP = 8
TOML = """
[brand]
name = "Acme"
owns = ["acme.com"]
[[competitor]]
name = "Globex"
owns = ["globex.com"]
[[engine]]
id = "local:bm25"
name = "sure"
runs = 8
settings = { cite = 1, temperature = 0 }
[[engine]]
id = "local:bm25"
name = "torn"
runs = 8
settings = { cite = 1, temperature = 5.0 }
"""


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "desk"
    root.mkdir()
    (root / "citepoll.toml").write_text(TOML, "utf-8")
    pages = tmp_path / "pages"
    pages.mkdir()
    for brand in ("acme", "globex"):
        for n in range(QUERIES):
            text = f"---\nurl: https://{brand}.com/{n}\ntitle: fork{n}\n---\nA fork{n} for gardens.\n"
            (pages / f"{brand}-{n}.md").write_text(text, "utf-8")
    project = parse_project(TOML, root)
    add(project.data / "corpus.db", pages)
    return project


@pytest.fixture
def ledger(project, at):
    """Twelve queries, and one that names a brand."""
    ledger = Ledger(project.data / "ledger.db")
    texts = [*(f"which fork{n}" for n in range(QUERIES)), "is Globex good"]
    ledger.lock(QuerySet(tuple(Query(text) for text in texts)), "test", at)
    return ledger


@pytest.fixture
def at():
    return datetime(2026, 11, 3, 9, tzinfo=UTC)


@pytest.fixture
def poll(at):
    """Polls a project; returns how it ended and the events that were told."""

    def run(project, ledger, half_width=None, name=None):
        planned = polling.plan(project, ledger, name=name, over=None, retry=False, at=at, half_width=half_width)
        told = []
        return polling.poll(project, ledger, planned, at=at, tell=told.append), told

    return run
