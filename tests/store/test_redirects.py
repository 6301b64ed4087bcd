import sqlite3

import pytest

from citepoll.model import Engine, Query, QuerySet
from citepoll.store.ledger import Ledger
from citepoll.store.redirects import Redirect, conclude, enter, redirects_of, revision, settle

PAGE = "https://acme.com/"


@pytest.fixture
def cycle(ledger, at):
    ledger.lock(QuerySet((Query("q"),)), "queries.toml", at)
    return lambda name: ledger.create(name, "polled", [Engine("e", "google:gemini", "api")], "s", at)


def kept(ledger, cycle, raws=None):
    return {found.raw: (found.url, found.reason, found.again) for found in redirects_of(ledger, cycle, raws)}


def test_what_is_entered_is_to_be_tried(ledger, at, cycle):
    c = cycle("c")
    assert (kept(ledger, c), revision(ledger, c)) == ({}, (0, 0))
    enter(ledger, c, ["a", "b", "a"], at)
    enter(ledger, c, ["b", "c"], at)
    assert kept(ledger, c) == dict.fromkeys("abc", (None, None, True))
    assert kept(ledger, c, ["c", "x", "ä", "\ud800"]) == {"c": (None, None, True)}


def test_what_is_resolved_stays_so(ledger, at, cycle):
    c = cycle("c")
    enter(ledger, c, ["a", "b"], at)
    settle(ledger, c, [Redirect("a", PAGE, None, False, "t"), Redirect("b", None, "HTTP 503", True, "t")])
    settle(ledger, c, [Redirect("a", None, "HTTP 404", False, "t"), Redirect("b", None, "HTTP 404", False, "t")])
    settle(ledger, c, [])
    assert kept(ledger, c) == {"a": (PAGE, None, False), "b": (None, "HTTP 404", False)}
    assert revision(ledger, c) == (2, 1)


def test_a_page_that_another_cycle_knows_is_known(ledger, at, cycle):
    c, d = cycle("c"), cycle("d")
    enter(ledger, c, ["a", "b"], at)
    settle(ledger, c, [Redirect("a", PAGE, None, False, "t"), Redirect("b", None, "HTTP 404", False, "t")])
    enter(ledger, d, ["a", "b"], at)
    assert kept(ledger, d) == {"a": (PAGE, None, False), "b": (None, None, True)}


def test_many_are_kept(ledger, at, cycle):
    c, raws = cycle("c"), [f"r{n}" for n in range(1201)]
    enter(ledger, c, raws, at)
    assert list(kept(ledger, c)) == raws
    assert list(kept(ledger, c, raws)) == raws


def test_readers_learn_that_something_changed(ledger, at, cycle):
    c = cycle("c")
    enter(ledger, c, ["a"], at)
    ledger.set_status(c, "closed", at)
    before = ledger.state()
    conclude(ledger, c, at)
    assert ledger.state() != before
    assert ledger.history("c")[-1] == {
        "at": ledger.history("c")[-1]["at"],
        "cycle": "c",
        "what": "redirects",
        "cited": 1,
        "resolved": 0,
    }


def test_they_go_with_their_cycle(ledger, at, cycle):
    c = cycle("c")
    enter(ledger, c, ["a"], at)
    ledger.drop(c, at)
    with ledger.reading() as link:
        assert link.exec_driver_sql("select count(*) from redirects").scalar_one() == 0


def test_an_older_ledger_gets_the_table(ledger, at, cycle):
    c = cycle("c")
    with sqlite3.connect(ledger.path) as old:
        old.execute("drop table redirects")
        old.execute("pragma user_version = 2")
    old.close()
    newer = Ledger(ledger.path)
    enter(newer, c, ["a"], at)
    assert kept(newer, c) == {"a": (None, None, True)}
