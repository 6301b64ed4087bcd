import random
import sqlite3
import subprocess
import sys
from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from citepoll.errors import InputError, LedgerError, QuerySetError, SliceError
from citepoll.model import STATUSES, Engine, Query, QuerySet, RawAnswer
from citepoll.store import schema
from citepoll.store.ledger import Claim, Ledger, run_key

ENGINES = (
    Engine("narrow", "local:bm25", "simulated", weight=0.5, settings={"cite": 2}),
    Engine("broad", "local:bm25", "simulated"),
)
QUERIES = QuerySet((Query("one", intent="best-of"), Query("two", topic="t"), Query("three", "de", "DE", ref="q3")))


@pytest.fixture
def cycle(ledger, at):
    ledger.lock(QUERIES, "queries.toml", at)
    return ledger.create("2026-11", "polled", ENGINES, "seed", at, set_hash=QUERIES.hash)


@pytest.fixture
def planned(ledger, cycle):
    ledger.plan(cycle, [(e.name, q.id, 1) for q in QUERIES.queries for e in ENGINES])
    return cycle


def claim_all(ledger, cycle, at, number=1):
    return ledger.claim(cycle, number, 100, at)


# ---------------------------------------------------------------- query sets and cycles


def test_the_same_set_is_locked_once_and_a_new_one_gets_the_next_number(ledger, at):
    first = ledger.lock(QUERIES, "queries.toml", at)
    again = ledger.lock(QuerySet(tuple(reversed(QUERIES.queries))), "elsewhere", at)
    assert first == again
    second = ledger.lock(QuerySet(QUERIES.queries[:2]), "queries.toml", at)
    assert [v.number for v in ledger.versions()] == [first.number, second.number] == [1, 2]
    assert ledger.current() == second
    assert first.queries == QUERIES


def test_the_set_of_one_import_gets_no_number_until_it_is_locked(ledger, at):
    assert ledger.lock(QUERIES, "import", at, numbered=False).number is None
    assert ledger.current() is None
    assert ledger.lock(QUERIES, "queries.toml", at).number == 1


def test_a_cycle_keeps_its_engines_as_they_were(ledger, cycle):
    assert ledger.engines(cycle) == ENGINES
    assert ledger.query_set(cycle) == QUERIES
    assert ledger.cycles() == (ledger.cycle("2026-11"),) == (cycle,)


def test_a_name_is_taken_once_and_an_unknown_one_is_answered_with_those_that_exist(ledger, cycle, at):
    with pytest.raises(LedgerError, match="already"):
        ledger.create("2026-11", "recorded", (), "seed", at)
    with pytest.raises(SliceError, match="Cycles here: 2026-11"):
        ledger.cycle("2026-12")


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "\x1b[31m", "\udcff", "a" * 300])
def test_a_name_that_cannot_be_shown_is_refused(ledger, at, name):
    with pytest.raises(InputError, match="cannot name a cycle"):
        ledger.create(name, "recorded", (), "seed", at)
    assert ledger.cycles() == ()


@pytest.mark.parametrize("name", ["../../x", "/etc", "März 2026", "a'b\"; drop table runs"])
def test_a_name_is_only_a_name(ledger, at, name):
    assert ledger.create(name, "recorded", (), "seed", at).name == name
    assert ledger.cycle(name).status == "open"


def test_a_cycle_without_a_set_says_so(ledger, at):
    with pytest.raises(QuerySetError, match="no query set"):
        ledger.query_set(ledger.create("empty", "recorded", (), "seed", at))


def test_a_dropped_cycle_takes_its_runs_with_it_and_leaves_a_note(ledger, planned, at):
    for claim in claim_all(ledger, planned, at):
        ledger.record(claim, RawAnswer("answered", b"{}"))
    assert ledger.drop(planned, at) == 6
    with ledger.reading() as link:
        for table in (schema.runs, schema.attempts, schema.engines, schema.cycles):
            assert link.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() == 0
    assert [(e["what"], e["runs"]) for e in ledger.history("2026-11")] == [("dropped", 6)]


# ---------------------------------------------------------------- runs


def test_a_plan_is_entered_once(ledger, cycle):
    order = [(e.name, q.id, n) for n in (1, 2) for q in QUERIES.queries for e in ENGINES]
    assert ledger.plan(cycle, order) == 12
    assert ledger.plan(cycle, order) == 0


def test_claims_follow_the_plan_and_no_run_is_claimed_twice(ledger, planned, at):
    first = ledger.claim(planned, 1, 2, at)
    rest = claim_all(ledger, planned, at)
    assert [(c.engine, c.query_id) for c in (*first, *rest)] == [
        (e.name, q.id) for q in QUERIES.queries for e in ENGINES
    ]
    assert claim_all(ledger, planned, at) == ()
    assert {c.attempt for c in rest} == {1}


def test_claims_pass_over_other_rounds_and_stopped_engines(ledger, planned, at):
    assert ledger.claim(planned, 2, 9, at) == ()
    assert {c.engine for c in ledger.claim(planned, 1, 9, at, without=("narrow",))} == {"broad"}


def test_what_is_recorded_is_kept_verbatim(ledger, planned, at):
    claim = claim_all(ledger, planned, at)[0]
    body = b"\x00\xff not even text" * 1000
    raw = RawAnswer("answered", body, at, 200, {"date": "x"}, {"url": "u"}, 0.5, 0.01, "fine")
    ledger.record(claim, raw)
    kept = ledger.run(claim.run_id)[1]
    assert (kept.body, kept.status, kept.asked_at, kept.http_status, kept.headers, kept.message) == (
        body, "answered", at, 200, {"date": "x"}, "fine",
    )  # fmt: skip


@pytest.mark.parametrize("status", STATUSES)
def test_a_final_run_is_never_recorded_again(ledger, planned, at, status):
    claim = claim_all(ledger, planned, at)[0]
    ledger.record(claim, RawAnswer(status, b"1"))
    again = replace(claim, attempt=2)
    if status in ("failed", "deferred"):
        ledger.record(again, RawAnswer("answered", b"2"))
        assert ledger.run(claim.run_id)[1].body == b"2"
        assert ledger.revision(planned)[0] == 2
    else:
        with pytest.raises(LedgerError, match="final"):
            ledger.record(again, RawAnswer("answered", b"2"))
        assert ledger.run(claim.run_id)[1].body == b"1"


def test_release_frees_what_a_killed_poll_left_and_with_retry_what_failed(ledger, planned, at):
    statuses = ("answered", "failed", "deferred", "refused")
    claims = claim_all(ledger, planned, at)
    for claim, status in zip(claims, statuses, strict=False):
        ledger.record(claim, RawAnswer(status, b""))
    assert ledger.release(planned) == 2
    assert [c.attempt for c in claim_all(ledger, planned, at)] == [1, 1]
    assert ledger.release(planned, retry=True) == 4
    assert sorted(c.attempt for c in claim_all(ledger, planned, at)) == [1, 1, 2, 2]


def test_progress_counts_by_engine_and_status(ledger, planned, at):
    claims = claim_all(ledger, planned, at)
    ledger.record(claims[0], RawAnswer("answered", b"", cost=0.25))
    ledger.record(claims[2], RawAnswer("failed", b"", cost=0.5))
    narrow, broad = ledger.progress(planned)
    assert (narrow.engine, narrow.planned, narrow.todo, narrow.statuses, narrow.cost) == (
        "narrow", 3, 1, {"answered": 1, "failed": 1}, 0.75,
    )  # fmt: skip
    assert (broad.todo, broad.statuses, broad.cost) == (3, {}, None)


def test_kept_pages_through_recorded_runs_only(ledger, planned, at):
    claims = claim_all(ledger, planned, at)
    for claim in claims[:5]:
        ledger.record(claim, RawAnswer("answered", b""))
    pages, after = [], 0
    while page := ledger.kept(planned, after=after, limit=2):
        pages.append([k.run_id for k in page])
        after = page[-1].run_id
    assert pages == [[c.run_id for c in claims[:5]][i : i + 2] for i in (0, 2, 4)]
    with pytest.raises(SliceError, match="no recorded answer"):
        ledger.run(claims[5].run_id)


def test_the_key_of_a_run_tells_all_four_apart():
    keys = {run_key("c", "e", "q", 1), run_key("ce", "", "q", 1), run_key("c", "e", "q", 2), run_key("c", "eq", "", 1)}
    assert len(keys) == 4


# ---------------------------------------------------------------- the file


def test_the_ledger_is_durable_and_checks_itself(ledger, planned):
    with ledger.reading() as link:
        pragmas = [
            link.exec_driver_sql(f"PRAGMA {p}").scalar_one() for p in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert pragmas == ["wal", 2, 1]
    ledger.check()


def test_a_broken_reference_fails_the_check(ledger, planned):
    with sqlite3.connect(ledger.path) as link:
        link.execute("insert into attempts (run_id, number, status, body) values (999, 1, 'answered', x'00')")
    link.close()
    with pytest.raises(LedgerError, match="failed its check"):
        ledger.check()


@pytest.mark.parametrize("damage", [b"not a database at all" * 500, b"SQLite format 3\x00" + b"\xff" * 8000])
def test_a_damaged_file_is_answered_not_overwritten(tmp_path, damage):
    path = tmp_path / "ledger.db"
    path.write_bytes(damage)
    with pytest.raises(LedgerError, match="damaged") as caught:
        Ledger(path)
    assert "backup" in caught.value.fix
    assert caught.value.kept == ""
    assert path.read_bytes() == damage


def test_pages_overwritten_in_the_middle_are_found(ledger, planned, at):
    for claim in claim_all(ledger, planned, at):
        ledger.record(claim, RawAnswer("answered", bytes(range(256)) * 200))
    with sqlite3.connect(ledger.path) as link:
        link.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    link.close()
    data = bytearray(ledger.path.read_bytes())
    data[8192:] = b"\xa5" * (len(data) - 8192)
    ledger.path.write_bytes(data)
    with pytest.raises(LedgerError):
        Ledger(ledger.path).check()


def test_a_file_of_a_later_version_is_not_touched(ledger):
    with sqlite3.connect(ledger.path) as link:
        link.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    link.close()
    with pytest.raises(LedgerError, match="later citepoll") as caught:
        Ledger(ledger.path)
    assert caught.value.fix == "Upgrade citepoll."


def test_a_full_disk_keeps_what_was_recorded(ledger, planned, at):
    claims = claim_all(ledger, planned, at)
    ledger.record(claims[0], RawAnswer("answered", b"first"))
    noise = random.Random(1).randbytes(200_000)

    def full(connection, _):
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages + 2}")

    event.listen(ledger.db, "connect", full)
    with pytest.raises(LedgerError, match="disk is full") as caught:
        ledger.record(claims[1], RawAnswer("answered", noise))
    assert "Every answer recorded before this is kept." in str(caught.value)
    event.remove(ledger.db, "connect", full)
    ledger.check()
    assert ledger.revision(planned)[0] == 1
    ledger.record(claims[1], RawAnswer("answered", noise))
    assert ledger.revision(planned)[0] == 2


def test_a_folder_without_write_access_is_said(ledger, planned):
    def read_only(connection, _):
        connection.execute("PRAGMA query_only=ON")

    event.listen(ledger.db, "connect", read_only)
    with pytest.raises(LedgerError, match="cannot be written"):
        ledger.record(Claim(1, "narrow", "q", 1, 1), RawAnswer("answered", b""))


def test_any_folder_name_will_do(tmp_path):
    path = tmp_path / "what?mode=ro#1 %41&x" / "ledger.db"
    Ledger(path).check()
    assert path.exists()


def test_a_folder_in_the_way_is_said(tmp_path):
    (tmp_path / "ledger.db").mkdir()
    with pytest.raises(LedgerError, match="cannot be opened"):
        Ledger(tmp_path / "ledger.db")
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="ledger"):
        Ledger(tmp_path / "file" / "ledger.db")


def test_a_writer_that_waits_too_long_is_told_of_the_other(ledger, planned, at):
    def impatient(connection, _):
        connection.execute("PRAGMA busy_timeout=50")

    event.listen(ledger.db, "connect", impatient)
    other = sqlite3.connect(ledger.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(LedgerError, match="Another citepoll command is writing"):
            ledger.claim(planned, 1, 1, at)
        assert ledger.progress(planned)[0].planned == 3
    finally:
        other.close()


def test_several_processes_may_open_a_new_ledger_at_once(tmp_path):
    code = (
        "import sys; from pathlib import Path; from citepoll.store.ledger import Ledger; "
        "sys.stdin.read(1); Ledger(Path(sys.argv[1])).check()"
    )
    command = [sys.executable, "-c", code, tmp_path / "new" / "ledger.db"]
    opening = [subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(3)]
    for process in opening:
        process.stdin.write(b"g")
        process.stdin.flush()
    for process in opening:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said.decode()
