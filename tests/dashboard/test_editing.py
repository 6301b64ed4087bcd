import re
from html import unescape

import pytest

from citepoll.service.drafts import read_draft
from citepoll.service.queries import lock_file, read_file

EDIT = "/p/project/queries/edit"
TWO = '[[query]]\ntext = "best fork"\nref = "q1"\n[[query]]\ntext = "what is a fork"\n'


@pytest.fixture
def drafted(project):
    (project.root / "queries.toml").write_text(TWO, "utf-8")
    return project


def form(page):
    """The editor's fields as a browser would send them back."""
    body = page.text.split('enctype="multipart', 1)[0]
    find = re.findall
    return {
        "version": re.search(r'name="version" value="([^"]+)"', page.text)[1],
        "id": find(r'name="id" value="([^"]*)"', body),
        "number": find(r'name="number" value="([^"]*)"', body),
        "text": [unescape(text) for text in find(r"<textarea name=\"text\"[^>]*>([^<]*)</textarea>", body)],
        "intent": [_chosen(one) for one in find(r'<select name="intent".*?</select>', body)],
        "topic": find(r'name="topic" value="([^"]*)"', body),
        "language": find(r'name="language" value="([^"]*)"', body),
        "market": find(r'name="market" value="([^"]*)"', body),
        "lines": "",
    }


def _chosen(select):
    found = re.search(r'<option value="([^"]+)" selected', select)
    return found[1] if found else ""


def texts(project):
    return [query.text for query in read_file(project).queries]


def test_what_is_shown_is_saved_again_unchanged(drafted, browser):
    before = read_file(drafted).queries
    fields = form(browser.get(EDIT))
    assert browser.post(EDIT, fields).status_code == 303
    assert read_file(drafted).queries == before
    assert "2 queries saved" in browser.get(EDIT).text


def test_rows_are_edited_added_removed_and_pasted(drafted, browser, desk):
    fields = form(browser.get(EDIT))
    fields["text"][0] = "best <b>fork</b>"
    fields["topic"][0] = "forks"
    fields["text"][2], fields["intent"][2], fields["language"][2] = "fork or spade", "versus", "de"
    sent = browser.post(EDIT, fields | {"remove": [fields["id"][1]], "lines": "one\n\n two  words \r\none"})
    assert sent.headers["location"] == EDIT
    queries = read_file(drafted).queries
    assert [query.text for query in queries] == ["best <b>fork</b>", "fork or spade", "one", "two words"]
    assert (queries[0].ref, queries[0].topic) == ("q1", "forks")
    assert (queries[1].intent, queries[1].language, queries[1].market) == ("versus", "de", "US")
    assert desk.accounts.audit(1)[0].what == "queries saved"
    assert "best &lt;b&gt;fork" in browser.get(EDIT).text


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("text", " ", "Row 2: the query has no text."),
        ("intent", "colour", "Row 2: “colour” is not an intent."),
        ("market", "nowhere", "Row 2: “nowhere” is not a market."),
        ("language", "12", "Row 2: “12” is not a language."),
        ("text", "x" * 2001, "Row 2: the question has more than"),
    ],
)
def test_a_row_that_will_not_do_comes_back_with_its_number_and_what_was_typed(drafted, browser, column, value, told):
    fields = form(browser.get(EDIT))
    fields[column][1] = value
    fields["text"][0] = "typed in vain"
    found = browser.post(EDIT, fields)
    assert found.status_code == 422
    assert told in found.text
    assert "typed in vain" in found.text
    assert texts(drafted) == ["best fork", "what is a fork"]


def test_a_file_that_was_changed_meanwhile_is_not_overwritten(drafted, browser):
    fields = form(browser.get(EDIT))
    (drafted.root / "queries.toml").write_text('[[query]]\ntext = "by hand"\n', "utf-8")
    fields["text"][0] = "typed in vain"
    found = browser.post(EDIT, fields)
    assert found.status_code == 409
    assert "The query file was changed meanwhile." in found.text
    assert "typed in vain" in found.text
    assert browser.post(EDIT, form(found)).status_code == 409  # and again, since what was seen is still the old file
    assert browser.post("/p/project/queries/lock", {"version": fields["version"]}).status_code == 409
    assert texts(drafted) == ["by hand"]


def test_a_form_that_did_not_arrive_whole_changes_nothing(drafted, browser):
    fields = form(browser.get(EDIT))
    found = browser.post(EDIT, fields | {"topic": fields["topic"][:-1]})
    assert found.status_code == 422
    assert "did not arrive whole" in found.text
    assert texts(drafted) == ["best fork", "what is a fork"]


def test_a_save_is_undone_and_brought_back(drafted, browser):
    fields = form(browser.get(EDIT))
    assert "Undo" not in browser.get(EDIT).text
    browser.post(EDIT, fields | {"lines": "one more"})
    for expected in (TWO, None, TWO):
        page = browser.get(EDIT)
        assert "Undo the last save" in page.text
        assert browser.post("/p/project/queries/undo", {"version": form(page)["version"]}).status_code == 303
        if expected:
            assert (drafted.root / "queries.toml").read_text("utf-8") == expected
        else:
            assert texts(drafted)[-1] == "one more"


def test_undo_leaves_a_file_that_was_edited_by_hand(drafted, browser):
    browser.post(EDIT, form(browser.get(EDIT)) | {"lines": "one more"})
    (drafted.root / "queries.toml").write_text(TWO + "# mine\n", "utf-8")
    page = browser.get(EDIT)
    assert "Undo the last save" not in page.text
    assert browser.post("/p/project/queries/undo", {"version": form(page)["version"]}).status_code == 409


def test_an_undo_of_the_first_save_leaves_no_file(project, browser):
    browser.post(EDIT, form(browser.get(EDIT)) | {"lines": "the first"})
    browser.post("/p/project/queries/undo", {"version": read_draft(project).version})
    assert not (project.root / "queries.toml").exists()
    assert "will stand here" in browser.get(EDIT).text


def test_lint_stands_above_and_leads_to_its_rows(drafted, browser):
    browser.post(EDIT, form(browser.get(EDIT)) | {"lines": "is Acme better than Foxglove"})
    page = browser.get(EDIT).text
    assert "1 query names a brand" in page
    assert "Names Acme, Foxglove: outside the headline." in page
    assert re.search(r'<a href="#finding-\d+">branded</a>', page)


def test_the_draft_is_locked_and_the_versions_differ(drafted, browser, ledger, desk):
    page = browser.get(EDIT)
    assert "No version is locked yet" in page.text
    found = browser.post("/p/project/queries/lock", {"version": form(page)["version"]})
    assert found.headers["location"] == "/p/project/queries/versions"
    assert desk.accounts.audit(1)[0].what == "query set locked"
    assert "There is one version" in browser.get("/p/project/queries/versions").text
    browser.post(EDIT, form(browser.get(EDIT)) | {"lines": "a new one"})
    assert "Against version 1: 1 added" in browser.get(EDIT).text
    browser.post("/p/project/queries/lock", {"version": form(browser.get(EDIT))["version"]})
    page = browser.get("/p/project/queries/versions").text
    assert "From version 1 to version 2" in page
    assert "a new one" in page
    assert len(ledger.versions()) == 2
    assert "no difference" in browser.get("/p/project/queries/versions?old=2&new=draft").text
    assert browser.get("/p/project/queries/versions?old=7&new=1").status_code == 404
    assert browser.get("/p/project/queries/versions?old=x&new=1").status_code == 422


def upload(browser, name, data, **fields):
    page = browser.get(EDIT)
    sent = {"_csrf_token": browser.form, "version": form(page)["version"], "mode": "add"} | fields
    return browser.client.post(
        "/p/project/queries/import", data=sent, files={"file": (name, data)}, follow_redirects=False
    )


def test_files_are_added_or_take_the_place(drafted, browser):
    assert upload(browser, "more.csv", b"prompt,intent\nfork or spade,versus\nbest fork,\n").status_code == 303
    assert texts(drafted) == ["best fork", "what is a fork", "fork or spade"]
    assert upload(browser, "all.jsonl", b'{"text": "alone"}\n', mode="replace").status_code == 303
    assert texts(drafted) == ["alone"]


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("../../etc/passwd", b"text\nx\n", "is not a query file by its name"),
        ("a.csv", b"colour\nred\n", "names no column for the text"),
        ("a.toml", b"[[query", "not TOML"),
        ("a.csv", b"text\n", "holds no query"),
        ("a.csv", b"text\n" + b"x" * 2**20, "more than 1"),
        ("a.csv", b"text\n" + b"\n".join(b"q%d" % n for n in range(2001)), "2\u202f000 can be edited here"),
        ("a.csv", b"text\n\xff\n", "not UTF-8"),
    ],
)
def test_a_file_that_will_not_do_is_refused_with_its_cause(drafted, browser, name, data, told):
    found = upload(browser, name, data)
    assert found.status_code == 422
    assert told in found.text
    assert texts(drafted) == ["best fork", "what is a fork"]


def test_a_starter_set_begins_an_empty_project(project, browser):
    page = browser.get(EDIT)
    assert "Begin with a starter set" in page.text
    fields = {"version": form(page)["version"], "category": "garden forks", "count": "14"}
    assert browser.post("/p/project/queries/starter", fields).status_code == 303
    assert len(texts(project)) == 14
    assert any("garden fork" in text for text in texts(project))


def test_a_file_that_cannot_be_read_is_told_and_can_be_replaced(drafted, browser):
    (drafted.root / "queries.toml").write_text("[[query", "utf-8")
    page = browser.get(EDIT)
    assert page.status_code == 200
    assert "The file is not TOML" in page.text
    assert upload(browser, "all.csv", b"text\nalone\n", mode="replace").status_code == 303
    assert texts(drafted) == ["alone"]


def test_a_large_set_is_edited_a_page_at_a_time(project, browser):
    lines = "\n".join(f"question number {n}" for n in range(1, 151))
    browser.post(EDIT, form(browser.get(EDIT)) | {"lines": lines})
    fields = form(browser.get(f"{EDIT}?sheet=2"))
    assert (fields["number"][0], len(fields["id"])) == ("101", 53)
    fields["text"][0] = "changed"
    assert browser.post(f"{EDIT}?sheet=2", fields).headers["location"] == f"{EDIT}?sheet=2"
    found = texts(project)
    assert (found[99], found[100], found[101], len(found)) == (
        "question number 100",
        "changed",
        "question number 102",
        150,
    )


def test_a_locked_draft_offers_no_lock(drafted, browser, ledger, at):
    lock_file(drafted, ledger, at)
    page = browser.get(EDIT).text
    assert "They are those of version 1, which is locked." in page
    assert "Lock as version" not in page
