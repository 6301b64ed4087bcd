import re

import pytest
from litestar.testing import TestClient
from tests.dashboard.conftest import AT, FORKS, HERE, INLINE, Browser

from citepoll.hashing import short
from citepoll.main import build_app
from citepoll.service import accounts
from citepoll.service.importing import import_file
from citepoll.service.opportunities import list_todos, set_status, take_back

PATH = "/p/project/todo"


@pytest.fixture
def found(recorded, room, row, jsonl):
    """A cycle in which only Foxglove is cited on forks: one thing to do at least."""
    rows = [row(run=n, citations=[{"url": f"https://other.com/{n}"}]) for n in range(1, 7)]
    import_file(room.project, room.ledger, jsonl(*rows), "december", at=AT)
    every = list_todos(room.project, room.ledger, AT).todos
    return next(one for one in every if one.kind == "create-coverage")


def send(browser, one, **fields):
    browser.get(PATH)
    return browser.post(f"{PATH}/{short(one.id)}", {"status": "open", **fields})


def test_a_thing_to_do_has_its_evidence_size_and_chance(found, browser):
    text = browser.get(PATH).text
    assert f"No page of ours answers: {FORKS}" in text
    assert "at most" in text
    assert "effort high" in text
    assert re.search(r'href="/p/project/answers/\d+"', text)
    assert not INLINE.search(text)


def test_a_status_is_set_shown_noted_and_taken_back(found, browser, room, desk):
    sent = send(browser, found, status="in-work", owner="Ada <b>", note="rewrite\nit", back=f"{PATH}?status=open")
    assert sent.status_code == 303
    assert sent.headers["location"] == f"{PATH}?status=open#t-{short(found.id)}"
    text = browser.get(f"{PATH}?owner=Ada+%3Cb%3E").text
    assert "In work: " in text
    assert "Ada &lt;b&gt;" in text
    assert "rewrite\nit" in text
    assert desk.accounts.audit(1)[0].what == "opportunity in-work"
    sent = browser.post(f"{PATH}/{short(found.id)}/undo", {"back": "//evil.example/x"})
    assert sent.headers["location"] == f"{PATH}#t-{short(found.id)}"
    assert "Taken back: it is open again." in browser.get(PATH).text
    assert browser.post(f"{PATH}/{short(found.id)}/undo").status_code == 422
    assert [event["status"] for event in room.ledger.history() if event["what"] == "opportunity"] == ["in-work", "open"]


def test_taking_back_restores_what_stood_before(found, room):
    project, ledger = room.project, room.ledger
    set_status(project, ledger, found.id, "in-work", "one", AT, owner="Ada")
    set_status(project, ledger, found.id, "done", "two", AT, owner="Bo")
    mark = take_back(ledger, found.id, AT)
    assert (mark.status, mark.note, mark.owner, mark.undoable) == ("in-work", "one", "Ada", False)
    set_status(project, ledger, found.id, "in-work", "three", AT)
    kept = list_todos(project, ledger, AT, status="in-work").todos[0].mark
    assert (kept.owner, kept.note, kept.undoable) == ("Ada", "three", True)


def test_words_alone_do_not_move_where_an_effect_begins(found, room, row, jsonl):
    project, ledger = room.project, room.ledger
    set_status(project, ledger, found.id, "done", "", AT)
    import_file(project, ledger, jsonl(row(run=1), row(run=2)), "january", at=AT)
    kept = set_status(project, ledger, found.id, "done", "a word more", AT)
    assert (kept.mark.cycle, kept.mark.note) == ("december", "a word more")
    assert [effect.since for effect in kept.effects] == ["december"]


def test_what_is_done_shows_what_was_measured_since(found, browser, room, row, jsonl):
    send(browser, found, status="done")
    assert "No cycle was measured since" in browser.get(f"{PATH}?status=done").text
    import_file(room.project, room.ledger, jsonl(*(row(run=n) for n in range(1, 7))), "january", at=AT)
    text = browser.get(f"{PATH}?status=done").text
    assert "What was measured since" in text
    assert "not proof that the work caused it" in text


@pytest.mark.parametrize(("id", "fields", "status"), [
    ("ffffffffffff", {}, 404), (None, {"status": "finished"}, 422), (None, {"note": "x" * 2001}, 422),
])  # fmt: skip
def test_what_cannot_be_set_is_refused(found, browser, id, fields, status):
    browser.get(PATH)
    sent = browser.post(f"{PATH}/{id or short(found.id)}", {"status": "open", **fields})
    assert sent.status_code == status


def test_an_older_cycle_is_read_only_and_so_is_a_viewers_page(found, desk, browser):
    assert "Take the last" not in browser.get(f"{PATH}?cycle=november").text
    assert 'name="note"' not in browser.get(f"{PATH}?cycle=november&status=all").text
    accounts.add_user(desk.accounts, "viktor", "a fork in the garden", "viewer", None, AT)
    viewer = Browser(TestClient(build_app(desk), base_url=HERE, raise_server_exceptions=False))
    viewer.get("/login")
    viewer.post("/login", {"name": "viktor", "password": "a fork in the garden"})
    assert 'name="note"' not in viewer.get(PATH).text
    assert viewer.post(f"{PATH}/{short(found.id)}", {"status": "done"}).status_code == 403


def test_a_target_stands_above_the_list(found, browser, room):
    path = room.root / "citepoll.toml"
    target = '\n[[target]]\nmetric = "share_of_citation"\nvalue = 0.3\nby = 2027-03-31\n'
    path.write_text(path.read_text("utf-8") + target, "utf-8")
    assert "Target: share of citation of at least 30" in browser.get(PATH).text
