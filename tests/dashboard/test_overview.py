import re
from dataclasses import replace
from datetime import timedelta

import pytest
from litestar.testing import TestClient
from tests.dashboard.conftest import AT, INLINE

from citepoll.model import Slice
from citepoll.report.evidence import Doors
from citepoll.service.corpus import add_files
from citepoll.service.measuring import measure
from citepoll.service.overview import SHOWN, overview
from citepoll.service.queries import lock_file
from citepoll.surfaces.dashboard.overview import doors

PATH = "/p/project/"


def answers_links(text):
    return [link.replace("&amp;", "&") for link in re.findall(r'href="(/p/project/answers\?[^"]*)"', text)]


def test_the_numbers_are_those_of_the_read_side(recorded, browser, room):
    text = browser.get(PATH).text
    found = measure(room.project, room.ledger, Slice(), AT)
    share = next(r for r in found.rows if r.dimensions == {"brand": "Acme", "engine": "atlas"})
    assert share.estimate.value == 0.5
    assert "Acme is cited as a source in 50\N{NO-BREAK SPACE}% of answers" in text
    assert "recorded" in text
    assert not INLINE.search(text)
    assert "<b>eacon" not in text


def test_every_mark_and_row_leads_to_its_answers(recorded, browser):
    links = answers_links(browser.get(PATH).text)
    assert "/p/project/answers?cycle=november&engine=atlas&cites=Acme" in links
    assert "/p/project/answers?cycle=november&engine=%3Cb%3Eeacon&cites=Acme" in links
    assert "/p/project/answers?cycle=october&cites=Acme" in links
    assert any("cites=Foxglove" in link for link in links)
    assert all(browser.get(link).status_code == 200 for link in set(links))


def test_filters_change_the_metric_the_target_and_the_cycle(recorded, browser):
    named = browser.get(PATH, params={"metric": "mention_rate", "target": "category"}).text
    assert "Acme, mention rate:" in named
    assert "mentions=Acme" in named
    first = browser.get(PATH, params={"cycle": "october", "compare": "november"}).text
    assert "First cycle: nothing to compare with yet" in first
    assert "The trend will stand here" in first


def test_the_trends_of_all_engines_stand_on_a_page_of_their_own(recorded, browser):
    [link] = re.findall(r'href="(/p/project/trends[^"]*)"', browser.get(PATH).text)
    found = browser.get(link.replace("&amp;", "&"))
    assert found.text.count("<figure>") == 3
    assert "cycle=october&amp;engine=atlas&amp;cites=Acme" in found.text
    assert not INLINE.search(found.text)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"metric": "slots"}, "not a share of a brand"),
        ({"target": "all"}, "not a target"),
        ({"cycle": "x"}, "no cycle"),
    ],
)
def test_what_is_not_known_is_refused_with_what_is(recorded, browser, asked, told):
    found = browser.get(PATH, params=asked)
    assert found.status_code == 422
    assert told in found.text


def test_a_project_without_a_cycle_says_what_comes_first(project, browser, room, at):
    assert "Write the questions" in browser.get(PATH).text
    (project.root / "queries.toml").write_text('[[query]]\ntext = "best garden fork"\n', "utf-8")
    lock_file(room.project, room.ledger, at)
    text = browser.get(PATH).text
    assert "1 query is locked" in text
    assert "/p/project/corpus" in text
    add_files(
        room.project.data / "corpus.db", [("fork.md", b"---\nurl: https://acme.com/fork\n---\n# The fork\n\nA fork.")]
    )
    text = browser.get(PATH).text
    assert "1 query is locked" in text
    assert "/p/project/cycles/new" in text
    room.ledger.create("begun", "polled", room.project.engines, "seed", at, set_hash=room.ledger.current().hash)
    assert "/p/project/cycles/begun" in browser.get(PATH).text


def test_the_health_line_is_never_remembered(recorded, browser, desk):
    (recorded.root / "citepoll.toml").write_text(
        (recorded.root / "citepoll.toml").read_text("utf-8") + '[cadence]\nevery = "weekly"\n', "utf-8"
    )
    told = []
    for day in range(0, 10, 3):
        desk.clock = lambda day=day: AT + timedelta(days=day)
        told.append("<strong>Late:</strong>" in browser.get(PATH).text)
    assert told == [False, False, False, True]


def test_somebody_unknown_reads_nothing(recorded, browser):
    client = TestClient(browser.client.app, base_url="http://127.0.0.1:8321")
    assert client.get(PATH).status_code == 401


def test_an_overview_can_show_every_share_of_a_brand(recorded, room):
    for metric in SHOWN:
        found = overview(room.project, room.ledger, Slice(metrics=(metric,)), AT)
        assert found.data.metric == metric
        assert found.asked.compare == "october"
        assert found.earlier == ("october",)


def test_a_cycle_that_is_not_comparable_is_passed_over(recorded, room):
    asked = Slice(cycles=("november",), compare="november")
    assert overview(room.project, room.ledger, asked, AT).asked == replace(asked, compare="october")


def test_doors_of_a_desk_hold_the_cycle_and_what_counts():
    made = doors("acme", Slice(cycles=("2026/11",)), "A&B")
    assert isinstance(made, Doors)
    assert made.engine("blended") == "/p/acme/answers?cycle=2026%2F11&cites=A%26B"
    assert made.brand("C", "e", "old") == "/p/acme/answers?cycle=old&engine=e&cites=C"
    assert made.cell("q", "e") == "/p/acme/answers?cycle=2026%2F11&engine=e&query=q"
    assert made.domain("c.com") == "/p/acme/answers?cycle=2026%2F11&domain=c.com"
