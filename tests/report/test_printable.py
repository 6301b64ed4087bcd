from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citepoll.report.printable import anchor, one_line, printable, web_link


@given(st.text(st.characters(exclude_categories=())))
def test_every_text_becomes_printable(text: str) -> None:
    safe = printable(text)
    safe.encode("utf-8")
    assert printable(safe) == safe
    assert not any(ord(sign) < 32 and sign not in "\t\n" for sign in safe)


@given(st.text(max_size=60), st.integers(2, 20))
def test_one_line_keeps_its_limit(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert "\n" not in line


@pytest.mark.parametrize("url", ["https://acme.example/a?b=c", "HTTP://acme.example/"])
def test_web_addresses_may_be_links(url: str) -> None:
    assert web_link(url) == url


@pytest.mark.parametrize(
    "url",
    [None, "", "javascript:alert(1)", "data:text/html,x", " https://acme.example", "https://a b", "//acme.example",
     "java\nscript:x", "https://acme.example/\u202etxt", 'https://acme.example/"onclick=', "https:\\\\evil.example"],
)  # fmt: skip
def test_nothing_else_is_a_link(url: str | None) -> None:
    assert web_link(url) is None


@given(st.lists(st.text(max_size=12), min_size=2, max_size=2, unique=True))
def test_anchors_are_distinct_and_plain(names: list[str]) -> None:
    made = [anchor("answers", name) for name in names]
    assert made[0] != made[1]
    assert all(sign.isalnum() or sign in "-_" for name in made for sign in name)


def test_a_plain_name_keeps_its_anchor() -> None:
    assert anchor("answers", "atlas") == "answers-atlas"
    assert anchor("cell", "a", "b-c") != anchor("cell", "a-b", "c")
