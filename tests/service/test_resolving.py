"""Gemini's redirects, from the poll to the share: the emulator answers, the guard goes to it over the loopback."""

import polars as pl
import pytest
from tests.emulator import Emulator, Settings
from tests.emulator.pages import guard_to
from tests.emulator.polling import reaching

from citepoll.fetch.guard import Guard
from citepoll.model import Query, QuerySet, Slice
from citepoll.project import parse_project
from citepoll.service import exporting, polling, resolving
from citepoll.service.answers import show
from citepoll.service.deriving import derive
from citepoll.service.importing import import_file
from citepoll.service.measuring import measure
from citepoll.service.rebuilding import rebuild
from citepoll.store import redirects

HIDDEN = "https://vertexaisearch.cloud.google.com/grounding-api-redirect/"
TOML = """
[brand]
name = "Acme"
owns = ["acme.com/forks", "acme.com/guides"]
[[competitor]]
name = "Foxglove"
owns = ["other.com"]
[[engine]]
id = "google:gemini"
name = "gemini"
runs = 2
[limits.gemini]
at_once = 4
"""
PAGES = {"https://acme.com/forks", "https://www.acme.com/guides/which-tool?lang=en"}
QUERIES = QuerySet((Query("which fork is best for clay"), Query("which fork is light")))


async def nowhere(host, port):
    raise OSError("no such name")


OFFLINE = Guard(lookup=nowhere)


@pytest.fixture
def emulator():
    with Emulator(Settings(max_seconds=100)) as running, reaching(running.url, speed=20):
        yield running


@pytest.fixture
def mine(project):
    return parse_project(TOML, project.root)


@pytest.fixture
def poll(emulator, mine, ledger, at):
    ledger.lock(QUERIES, "queries.toml", at)

    def run(guard, name="c"):
        planned = polling.plan(mine, ledger, name=name, over=None, retry=False, at=at)
        return polling.poll(mine, ledger, planned, at=at, guard=guard)

    return run


def citations(mine, ledger, at, name="c"):
    return derive(mine, ledger, ledger.cycle(name), at).table("citations").filter(pl.col("level") == "span").collect()


def share(mine, ledger, at, name="c"):
    """Acme's share and the warnings of the slice."""
    result = measure(mine, ledger, Slice(where="brand = Acme", by=("brand",), cycles=(name,), target="fixed_set"), at)
    return result.rows[0].estimate.value, [text for text in result.warnings if "resolved" in text]


def bodies(ledger, name="c"):
    return [kept.body for kept in ledger.kept(ledger.cycle(name))]


def test_a_poll_resolves_what_its_answers_cite(emulator, mine, poll, ledger, at):
    polled = poll(guard_to(emulator.url))
    assert polled.status == "closed"
    found = citations(mine, ledger, at)
    assert polled.redirects.cited == polled.redirects.resolved == found["raw"].n_unique() > 0
    assert (polled.redirects.failed, polled.redirects.left) == (0, 0)
    assert found["raw"].str.starts_with(HIDDEN).all()
    assert not found["url"].str.starts_with(HIDDEN).any()
    assert set(found["unwrapped"]) == {"vertexaisearch.cloud.google.com"}
    acme = found.filter(pl.col("brand") == "Acme")
    assert set(acme["url"]) <= PAGES
    assert acme.height > 0
    found, warnings = share(mine, ledger, at)
    assert found > 0
    assert warnings == []
    assert all(HIDDEN.encode() in body for body in bodies(ledger))


def test_a_failure_is_counted_and_another_try_mends_it(emulator, mine, poll, ledger, at):
    polled = poll(OFFLINE)
    before = bodies(ledger)
    assert (polled.status, polled.redirects.resolved) == ("closed", 0)
    assert polled.redirects.failed == polled.redirects.again == polled.redirects.cited
    assert list(polled.redirects.reasons) == ["https://vertexaisearch.cloud.google.com gave nothing: OSError."]
    unresolved, warnings = share(mine, ledger, at)
    found = citations(mine, ledger, at)
    assert unresolved == 0  # the title tells acme.com, and Acme owns parts of it only
    assert f"gemini: {found.height} of {found.height} citations could not be resolved" in warnings[0]
    assert "acme.com" in set(found["domain"])

    mended = resolving.resolve_cycle(mine, ledger, "c", at, guard=guard_to(emulator.url))
    assert (mended.resolved, mended.failed, mended.again) == (polled.redirects.cited, 0, 0)
    resolved, warnings = share(mine, ledger, at)
    assert resolved > 0
    assert warnings == []
    assert bodies(ledger) == before


def test_rebuild_and_evidence_use_what_is_stored_offline(emulator, mine, poll, ledger, at, monkeypatch):
    poll(guard_to(emulator.url))
    kept = citations(mine, ledger, at)
    monkeypatch.setattr(resolving, "Guard", None)
    rebuild(mine, ledger, ("c",), at)
    assert citations(mine, ledger, at).equals(kept)
    run_id = kept.filter(pl.col("brand") == "Acme")["run_id"][0]
    cited = [c for c in show(mine, ledger, run_id).citations if c.brand == "Acme"]
    assert {c.url for c in cited} <= PAGES
    assert all(c.raw.startswith(HIDDEN) and c.problem is None for c in cited)


def test_an_export_holds_both_and_measures_the_same_elsewhere(emulator, mine, poll, ledger, at, tmp_path):
    poll(guard_to(emulator.url))
    links = [link for row in exporting.rows(ledger, ledger.cycle("c")) for link in row["citations"]]
    assert all(link["redirect"].startswith(HIDDEN) and not link["url"].startswith(HIDDEN) for link in links)
    exporting.export(ledger, ledger.cycle("c"), tmp_path / "c.jsonl", "jsonl")
    import_file(mine, ledger, tmp_path / "c.jsonl", "again", at=at)
    assert share(mine, ledger, at, "again") == share(mine, ledger, at)


def test_a_second_cycle_asks_for_nothing_that_is_known(emulator, mine, poll, ledger, at):
    poll(guard_to(emulator.url))
    known = {r.raw for r in redirects.redirects_of(ledger, ledger.cycle("c"))}
    again = poll(OFFLINE, "d")
    urls = {r.raw: r.url for r in redirects.redirects_of(ledger, ledger.cycle("d"))}
    assert all(url for raw, url in urls.items() if raw in known)
    assert again.redirects.resolved == len(known & set(urls)) > 0


def test_after_a_stop_nothing_is_followed(mine, poll, ledger, at):
    poll(OFFLINE)
    cycle = ledger.cycle("c")
    found = resolving.resolve(ledger, cycle, at, guard=Guard(transport=None, lookup=None), stop=lambda: True)
    assert found.again == found.cited > 0


def test_without_time_the_redirects_are_left_and_counted(mine, poll, ledger, at, emulator):
    poll(OFFLINE, "c")
    ledger.drop(ledger.cycle("c"), at)
    with ledger.reading() as link:
        assert link.exec_driver_sql("select count(*) from redirects").scalar_one() == 0
    poll(OFFLINE, "d")
    found = resolving.resolve(ledger, ledger.cycle("d"), at, guard=guard_to(emulator.url), seconds=0.0)
    assert (found.resolved, found.again) == (0, found.cited)


def test_recorded_answers_of_whatever_engine_may_hold_redirects(project, ledger, at, row, jsonl):
    import_file(project, ledger, jsonl(row(citations=[{"url": f"{HIDDEN}abc", "title": "acme.com"}])), "old", at=at)
    found = resolving.resolve(ledger, ledger.cycle("old"), at, guard=OFFLINE)
    assert (found.cited, found.failed) == (1, 1)


def test_hostile_citations_are_not_asked_for(project, ledger, at, row, jsonl):
    links = [f"{HIDDEN}{tail}" for tail in ("ä", "a\nb", "a" * 5000)]
    import_file(project, ledger, jsonl(row(citations=[{"url": url} for url in links])), "old", at=at)
    assert resolving.resolve(ledger, ledger.cycle("old"), at, guard=OFFLINE).cited == 0
