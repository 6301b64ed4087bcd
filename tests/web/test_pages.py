import re

import pytest

from citepoll.errors import FetchError
from citepoll.service.importing import import_file
from citepoll.surfaces.dashboard.page import Link, nav_paths
from citepoll.surfaces.web.problems import problem_of


def make(browser, **fields):
    return browser.post(
        "/projects", {"brand": "New", "domains": "new.com", "category": "", "competitors": "", **fields}
    )


def test_an_empty_server_offers_the_first_project_and_makes_it(desk, people, browser, shelf):
    for name in ("acme", "other"):
        (shelf / name / "citepoll.toml").unlink()
    anna = browser("anna")
    assert "Make the first project" in anna.get("/").text
    sent = make(anna, brand="Blue <b>", domains="blue.com\nblue.org", competitors="Red = red.com\r\nGrün=gruen.de")
    assert sent.headers["location"] == "/p/blue-b/"
    page = anna.get("/")
    assert "Blue &lt;b&gt; is made" in page.text
    assert "is made" not in anna.get("/").text
    project = desk.rooms.find("blue-b").project
    assert [brand.name for brand in project.brands] == ["Blue <b>", "Red", "Grün"]
    assert desk.accounts.audit(1)[0].what == "project made"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"brand": " "}, "missing"),
        ({"domains": ""}, "missing"),
        ({"competitors": "Red"}, "is not a competitor"),
        ({"competitors": "New = other.com"}, "stands twice"),
        ({"domains": "not a domain/"}, ""),
    ],
)
def test_a_form_that_will_not_do_comes_back_with_the_reason_and_what_was_typed(people, browser, desk, fields, told):
    found = make(browser("anna"), category="garden forks", **fields)
    assert found.status_code == 422
    assert told in found.text
    assert "garden forks" in found.text
    assert len(desk.rooms.all()) == 2


def test_a_project_that_cannot_be_read_does_not_hide_the_others(people, browser, shelf):
    (shelf / "acme" / "citepoll.toml").write_text("[brand", "utf-8")
    page = browser("viktor").get("/")
    assert page.status_code == 200
    assert "not valid TOML" in page.text
    assert "Nothing is measured yet" in page.text


def test_who_sees_one_project_is_shown_one(people, browser):
    page = browser("ottilie").get("/")
    assert "/p/other/" in page.text
    assert "/p/acme/" not in page.text
    assert "Make the project" not in page.text
    assert make(browser("ottilie")).status_code == 403


def test_the_headline_of_a_project_stands_in_the_list(people, browser, desk, row, jsonl, at):
    room = desk.rooms.find("acme")
    import_file(room.project, room.ledger, jsonl(*(row(run=n) for n in range(1, 4))), "c", at=at)
    page = browser("viktor").get("/").text
    assert "Acme is cited as a source in 100" in page
    assert "recorded" in page


def test_pages_hold_no_inline_script_style_or_handler(people, browser):
    for page in (
        browser().get("/login"),
        browser("anna").get("/"),
        browser("anna").get("/glossary"),
        browser().get("/none"),
    ):
        assert not re.search(r"<style|style=|<script(?! src=)|\son\w+=|javascript:|https?://", page.text)


def test_the_glossary_is_that_of_the_docs(people, browser):
    text = browser("viktor").get("/glossary").text
    assert "share of citation" in text
    assert "<code>answered</code>" in text


def test_an_unknown_page_says_what_to_do(browser):
    found = browser().get("/nothing")
    assert found.status_code == 404
    assert "Check the address" in found.text


@pytest.mark.parametrize(("refused", "status"), [(True, 422), (False, 502)])
def test_an_address_that_gives_nothing_is_not_a_fault_of_the_server(refused, status):
    assert problem_of(FetchError("There is nothing.", "Look.", refused=refused)).status == status


def test_a_fault_says_nothing_of_itself():
    problem = problem_of(RuntimeError("secret /home/anna/key"))
    assert problem.status == 500
    assert "secret" not in str(problem)


def test_a_fault_in_a_page_is_a_page(people, browser, monkeypatch):
    anna = browser("anna")
    monkeypatch.setattr("citepoll.surfaces.dashboard.projects.seen_rooms", lambda *a: 1 // 0)
    found = anna.get("/")
    assert found.status_code == 500
    assert "citepoll failed" in found.text
    assert "division" not in found.text


def test_navigation_follows_what_routes_say():
    assert nav_paths([]) == {}
    assert Link("a", "/b").here is False
