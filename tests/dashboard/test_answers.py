import re
from html import unescape

import pytest

from citepoll.service import answers as service
from citepoll.service.importing import import_file
from citepoll.surfaces.dashboard.answers import wanted
from citepoll.surfaces.dashboard.doors import ANSWER_FILTERS, answer_path, answers_path

INLINE = re.compile(r"<style|\sstyle=|<script(?! src=)|\son\w+=|javascript:", re.IGNORECASE)


def ids(page):
    """The answers that a page lists, in its order."""
    return [int(found) for found in re.findall(r'<th scope="row"[^>]*><a href="/p/project/answers/(\d+)"', page.text)]


@pytest.fixture
def texts(recorded, ledger, row, jsonl, at):
    """A third cycle whose answers can be told apart by what they hold."""
    rows = (
        row(
            answer_text="# Forks\n- **Acme** makes one.\n\n```\nfork --dig\n```\nFoxglove too.",
            citations=[
                {"url": "https://www.acme.com/forks?utm_source=x", "title": "Forks </table><script>"},
                {"url": "https://third.com/"},
                {"url": "javascript:alert(1)"},
            ],
            additional_sources=[{"url": "https://acme.com/read"}],
        ),
        row(run=2, engine="beacon", answer_text="STRASSE", citations=[]),
        row(run=3, query="what is a Spade", status="refused", answer_text="", citations=[], message="I <b>cannot</b>."),
    )
    import_file(recorded, ledger, jsonl(*rows, name="third.jsonl"), "third", at=at)
    return recorded


FOUND = [
    ({}, 3),
    ({"cycle": "october"}, 12),
    ({"cycle": "november", "engine": "<b>eacon"}, 6),
    ({"query": "SPADE"}, 1),
    ({"cites": "Acme"}, 1),
    ({"mentions": "Foxglove"}, 1),
    ({"domain": "third.com"}, 1),
    ({"url": "https://www.acme.com/forks"}, 1),
    ({"status": "refused"}, 1),
    ({"status": "valid"}, 2),
    ({"run": "2"}, 1),
    ({"q": "straße"}, 1),
    ({"q": "fork --dig", "cites": "Acme"}, 1),
    ({"q": "nowhere"}, 0),
    ({"branded": "yes"}, 0),
    ({"branded": "no"}, 3),
    ({"topic": "none"}, 0),
    ({"page": "9999"}, 0),
]
"""Filters of an address, and how many answers there are."""


def test_an_address_says_which_answers(texts, browser):
    for filters, runs in FOUND:
        page = browser.get(answers_path("project", **filters))
        assert (filters, page.status_code, len(ids(page))) == (filters, 200, runs)
        assert not INLINE.search(page.text)


def test_an_id_of_a_question_finds_it_and_is_shown_as_its_words(texts, browser, ledger):
    query = ledger.query_set(ledger.cycle("third")).queries[0]
    page = browser.get(answers_path("project", query=query.id))
    assert len(ids(page)) == 2
    assert f"question: {query.text}" in page.text
    assert "sha256" not in re.search(r"<form class=\"sift\".*?</form>", page.text, re.DOTALL)[0]


REFUSED = [
    ({"cycle": "x"}, "no cycle"),
    ({"cites": "Nobody"}, "no brand"),
    ({"status": "fine"}, "not a status"),
    ({"run": "one"}, "not a number"),
    ({"page": "٣"}, "not a number"),
    ({"branded": "maybe"}, "neither yes nor no"),
    ({"url": "x" * 2001}, "2\u202f000 characters"),
]
"""What an address cannot ask for, and what is said of it."""


def test_what_cannot_be_is_refused_with_its_cause(texts, browser):
    for filters, told in REFUSED:
        page = browser.get(answers_path("project", **filters))
        assert page.status_code == 422
        assert told in page.text


def test_a_list_goes_on_from_page_to_page_and_for_htmx_as_rows(recorded, browser, monkeypatch):
    whole = service.browse
    monkeypatch.setattr("citepoll.surfaces.dashboard.answers.browse", lambda *a, **k: whole(*a, **k, limit=5))
    page = browser.get(answers_path("project"))
    seen = ids(page)
    while more := re.search(r'<a href="([^"]+)" hx-get', page.text):
        page = browser.get(unescape(more[1]), headers={"HX-Request": "true"})
        assert "<html" not in page.text
        seen += ids(page)
    assert len(seen) == 12
    assert seen == sorted(set(seen))


def test_a_search_opens_a_bounded_number_at_once(recorded, browser, monkeypatch):
    monkeypatch.setattr(service, "LOOKED", 5)
    page = browser.get(answers_path("project", q="nowhere"))
    assert "5 answers opened: 0 hold the text." in page.text
    assert 'hx-trigger="load, click"' in page.text
    assert "12 answers of cycle november to look through" in page.text


def test_before_the_first_cycle_a_page_says_what_will_stand_here(project, browser):
    page = browser.get("/p/project/answers")
    assert page.status_code == 200
    assert "Every answer of the engines will stand here" in page.text


def test_each_set_filter_can_be_taken_away(texts, browser):
    page = browser.get(answers_path("project", cites="Acme", engine="atlas", q="acme"))
    links = re.findall(r'<li><a href="([^"]+)">', page.text.split('class="active"')[1].split("</ul>")[0])
    assert [unescape(link) for link in links] == [
        "/p/project/answers?cites=Acme&q=acme",
        "/p/project/answers?engine=atlas&q=acme",
        "/p/project/answers?engine=atlas&cites=Acme",
    ]


def test_doors_refuse_what_no_list_knows():
    with pytest.raises(KeyError):
        answers_path("project", brand="Acme")
    assert answers_path("a", cycle="x & y", run=None) == "/p/a/answers?cycle=x+%26+y"
    assert set(ANSWER_FILTERS) >= {
        "cycle",
        "engine",
        "query",
        "status",
        "cites",
        "mentions",
        "domain",
        "url",
        "q",
        "page",
    }
    assert wanted({}) == service.Wanted()


# ---------------------------------------------------------------- one answer


def test_an_answer_shows_its_text_its_citations_and_why_they_count(texts, browser):
    page = browser.get(answer_path("project", ids(browser.get(answers_path("project")))[0]))
    assert 'class="line heading"' in page.text
    assert 'class="line code"' in page.text
    assert '<mark class="ours" title="Acme named here">Acme</mark>' in page.text
    assert '<mark class="theirs" title="Foxglove named here">' in page.text
    assert "acme.com belongs to Acme" in page.text
    assert "Forks &lt;/table&gt;&lt;script&gt;" in page.text
    assert 'rel="noopener noreferrer nofollow"' in page.text
    assert "recorded" in page.text
    assert 'href="javascript' not in page.text
    assert not re.search(r"<script(?! src=)", page.text)


TABS = [
    ("text", "Citations"),
    ("sources", "Retrieved: 1"),
    ("searches", "The engine did not say what it searched for."),
    ("payload", "fork --dig"),
    ("timing", "1 call, time not known, cost not known."),
]


def test_every_tab_is_an_address(texts, browser):
    first = ids(browser.get(answers_path("project")))[0]
    for tab, told in TABS:
        page = browser.get(answer_path("project", first, tab))
        assert page.status_code == 200
        assert told in page.text
        assert page.text.count('aria-current="page"') == 2


def test_the_payload_is_a_download_byte_for_byte(texts, browser, ledger):
    first = ids(browser.get(answers_path("project")))[0]
    found = browser.get(f"/p/project/answers/{first}/payload")
    assert found.content == ledger.run(first)[1].body
    assert found.headers["content-disposition"] == f'attachment; filename="answer-{first}.json"'
    assert found.headers["content-type"] == "application/octet-stream"


def test_another_status_is_told_in_words_with_what_the_engine_says(texts, browser):
    refused = ids(browser.get(answers_path("project", status="refused")))[0]
    page = browser.get(answer_path("project", refused))
    assert "The model declined to answer. It is not a valid answer: no share counts it." in page.text
    assert "The answer has no text." in page.text
    assert "<b>cannot" not in page.text


@pytest.mark.parametrize(
    "path", ["/p/project/answers/99999", f"/p/project/answers/{2**70}", "/p/project/answers/1?tab=x"]
)
def test_what_is_not_there_is_not_found(texts, browser, path):
    assert browser.get(path).status_code == 404
