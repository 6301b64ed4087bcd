import re
from importlib.resources import files

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citepoll.errors import InputError, ProjectError
from citepoll.explain.sources import (
    CLASSES,
    Classed,
    SourceTable,
    classify,
    concentration,
    source_table,
    with_classes,
)
from citepoll.urls import canonical

GIVEN = set(CLASSES) - {"owned", "competitor"}


def lines(name):
    return [line.split("\t") for line in files("citepoll.explain").joinpath(name).read_text("utf-8").splitlines()]


def test_the_table_is_in_form():
    header, *rows = lines("source_classes.tsv")
    patterns = [row[0] for row in rows]
    assert header == ["pattern", "class", "reason"]
    assert {len(row) for row in rows} == {3}
    assert patterns == sorted(set(patterns))
    assert {row[1] for row in rows} == GIVEN
    assert all(row[2].strip() == row[2] != "" for row in rows)
    assert len(source_table()) == len(rows) > 900


def test_the_patterns_are_canonical():
    form = re.compile(r"(?!www\.)[a-z0-9-]+(\.[a-z0-9-]+)*\.([a-z0-9-]{2,}(/[^/\sA-Z]+)*|\*)")
    assert [row[0] for row in lines("source_classes.tsv")[1:] if not form.fullmatch(row[0])] == []


def test_the_table_may_be_read_without_a_check():
    rows = lines("source_classes.tsv")[1::20]
    checked, fast = SourceTable(map(tuple, rows), "table"), SourceTable.of_canonical(rows, "table")
    assert len(checked) == len(fast) == len(rows)
    for pattern, name, reason in rows:
        url = canonical(pattern.replace(".*", ".com"))
        assert checked.find(url) == fast.find(url) == Classed(name, reason, "table")
    with pytest.raises(ProjectError, match="has the class 'owned'"):
        SourceTable.of_canonical([["a.com", "owned", ""]], "table")


def test_the_rules_are_in_form():
    header, *rows = lines("source_rules.tsv")
    assert header == ["when", "part", "pattern", "class", "reason"]
    stages = [row[0] for row in rows]
    assert stages == sorted(stages, key=["before", "after", "last"].index)
    assert all(part in ("host", "name", "path") and name in GIVEN and why for _, part, _, name, why in rows)
    assert [re.compile(row[2]).pattern for row in rows][-1] == "."


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("nytimes.com", "earned_media"),
        ("https://www.lemonde.fr/a", "earned_media"),
        ("36kr.com", "earned_media"),
        ("rtings.com", "earned_media"),
        ("https://www.g2.com/products/x", "review_platform"),
        ("tripadvisor.co.uk", "review_platform"),
        ("https://www.gartner.com/reviews/market/x", "review_platform"),
        ("https://old.reddit.com/r/x", "community"),
        ("someone.medium.com", "community"),
        ("acme.blogspot.co.uk", "community"),
        ("youtube.com", "video"),
        ("x.com", "social"),
        ("de.wikipedia.org", "reference"),
        ("https://www.ncbi.nlm.nih.gov/pmc/articles/PMC1", "reference"),
        ("mayoclinic.org", "reference"),
        ("developer.mozilla.org", "reference"),
        ("nih.gov", "government_education"),
        ("hacienda.gob.mx", "government_education"),
        ("ox.ac.uk", "government_education"),
        ("tu-dresden.de", "government_education"),
        ("who.int", "government_education"),
        ("amazon.com.br", "retail_marketplace"),
        ("https://docs.aws.amazon.com/x", "vendor_blog"),
        ("blog.google", "vendor_blog"),
        ("amnesty.org", "other"),
        ("apps.shopify.com", "retail_marketplace"),
        ("idealo.de", "retail_marketplace"),
        ("immowelt.de", "retail_marketplace"),
        ("hyundai-forums.com", "community"),
        ("gelbeseiten.de", "review_platform"),
        ("apollohospitals.com", "reference"),
        ("lufthansa.com", "vendor_blog"),
        ("belastingdienst.nl", "government_education"),
    ],
)
def test_known_sources(place, expected):
    assert classify(place).source_class == expected


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("smalltown-gazette.com", "earned_media"),
        ("gardenforum.net", "community"),
        ("springfielduniversity.com", "government_education"),
        ("somethingpedia.net", "reference"),
        ("https://unheard-of.com/forum/topic-1", "community"),
        ("https://unheard-of.com/wiki/Thing", "reference"),
        ("shop.unheard-of.com", "retail_marketplace"),
        ("kuechenrezepte.at", "earned_media"),
        ("theunheardof.com", "earned_media"),
        ("preisvergleich-anders.de", "retail_marketplace"),
        ("branchenbuch-anders.de", "review_platform"),
        ("lungsanywhere.org", "reference"),
        ("springfieldhospital.com", "reference"),
        ("springfieldcreditunion.org", "vendor_blog"),
        ("unheard-of.ai", "vendor_blog"),
        ("https://unheard-of.net/blog/ten-ways", "vendor_blog"),
        ("https://unheard-of.net/2025/03/ten-ways", "earned_media"),
        ("insa-somewhere.fr", "government_education"),
    ],
)
def test_rules_read_an_unknown_address(place, expected):
    found = classify(place)
    assert (found.source_class, found.ground) == (expected, "rule")


@pytest.mark.parametrize(
    "place",
    ["oxford-postings.com", "unpressed.net", "timesavers.com", "bundleup.com", "manufactum-x.com", "acmecrates.com"],
)
def test_part_of_a_word_is_no_word(place):
    assert classify(place).ground == "fallback"


def test_what_no_rule_knows_says_so():
    assert classify("unheard-of.com").source_class == "vendor_blog"
    assert classify("unheard-of.org").source_class == "other"
    assert classify("unheard-of.com").reason == "no row or rule: most such sites are companies' own"


def test_a_forum_on_a_known_site_is_a_community():
    assert classify("https://community.openai.com/t/1").source_class == "community"
    assert classify("https://www.bleepingcomputer.com/forums/t/1").source_class == "community"
    assert classify("discuss.com").source_class != "community"


def test_owners_come_first_then_overrides():
    overrides = SourceTable([("reddit.com/r/acme", "vendor_blog", "run by Acme"), ("acme.*", "social", "ours")])
    post = "https://www.reddit.com/r/Acme/comments/1"
    assert classify(post, overrides=overrides).reason == "run by Acme"
    assert classify("https://reddit.com/r/acmecorp", overrides=overrides).source_class == "community"
    assert classify("shop.acme.co.uk", overrides=overrides).ground == "override"
    assert classify(post, "Acme", "Acme", overrides).source_class == "owned"
    assert classify(post, "Rival", "Acme", overrides).source_class == "competitor"


def test_the_longest_pattern_wins():
    table = SourceTable(
        [
            ("a.com", "social", "1"),
            ("b.a.com", "video", "2"),
            ("a.com/x", "other", "3"),
            ("a.com/x/y", "community", "4"),
        ]
    )
    reasons = ["a.com/z", "b.a.com/x", "a.com/x", "a.com/X/y/z", "a.com/xy", "c.a.com/x"]
    assert [classify(place, overrides=table).reason for place in reasons] == ["1", "2", "3", "4", "1", "3"]


@pytest.mark.parametrize("pattern", ["two words", "a.com?x=1", "a.*/x", ""])
def test_what_is_no_pattern_is_told(pattern):
    with pytest.raises(ProjectError, match="names no source"):
        SourceTable([(pattern, "social", "")])


def test_bad_classes_and_duplicates_are_told():
    with pytest.raises(ProjectError, match="has the class 'owned'"):
        SourceTable([("a.com", "owned", "")])
    with pytest.raises(ProjectError, match="stands twice"):
        SourceTable([("a.com", "social", ""), ("www.A.com/", "video", "")])


def test_no_address_is_told():
    with pytest.raises(InputError, match="no address"):
        classify("URL unknown, sorry")


@given(st.from_regex(r"([a-z0-9]{1,8}\.){1,3}(com|org|co\.uk|de|gov)(/[a-zA-Z0-9%]{0,6}){0,3}", fullmatch=True))
def test_every_address_has_a_class_that_a_source_can_have(place):
    found = classify(place)
    assert found.source_class in GIVEN
    assert found.reason


def test_a_table_of_citations_keeps_its_rows():
    redirect = "https://vertexaisearch.cloud.google.com/grounding-api-redirect/x"
    citations = pl.DataFrame(
        [
            ("https://acme.com/", "acme.com", "Acme", None),
            (None, None, None, "text with spaces and no scheme"),
            ("https://g2.com/a", "g2.com", None, None),
            (redirect, "reuters.com", None, "an opaque redirect"),
            (redirect, None, None, "an opaque redirect"),
            ("https://g2.com/a", "g2.com", None, None),
        ],
        schema=dict.fromkeys(["url", "domain", "brand", "problem"], pl.String),
        orient="row",
    )
    found = with_classes(citations, "Acme")
    assert found.drop("source_class", "source_reason", "source_ground").equals(citations)
    classes = ["owned", None, "review_platform", "earned_media", "other", "review_platform"]
    assert found["source_class"].to_list() == classes
    assert with_classes(citations.clear(), "Acme").height == 0


def test_concentration_by_hand():
    found = concentration([6, 3, 1, 0])
    assert (found.hhi, found.effective) == (pytest.approx(0.46), pytest.approx(1 / 0.46))
    assert (found.sources, found.slots) == (3, 10)
    assert concentration([]).hhi is None
    assert concentration([0, 0]).effective is None
    with pytest.raises(InputError):
        concentration([1, -1])


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=50), st.integers(1, 9))
def test_concentration_stays_in_its_bounds(counts, scale):
    found = concentration(counts)
    assert 1 / len(counts) - 1e-12 <= found.hhi <= 1
    assert 1 <= found.effective <= len(counts) + 1e-9
    assert concentration([count * scale for count in counts]).hhi == pytest.approx(found.hhi)
