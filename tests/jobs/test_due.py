"""When the schedule begins a cycle: once, late at most once, and never for a time before it was set."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.jobs.conftest import rested, until

from citepoll.service.background import Order
from citepoll.service.scheduling import Due, due, heed, upcoming

MONDAY = datetime(2026, 11, 16, 6, tzinfo=UTC)
WEEK = timedelta(weeks=1)
HOUR = timedelta(hours=1)


def schedule(here, more=""):
    here.write(f'\n[schedule]\nevery = "weekly"\n{more}')


def asked(here, at):
    return due(here.project, here.ledger, at)


def begin(here, name, at, status="closed"):
    made = here.ledger.create(name, "polled", here.project.engines, "s", at, set_hash=here.ledger.current().hash)
    here.ledger.set_status(made, status, at)


def test_without_a_schedule_nothing_is_due(here):
    assert asked(here, MONDAY) is None
    assert here.ledger.history() == ()
    assert upcoming(here.project, here.ledger, MONDAY).times == ()


def test_a_new_schedule_owes_nothing_for_the_past(here):
    schedule(here)
    assert asked(here, MONDAY + HOUR) is None
    assert asked(here, MONDAY + 24 * HOUR) is None
    assert asked(here, MONDAY + WEEK) == Due(MONDAY + WEEK)


def test_a_cycle_begun_since_is_the_one(here):
    schedule(here)
    asked(here, MONDAY - HOUR)
    begin(here, "by hand", MONDAY + HOUR)
    assert asked(here, MONDAY + 2 * HOUR) is None
    assert asked(here, MONDAY + WEEK) == Due(MONDAY + WEEK)


def test_of_many_that_were_missed_one_is_caught_up(here):
    schedule(here)
    asked(here, MONDAY - HOUR)
    late = MONDAY + 5 * WEEK + HOUR
    assert asked(here, late) == Due(MONDAY + 5 * WEEK)
    begin(here, "late", late)
    assert asked(here, late + HOUR) is None


def test_what_is_not_to_be_caught_up_is_left_out(here):
    schedule(here, "catch_up = false\n")
    asked(here, MONDAY - HOUR)
    assert asked(here, MONDAY + timedelta(minutes=9)) == Due(MONDAY)
    assert asked(here, MONDAY + HOUR) is None


def test_an_open_cycle_is_waited_for(here):
    schedule(here)
    asked(here, MONDAY - 2 * HOUR)
    begin(here, "open", MONDAY - HOUR, "open")
    assert asked(here, MONDAY) == Due(MONDAY, "open")
    here.ledger.set_status(here.ledger.cycle("open"), "closed", MONDAY)
    assert asked(here, MONDAY + HOUR) == Due(MONDAY)


def test_a_schedule_that_was_off_or_changed_counts_anew(here):
    schedule(here)
    toml = here.root / "citepoll.toml"
    text = toml.read_text("utf-8")
    asked(here, MONDAY - HOUR)
    toml.write_text(text + "enabled = false\n", "utf-8")
    assert asked(here, MONDAY + HOUR) is None
    toml.write_text(text, "utf-8")
    assert asked(here, MONDAY + 2 * HOUR) is None
    toml.write_text(text + 'at = "07:00"\n', "utf-8")
    assert asked(here, MONDAY + 3 * HOUR) is None
    assert heed(here.project, here.ledger, MONDAY + 4 * HOUR) == MONDAY + 3 * HOUR
    assert [e["what"] for e in here.ledger.history()] == [
        "schedule set",
        "schedule off",
        "schedule set",
        "schedule set",
    ]


def test_upcoming_reads_only(here):
    schedule(here, 'over = "2d"\n')
    found = upcoming(here.project, here.ledger, MONDAY + HOUR, 2)
    assert (found.times, found.last, found.begun) == ((MONDAY + WEEK, MONDAY + 2 * WEEK), MONDAY, None)
    assert (found.over, found.counts_since) == ("2d", None)
    assert here.ledger.history() == ()


def test_a_server_begins_what_is_due_once(serve, here, clock):
    schedule(here)
    asked(here, MONDAY - HOUR)
    clock.set(MONDAY + HOUR)
    jobs = serve()
    until(here.ledger.cycles)
    assert rested(jobs).state == "idle"
    jobs.look()
    assert [(c.name, c.status) for c in here.ledger.cycles()] == [("2026-11-16", "closed")]
    assert jobs.polls.standing("acme").next_at == MONDAY + WEEK


def test_a_scheduled_cycle_is_spread_over_its_span(serve, here, clock):
    schedule(here, 'over = "2d"\n')
    asked(here, MONDAY - HOUR)
    clock.set(MONDAY + HOUR)
    jobs = serve()
    until(lambda: here.ledger.cycles() and here.ledger.progress(here.ledger.cycles()[0]))
    assert here.ledger.cycles()[0].over_seconds == 2 * 86400
    jobs.polls.stop("acme")
    rested(jobs)


def test_a_scheduled_cycle_that_cannot_begin_is_told_and_tried_at_the_next_time(serve, here, clock, monkeypatch):
    monkeypatch.setattr("citepoll.jobs.polls.WAITS", ())
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    here.write('\n[[engine]]\nid = "openai:responses"\n')
    schedule(here)
    asked(here, MONDAY - HOUR)
    clock.set(MONDAY + HOUR)
    jobs = serve()
    until(lambda: jobs.polls.standing("acme").state == "failed")
    jobs.look()
    assert rested(jobs).state == "failed"
    assert "OPENAI_API_KEY" in jobs.polls.standing("acme").reason
    assert sum(e["what"] == "poll failed" for e in here.ledger.history()) == 1
    clock.set(MONDAY + WEEK + HOUR)
    jobs.look()
    until(lambda: sum(e["what"] == "poll failed" for e in here.ledger.history()) == 2)


def test_a_project_that_cannot_be_read_keeps_no_other_from_its_turn(serve, here):
    jobs = serve()
    here.write("\n[schedule]\nevery = 'now and then'\n")
    jobs.look()
    assert here.ledger.cycles() == ()
    with pytest.raises(Exception, match="line"):
        jobs.polls.start("acme", Order())
