import pytest
from tests.dashboard.conftest import AT, FORKS, INLINE, SPADES

from citepoll.report.todos import chance
from citepoll.service.gaps import find_gaps
from citepoll.service.importing import import_file

PATH = "/p/project/gaps"


@pytest.fixture
def behind(recorded, room, row, jsonl):
    """A cycle in which Foxglove is cited on forks in all runs, Acme in none; on spades it is the other way round."""

    def cites(query, host):
        return [row(query=query, run=n, citations=[{"url": f"https://{host}/{n}"}]) for n in range(1, 7)]

    rows = [*cites(FORKS, "other.com"), *cites(SPADES, "acme.com")]
    import_file(room.project, room.ledger, jsonl(*rows), "december", at=AT)


def test_a_gap_has_its_probability_worth_and_evidence(behind, browser, room):
    text = browser.get(PATH).text
    found = find_gaps(room.project, room.ledger, AT)
    on = found.queries[0]
    assert on.verdict == "confirmed"
    assert "A competitor is ahead on 1 of 2 queries: 1 confirmed, 0 candidates." in text
    assert f'aria-label="probability {chance(on.probability)}"' in text
    assert f"{on.worth:.1f}" in text
    assert "6 of 6, we 0" in text
    assert 'href="https://other.com/1" rel="noopener noreferrer nofollow"' in text
    query = on.query.id.replace(":", "%3A")
    assert f"/p/project/answers?cycle=december&amp;query={query}&amp;status=valid&amp;cites=Foxglove" in text or (
        f"query={query}" in text and "cites=Foxglove" in text
    )
    assert SPADES not in text
    assert not INLINE.search(text)


def test_the_bar_is_filled_from_one_half_to_one(behind, browser):
    text = browser.get(PATH).text
    assert '<rect class="filled" x="1" y="1" width="70' in text or 'width="69' in text
    assert 'class="filled"' not in browser.get(f"{PATH}?verdict=none").text


def test_gaps_stand_by_intent_and_lead_to_their_queries(behind, browser):
    text = browser.get(f"{PATH}?by=intent").text
    assert "To be expected" in text
    assert "intent=best-of" in text
    assert FORKS in browser.get(f"{PATH}?intent=best-of").text


@pytest.mark.parametrize("asked", ["by=month", "engine=x", "verdict=sure", "cycle=never"])
def test_what_cannot_be_is_refused(behind, browser, asked):
    assert browser.get(f"{PATH}?{asked}").status_code == 422


def test_nobody_ahead_is_said(recorded, browser):
    assert "Nobody is ahead of Acme" in browser.get(f"{PATH}?cycle=november").text
