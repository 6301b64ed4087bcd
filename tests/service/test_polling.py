import asyncio
import importlib.util
import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from citepoll.errors import EngineError, InputError, LedgerError, QuerySetError
from citepoll.model import Query, QuerySet, Slice
from citepoll.project import parse_project
from citepoll.sampling import recording
from citepoll.service import corpus, polling
from citepoll.service.importing import import_file
from citepoll.service.measuring import measure
from citepoll.store.derived import Derived

ROOT = Path(__file__).parents[2]
QUERIES = QuerySet(tuple(Query(f"which {word} is best", intent="best-of") for word in ("fork", "rake", "spade")))


@pytest.fixture
def ready(project, ledger, at):
    """A project with documents and a locked set."""
    pages = project.root / "pages"
    pages.mkdir()
    for word in ("fork", "rake", "spade"):
        (pages / f"{word}.md").write_text(
            f"# The {word}\n\nWhich {word} is best depends on the soil. Acme makes a {word}.\n"
        )
    corpus.add(project.data / "corpus.db", pages, base_url="https://acme.com/")
    ledger.lock(QUERIES, "queries.toml", at)
    return project


@pytest.fixture
def poll(ready, ledger, at):
    def run(name=None, *, project=ready, over=None, retry=False, **options):
        planned = polling.plan(project, ledger, name=name, over=over, retry=retry, at=at)
        return polling.poll(project, ledger, planned, at=at, retry=retry, **options)

    return run


def stopping_after(count):
    """A `stop` and a `tell` that sets it at the given record."""
    stop, seen = asyncio.Event(), []

    def tell(event):
        seen.append(event)
        if sum(e.what == "recorded" for e in seen) >= count:
            stop.set()

    return {"stop": stop, "tell": tell}


# ---------------------------------------------------------------- a whole poll


def test_a_poll_asks_every_run_closes_the_cycle_and_gives_numbers(poll, ready, ledger, at):
    polled = poll()
    assert (polled.cycle, polled.status, polled.recorded, polled.simulated) == ("2026-11-03", "closed", 15, True)
    assert [(p.engine, p.statuses) for p in polled.progress] == [
        ("narrow", {"answered": 9}),
        ("broad", {"answered": 6}),
    ]
    rows = measure(ready, ledger, Slice(by=("brand", "engine")), at).rows
    counts = {r.dimensions["engine"]: r.estimate.n for r in rows if r.simulated}
    assert (counts["narrow"], counts["broad"]) == (9, 6)


def test_the_second_cycle_of_a_day_gets_a_number_and_other_draws(poll, ledger):
    poll()
    assert poll().cycle == "2026-11-03-2"
    bodies = [{(k.engine, k.query_id, k.number): k.body for k in ledger.kept(c)} for c in ledger.cycles()]
    assert bodies[0].keys() == bodies[1].keys()
    assert bodies[0] != bodies[1]


def test_a_plan_changes_nothing(ready, ledger, at):
    planned = polling.plan(ready, ledger, name="c", over="3d", retry=False, at=at)
    assert (planned.cycle, planned.resumes, planned.queries, planned.runs, planned.todo) == ("c", False, 3, 15, 15)
    assert planned.over_seconds == 3 * 86400
    assert ledger.cycles() == ()


def test_an_interrupted_poll_is_gone_on_with(poll, ready, ledger, at):
    first = poll(**stopping_after(4))
    assert (first.status, first.interrupted) == ("open", True)
    assert 4 <= first.recorded < 15
    assert Derived(ready.data / "derived").versions(ledger.cycles()[0]) == ()
    again = polling.plan(ready, ledger, name=None, over=None, retry=False, at=at)
    assert (again.resumes, again.cycle, again.todo) == (True, first.cycle, 15 - first.recorded)
    second = poll()
    assert (second.cycle, second.status, second.recorded) == (first.cycle, "closed", 15 - first.recorded)
    assert ledger.revision(ledger.cycles()[0])[0] == 15


def test_an_open_cycle_can_be_closed_as_it_is(poll, ready, ledger, at):
    name = poll(**stopping_after(4)).cycle
    assert polling.close(ready, ledger, name, at).status == "closed"
    assert measure(ready, ledger, Slice(), at).rows


def test_failed_runs_stop_a_cycle_and_are_asked_again_on_request(poll, ready, ledger, at, monkeypatch):
    send = polling.LocalTransport.send

    async def reset(self, request):
        if request.json["query"].startswith("which fork"):
            raise ConnectionError("reset")
        return await send(self, request)

    monkeypatch.setattr(polling.LocalTransport, "send", reset)
    first = poll()
    assert (first.status, first.progress[0].statuses) == ("stopped", {"answered": 6, "failed": 3})
    excluded = [r.estimate.excluded for r in measure(ready, ledger, Slice(), at).rows]
    assert {"failed": 3} in excluded
    monkeypatch.setattr(polling.LocalTransport, "send", send)
    assert polling.plan(ready, ledger, name=None, over=None, retry=False, at=at).resumes is False
    second = poll(first.cycle, retry=True)
    assert (second.status, second.recorded) == ("closed", 5)
    assert ledger.revision(ledger.cycle(first.cycle))[0] == 20


def test_an_engine_without_documents_stops_and_says_why(project, ledger, at):
    ledger.lock(QUERIES, "queries.toml", at)
    planned = polling.plan(project, ledger, name="c", over=None, retry=False, at=at)
    polled = polling.poll(project, ledger, planned, at=at)
    assert set(polled.stopped) == {"narrow", "broad"}
    assert "corpus add" in polled.stopped["narrow"]
    assert (polled.status, polled.recorded) == (ledger.cycle("c").status, 0) == ("open", 0)


# ---------------------------------------------------------------- what cannot be polled


def test_what_is_missing_is_said_before_anything_is_made(project, ledger, at, tmp_path):
    def plan(toml=None, **options):
        mine = project if toml is None else parse_project('[brand]\nname = "Acme"\n' + toml, tmp_path)
        polling.plan(mine, ledger, **{"name": None, "over": None, "retry": False, "at": at, **options})

    with pytest.raises(QuerySetError, match="queries lock"):
        plan()
    ledger.lock(QUERIES, "queries.toml", at)
    for toml, cause in (
        ("", "names no engine"),
        ("[[engine]]\nid = 'atlas'\n", "names no engine"),
        ("[[engine]]\nid = 'nobody:api'\n", "no engine 'nobody:api'"),
        ("[[engine]]\nid = 'local:bm25'\nsettings = { cite = 'many' }\n", "cite = 'many'"),
    ):
        with pytest.raises(EngineError, match=cause):
            plan(toml)
    for over in ("3", "3 days", "-1d", "1e3d", "٣d x", ""):
        with pytest.raises(InputError, match="span of time"):
            plan(over=over)
    assert ledger.cycles() == ()


@pytest.mark.parametrize("name", ["a\nb", "x" * 300])
def test_a_name_that_cannot_be_shown_is_refused(poll, ledger, name):
    with pytest.raises(InputError, match="cannot name a cycle"):
        poll(name)
    assert ledger.cycles() == ()


def test_a_complete_or_an_imported_cycle_is_not_polled(poll, ready, ledger, at, row, jsonl):
    poll("c")
    with pytest.raises(InputError, match="is complete"):
        poll("c")
    import_file(ready, ledger, jsonl(row()), "recorded", at=at)
    with pytest.raises(InputError, match="recorded"):
        poll("recorded")


@pytest.mark.parametrize(
    ("text", "seconds"), [(None, None), ("90m", 5400), (" 1.5h ", 5400), ("3d", 259200), ("1w", 604800)]
)
def test_spans(text, seconds):
    assert polling.span(text) == seconds


def test_one_poll_at_a_time(poll, ready, ledger):
    with FileLock(ready.data / "poll.lock"), pytest.raises(LedgerError, match="Another `citepoll poll`") as caught:
        poll()
    assert caught.value.fix
    assert ledger.cycles() == ()
    assert poll().status == "closed"


# ---------------------------------------------------------------- faults


def test_a_full_disk_ends_the_poll_with_an_error_and_the_next_goes_on(poll, ready, ledger, monkeypatch):
    record_all, done = recording.record_all, []

    def full(ledger, entries):
        if len(done) + len(entries) > 5:
            with ledger.writing():
                raise sqlite3.OperationalError("database or disk is full")
        done.extend(entries)
        record_all(ledger, entries)

    monkeypatch.setattr(recording, "record_all", full)
    with pytest.raises(LedgerError, match="disk is full") as caught:
        poll()
    assert "Every answer recorded before this is kept" in caught.value.kept
    monkeypatch.setattr(recording, "record_all", record_all)
    polled = poll()
    assert (polled.status, polled.recorded) == ("closed", 15 - len(done))


def test_an_import_goes_on_while_a_poll_runs(poll, ready, ledger, at, row, jsonl):
    path, imported = jsonl(*(row(run=n) for n in range(1, 40))), []

    def tell(event):
        if not imported:
            imported.append(import_file(ready, ledger, path, "recorded", at=at))

    assert poll(tell=tell).recorded == 15
    assert imported[0].new == 39
    ledger.check()


KILLS = ROOT / "bench" / "kills.py"


def test_kill_minus_nine_loses_no_answer_and_asks_no_final_run_twice(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("kills", KILLS)
    kills = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "kills", kills)
    spec.loader.exec_module(kills)
    found = kills.run(tmp_path, kills=3, queries=12, seed=4)
    assert found.wrongs == ()
    assert (found.killed, found.recorded % 72) == (3, 0)


def test_two_polls_at_once_ask_every_run_once(ready, ledger):
    command = [sys.executable, "-m", "citepoll.main", "poll", "--cycle", "c", "--json", "--project", str(ready.root)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    ended = [(*p.communicate(timeout=60), p.returncode) for p in both]
    codes = sorted(code for *_, code in ended)
    assert codes in ([0, 7], [0, 4], [0, 0])  # 7: the other one works; 4: it is done
    for out, said, code in ended:
        assert b"Traceback" not in said
        assert json.loads(out)["status"] == "closed" if code == 0 else b"error:" in said
    assert ledger.revision(ledger.cycle("c"))[0] == 15
    ledger.check()
