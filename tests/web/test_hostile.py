"""Hostile text in everything that is not ours, looked for in everything that is served."""

import re

import pytest

from citepoll.newproject import Start, write_project
from citepoll.service.importing import import_file

from .crawl import Elements, pages

MARK = "\"'><img src=x onerror=alert(1)><script>alert(2)</script></title></svg>{{7*7}}"
LINKS = (
    "javascript:alert(1)", "data:text/html,<script>alert(1)</script>", "vbscript:x", "//evil.example/x",
    f"https://evil.example/{MARK}", 'https://evil.example/" onmouseover="x', "https://evil.example/page",
)  # fmt: skip
TEXTS = ("text/", "application/json", "application/x-ndjson", "image/")


@pytest.fixture
def shelf(tmp_path):
    folder = tmp_path / "shelf"
    for name in ("acme", "other"):
        write_project(folder / name, Start(f"{name}{MARK}", (f"{name}.com",), ((f"Rival{MARK}", "riv.com"),), MARK))
    return folder


@pytest.fixture
def measured(desk, row, jsonl, at):
    """Two cycles in which all that comes from outside is hostile: answers, titles, addresses, questions, names."""
    room = desk.rooms.find("acme")
    for cycle, cited in (("one", "https://acme.com/1"), ("two", "https://riv.com/1")):
        rows = [
            row(
                engine=f"atlas{MARK}", query=f"{query}{MARK}", run=run, answer_text=f"{MARK} https://riv.com/{MARK}",
                model=MARK, search_queries=[MARK], topic=MARK, message=MARK, query_id=MARK,
                status="failed" if run == 4 else None,
                citations=[{"url": url, "title": MARK} for url in (cited, *LINKS)],
                additional_sources=[{"url": url, "title": MARK} for url in LINKS],
            )
            for query in ("best fork", "good hoe") for run in (1, 2, 3, 4)
        ]  # fmt: skip
        import_file(room.project, room.ledger, jsonl(*rows, name="rows.jsonl"), f"{cycle}{MARK}", at=at)
    return room


def test_hostile_text_is_text_on_every_page(people, browser, measured):
    seen = set()
    for url, answer in pages(browser("olga")):
        assert answer.status_code in (200, 422), (url, answer.status_code)
        seen.add(url.partition("?")[0])
        saved = answer.headers.get("content-disposition", "").startswith("attachment")
        if answer.headers["content-type"].startswith("text/html") and not saved:
            check_page(url, Elements(answer.text))
        else:
            assert saved or "/static/" in url, f"{url} is shown as {answer.headers['content-type']}"
    assert len(seen) > 20


def check_page(url, page):
    """What no page may hold, whoever wrote what it shows."""
    assert page.scripted == [], url
    for tag, attributes in page.found:
        assert tag not in ("style", "iframe", "object", "embed", "base", "img", "foreignobject"), (url, tag)
        assert tag != "script" or attributes["src"].startswith("/static/"), url
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "srcdoc")], (url, tag)
    for tag, attributes, link in page.links():
        own = link == "" or re.match(r"[#?]|/(?!/)", link)
        assert own or (tag == "a" and re.match("https?://", link)), (url, tag, link)
        assert own or {"noopener", "noreferrer", "nofollow"} <= set(attributes["rel"].split()), (url, link)


def test_hostile_names_write_no_header(people, token, browser, measured):
    program = browser().client
    header = {"authorization": f"Bearer {token('anna')}"}
    for noun in ("exports/answers?", "exports/measures?", "report?", "answers/1/payload?"):
        cycle = {"cycle": f"two{MARK}"} if noun in ("exports/answers?", "report?") else {}
        answer = program.get(f"/api/v1/{noun}project=acme", params={"project": "acme", **cycle}, headers=header)
        assert answer.status_code == 200, answer.text
        assert re.fullmatch(r'attachment; filename="[a-z0-9.-]+"', answer.headers["content-disposition"])


def test_a_form_that_is_refused_shows_what_was_typed_as_text(people, browser, measured):
    asking = browser("anna")
    asking.get("/")
    forms = {
        "/projects": {"brand": MARK, "domains": "x", "competitors": MARK},
        "/p/acme/cycles/new": {"name": MARK, "over": MARK, "runs": MARK, "stop_at": MARK},
        "/p/acme/experiments": {"change": MARK},
        "/p/acme/alerts/test": {"channel": MARK},
        "/p/acme/engines/check": {"engine": MARK},
        "/p/acme/queries/edit": {"lines": MARK, "version": MARK},
        f"/p/acme/cycles/{MARK.replace('/', '%2F')}": {"what": MARK},
    }
    for path, form in forms.items():
        answer = asking.post(path, form)
        assert 400 <= answer.status_code < 500, (path, answer.status_code)
        check_page(path, Elements(answer.text))
    page = browser()
    page.get("/login")
    check_page("/login", Elements(page.log_in(MARK, next=MARK).text))


def test_the_brand_of_a_new_project_writes_nothing_else_into_its_file(people, browser, desk):
    brand = 'X"\n[[engine]]\nid = "openai:responses"\n#\\'
    asking = browser("anna")
    sent = {"brand": brand, "domains": 'x.com"]\nname="y', "category": '"""\n[alerts]', "competitors": "A'''=b.com"}
    answer = asking.post("/projects", sent)
    assert answer.status_code in (303, 422)
    for room in desk.rooms.all():
        assert [engine.id for engine in room.project.engines] == ["local:bm25"]
