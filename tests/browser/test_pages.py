"""Every page at the width of a telephone and of a desk, in light and dark."""

import pytest

from .conftest import WIDTHS

PAGES = {
    "projects": "/", "overview": "/p/acme/", "trends": "/p/acme/trends", "queries": "/p/acme/queries",
    "editor": "/p/acme/queries/edit", "versions": "/p/acme/queries/versions", "answers": "/p/acme/answers",
    "answer": "/p/acme/answers/1", "answer-sources": "/p/acme/answers/1?tab=sources",
    "answer-searches": "/p/acme/answers/1?tab=searches", "answer-payload": "/p/acme/answers/1?tab=payload",
    "answer-timing": "/p/acme/answers/1?tab=timing", "sources": "/p/acme/sources", "source": "/p/acme/sources/acme.com",
    "gaps": "/p/acme/gaps", "todo": "/p/acme/todo", "movement": "/p/acme/movement", "cycles": "/p/acme/cycles",
    "cycle": "/p/acme/cycles/week-3", "new-cycle": "/p/acme/cycles/new", "engines": "/p/acme/engines",
    "documents": "/p/acme/corpus", "experiments": "/p/acme/experiments", "experiment": "/p/acme/experiments/1",
    "new-experiment": "/p/acme/experiments/new", "exports": "/p/acme/exports", "alerts": "/p/acme/alerts",
    "glossary": "/glossary",
}  # fmt: skip


@pytest.fixture(scope="module")
def tab(chromium, server):
    with server.tab(chromium) as tab:
        yield tab


@pytest.fixture(autouse=True)
def quiet(tab):
    """Each test begins without the complaints of the one before."""
    tab.wrong.clear()
    tab.hosts.clear()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_speaks_to_all_and_asks_nobody_else(tab, name):
    for width, checked in zip(WIDTHS, ("dark", "light"), strict=True):
        tab.narrow(width)
        assert tab.open(PAGES[name]).status == 200
        for scheme in ("light", "dark"):
            tab.page.emulate_media(color_scheme=scheme)
            tab.check()
            if scheme == checked:
                tab.check_for_all()
            tab.keep(f"{name}-{width}-{scheme}")
    assert tab.page.locator("h1").count() == 1


def test_every_page_of_the_navigation_is_looked_at(tab):
    tab.open("/p/acme/")
    links = tab.page.locator("header nav a, header details.further a").evaluate_all("all => all.map(a => a.pathname)")
    assert set(links) <= set(PAGES.values())
