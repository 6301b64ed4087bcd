from pathlib import PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citepoll.errors import InputError
from citepoll.sampling.local.documents import address_below, fingerprint, is_address, kind_of, read_document
from citepoll.store.corpus import Passage

MARKDOWN = b"""\xef\xbb\xbf---
url: "https://acme.com/guide"
Title: Widget guide
draft: true
---
A word before.\r
\r
# All about *widgets*

A [widget](x.html) does ![picture](p.png)one job. It is **sold** in
boxes &amp; crates.

```python
# no heading
```

## Prices

| item | price |
|------|-------|
| big  | ten   |

- first
- second <b>thing</b>
"""

HTML = """<!doctype html><html><head><title>Widgets | Acme</title><meta charset=utf-8>
<link rel="stylesheet" href="a.css"><link rel="Canonical" href="https://acme.com/widgets"></head><body>
<nav><a href="/">Home</a></nav><main><h1>Widgets</h1>
<p>A widget is a small thing that does one job well, and it is sold in boxes of ten or of twenty.</p>
<h2>Prices</h2><p>A widget costs ten dollars, and shipping is free for every order of more than twenty of them.</p>
<pre><code>x = 1
y = 2
</code></pre></main><script>var secret = 1;</script></body></html>"""


def test_markdown_is_cut_at_headings_and_read_without_its_marks():
    document = read_document("guide.md", MARKDOWN)
    assert (document.url, document.title) == ("https://acme.com/guide", "Widget guide")
    assert document.passages == (
        Passage("", "A word before."),
        Passage("All about widgets", "A widget does one job. It is sold in boxes & crates."),
        Passage("Prices", "item price\nbig ten\nfirst\nsecond thing"),
    )


def test_html_gives_main_text_title_and_canonical_link():
    document = read_document("w.html", HTML.encode(), "https://elsewhere.com/w.html")
    assert document.url == "https://acme.com/widgets"
    assert document.title == "Widgets"
    assert [p.heading for p in document.passages] == ["Widgets", "Prices"]
    every = " ".join(p.body for p in document.passages)
    assert "ten dollars" in every
    assert not any(word in every for word in ("secret", "Home", "x = 1"))


def test_a_short_html_page_is_read_too():
    document = read_document("w.html", b"<p>One widget.</p>", "https://acme.com/w.html")
    assert [p.body for p in document.passages] == ["One widget."]


def test_text_takes_its_first_line_as_title():
    document = read_document("a.txt", b"Widgets\n\nA widget\ncosts ten.\n", "https://acme.com/a.txt")
    assert document.title == "Widgets"
    assert document.passages == (Passage("", "Widgets\nA widget costs ten."),)


def test_a_title_is_found_where_the_file_names_none():
    assert read_document("a.md", b"text\n\n# First", "https://a.com").title == "a"
    assert read_document("a.md", b"text\n\n# First\n\nmore", "https://a.com").title == "First"


@pytest.mark.parametrize(
    ("name", "data", "cause"),
    [
        ("a.md", b"text", "does not say the URL"),
        ("a.md", b"---\nurl: acme.com/x\n---\ntext", "'acme.com/x' is not a web address"),
        ("a.md", b"---\nurl: javascript:alert(1)\n---\ntext", "not a web address"),
        ("a.md", b"---\nurl: https://a.com\n---\n", "no text"),
        ("a.html", b"", "does not say the URL"),
        ("a.txt", b"a\0b", "binary"),
        ("a.txt", "näh".encode("latin-1"), "byte 1 is not UTF-8"),
        ("a.txt", "text".encode("utf-16"), "binary"),
    ],
)
def test_a_file_that_cannot_be_a_document_says_why(name, data, cause):
    with pytest.raises(InputError, match=cause) as caught:
        read_document(name, data)
    assert caught.value.fix


@pytest.mark.parametrize("name", ["a.html", "a.md", "a.txt"])
def test_an_empty_file_holds_no_text(name):
    with pytest.raises(InputError, match="no text"):
        read_document(name, b" \n", "https://acme.com/")


TEXT = st.one_of(st.text(), st.text("#*_[](){}<>|`~=-\\\n \t&;!/ab0.。\"'"))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["a.html", "a.md", "a.txt"]), TEXT)
def test_any_text_is_a_document_or_an_input_error(name, text):
    try:
        document = read_document(name, text.encode("utf-8", "replace"), "https://acme.com/")
    except InputError:
        return
    assert document.passages
    assert all(0 < len(p.body) <= 2_000 for p in document.passages)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(["widget", "price.", "x" * 700, "データ。"]), min_size=1, max_size=2_000))
def test_long_paragraphs_are_cut_and_lose_nothing(words):
    document = read_document("a.txt", " ".join(words).encode(), "https://acme.com/")
    assert all(len(p.body) <= 2_000 for p in document.passages)
    assert "".join(p.body for p in document.passages).replace("\n", "").replace(" ", "") == "".join(words)


def test_kinds_are_told_by_the_name():
    assert [kind_of(n) for n in ("A.HTM", "b.markdown", "c.rst", "d.png", "e")] == [
        "html",
        "markdown",
        "text",
        None,
        None,
    ]


def test_an_address_below_a_base_is_percent_encoded():
    assert (
        address_below("https://acme.com/docs/", PurePosixPath("a b/ü?.md"))
        == "https://acme.com/docs/a%20b/%C3%BC%3F.md"
    )


@pytest.mark.parametrize("url", ["", "acme.com", "ftp://a.com", "https://", "https://[", "https://a b.com", "//a.com"])
def test_what_is_no_web_address(url):
    assert not is_address(url)


def test_a_fingerprint_changes_with_content_and_address():
    prints = {fingerprint(b"a", None), fingerprint(b"b", None), fingerprint(b"a", "https://a.com")}
    assert len(prints) == 3
