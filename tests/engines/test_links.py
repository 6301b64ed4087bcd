import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citepoll.engines.links import links, markers

A = "https://a.example/x"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("none", []),
        (f"see {A}.", [(A, A)]),
        (f"see <{A}>, or ({A}) *{A}*", [(A, A)] * 3),
        (f"[Word]({A}) and ![picture]({A})", [(A, f"[Word]({A})")]),
        (f'[a [b] c]( <{A}> "Title" )', [(A, f'[a [b] c]( <{A}> "Title" )')]),
        (f"[[1]]({A})", [(A, f"[[1]]({A})")]),
        (f"[{A}]({A})", [(A, f"[{A}]({A})")]),
        ("([w](https://a.example/b_(c)))", [("https://a.example/b_(c)", "[w](https://a.example/b_(c))")]),
        ("https://a.example/b_(c), yes", [("https://a.example/b_(c)", "https://a.example/b_(c)")]),
        (f"参见{A}，北风。", [(A, A)]),
        ("https://ja.example/wiki/東京は都市", [("https://ja.example/wiki/東京は都市",) * 2]),
        ("https://a.example北风", [("https://a.example",) * 2]),
        (f"`{A}` and\n```\n{A}\n```\n🌱 {A}", [(A, A)]),
        ("[word](/relative) mailto:x@a.example [m](mailto:x@a.example)", []),
        ("HTTPS://A.example/", [("HTTPS://A.example/",) * 2]),
        (f"[ref]: {A}", [(A, A)]),
        ("http:// https://", []),
    ],
)
def test_links_with_the_text_that_they_take(text, found):
    assert [(link.url, text[link.start : link.end]) for link in links(text)] == found


def test_the_title_is_the_text_of_the_link():
    assert [link.title for link in links(f"[ Word ]({A}) [[1]]({A}) {A} []({A})")] == ["Word", "[1]", None, None]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("France.[1][2]", [(1, "[1]"), (2, "[2]")]),
        ("🌱 [1, 12]", [(1, "[1, 12]"), (12, "[1, 12]")]),
        ("[web:3]", [(3, "[web:3]")]),
        ("`a[1]` [2]", [(2, "[2]")]),
        ("[1](https://a.example/) [x] [] [12345] [1.5]", []),
    ],
)
def test_markers_with_their_brackets(text, found):
    assert [(n, text[start:end]) for n, start, end in markers(text)] == found


@given(st.text(alphabet="[]()!<>`~:/ahtps.1,\n 北\"'", max_size=60))
def test_every_link_lies_in_the_text_and_after_the_one_before(text):
    at = 0
    for link in links(text):
        assert at <= link.start < link.end <= len(text)
        assert link.url in text[link.start : link.end]
        at = link.end
    assert all(text[start] == "[" and text[end - 1] == "]" for _, start, end in markers(text))


@pytest.mark.parametrize(
    "piece", ["[", "[a", "[[", "](", "[x](http://", "https://", "(https://a", "`", "```\n", "[1,", "http://a(", "!["]
)
def test_no_text_is_slow(piece):
    text = piece * (100_000 // len(piece))
    began = time.process_time()
    list(links(text)), list(markers(text))
    assert time.process_time() - began < 2
