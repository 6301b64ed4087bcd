import pytest
from tests.dashboard.conftest import AT, INLINE

from citepoll.service.importing import import_file
from citepoll.service.moving import won_and_lost

PATH = "/p/project/movement"


def test_what_was_won_and_lost_leads_to_the_answers_of_both_cycles(recorded, browser, room):
    found = won_and_lost(room.project, room.ledger, "october", "november", AT)
    text = browser.get(PATH).text
    assert f"{sum(one.what == 'won' for one in found.moved)} citations won" in text
    assert "/p/project/answers?cycle=october&amp;engine=%3Cb%3Eeacon" in text
    assert "/p/project/answers?cycle=november&amp;engine=%3Cb%3Eeacon" in text
    assert "velocity needs 3 cycles or more" in text
    assert not INLINE.search(text)


def test_filters(recorded, browser):
    ours = browser.get(f"{PATH}?owner=Acme&what=won").text
    assert "https://other.com" not in ours
    assert "No citation fits" in browser.get(f"{PATH}?owner=Acme&what=lost").text
    for wrong in ("owner=Nobody", "what=kept", "cycle=never", "page=-1"):
        assert browser.get(f"{PATH}?{wrong}").status_code == 422


def test_a_first_cycle_says_what_will_stand_there(recorded, browser):
    assert "after a second cycle" in browser.get(f"{PATH}?cycle=october").text


@pytest.fixture
def three(recorded, room, row, jsonl):
    def cites(url, runs=(1, 2, 3)):
        return [row(engine="atlas", run=n, citations=[{"url": url}]) for n in runs]

    for cycle, url in (
        ("third", "https://blog.com/new"),
        ("fourth", "https://acme.com/9"),
        ("fifth", "https://acme.com/9"),
    ):
        import_file(room.project, room.ledger, jsonl(*cites(url), name=f"{cycle}.jsonl"), cycle, at=AT)


def test_velocity_and_half_life_stand_over_the_newest_cycles(three, browser):
    text = browser.get(PATH).text
    assert "points (" in text
    assert "Half are gone after 1 cycles" in text
    assert "<svg" in text
    assert "are still cited" in text
