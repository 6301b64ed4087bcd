import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citepoll.urls import DEEPEST, Canonical, Problem, canonical, is_tracking, registrable

CANONICAL = [
    ("https://Example.COM", "https://example.com/"),
    ("HTTPS://example.com:443/a", "https://example.com/a"),
    ("http://example.com:80/a", "http://example.com/a"),
    ("https://example.com:8443/a", "https://example.com:8443/a"),
    ("https://example.com/a/", "https://example.com/a/"),
    ("https://example.com/a", "https://example.com/a"),
    ("https://example.com//a//b", "https://example.com//a//b"),
    ("https://example.com/a/../b/./c", "https://example.com/b/c"),
    ("https://example.com/a#part", "https://example.com/a"),
    ("https://example.com/a#:~:text=some%20words", "https://example.com/a"),
    ("https://example.com/%7euser/%e2%82%ac", "https://example.com/~user/%E2%82%AC"),
    ("https://example.com/50%-off", "https://example.com/50%25-off"),
    ("https://example.com/%2%65", "https://example.com/%252e"),
    ("https://example.com/a b", "https://example.com/a%20b"),
    ("https://example.com/?", "https://example.com/"),
    ("https://example.com/?b=2&a=1", "https://example.com/?b=2&a=1"),
    ("https://example.com/?utm_source=openai", "https://example.com/"),
    ("https://example.com/?a=1&UTM_Medium=x&b=2&gclid=3", "https://example.com/?a=1&b=2"),
    ("https://example.com/?ref=menu", "https://example.com/?ref=menu"),
    ("https://example.com/?%75tm_source=x&a=%7e", "https://example.com/?a=~"),
    ("https://user:secret@example.com/a", "https://example.com/a"),
    ("https://example.com./a", "https://example.com/a"),
    (" \thttps://example.com/a\n", "https://example.com/a"),
    ("https://exam\nple.com/a", "https://example.com/a"),
    ("https:example.com/a", "https://example.com/a"),
    ("https:\\\\example.com\\a", "https://example.com/a"),
    ("example.com/a", "https://example.com/a"),
    ("example.com:8080/a", "https://example.com:8080/a"),
    ("//example.com/a", "https://example.com/a"),
    ("www.example.co.uk", "https://www.example.co.uk/"),
    ("example.com/@user", "https://example.com/@user"),
    ("ex.com\\@evil.com", "https://ex.com/@evil.com"),
    ("https://ex.com\\@evil.com", "https://ex.com/@evil.com"),
    ("https://ex.com@evil.com/", "https://evil.com/"),
    ("https://fass.de/", "https://fass.de/"),
    ("https://faß.de/", "https://xn--fa-hia.de/"),
    ("https://例え.jp/あ", "https://xn--r8jz45g.jp/%E3%81%82"),
    ("https://ｅｘａｍｐｌｅ.com/", "https://example.com/"),
    ("http://0x7f.1/", "http://127.0.0.1/"),
    ("http://[::1]:80/", "http://[::1]/"),
    ("192.0.2.7/a", "https://192.0.2.7/a"),
    ("https://example.com/\ud800", "https://example.com/%EF%BF%BD"),
]


@pytest.mark.parametrize(("raw", "url"), CANONICAL)
def test_canonical_form(raw, url):
    found = canonical(raw)
    assert isinstance(found, Canonical)
    assert found.url == url
    assert found.unwrapped is None


NO_URL = [
    "", " ", "\x00", "N/A", "Wikipedia", "none", "0x7f.1", "3.14", "...", "https://", "http:///", "//", "/path/only",
    "a name with spaces", "example.com is a site", "Url is copyrighted, unable to provide it", "reports.quarterly2024",
    "javascript:alert(1)", "java\nscript:alert(1)", "data:text/html,<b>", "mailto:a@example.com", "a@example.com",
    "user:pw@example.com", "ftp://example.com/a", "view-source:https://example.com", "tel:123", "blob:https://example.com/x",
    "https://exa mple.com/", "https://1.2.3.4.5/", "https://example..com/", "https://.example.com/", "https://a.com:99999/",
    "https://ex%00ample.com/", "\ud800", "#part", "?q=1",
]  # fmt: skip


@pytest.mark.parametrize("raw", NO_URL)
def test_what_is_no_url_has_a_problem_in_words(raw):
    found = canonical(raw)
    assert isinstance(found, Problem)
    assert found.reason


DOMAINS = [
    ("https://docs.example.co.uk/", "example.co.uk", "example.co.uk"),
    ("https://acme.github.io/x", "acme.github.io", "github.io"),
    ("https://github.io/", "github.io", "github.io"),
    ("https://some.blog.blogspot.com/", "blog.blogspot.com", "blogspot.com"),
    ("https://co.uk/", "co.uk", "co.uk"),
    ("https://localhost:8000/", "localhost", "localhost"),
    ("https://a.b.intranet/", "b.intranet", "b.intranet"),
    ("http://127.0.0.1/", "127.0.0.1", "127.0.0.1"),
    ("http://[2001:db8::1]/", "[2001:db8::1]", "[2001:db8::1]"),
]


@pytest.mark.parametrize(("raw", "domain", "domain_icann"), DOMAINS)
def test_registrable_domain_with_and_without_the_private_section(raw, domain, domain_icann):
    found = canonical(raw)
    assert isinstance(found, Canonical)
    assert (found.domain, found.domain_icann) == (domain, domain_icann)
    assert registrable(found.host, private=False) == domain_icann


BING = "a1" + base64.urlsafe_b64encode(b"https://acme.com/a?b=1").decode().rstrip("=")
WRAPPED = [
    ("https://www.google.com/url?sa=t&q=https%3A%2F%2Facme.com%2Fa%3Fb%3D1%26utm_source%3Dx&ved=2", "google", "https://acme.com/a?b=1"),
    ("https://www.google.de/url?url=https://acme.com/a&ct=ga", "google", "https://acme.com/a"),
    ("https://www-acme-com.cdn.ampproject.org/c/s/www.acme.com/a/amp?x=1", "amp cache", "https://www.acme.com/a/amp?x=1"),
    ("https://acme-com.cdn.ampproject.org/c/acme.com/a", "amp cache", "http://acme.com/a"),
    ("https://www.google.com/amp/s/acme.com/a", "google amp", "https://acme.com/a"),
    ("https://l.facebook.com/l.php?u=https%3A%2F%2Facme.com%2F&h=AT0", "facebook", "https://acme.com/"),
    ("https://duckduckgo.com/l/?uddg=https%3A%2F%2Facme.com%2F&rut=1", "duckduckgo", "https://acme.com/"),
    (f"https://www.bing.com/ck/a?!&&p=1&u={BING}&ntb=1", "bing", "https://acme.com/a?b=1"),
    ("https://my--acme-com.translate.goog/a?_x_tr_sl=de&y=1", "google translate", "https://my-acme.com/a?y=1"),
    (
        "https://www.google.com/url?q=https://l.facebook.com/l.php?u%3Dhttps%253A%252F%252Facme.com%252F",
        "google, facebook",
        "https://acme.com/",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "wrapper", "url"), WRAPPED)
def test_wrappers_are_opened_offline(raw, wrapper, url):
    found = canonical(raw)
    assert isinstance(found, Canonical)
    assert (found.url, found.unwrapped) == (url, wrapper)


@pytest.mark.parametrize(
    "raw",
    [
        "https://www.google.com/url?q=/search",
        "https://www.google.com/url?q=javascript:alert(1)",
        "https://www.google.com/search?q=https://acme.com/",
        "https://www.bing.com/ck/a?u=a1%%%",
        "https://www.bing.com/ck/a?u=a1_-_-",
        "https://notgoogle.com/url?q=https://acme.com/",
        "https://acme.com/a/amp",
    ],
)
def test_what_wraps_no_web_address_stays_as_it_is(raw):
    found = canonical(raw)
    assert isinstance(found, Canonical)
    assert found.unwrapped is None
    assert "acme.com/" not in found.host


def test_wrappers_within_wrappers_are_bounded():
    url = "https://acme.com/"
    for _ in range(DEEPEST + 1):
        url = "https://www.google.com/url?q=" + url.replace("%", "%25").replace("&", "%26")
    assert isinstance(canonical(url), Problem)


def test_opaque_redirects_are_unresolved():
    found = canonical("https://vertexaisearch.cloud.google.com/grounding-api-redirect/AUZIYQ")
    assert isinstance(found, Canonical)
    assert found.unresolved
    other = canonical("https://vertexaisearch.cloud.google.com/")
    assert isinstance(other, Canonical)
    assert not other.unresolved


def test_tracking_parameters_by_name():
    assert is_tracking("utm_anything")
    assert is_tracking("GCLID")
    assert not is_tracking("id")


PIECES = st.sampled_from([
    "http://", "https://", "//", "/", "\\", "@", ":", "?", "#", "%", "%2", "%65", "%7e", "%2e", "..", ".", "&", "=", ";", " ",
    "\t", "\n", "'", '"', "|", "^", "[", "]", "1", "0x7f", "[::1]", "example.com", "co.uk", "localhost", ":80", ":8080",
    "faß.de", "。", "é", "アクメ", "\ud800", "xn--", "javascript:", "utm_source=x", "q=", "url=", "u=", "a1",
    "www.google.com/url?q=", "https%3A%2F%2F", "cdn.ampproject.org/c/s/", "a-b.translate.goog/",
    "bing.com/ck/a?u=a1aHR0cHM6Ly9hLmNvbS8",
])  # fmt: skip


@given(st.lists(st.one_of(PIECES, st.text(max_size=4)), max_size=10).map("".join))
def test_canonical_is_its_own_canonical_form(raw):
    found = canonical(raw)
    if isinstance(found, Canonical):
        again = canonical(found.url)
        assert isinstance(again, Canonical)
        assert (again.url, again.host, again.domain, again.domain_icann) == (
            found.url,
            found.host,
            found.domain,
            found.domain_icann,
        )


@given(st.text(st.characters(), max_size=80))
def test_no_text_breaks_it(raw):
    assert isinstance(canonical(raw), Canonical | Problem)


def test_a_long_text_is_read_and_not_kept():
    assert isinstance(canonical("https://example.com/" + "a" * 100_000), Canonical)
    assert isinstance(canonical("data:" + "a" * 1_000_000), Problem)
