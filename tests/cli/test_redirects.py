import json

import pytest

from citepoll.fetch.guard import Guard
from citepoll.service import resolving

HIDDEN = "https://vertexaisearch.cloud.google.com/grounding-api-redirect/"


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    async def lookup(host, port):
        raise OSError("no such name")

    monkeypatch.setattr(resolving, "Guard", lambda: Guard(lookup=lookup))


@pytest.fixture
def old(citepoll, jsonl, row):
    """A cycle of recorded answers that cite two redirects."""
    links = [{"url": f"{HIDDEN}{name}", "title": "acme.com"} for name in ("a", "b", "a")]
    assert citepoll("import", jsonl(row(citations=links)), "--cycle", "old").code == 0


def test_what_cannot_be_resolved_is_said_with_its_reason_and_what_to_do(old, citepoll):
    said = citepoll("cycles", "resolve", "old")
    assert said.code == 0
    assert "0 of 2 cited redirects resolved" in said.err
    assert "2 redirects not resolved: https://vertexaisearch.cloud.google.com gave nothing" in said.err
    assert "`citepoll cycles resolve old` tries again." in said.err
    shown = json.loads(citepoll("cycles", "resolve", "old", "--json").out)
    assert (shown["cited"], shown["resolved"], shown["failed"], shown["again"]) == (2, 0, 2, 2)


def test_a_measure_warns_of_them(old, citepoll):
    said = citepoll("measure", "--cycle", "old", "--json")
    assert "3 of 3 citations could not be resolved" in " ".join(said.err.split())


def test_an_unknown_cycle_is_answered(citepoll):
    said = citepoll("cycles", "resolve", "no")
    assert said.code == 6
    assert "no cycle 'no'" in said.err
