from datetime import timedelta

import pytest
from filelock import FileLock

from citepoll.errors import LedgerError, SliceError
from citepoll.model import RawAnswer
from citepoll.service.costs import Outlay
from citepoll.service.cycles import close_cycle, cycle_state, list_cycles, runs_words, told
from citepoll.service.importing import import_file
from citepoll.service.outlays import outlay_words
from citepoll.service.queries import lock_file
from citepoll.store.progress import Runs, last_failures, recorded_since


@pytest.fixture
def opened(project, ledger, at):
    (project.root / "queries.toml").write_text('[[query]]\ntext = "best garden fork"\n', "utf-8")
    lock_file(project, ledger, at)
    version = ledger.current()
    cycle = ledger.create("now", "polled", project.engines, "seed", at, set_hash=version.hash, over_seconds=3600.0)
    ledger.plan(cycle, [(name, version.queries.queries[0].id, n) for n in (1, 2) for name in ("narrow", "broad")])
    for claim in ledger.claim(cycle, 1, 2, at):
        failed = claim.engine == "broad"
        ledger.record(
            claim, RawAnswer("failed" if failed else "answered", b"", asked_at=at, message="quota" if failed else None)
        )
    return cycle


def test_runs_are_counted_by_what_became_of_them(ledger, opened, at):
    ledger.claim(opened, 2, 1, at)
    [line] = list_cycles(ledger, (opened,))
    assert (line.runs.done, line.runs.failed, line.runs.in_flight, line.runs.todo) == (1, 1, 1, 1)
    assert (line.runs.planned, line.runs.left, line.runs.cost) == (4, 2, None)
    assert (line.version, line.simulated) == (1, True)
    assert last_failures(ledger, opened) == {"broad": "quota"}


def test_the_time_left_is_that_of_the_pace_and_never_less_than_the_span(ledger, opened, at):
    state = cycle_state(ledger, "now", at + timedelta(seconds=60))
    assert state.a_minute == 2.0
    assert state.seconds_left == 3540.0
    late = cycle_state(ledger, "now", at + timedelta(hours=1))
    assert (late.a_minute, late.seconds_left) == (None, None)
    assert recorded_since(ledger, opened, at + timedelta(seconds=1)) == 0


def test_an_import_and_a_cycle_without_runs_have_lines_too(project, ledger, opened, at, jsonl, row):
    import_file(project, ledger, jsonl(row(query="another")), "old", at=at)
    ledger.create("empty", "polled", (), "seed", at)
    old, empty = list_cycles(ledger, (ledger.cycle("old"), ledger.cycle("empty")))
    assert (old.runs.done, old.version, old.simulated) == (1, None, False)
    assert empty.runs == Runs()
    with pytest.raises(SliceError):
        cycle_state(ledger, "none", at)


def test_a_cycle_is_not_closed_under_a_poll(project, ledger, opened, at):
    with FileLock(project.data / "poll.lock"), pytest.raises(LedgerError, match="at work"):
        close_cycle(project, ledger, "now", at)
    assert close_cycle(project, ledger, "now", at).status == "closed"


def test_words():
    assert runs_words(Runs(done=1200, todo=3)) == "1\u202f200 done, 3 to do"
    assert runs_words(Runs()) == "nothing planned yet"
    assert told({"at": 1, "cycle": "c", "what": "import", "rows": 3, "by": {}}) == "rows 3"
    assert outlay_words(Outlay("e", 0)) == "nothing left to ask"
