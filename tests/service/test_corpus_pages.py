"""Pages of the web in the corpus, from a site that is a table here; the sockets are tried in tests/fetch."""

import pytest

from citepoll.errors import FetchError, InputError
from citepoll.fetch.pages import Read
from citepoll.service.corpus import MOST_PAGES, Added, add_pages, addresses_in, documents, pages_of, total

HTML = (
    "<html><head><title>{title}</title><link rel=canonical href='https://victim.example/'></head>"
    "<body><article><h1>{title}</h1><p>{words}</p></article></body></html>"
)


class Site(dict):
    """URL → what is read there; a plain text is the body of a page that stands where it was asked for."""

    def read(self, url):
        if url not in self:
            raise FetchError("It gave nothing.", "Try again later.")
        found = self[url]
        return found if isinstance(found, Read) else Read(url, "text/html", found)


@pytest.fixture
def corpus(tmp_path):
    return tmp_path / "corpus.db"


@pytest.fixture
def site():
    fork = HTML.format(title="Forks", words="A garden fork has four tines. " * 20)
    return Site({"https://acme.com/fork": fork})


def test_a_page_stands_under_its_own_address_whatever_it_claims(corpus, site):
    site["https://acme.com/old"] = Read("https://acme.com/new", "text/plain", "Spades\n\nA spade is flat.")
    seen = []
    done = add_pages(corpus, list(site), site, progress=lambda at, of: seen.append((at, of)))
    assert (done.added, done.skipped, seen) == (2, (), [(1, 2), (2, 2)])
    assert {d.url: d.title for d in documents(corpus)} == {
        "https://acme.com/fork": "Forks",
        "https://acme.com/new": "Spades",
    }


def test_reading_again_replaces_what_changed_and_keeps_what_is_gone(corpus, site):
    site["https://acme.com/a"] = Read("https://acme.com/a", "text/plain", "One")
    site["https://acme.com/b"] = Read("https://acme.com/b", "text/plain", "Two")
    add_pages(corpus, list(site), site)
    site["https://acme.com/a"] = Read("https://acme.com/a", "text/plain", "Another")
    del site["https://acme.com/b"]
    again = add_pages(corpus, pages_of(corpus), site)
    assert (again.added, again.replaced, again.unchanged) == (0, 1, 1)
    assert [(s.path, s.reason) for s in again.skipped] == [("https://acme.com/b", "It gave nothing.")]
    assert len(documents(corpus)) == 3


def test_a_page_without_text_is_skipped_with_its_reason(corpus, site):
    site["https://acme.com/empty"] = "<html><body></body></html>"
    done = add_pages(corpus, ["https://acme.com/empty", "https://acme.com/fork", "https://acme.com/fork"], site)
    assert (done.added, [s.reason for s in done.skipped]) == (1, ["it holds no text"])


def test_the_number_of_pages_is_bounded(corpus, site):
    with pytest.raises(InputError, match="501 pages are too many"):
        add_pages(corpus, [f"https://acme.com/{n}" for n in range(MOST_PAGES + 1)], site)


def test_a_list_of_addresses_is_read_from_a_file(tmp_path):
    path = tmp_path / "urls.txt"
    path.write_text("# ours\nhttps://acme.com/a\n\n http://acme.com/b \n", "utf-8-sig")
    assert addresses_in(path) == ("https://acme.com/a", "http://acme.com/b")
    for text, cause in (("acme.com/a\n", "line 1"), ("javascript:alert(1)", "line 1"), ("x" * (2**20 + 1), "too long")):
        path.write_text(text)
        with pytest.raises(InputError, match=cause):
            addresses_in(path)
    with pytest.raises(InputError, match="cannot be read"):
        addresses_in(tmp_path / "none.txt")


def test_several_adds_are_told_as_one():
    assert total([Added(added=1, gone=("a",)), Added(added=2, others=3)]) == Added(added=3, others=3, gone=("a",))
