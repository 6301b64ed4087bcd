import re

import pytest
from tests.dashboard.conftest import AT, FORKS, INLINE

from citepoll.model import Slice
from citepoll.report.numbers import words
from citepoll.service.cited import Asked, cited, domain
from citepoll.service.importing import import_file
from citepoll.service.measuring import measure

PATH = "/p/project/sources"


def test_the_shares_are_those_of_the_read_side_and_lead_to_their_answers(recorded, browser, room):
    text = browser.get(PATH).text
    where = "domain = blog.com and engine = atlas"
    asked = Slice(("slot_share",), ("engine", "domain"), where, ("november",), target="fixed_set")
    (row,) = measure(room.project, room.ledger, asked, AT).rows[:1]
    door = "/p/project/answers?cycle=november&amp;engine=atlas&amp;status=valid&amp;domain=blog.com"
    assert f'<a href="{door}">{words(row.estimate)}</a>' in text
    assert 'href="/p/project/sources/blog.com?cycle=november"' in text
    assert "with itself" in text
    assert not INLINE.search(text)
    assert "<b>eacon" not in text


def test_filters_keep_what_fits(recorded, browser):
    owned = browser.get(f"{PATH}?source_class=owned&engine=atlas").text
    assert "1 domain of the kind owned, cited by atlas in cycle november" in owned
    assert "sources/blog.com" not in owned
    assert "No source fits" in browser.get(f"{PATH}?source_class=video").text


@pytest.mark.parametrize("asked", ["engine=nobody", "source_class=nothing", "cycle=never", "page=x"])
def test_what_cannot_be_is_refused_with_the_choice(recorded, browser, asked):
    found = browser.get(f"{PATH}?{asked}")
    assert found.status_code == 422
    assert "Choose one of" in found.text or "cycle" in found.text or "number" in found.text


def test_a_page_that_names_competitors_only_is_found(recorded, browser, room, row, jsonl):
    named = [
        row(run=n, citations=[{"url": "https://review.net/forks"}], answer_text="Foxglove is best.") for n in (1, 2)
    ]
    import_file(room.project, room.ledger, jsonl(*named), "december", at=AT)
    found = cited(room.project, room.ledger, Asked("december", names=True), AT)
    assert {row.dimensions["domain"] for row in found.data.shares.rows} == {"review.net"}
    assert found.naming["review.net"].competitors == ("Foxglove",)
    assert "Foxglove" in browser.get(f"{PATH}?cycle=december&names=yes").text


def test_a_domain_has_its_pages_queries_and_answers(recorded, browser, room):
    found = domain(room.project, room.ledger, "acme.com", AT, cycle="october")
    assert found.answers == 3
    assert [(page.url, page.answers, page.engines) for page in found.pages] == [
        (f"https://acme.com/{n}", 1, ("atlas",)) for n in (1, 2, 3)
    ]
    assert [(on.query.text, on.answers) for on in found.queries] == [(FORKS, 3)]
    text = browser.get(f"{PATH}/acme.com?cycle=october").text
    assert "3 valid answers" in text
    assert re.search(r'href="https://acme.com/1" rel="noopener noreferrer nofollow"', text)
    assert "/p/project/answers?cycle=october&amp;status=valid&amp;domain=acme.com" in text


def test_a_domain_that_nothing_cites_says_so(recorded, browser):
    for name in ("nowhere.example", "a%22b"):
        assert "No valid answer of cycle november cites it." in browser.get(f"{PATH}/{name}").text
    hostile = browser.get(f"{PATH}/%3Cscript%3E")
    assert hostile.status_code == 422
    assert "<script>" not in hostile.text


def test_a_domain_is_a_brands_only_where_all_of_it_is(project, browser, room, row, jsonl):
    both = [{"url": "https://github.com/acme"}, {"url": "https://github.com/others"}]
    import_file(room.project, room.ledger, jsonl(row(citations=both)), "c", at=AT)
    assert "github.com" not in cited(room.project, room.ledger, Asked(), AT).data.owners


def test_before_the_first_cycle_a_sentence_says_what_will_stand_there(project, browser):
    for page in ("sources", "sources/a.com", "gaps", "todo", "movement", "experiments", "experiments/new", "exports"):
        text = browser.get(f"/p/project/{page}").text
        assert "will stand here" in text or "after the first cycle" in text or "first cycle comes first" in text
        assert 'class="button" href="/p/project/"' in text
