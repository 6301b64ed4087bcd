import sys
import tomllib
from collections import Counter
from importlib import import_module
from importlib.metadata import distribution
from pathlib import Path

import pytest

from citepoll.model import INTENTS
from citepoll.project import read_project
from citepoll.service.corpus import documents

ROOT = Path(__file__).parents[2]
QUERIES = tomllib.loads((ROOT / "demo" / "queries.toml").read_text("utf-8"))["query"]


@pytest.fixture(scope="module")
def demo():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "demo")
        yield import_module("corpus"), import_module("build")
    for name in ("corpus", "build"):
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def built(demo, tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    demo[1].build(folder)
    return folder


def owner(brands, url):
    rest = url.partition("://")[2]
    host, _, path = rest.partition("/")
    for brand in brands:
        for rule in (p.rule.partition("/") for p in brand.owns):
            if (host == rule[0] or host.endswith("." + rule[0])) and f"{path}/".startswith(
                rule[2] + "/" * bool(rule[2])
            ):
                return brand.name
    return None


def test_the_tracked_brand_and_four_competitors_have_three_documents_each(built):
    project = read_project(built)
    held = Counter(owner(project.brands, d.url) for d in documents(built / ".citepoll" / "corpus.db"))
    assert held[project.tracked.name] >= 3
    assert sum(held[brand.name] >= 3 for brand in project.brands[1:]) >= 4
    assert held[None] > 0


def test_two_engines_of_different_settings_are_asked_three_times(built):
    narrow, broad = read_project(built).engines
    assert narrow.settings != broad.settings
    assert (narrow.runs, broad.runs) == (3, 3)
    assert narrow.surface == broad.surface == "simulated"


def test_every_page_is_short_and_says_its_url(built):
    for page in (built / "pages").glob("*.md"):
        _, front, text = page.read_text("utf-8").split("---\n", 2)
        assert front.startswith("url: http")
        assert len(text.partition("\n\n")[2]) <= 2_001


def test_building_again_changes_nothing(demo, built):
    before = documents(built / ".citepoll" / "corpus.db")
    demo[1].build(built)
    assert documents(built / ".citepoll" / "corpus.db") == before


def test_the_questions_cover_the_seven_intents_and_name_no_brand(built):
    names = {alias.text.lower() for brand in read_project(built).brands for alias in brand.aliases}
    assert len({q["text"] for q in QUERIES}) == len(QUERIES) >= 28
    assert {q["intent"] for q in QUERIES} == set(INTENTS)
    assert not [q["text"] for q in QUERIES if names & set(q["text"].lower().replace("?", "").split())]


def test_the_distributions_are_pinned_at_one_version_each(demo):
    pinned = [
        line.partition("==")[0] for line in (ROOT / "requirements" / "run.txt").read_text().splitlines() if "==" in line
    ]
    for name in demo[0].names():
        assert pinned.count(name) == 1, name
        assert distribution(name).version


def test_the_page_url_is_documentation_then_homepage_then_source(demo):
    url = demo[0].page_url
    assert url(distribution("polars").metadata).startswith("https://docs.pola.rs")
    assert url(distribution("trafilatura").metadata).startswith("https://trafilatura.readthedocs.io")
    assert url(distribution("dateparser").metadata) == "https://github.com/scrapinghub/dateparser"


def test_restructured_text_becomes_markdown(demo):
    text = "Title\n=====\n\n|badge| See `docs <https://a.com>`_ and ``x``::\n\n    code\n\n.. note::\n   gone\n\nEnd\n"
    assert demo[0].from_rst(text).split() == ["##", "Title", "See", "docs", "and", "`x`:", "End"]
