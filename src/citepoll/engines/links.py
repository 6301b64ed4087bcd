"""Links and [n] markers in an answer's text, with their offsets in code points. Code is passed over, images are no links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_CODE: Final = re.compile(
    r"^ {0,3}```.*?(?:^ {0,3}```|\Z)|^ {0,3}~~~.*?(?:^ {0,3}~~~|\Z)|`[^`\n]+`", re.DOTALL | re.MULTILINE
)
_CJK: Final = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uff66-\uff9f"
_LINK: Final = re.compile(
    # [text](URL "title"), with one level of brackets in the text and in the URL
    r"(?P<image>!?)\[(?P<text>(?:[^\[\]]|\[[^\[\]]{0,200}\]){0,1000})\]"
    r"\(\s{0,3}<?(?P<url>https?://(?:[^\s()<>]|\([^\s()<>]*\))+)>?(?:\s{1,3}[\"'][^\n]{0,300}?[\"'])?\s{0,3}\)"
    # a URL by itself: CJK only right after / = _ - or other CJK that began so, since Chinese and Japanese sentences go
    # on after a URL without a space; brackets only in pairs
    rf"|(?P<bare>https?://(?:[^\s<>\"`()\[\]|{_CJK}\u2018-\u201f\u3000-\u303f\uff00-\uffef]"
    rf"|\([^\s()<>]*\)|(?<=[/=_\-{_CJK}])[{_CJK}])+)",
    re.IGNORECASE,
)
_MARKER: Final = re.compile(r"\[((?:[a-z]+:)?\d{1,4}(?:\s?,\s?(?:[a-z]+:)?\d{1,4}){0,19})\](?!\()")
_NUMBER: Final = re.compile(r"\d+")
_TAIL: Final = ".,;:!?'*_~…"


@dataclass(frozen=True, slots=True)
class Link:
    """A link and where it stands: `start` to `end` hold all of it, brackets and URL included."""

    url: str
    start: int
    end: int
    title: str | None = None


def links(text: str) -> Iterator[Link]:
    """Markdown links and URLs by themselves (http, https), in the order of the text."""
    for match in _LINK.finditer(_without_code(text)):
        if match["bare"]:
            url = match["bare"].rstrip(_TAIL)
            yield Link(url, match.start(), match.start() + len(url))
        elif not match["image"]:
            yield Link(match["url"], match.start(), match.end(), match["text"].strip() or None)


def markers(text: str) -> Iterator[tuple[int, int, int]]:
    """Every [n] as (n, start, end); `[1, 3]` and `[web:2]` are read too, with the offsets of the whole bracket."""
    for mark in _MARKER.finditer(_without_code(text)):
        for number in _NUMBER.findall(mark[1]):
            yield int(number), mark.start(), mark.end()


def _without_code(text: str) -> str:
    """The text with code blanked out, so that every offset stays."""
    return _CODE.sub(lambda code: " " * len(code[0]), text)
