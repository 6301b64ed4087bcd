import csv
import io
import json

import polars as pl
import pytest
from tests.dashboard.conftest import AT, INLINE

from citepoll.model import Slice
from citepoll.report.tables import csv_text
from citepoll.service.importing import import_file
from citepoll.service.reading import read

PATH = "/p/project/exports"


@pytest.fixture
def formula(recorded, room, row, jsonl):
    import_file(room.project, room.ledger, jsonl(row(answer_text="=1+1")), "december", at=AT)


def test_the_answers_of_a_cycle_in_each_format(formula, browser):
    lines = browser.get(f"{PATH}/answers?cycle=november").text.splitlines()
    assert len(lines) == 12
    assert json.loads(lines[0])["answer_text"] == "Acme <i>"
    found = browser.get(f"{PATH}/answers?cycle=november&format=parquet")
    assert pl.read_parquet(io.BytesIO(found.content)).height == 12
    assert found.headers["content-disposition"] == 'attachment; filename="project-answers-november.parquet"'


def test_cells_that_a_spreadsheet_would_run_are_escaped_unless_raw(formula, browser):
    def cell(address):
        return next(csv.DictReader(io.StringIO(browser.get(f"{PATH}/answers?format=csv{address}").text)))["answer_text"]

    assert cell("") == "'=1+1"
    assert cell("&raw=1") == "=1+1"


def test_the_numbers_are_those_of_the_read_side(recorded, browser, room):
    found = browser.get(f"{PATH}/measures?by=brand,engine&cycle=november")
    assert found.text == csv_text(read(room.project, room.ledger, Slice(cycles=("november",)), AT))
    rows = browser.get(f"{PATH}/measures?by=brand,engine&format=json").json()
    assert {row["brand"] for row in rows} == {"Acme", "Foxglove"}


def test_a_question_that_cannot_be_asked_comes_back_with_the_reason(recorded, browser):
    for asked in (
        "metrics=nothing",
        "by=colour",
        "where=engine+is",
        "cycle=never",
        "metrics=,",
        "by=" + ",".join("a" * 21),
    ):
        found = browser.get(f"{PATH}/measures?{asked}")
        assert found.status_code == 422
        assert "disposition" not in str(found.headers)


def test_the_report_is_one_file(recorded, browser):
    found = browser.get(f"{PATH}/report?cycle=november")
    assert found.text.startswith("<!doctype html>")
    assert found.headers["content-disposition"] == 'attachment; filename="project-report-november.html"'
    printed = browser.get(f"{PATH}/report?format=pdf&paper=letter")
    assert printed.content.startswith(b"%PDF")


def test_unknown_formats_are_refused(recorded, browser):
    for asked in ("answers?format=xlsx", "report?format=doc", "report?paper=a0", "measures?format=xml"):
        assert browser.get(f"{PATH}/{asked}").status_code == 422


def test_the_page_offers_all_of_it(recorded, browser):
    text = browser.get(PATH).text
    assert all(f"{PATH}/{what}" in text for what in ("answers", "measures", "report"))
    assert not INLINE.search(text)
