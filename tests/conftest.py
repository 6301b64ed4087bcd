"""A small project on disk, and recorded rows for it."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import settings

from citepoll.project import parse_project
from citepoll.store.ledger import Ledger

# No test is timed: the machines that run them are shared. `print_blob` makes a failure elsewhere repeatable here.
settings.register_profile("suite", deadline=None, print_blob=True)
settings.load_profile("suite")

TOML = """
[brand]
name = "Acme"
owns = ["acme.com"]
[[competitor]]
name = "Foxglove"
owns = ["other.com"]
[[engine]]
id = "local:bm25"
name = "narrow"
runs = 3
[[engine]]
id = "local:bm25"
name = "broad"
runs = 2
settings = { cite = 6 }
"""


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "project"
    root.mkdir()
    (root / "citepoll.toml").write_text(TOML, "utf-8")
    return parse_project(TOML, root)


@pytest.fixture
def ledger(project):
    return Ledger(project.data / "ledger.db")


@pytest.fixture
def at():
    return datetime(2026, 11, 3, 9, tzinfo=UTC)


@pytest.fixture
def row():
    """A recorded row with the given changes; None takes a key out."""

    def make(**changes):
        base = {
            "engine": "atlas",
            "query": "best garden fork",
            "run": 1,
            "answer_text": "Acme makes one.",
            "citations": [{"url": "https://www.acme.com/forks"}],
        }
        return {k: v for k, v in {**base, **changes}.items() if v is not None}

    return make


@pytest.fixture
def jsonl(tmp_path):
    """Writes rows (or ready-made bytes) as the lines of a file; returns its path."""

    def write(*rows, name="answers.jsonl"):
        lines = [r if isinstance(r, bytes) else json.dumps(r).encode() for r in rows]
        path = tmp_path / name
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        return path

    return write
