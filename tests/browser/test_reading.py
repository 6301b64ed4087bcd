"""Reading by keyboard, without JavaScript, and where something went wrong."""

import re

import pytest

READING = {
    "": "is cited as a source in", "trends": "Acme by cycle", "queries": "best trail running shoes", "answers": "45 answers",
    "answers/1": "Citations", "sources": "acme.com", "gaps": "Gaps", "todo": "things to do", "movement": "won",
    "cycles": "week-3", "cycles/week-3": "45 of 45 runs", "experiments/1": "Effect", "corpus": "documents",
}  # fmt: skip
FOCUSED = """() => {
  const at = document.activeElement, look = getComputedStyle(at);
  return {text: at.textContent.trim(), name: at.tagName, seen: look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) >= 2,
          field: !!at.closest('td'), nav: !!at.closest('nav')};
}"""


@pytest.fixture(scope="module")
def tab(chromium, server):
    with server.tab(chromium) as tab:
        yield tab


@pytest.fixture(autouse=True)
def quiet(tab):
    tab.wrong.clear()


def stops(tab, most=40):
    """What has the focus after each press of Tab, until a field of the matrix has it."""
    for _ in range(most):
        tab.page.keyboard.press("Tab")
        here = tab.page.evaluate(FOCUSED)
        yield here
        if here["field"]:
            return


def test_tab_leads_from_the_skip_link_over_the_navigation_to_the_fields_of_the_matrix(tab):
    tab.open("/p/acme/queries")
    found = list(stops(tab))
    assert found[0]["text"] == "Skip to content"
    assert "Queries" in [one["text"] for one in found if one["nav"]]
    assert found[-1]["field"]
    assert [one["text"] for one in found if not one["seen"]] == []
    before = found[-1]["text"]
    tab.page.keyboard.press("ArrowDown")
    assert tab.page.evaluate(FOCUSED)["field"]
    tab.page.keyboard.press("Enter")
    tab.page.locator("#panel h2").wait_for()
    tab.page.keyboard.press("Escape")
    assert tab.page.locator("#panel h2").count() == 0
    assert tab.page.evaluate(FOCUSED)["field"], before
    tab.check()


def test_the_skip_link_leads_into_the_page(tab):
    tab.open("/p/acme/answers")
    tab.page.keyboard.press("Tab")
    tab.page.keyboard.press("Enter")
    assert tab.page.evaluate(FOCUSED)["name"] == "MAIN"


@pytest.mark.parametrize("path", ["p/acme/answers/999999", "p/nobody/", "p/acme/?cycle=never"])
def test_what_is_not_there_is_said_with_what_to_do(tab, path):
    assert 400 <= tab.open(f"/{path}").status < 500
    assert tab.page.locator("h1").count() == 1
    tab.check_for_all()
    tab.narrow(360)
    tab.keep(f"failed-{re.sub('[^a-z0-9]+', '-', path)}")


def test_a_cycle_that_could_only_fail_is_not_offered(tab):
    tab.open("/p/bare/cycles/new")
    tab.page.get_by_text("no documents to answer from").wait_for()
    tab.check()
    tab.check_for_all()
    tab.keep("failed-new-cycle")
    tab.page.get_by_role("link", name="Add documents for the local engine").click()
    tab.page.get_by_label("Files").set_input_files(
        {"name": "shoes.md", "mimeType": "text/markdown", "buffer": b"# Shoes"}
    )
    tab.page.get_by_role("button", name="Add the documents").click()
    tab.page.get_by_text("it does not say the URL it is published at").wait_for()
    tab.check_for_all()
    tab.keep("failed-documents")


def test_pages_can_be_read_without_javascript(chromium, server):
    with server.tab(chromium, java_script_enabled=False) as tab:
        for path, text in READING.items():
            assert tab.open(f"/p/acme/{path}").status == 200
            assert text in tab.page.locator("main").inner_text(), path
        tab.open("/p/acme/queries")
        tab.page.locator("table.heat td a").first.click()
        assert tab.page.locator("ul.runs a").count()
