import re
from html import unescape

import pytest

from citepoll.service.queries import lock_file


def fields(page):
    """The fields of a matrix: what stands in each, by the words behind it."""
    return {
        unescape(words): text
        for words, text in re.findall(r'<a href="[^"]+" title="([^"]+)" aria-label="[^"]+">([^<]+)</a>', page.text)
    }


def test_the_matrix_counts_citing_runs_and_rings_where_a_competitor_is_ahead(recorded, browser):
    page = browser.get("/p/project/queries?cycle=october")
    assert fields(page)["atlas (recorded): cited in 3 of 3 valid answers"] == "3/3"
    assert fields(page)["<b>eacon (recorded): cited in 0 of 3 valid answers; ahead: Foxglove"] == "0/3"
    assert page.text.count("ringed") == 1
    assert "2 queries × 2 engines, cycle october." in page.text
    assert not re.search(r"<style|\sstyle=|<script(?! src=)|\son\w+=|<b>eacon", page.text)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("?engine=atlas", "2 queries × 1 engine"),
        ("?cycle=october&only=ahead", "1 of 2 queries × 2 engines"),
        ("?cycle=november&only=ahead", "No question fits"),
        ("?intent=versus", "No question fits"),
        ("?group=topic", "no topic given"),
        ("?branded=yes", "No question fits"),
        ("?branded=all", "2 queries × 2 engines"),
    ],
)
def test_filters_narrow_the_matrix(recorded, browser, asked, told):
    page = browser.get(f"/p/project/queries{asked}")
    assert page.status_code == 200
    assert told in page.text


@pytest.mark.parametrize("asked", ["?cycle=x", "?branded=maybe", "?group=colour"])
def test_a_choice_that_there_is_not_is_refused(recorded, browser, asked):
    assert browser.get(f"/p/project/queries{asked}").status_code == 422


def test_a_field_opens_its_runs_as_a_panel_or_as_a_page(recorded, browser):
    page = browser.get("/p/project/queries?cycle=october")
    door = unescape(re.search(r'<a href="([^"]+)" title="atlas[^"]+ 3 of 3', page.text)[1])
    part, whole = browser.get(door, headers={"HX-Request": "true"}), browser.get(door)
    assert "<html" not in part.text
    assert "<h1>Runs of a question on an engine</h1>" in whole.text
    for shown in (part, whole):
        assert len(re.findall(r'<a href="/p/project/answers/\d+">Run \d</a>', shown.text)) == 3
        assert "cites Acme" in shown.text
        assert "3 runs in the list of answers" in shown.text


def test_a_field_that_there_is_not_is_not_found(recorded, browser):
    assert browser.get("/p/project/queries/cell?cycle=october&engine=atlas&query=x").status_code == 404
    assert browser.get("/p/project/queries/cell").status_code == 404


def test_before_the_first_cycle_the_page_leads_to_the_next_step(project, ledger, browser, at):
    assert "Write the questions" in browser.get("/p/project/queries").text
    (project.root / "queries.toml").write_text('[[query]]\ntext = "best fork"\n', "utf-8")
    lock_file(project, ledger, at)
    page = browser.get("/p/project/queries")
    assert "Version 1 is locked: 1 query. The first cycle asks them." in page.text


def test_a_query_file_that_differs_or_cannot_be_read_is_told(recorded, ledger, browser, at):
    lock_file(recorded, ledger, at)
    (recorded.root / "queries.toml").write_text('[[query]]\ntext = "other"\n', "utf-8")
    assert "1 added, 1 removed" in browser.get("/p/project/queries").text
    (recorded.root / "queries.toml").write_text("[[query", "utf-8")
    page = browser.get("/p/project/queries")
    assert page.status_code == 200
    assert "The query file cannot be used: The file is not TOML" in page.text
