import sqlite3

from citepoll.store import actions
from citepoll.store.ledger import Ledger


def test_a_ledger_of_the_first_version_gets_the_tables_it_lacks(ledger, at):
    with sqlite3.connect(ledger.path) as old:
        old.execute("DROP TABLE opportunities")
        old.execute("DROP TABLE experiments")
        old.execute("PRAGMA user_version = 1")
    old.close()
    again = Ledger(ledger.path)
    mark = actions.Mark("sha256:1", "create-coverage", "q", "Title", ("q",), "done", "", "c", at.isoformat())
    actions.set_mark(again, mark, at)
    assert actions.marks(again)["sha256:1"].queries == ("q",)
    assert actions.experiments(again) == ()


def test_a_mark_is_replaced_and_its_history_kept(ledger, at):
    for status in ("in-work", "done", "open"):
        actions.set_mark(ledger, actions.Mark("sha256:1", "k", "s", "t", (), status, "", "c", ""), at)
    assert [mark.status for mark in actions.marks(ledger).values()] == ["open"]
    assert [event["status"] for event in ledger.history("c")] == ["in-work", "done", "open"]
