import pytest

from citepoll.errors import FetchError
from citepoll.fetch.robots import Visitor, permits

RULES = """\ufeff# a comment
User-agent: other
Disallow: /

User-Agent: Citepoll
user-agent: friend   # two names, one group
Disallow: /private
Allow: /private/open
Disallow: /*.pdf$
Disallow: /search?*q=
Disallow:

User-agent: *
Disallow: /
"""


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/", True),
        ("/private", False),
        ("/private/a", False),
        ("/private/open/a", True),
        ("/a/b.pdf", False),
        ("/a/b.pdf?x=1", True),
        ("/search?lang=en&q=1", False),
        ("/search?lang=en", True),
    ],
)
def test_the_longest_rule_of_the_group_that_names_us_decides(path, allowed):
    assert permits(RULES, path) is allowed
    assert not permits(RULES, path, "somebody")


@pytest.mark.parametrize(
    ("rules", "path", "allowed"),
    [
        ("", "/a", True),
        ("<html>no rules</html>", "/a", True),
        ("Disallow: /", "/a", True),  # of nobody
        ("User-agent: *\nDisallow: /a\nAllow: /a", "/a", True),
        ("User-agent: *\nDisallow: /é", "/%C3%A9", False),
        ("User-agent: *\nDisallow: /$", "/", False),
        ("User-agent: *\nDisallow: /$", "/a", True),
        ("User-agent: *\nDisallow: /a*a$", "/a", True),
        ("User-agent: *\nDisallow: /\nUser-agent: citepoll\nAllow: /", "/a", True),
        ("User-agent: citepoll\nDisallow: /a\nUser-agent: citepoll\nDisallow: /b", "/b", False),
    ],
)
def test_rules_as_rfc_9309_has_them(rules, path, allowed):
    assert permits(rules, path) is allowed


def test_a_pattern_of_many_stars_takes_no_time():
    assert permits("User-agent: *\nDisallow: /" + "*a" * 5000 + "$", "/" + "a" * 8000 + "b")


@pytest.fixture
def waits():
    return []


@pytest.fixture
def visitor(guard, waits):
    return Visitor(guard, pause=7, clock=lambda: 0.0, sleep=waits.append)


def test_robots_are_read_once_and_obeyed_with_a_pause_for_the_host(site, visitor, waits):
    site.routes["/robots.txt"] = (200, {}, b"User-agent: *\nDisallow: /no")
    site.routes["/yes"] = (200, {"content-type": "text/html"}, b"<p>words</p>")
    assert visitor.read(f"{site.url}/yes").text == "<p>words</p>"
    with pytest.raises(FetchError, match=r"robots\.txt") as refused:
        visitor.read(f"{site.url}/no?x=1")
    assert refused.value.refused
    assert site.seen == [("GET", "/robots.txt"), ("GET", "/yes")]
    assert waits == [7]


def test_a_redirect_onto_a_forbidden_page_hands_nothing_on(site, visitor):
    site.routes["/robots.txt"] = (200, {}, b"User-agent: citepoll\nDisallow: /no")
    site.redirect("/yes", "/no")
    site.routes["/no"] = (200, {"content-type": "text/html"}, b"<p>words</p>")
    with pytest.raises(FetchError, match=r"robots\.txt"):
        visitor.read(f"{site.url}/yes")


@pytest.mark.parametrize("status", [404, 403])
def test_a_host_without_robots_allows_all(site, visitor, status):
    site.routes["/robots.txt"] = (status, {}, b"User-agent: *\nDisallow: /")
    site.routes["/a"] = (200, {"content-type": "text/html"}, b"words")
    assert visitor.read(f"{site.url}/a").text == "words"


@pytest.mark.parametrize("answer", [(503, {}, b""), (200, {}, b"x" * (2**21 + 1))])
def test_robots_that_cannot_be_read_forbid_all_and_are_not_asked_again(site, visitor, answer):
    site.routes["/robots.txt"] = answer
    for path in ("/a", "/b"):
        with pytest.raises(FetchError, match="cannot be read"):
            visitor.read(f"{site.url}{path}")
    assert site.seen == [("GET", "/robots.txt")]


def test_the_guard_comes_first(visitor):
    with pytest.raises(FetchError, match="private address"):
        visitor.read("http://10.0.0.1/a")
