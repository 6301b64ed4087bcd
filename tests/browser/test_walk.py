"""The walk of a newcomer: from an empty server to a first result, the answer behind a number, and the report."""

import re

import pytest

from .conftest import Tab, serving, write_pages

DESK = {"width": 1440, "height": 900}


@pytest.fixture(scope="module")
def tab(chromium, tmp_path_factory):
    """On an empty server."""
    with serving(tmp_path_factory.mktemp("empty")) as entry, chromium.new_context(viewport=DESK) as context:
        context.set_default_timeout(15_000)
        tab = Tab(context.new_page(), entry.partition("/enter/")[0])
        tab.page.goto(entry)
        yield tab


def click(tab, role, name):
    tab.page.get_by_role(role, name=name, exact=isinstance(name, str)).first.click()


def said(tab, text):
    """Waits for the text in the page's main part."""
    tab.page.locator("main").get_by_text(text).first.wait_for()


def look(tab, name):
    """A step is fit for anybody, and kept as a picture."""
    tab.check()
    tab.check_for_all()
    tab.keep(f"walk-{name}")


def test_from_an_empty_server_to_a_report(tab, tmp_path):
    make_project(tab)
    add_documents(tab, tmp_path)
    write_questions(tab)
    poll(tab)
    follow_a_number(tab)
    take_the_report(tab, tmp_path)


def make_project(tab):
    said(tab, "Make the first project")
    look(tab, "1-empty-server")
    for label, text in (
        ("Brand", "Acme"), ("Its domains", "acme.com"), ("Category", "running shoes"), ("Competitors", "Brook = brook.example"),
    ):  # fmt: skip
        tab.page.get_by_label(label, exact=True).fill(text)
    click(tab, "button", "Make the project")
    said(tab, "nothing is measured yet")
    for path in (
        "queries",
        "answers",
        "sources",
        "gaps",
        "todo",
        "movement",
        "cycles",
        "experiments",
        "exports",
        "cycles/new",
    ):
        tab.open(f"/p/acme/{path}")
        look(tab, f"2-empty-{path.replace('/', '-')}")
    tab.open("/p/acme/")
    look(tab, "2-empty-overview")


def add_documents(tab, folder):
    click(tab, "link", "add documents")
    said(tab, "will stand here")
    look(tab, "3-empty-documents")
    files = [path for maker in ("Acme", "Brook") for path in write_pages(folder, maker).glob("*.md")]
    tab.page.get_by_label("Files").set_input_files(files[:4])
    click(tab, "button", "Add the documents")
    said(tab, "4 documents added")
    # The other maker's files have the same names: one folder at a time would replace them, so they get names of their own.
    tab.page.get_by_label("Files").set_input_files(
        [{"name": f"brook-{path.name}", "mimeType": "text/markdown", "buffer": path.read_bytes()} for path in files[4:]]
    )
    click(tab, "button", "Add the documents")
    said(tab, "answers from 8 documents")
    look(tab, "3-documents")


def write_questions(tab):
    click(tab, "link", "Overview")
    click(tab, "link", "Write the questions")
    look(tab, "4-no-questions")
    tab.page.get_by_label("Questions", exact=True).fill("7")
    click(tab, "button", "Add a starter set")
    said(tab, "7 queries in the draft")
    question = tab.page.get_by_label(re.compile("^Question, row 1$"))
    question.fill("best trail running shoes")
    click(tab, "button", "Save")
    said(tab, "7 queries saved")
    assert question.input_value() == "best trail running shoes"
    look(tab, "4-draft")
    click(tab, "button", "Lock as version 1")
    said(tab, "Version 1 is locked")
    look(tab, "4-locked")


def poll(tab):
    click(tab, "link", "Overview")
    click(tab, "link", "Start the first cycle")
    said(tab, "To ask now: 21 of 21 runs")
    look(tab, "5-new-cycle")
    click(tab, "button", re.compile("^Start "))
    said(tab, re.compile("It begins in a moment|of 21 runs recorded"))
    tab.keep("5-progress")
    tab.page.get_by_role("link", name="Its numbers").wait_for(timeout=60_000)
    look(tab, "5-done")
    click(tab, "link", "Its numbers")


def follow_a_number(tab):
    said(tab, re.compile("is cited as a source in"))
    said(tab, "simulated")
    look(tab, "6-first-result")
    tab.page.locator("main svg a").first.click()
    said(tab, re.compile("answers? "))
    look(tab, "7-answers")
    tab.page.locator("table.answers tbody a").first.click()
    said(tab, "simulated")
    assert tab.page.locator("main .cited, main sup, main [id^=cite]").count()
    look(tab, "8-answer")
    click(tab, "link", re.compile("[Pp]ayload"))
    said(tab, "local:bm25")
    look(tab, "9-payload")


def take_the_report(tab, folder):
    click(tab, "link", "Overview")
    tab.page.locator("details.further summary").click()
    click(tab, "link", "Exports")
    with tab.page.expect_download() as coming:
        click(tab, "button", "Get the report")
    report = folder / "report.html"
    coming.value.save_as(report)
    tab.page.goto(report.as_uri())
    assert "Acme" in tab.page.locator("h1").first.inner_text()
    assert tab.wrong == []
