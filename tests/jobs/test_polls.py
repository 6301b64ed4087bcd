"""The port: start, pause, resume, stop, and what is told when a poll fails."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from filelock import FileLock
from tests.jobs.conftest import Places, rested, until

from citepoll.errors import EngineError, InputError, LedgerError
from citepoll.jobs import durable, polls, server
from citepoll.jobs.server import Jobs
from citepoll.service import retaining
from citepoll.service.background import FAILED, Order
from citepoll.service.health import health
from citepoll.service.importing import import_file

SLOW = '\n[[engine]]\nid = "local:bm25"\nname = "many"\nruns = 400\n'


def status(here, name):
    return here.ledger.cycle(name).status


def recorded(here, name):
    if not any(cycle.name == name for cycle in here.ledger.cycles()):
        return 0
    return sum(p.planned - p.todo for p in here.ledger.progress(here.ledger.cycle(name)))


def attempts(here):
    """Runs by the number of their attempts."""
    with here.ledger.reading() as link:
        rows = link.exec_driver_sql(
            "select count(a.id) from runs r left join attempts a on a.run_id = r.id group by r.id"
        )
        return Counter(row[0] for row in rows)


def test_a_cycle_is_started_and_ends(serve, here):
    told = []
    jobs = serve(
        after=(lambda project, ledger, cycle, at: told.append((project.tracked.name, cycle.name, cycle.status)),)
    )
    assert jobs.polls.standing("acme").state == "idle"
    found = jobs.polls.start("acme", Order(cycle="one"))
    assert (found.state, found.cycle) == ("running", "one")
    assert rested(jobs).state == "idle"
    assert status(here, "one") == "closed"
    assert attempts(here) == {1: 25}
    assert told == [("Acme", "one", "closed")]


def test_engines_and_runs_of_a_cycle_can_be_chosen(serve, here):
    jobs = serve()
    jobs.polls.start("acme", Order(cycle="one", engines=("broad",), runs=1))
    rested(jobs)
    assert [(p.engine, p.planned, p.todo) for p in here.ledger.progress(here.ledger.cycle("one"))] == [("broad", 5, 0)]
    for order, cause in ((Order(engines=("none",)), "no engine 'none'"), (Order(runs=0), "0 runs")):
        with pytest.raises(InputError, match=cause):
            jobs.polls.start("acme", order)


def test_an_order_that_cannot_be_carried_out_is_refused_at_once(serve, here, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    here.write('\n[[engine]]\nid = "openai:responses"\n')
    jobs = serve()
    with pytest.raises(EngineError, match="OPENAI_API_KEY"):
        jobs.polls.start("acme", Order())
    with pytest.raises(InputError, match="no project"):
        jobs.polls.start("nowhere", Order())
    for wish in (jobs.polls.pause, jobs.polls.resume, jobs.polls.stop):
        with pytest.raises(InputError):
            wish("acme")
    assert here.ledger.cycles() == ()


def test_a_pause_holds_over_a_restart_until_somebody_resumes(serve, here):
    here.write(SLOW)
    jobs = serve()
    jobs.polls.start("acme", Order(cycle="one"))
    until(lambda: recorded(here, "one") > 20)
    with pytest.raises(InputError, match="one is being polled"):
        jobs.polls.start("acme", Order())
    assert jobs.polls.pause("acme").state == "stopping"
    assert rested(jobs).state == "paused"
    held = recorded(here, "one")
    assert "one is paused" in health(here.project, here.ledger, datetime.now(UTC)).warnings[0]
    jobs.end()
    assert status(here, "one") == "open"
    again = serve()
    assert again.polls.standing("acme").state == "paused"
    assert recorded(here, "one") == held
    again.polls.resume("acme")
    until(lambda: recorded(here, "one") > held)
    again.polls.stop("acme")
    assert rested(again).state == "idle"
    assert status(here, "one") == "closed"
    assert max(attempts(here)) == 1


def test_a_paused_cycle_is_stopped(serve, here):
    here.write(SLOW)
    jobs = serve()
    jobs.polls.start("acme", Order(cycle="one"))
    until(lambda: recorded(here, "one") > 5)
    jobs.polls.pause("acme")
    rested(jobs)
    jobs.polls.stop("acme")
    until(lambda: status(here, "one") == "closed")
    assert rested(jobs).state == "idle"


def test_a_server_that_ends_leaves_the_cycle_to_the_next_one(serve, here):
    here.write(SLOW)
    jobs = serve()
    jobs.polls.start("acme", Order(cycle="one"))
    until(lambda: recorded(here, "one") > 20)
    jobs.end()
    assert status(here, "one") == "open"
    held = recorded(here, "one")
    again = serve()
    until(lambda: recorded(here, "one") > held)
    assert again.polls.standing("acme").state == "running"
    again.polls.stop("acme")
    rested(again)
    assert status(here, "one") == "closed"
    assert max(attempts(here)) == 1


def test_calls_that_do_not_come_back_are_given_up_when_the_server_ends(serve, here, monkeypatch, hanging):
    monkeypatch.setattr(server, "PATIENCE", 0.3)
    here.write(hanging.toml)
    jobs = serve()
    jobs.polls.start("acme", Order(cycle="one", engines=("slow",)))
    until(lambda: hanging.calls)
    jobs.end()
    assert status(here, "one") == "open"
    assert recorded(here, "one") == 0


def test_a_failure_is_told_tried_again_and_given_up(serve, here, accounts, monkeypatch):
    monkeypatch.setattr(polls, "WAITS", (0.05, 0.05))
    jobs = serve()
    with FileLock(here.project.data / "poll.lock"):
        jobs.polls.start("acme", Order(cycle="one"))
        assert rested(jobs).state == "failed"
    found = jobs.polls.standing("acme")
    assert found.reason == "Another `citepoll poll` is at work in this project."
    assert [e["attempt"] for e in here.ledger.history() if e["what"] == FAILED] == [1, 2, 3]
    assert found.reason in health(here.project, here.ledger, datetime.now(UTC)).warnings[0]
    noted = [entry for entry in accounts.audit() if entry.what == "poll failed"]
    assert len(noted) == 3
    assert noted[0].object == f"acme: one, attempt 3: {found.reason}"
    jobs.polls.start("acme", Order(cycle="one"))
    assert rested(jobs).state == "idle"
    assert status(here, "one") == "closed"


def test_what_nobody_foresaw_is_told_without_its_text(serve, here, accounts, monkeypatch, caplog):
    def broken(*_):
        raise ValueError("secret-canary")

    monkeypatch.setattr(polls, "WAITS", ())
    monkeypatch.setattr(polls, "carry_out", broken)
    jobs = serve()
    jobs.polls.start("acme", Order(cycle="one"))
    found = rested(jobs)
    assert (found.state, found.reason) == ("failed", "ValueError; the server's log says where.")
    assert "secret-canary" not in repr(accounts.audit())
    assert "background work failed" in caplog.text


def test_what_follows_a_cycle_may_fail_and_undoes_nothing(serve, here, accounts):
    def fails(*_):
        raise LedgerError("The mail did not go out.")

    jobs = serve(after=(fails,))
    jobs.polls.start("acme", Order(cycle="one"))
    assert rested(jobs).state == "idle"
    assert [e.object for e in accounts.audit() if e.what == "after a cycle"] == ["acme: The mail did not go out."]


def test_a_second_server_on_the_same_folder_does_no_work(serve, here, accounts, tmp_path, clock):
    serve()
    other = Jobs(Places(here), accounts, tmp_path / "home", clock)
    other.start()
    assert "Another `citepoll serve`" in other.polls.standing("acme").reason
    with pytest.raises(LedgerError, match="Another"):
        other.polls.start("acme", Order())
    other.end()


def test_nothing_is_started_where_work_would_leave_the_machine(serve, monkeypatch):
    monkeypatch.setenv("DBOS__CLOUD", "true")
    jobs = serve()
    assert "DBOS__CLOUD" in jobs.polls.standing("acme").reason


def test_a_chore_is_done_once_in_its_time_and_told(serve, accounts, clock):
    done = []
    chore = server.Chore("sweep", lambda *_: True, lambda project, ledger, at: done.append(at) or "swept")
    clock.set(datetime(2026, 11, 3, 9, tzinfo=UTC))
    jobs = serve(chores=(chore,))
    until(lambda: [e.object for e in accounts.audit() if e.what == "sweep"] == ["acme: swept"])
    jobs.look()
    jobs.look()
    assert len(done) == 1
    clock.set(datetime(2026, 11, 4, 9, tzinfo=UTC))
    jobs.look()
    until(lambda: len(done) == 2)


def test_retention_is_a_chore(serve, here, accounts, row, jsonl, at, clock):
    import_file(here.project, here.ledger, jsonl(row()), "old", at=at)
    here.write("\n[retention]\nraw_months = 12\n")
    clock.set(at + timedelta(days=400))
    serve(chores=(server.Chore("retention", retaining.wants, retaining.retain_daily),))
    until(lambda: [e.object for e in accounts.audit()] == ["acme: 1 payload dropped, of old"])
    assert [kept.body for kept in here.ledger.kept(here.ledger.cycle("old"))] == [b""]


def test_a_file_that_is_damaged_keeps_no_page_from_being_shown(serve, tmp_path):
    (tmp_path / "home").mkdir(exist_ok=True)
    (tmp_path / "home" / durable.FILE).write_bytes(b"no database" * 500)
    jobs = serve()
    assert "damaged" in jobs.polls.standing("acme").reason
    with pytest.raises(LedgerError, match="damaged"):
        jobs.polls.start("acme", Order())


def test_a_poll_that_was_done_before_it_was_killed_asks_nothing_again(serve, here):
    jobs = serve()
    jobs.polls.start("acme", Order(cycle="one"))
    rested(jobs)
    asked = attempts(here)
    assert jobs.polls.poll("acme", '{"cycle":"one"}') == "complete"
    assert attempts(here) == asked
    assert jobs.polls.poll("nowhere", "{}") == "the project is gone"


def test_a_poll_that_is_stopped_before_it_begins_asks_nothing(serve, here, monkeypatch):
    monkeypatch.setattr(durable, "LOOK_SECONDS", 2.0)
    jobs = serve()
    jobs.polls.start("acme", Order(cycle="one"))
    jobs.polls.stop("acme")
    assert rested(jobs).state == "idle"
    assert here.ledger.cycles() == ()


def test_a_chore_that_fails_is_told(serve, accounts):
    def fails(*_):
        raise LedgerError("The disk is full.")

    serve(chores=(server.Chore("sweep", lambda *_: True, fails),))
    until(lambda: [e.object for e in accounts.audit()] == ["acme: failed: The disk is full."])


def test_the_file_of_the_work_is_its_owners_only_and_holds_no_pickles(serve, here, tmp_path):
    jobs = serve()
    jobs.polls.start("acme", Order(cycle="one"))
    rested(jobs)
    path = tmp_path / "home" / durable.FILE
    assert path.stat().st_mode & 0o077 == 0
    assert re.search(rb'"cycle\\?\\?":', path.read_bytes())


def test_an_engine_that_refuses_every_call_fails_the_poll_with_its_reason(serve, here, accounts, monkeypatch):
    monkeypatch.setattr(polls, "WAITS", ())
    here.write(
        '\n[[engine]]\nid = "openai-compatible"\nname = "paid"\nmodel = "m"\nsettings = { base_url = "http://127.0.0.1:9/v1" }\n'
        "[budget]\nper_engine_usd = { paid = 0.0001 }\n[prices.paid]\nper_call = 1.0\n"
    )
    jobs = serve()
    jobs.polls.start("acme", Order(cycle="one", engines=("paid",)))
    found = rested(jobs)
    assert (found.state, found.cycle) == ("failed", "one")
    assert found.reason.startswith("paid: ")
    stops = [e for e in here.ledger.history("one") if e["what"] == "engine stopped"]
    assert [(e["engine"], f"paid: {e['reason']}") for e in stops] == [("paid", found.reason)]
    jobs.polls.stop("acme")
    until(lambda: status(here, "one") == "closed")
    assert rested(jobs).state == "idle"


def test_what_cannot_be_noted_is_in_the_log(serve, here, monkeypatch, caplog):
    def full(*_, **__):
        raise LedgerError("The disk is full.")

    monkeypatch.setattr(polls, "WAITS", ())
    jobs = serve()
    jobs.polls.start("acme", Order(cycle="one"))
    monkeypatch.setattr(polls, "carry_out", full)
    monkeypatch.setattr(polls, "remember", full)
    rested(jobs)
    assert "cannot be noted: The disk is full." in caplog.text
