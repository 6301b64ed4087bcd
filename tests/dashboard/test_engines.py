import pytest
from tests.dashboard.conftest import INLINE

from citepoll.service import engine_checks
from citepoll.surfaces.dashboard import engines

PATH = "/p/project/engines"
MORE = """
[[engine]]
id = "openai:responses"
name = "chat <b>"
"""


@pytest.fixture
def keyed(project, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    file = project.root / "citepoll.toml"
    file.write_text(file.read_text("utf-8") + MORE, "utf-8")


def test_the_page_says_whether_a_key_is_set_and_never_the_key(keyed, browser):
    text = browser.get(PATH).text
    assert "OPENAI_API_KEY is set" in text
    assert "sk-very-secret" not in text
    assert "chat &lt;b&gt;" in text
    assert "by the price table of" in text
    assert not INLINE.search(text)


def test_others_come_with_the_lines_that_add_them(project, browser, monkeypatch):
    monkeypatch.delenv("XAI_API_KEY", raising=False)
    text = browser.get(PATH).text
    assert "[[engine]]\nid = &#34;xai:grok&#34;" in text
    assert "XAI_API_KEY is not set" in text


def test_how_the_last_cycle_went_stands_beside_an_engine(project, browser, room, at):
    ledger = room.ledger
    cycle = ledger.create("first", "polled", room.project.engines, "seed", at)
    ledger.set_status(cycle, "closed", at)
    text = browser.get(PATH).text
    assert "first, closed: nothing planned yet" in text
    assert "/p/project/cycles/first" in text


def test_a_check_says_in_words_what_is_wrong(project, browser, desk):
    browser.get(PATH)
    found = browser.post(f"{PATH}/check", {"engine": "narrow"})
    assert "narrow: it has no documents to answer from" in found.text
    assert "<html" in found.text
    part = browser.post(f"{PATH}/check", {"engine": "narrow"}, headers={"HX-Request": "true"})
    assert "<html" not in part.text
    assert "no documents" in part.text
    assert desk.accounts.audit(1)[0].object == "project: narrow"


def test_the_words_of_a_vendor_are_shown_as_text(keyed, browser, monkeypatch):
    wrong = engine_checks.Checked(
        "chat <b>", "openai:responses", False, "wrong_key", "its key is refused", vendor="<script>x"
    )
    monkeypatch.setattr(engines, "check", lambda chosen: (wrong,))
    browser.get(PATH)
    found = browser.post(f"{PATH}/check", {"engine": "chat <b>"})
    assert "&lt;script&gt;x" in found.text


def test_only_engines_of_the_project_are_checked(project, browser):
    browser.get(PATH)
    assert browser.post(f"{PATH}/check", {"engine": "openai:responses"}).status_code == 404
