from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citepoll.errors import ProjectError
from citepoll.extract.columns import ANSWERS, CITATIONS, HITS, Columns
from citepoll.extract.observe import Observer
from citepoll.model import Alias, Answer, Brand, Citation, Hit, Property, Source

ACME = Brand("Acme", (Alias("Acme"),), (Property("acme.com"), Property("github.com/acme")), tracked=True)
GLOBEX = Brand("Globex", (Alias("Globex"), Alias("Glo", needs=("tool",))), (Property("globex.com"),))
OBSERVER = Observer([ACME, GLOBEX])
DAY = date(2026, 11, 3)
REDIRECT = "https://vertexaisearch.cloud.google.com/grounding-api-redirect/x"


def observe(text="", *cited, sources=(), spans=False):
    citations = tuple(c if isinstance(c, Citation) else Citation(c, n) for n, c in enumerate(cited, 1))
    return OBSERVER.observe(Answer("answered", text, citations, tuple(sources), spans=spans), "", DAY)


def test_citations_are_resolved_and_the_raw_url_is_kept():
    seen = observe("", "https://Docs.acme.com/a?utm_source=openai#x", "not a url", "https://other.com/")
    first, second, third = seen.citations
    assert (first.raw, first.url) == ("https://Docs.acme.com/a?utm_source=openai#x", "https://docs.acme.com/a")
    assert (first.domain, first.brand, first.rule, first.problem) == ("acme.com", "Acme", "acme.com", None)
    assert (second.url, second.domain, second.brand) == (None, None, None)
    assert second.problem
    assert third.brand is None
    assert seen.slots == 2


def test_hits_count_slots_and_the_first_citation():
    seen = observe("", "junk", "https://acme.com/a", "https://acme.com/a", "https://globex.com")
    assert seen.hits == (Hit("Acme", slots=2, first=True), Hit("Globex", slots=1))


def test_retrieved_pages_count_for_nothing():
    retrieved = Citation("https://acme.com/", 1, "retrieved")
    seen = observe("", retrieved, sources=[Source("https://acme.com/b", 1, "listed")])
    assert seen.hits == ()
    assert seen.slots == 0
    assert [c.level for c in seen.citations] == ["retrieved", "retrieved"]


def test_mentions_denials_and_ambiguous_names():
    seen = observe("I have no information about Acme. Glo and Globex.")
    assert seen.hits == (Hit("Acme", denied=1), Hit("Globex", mentions=1, ambiguous=1, order=1))


def test_nothing_seen():
    assert observe("Nobody is named.").hits == ()


EARNED = [
    ("Acme leads [1].", "https://news.com/a", True),
    ("Acme leads [1].", "https://globex.com/a", True),
    ("Acme leads [1].", "https://acme.com/a", False),
    ("Acme leads [1].", "no url", False),
    ("Somebody leads [1]. Acme follows.", "https://news.com/a", False),
    ("I found no information about Acme [1].", "https://news.com/a", False),
]


@pytest.mark.parametrize(("text", "url", "earned"), EARNED)
def test_earned_is_a_third_partys_citation_beside_the_name(text, url, earned):
    at = text.index("[1]")
    seen = observe(text, Citation(url, 1, "marker", start=at, end=at + 3), spans=True)
    assert [h.earned for h in seen.hits if h.brand == "Acme"] == [earned]
    without = observe(text, Citation(url, 1))
    assert [h.earned for h in without.hits if h.brand == "Acme"] == [None]


@pytest.mark.parametrize(
    ("title", "domain", "brand"),
    [
        ("acme.com", "acme.com", "Acme"),
        ("Acme, the best tool", None, None),
        (None, None, None),
        ("acme.com/pricing", None, None),
    ],
)
def test_an_unresolved_redirect_has_the_domain_that_its_title_names(title, domain, brand):
    (cited,) = observe("", Citation(REDIRECT, 1, title=title)).citations
    assert (cited.url, cited.domain, cited.brand) == (REDIRECT, domain, brand)
    assert cited.problem


@pytest.mark.parametrize(
    ("page", "url", "brand", "unwrapped"),
    [
        ("https://acme.com/forks?utm_source=x#top", "https://acme.com/forks", "Acme", "vertexaisearch.cloud.google.com"),
        ("https://www.google.com/url?q=https://acme.com/a", "https://acme.com/a", "Acme",
         "vertexaisearch.cloud.google.com, google"),
        ("https://news.com/acme.com", "https://news.com/acme.com", None, "vertexaisearch.cloud.google.com"),
    ],
)  # fmt: skip
def test_a_resolved_redirect_counts_as_the_page_that_it_leads_to(page, url, brand, unwrapped):
    answer = Answer("answered", "", (Citation(REDIRECT, 1, title="acme.com"),))
    (cited,) = Observer([ACME], {REDIRECT: page}).observe(answer).citations
    assert (cited.raw, cited.url, cited.brand, cited.unwrapped) == (REDIRECT, url, brand, unwrapped)
    assert cited.problem is None


@pytest.mark.parametrize("page", [None, "", "no page", REDIRECT, f"{REDIRECT}y"])
def test_a_redirect_that_leads_to_no_page_stays_one(page):
    answer = Answer("answered", "", (Citation(REDIRECT, 1, title="acme.com"),))
    (cited,) = Observer([ACME], {REDIRECT: page}).observe(answer).citations
    assert (cited.url, cited.domain, cited.brand) == (REDIRECT, "acme.com", "Acme")
    assert cited.problem


def test_a_redirect_of_an_engine_of_others_is_unresolved_until_it_is_known():
    raw = "https://hides.example/r/1"
    answer = Answer("answered", "", (Citation(raw, 1),))
    (cited,) = Observer([ACME], {raw: None}).observe(answer).citations
    assert (cited.url, cited.domain, bool(cited.problem)) == (raw, None, True)


def test_owners_are_those_of_the_day():
    old = Brand("Old", owns=(Property("tool.com", valid_to=date(2026, 1, 1)),))
    new = Brand("New", owns=(Property("tool.com", valid_from=date(2026, 1, 2)),))
    answer = Answer("answered", "", (Citation("https://tool.com", 1),))
    observer = Observer([old, new])
    assert observer.observe(answer, "", date(2025, 1, 1)).hits[0].brand == "Old"
    assert observer.observe(answer, "", date(2027, 1, 1)).hits[0].brand == "New"
    assert observer.observe(answer).hits[0].brand == "New"


def test_a_shared_property_is_a_project_error():
    with pytest.raises(ProjectError):
        Observer([ACME, Brand("Other", owns=(Property("www.acme.com"),))])


@given(
    st.text(st.characters(), max_size=60), st.text(st.characters(), max_size=60), st.integers(0, 70), st.integers(0, 70)
)
def test_no_answer_breaks_it(text, url, start, end):
    cited = Citation(url, 1, "span", url, start, end)
    seen = OBSERVER.observe(Answer("answered", text, (cited,), (Source(url, 1),), spans=True), text, DAY)
    columns = Columns()
    columns.add(1, "c", "e", "q", 1, "answered", DAY, seen)
    assert columns.frames()["citations"].height == 2


# ---------------------------------------------------------------- the three frames


def test_frames_of_nothing_have_their_columns():
    frames = Columns().frames()
    assert [frame.height for frame in frames.values()] == [0, 0, 0]
    assert [frame.schema for frame in frames.values()] == [ANSWERS, CITATIONS, HITS]


def test_frames():
    columns = Columns()
    seen = observe("Acme", "https://acme.com/a", "junk", REDIRECT, "https://acme.com/b", "https://acme.com/a",
                   sources=[Source("https://new.com/", 1)])  # fmt: skip
    for run_id in (7, 9):
        columns.add(run_id, "c1", "gpt", "q1", run_id, "refused" if run_id == 9 else "answered", None, seen)
    frames = columns.frames()
    assert [frame.schema for frame in frames.values()] == [ANSWERS, CITATIONS, HITS]
    answers, citations, hits = frames["answers"], frames["citations"], frames["hits"]
    assert answers.select("run_id", "valid", "slots", "malformed", "unresolved").rows() == [
        (7, True, 4, 1, 1),
        (9, False, 4, 1, 1),
    ]
    assert citations.filter(run_id=7)["new_url"].to_list() == [True, False, True, True, False, False]
    assert citations.filter(run_id=9)["new_domain"].to_list() == [True, False, False, False, False, False]
    assert citations.filter(run_id=9)["new_brand"].to_list() == [True, False, False, False, False, False]
    assert hits.rows() == [(7, "Acme", 3, True, None, 1, 0, 0, 1), (9, "Acme", 3, True, None, 1, 0, 0, 1)]


_WORDS = st.sampled_from(
    ["Acme", "**Globex**", "Glo", "tool", "no information about", "but", ".", "[1]", "\n- ", "İ", "\u200b"]
)
_URLS = st.sampled_from(["https://acme.com/a", "https://globex.com", "https://news.com", REDIRECT, "junk", ""])
_CITATIONS = st.builds(
    Citation, _URLS, st.integers(1, 3), st.sampled_from(["span", "listed", "retrieved"]),
    st.sampled_from([None, "acme.com", "A page"]), st.integers(0, 9), st.integers(9, 20),
)  # fmt: skip
_ANSWERS = st.builds(
    Answer, st.just("answered"), st.lists(_WORDS, max_size=12).map(" ".join), st.lists(_CITATIONS, max_size=4).map(tuple),
    st.lists(st.builds(Source, _URLS, st.integers(1, 3)), max_size=2).map(tuple), spans=st.booleans(),
)  # fmt: skip


@given(st.lists(_ANSWERS, max_size=4))
def test_a_reading_fills_the_frames_as_its_observation_does(answers):
    read, observed = Columns(), Columns()
    for run_id, answer in enumerate(answers, 1):
        read.add(run_id, "c", "e", "q", 1, answer.status, DAY, OBSERVER.read(answer))
        observed.add(run_id, "c", "e", "q", 1, answer.status, DAY, OBSERVER.observe(answer))
    for name, frame in read.frames().items():
        assert frame.equals(observed.frames()[name])


def test_counts_beyond_a_column_stand_at_its_largest_value():
    seen = OBSERVER.observe(Answer("answered", "Acme " * 70_000, (Citation("https://acme.com", 99_999),)))
    columns = Columns()
    columns.add(1, "c", "e", "q", 1, "answered", None, seen)
    frames = columns.frames()
    assert frames["hits"]["mentions"].item() == 65_535
    assert frames["citations"]["position"].item() == 65_535
