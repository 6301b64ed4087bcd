import pytest

from citepoll.errors import FetchError
from citepoll.fetch.pages import read_page


def test_a_page_is_read_after_its_redirects_in_its_charset(site, guard):
    site.redirect("/", "/page")
    site.routes["/page"] = (200, {"content-type": "text/html; charset=iso-8859-1"}, "Größe".encode("latin-1"))
    page = read_page(guard, site.url)
    assert (page.url, page.kind, page.text) == (f"{site.url}/page", "text/html", "Größe")


@pytest.mark.parametrize("charset", ["", "; charset=hex", "; charset=no-such", "; charset=idna"])
def test_a_charset_that_is_none_is_read_as_utf8(site, guard, charset):
    site.routes["/"] = (200, {"content-type": f"text/plain{charset}"}, "Größe\ufffd".encode() + b"\xff")
    assert read_page(guard, site.url).text == "Größe\ufffd\ufffd"


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [(404, "text/html", "HTTP 404"), (200, "image/png", "no page"), (302, "text/html", "302")],
)
def test_what_is_no_page_is_an_error(site, guard, status, kind, words):
    site.routes["/"] = (status, {"content-type": kind}, b"x")
    with pytest.raises(FetchError, match=words):
        read_page(guard, site.url)
