"""A file's bytes become a document: HTML, Markdown or text, cut into passages at headings, then at paragraphs."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from importlib import import_module
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import quote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

from citepoll.errors import InputError
from citepoll.hashing import bytes_hash, content_hash
from citepoll.store.corpus import Document, Passage

PASSAGE_LENGTH: Final = 2_000
READER_VERSION: Final = 1
KINDS: Final[Mapping[str, str]] = {
    ".html": "html", ".htm": "html", ".xhtml": "html",
    ".md": "markdown", ".markdown": "markdown",
    ".txt": "text", ".text": "text", ".rst": "text",
}  # fmt: skip
"""File name suffix → how the file is read. Others are no documents."""

# trafilatura logs what it discards; without a handler Python would print that to standard error.
logging.getLogger("trafilatura").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class _Content:
    title: str
    url: str | None
    sections: list[tuple[str, list[str]]]


def kind_of(name: str) -> str | None:
    """How a file of this name is read (`html`, `markdown`, `text`), or None."""
    return KINDS.get(PurePosixPath(name).suffix.lower())


def fingerprint(data: bytes, address: str | None) -> str:
    """Equal where reading the file again would give the same document."""
    return content_hash([READER_VERSION, bytes_hash(data), address])


def address_below(base_url: str, relative: PurePosixPath) -> str:
    """The URL of a file below `base_url`: its relative path, percent-encoded."""
    return base_url.rstrip("/") + "/" + quote(relative.as_posix())


def is_address(url: str) -> bool:
    """Whether `url` is an http or https URL with a host."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and not re.search(r"\s", url)
    except ValueError:
        return False


def read_document(name: str, data: bytes, address: str | None = None, *, fetched: bool = False) -> Document:
    """The document in a file called `name`; `address` is its URL where the file does not say one.

    The file's own word comes first: a canonical link in HTML, `url:` in the front matter of Markdown; but where it was
    `fetched` from `address`, that is its URL, since a stranger's page may claim any. Code blocks and raw HTML in
    Markdown are left out. Passages have at most 2,000 characters. Raises `InputError` for what is not UTF-8 text, holds
    no text, or has no URL.
    """
    content = _READERS[KINDS[PurePosixPath(name).suffix.lower()]](_text(data))
    url = address if fetched else content.url or address
    if url is None:
        raise InputError(
            "it does not say the URL it is published at",
            "Say where it is published (--base-url), or put a canonical link (HTML) or `url:` in the front matter (Markdown).",
        )
    if not is_address(url):
        raise InputError(
            f"its URL {url[:200]!r} is not a web address", "Write it in full, as https://example.com/page."
        )
    passages = tuple(_passages(content.sections))
    if not passages:
        raise InputError("it holds no text", "Pages that are drawn by a script must be saved as a browser shows them.")
    title = content.title or passages[0].heading or PurePosixPath(name).stem
    return Document(url, title, passages, fingerprint(data, address))


def _text(data: bytes) -> str:
    if b"\0" in data:
        raise InputError("it is binary", "Save it as UTF-8 text.")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as wrong:
        raise InputError(f"byte {wrong.start} is not UTF-8", "Save it as UTF-8 text.") from None


# ---------------------------------------------------------------- kinds


def _html(text: str) -> _Content:
    trafilatura = import_module("trafilatura")  # a quarter of a second, and only HTML needs it
    if "<html" not in text.lower():
        text = f"<html><body>{text}</body></html>"  # trafilatura reads no fragments
    tree = trafilatura.load_html(text)
    if tree is None:
        return _Content("", None, [])
    links = tree.iterfind(".//link[@href]")
    canonical = next((e.get("href").strip() for e in links if "canonical" in e.get("rel", "").lower().split()), None)
    body = trafilatura.extract(text, output_format="markdown", include_formatting=True, include_comments=False)
    sections = _sections(body or "") or [("", [trafilatura.html2txt(text)])]
    return _Content(_html_title(trafilatura, tree), canonical or None, sections)


def _html_title(trafilatura: Any, tree: Any) -> str:
    metadata = trafilatura.metadata.extract_metadata(tree)
    return _flat(metadata.title or "") if metadata else ""


_FRONT: Final = re.compile(r"---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FIELD: Final = re.compile(r"^(url|title)[ \t]*:[ \t]*(.*?)[ \t]*$", re.MULTILINE | re.IGNORECASE)


def _markdown(text: str) -> _Content:
    front = _FRONT.match(text)
    fields = {key.lower(): _unquoted(value) for key, value in _FIELD.findall(front[1])} if front else {}
    sections = _sections(text[front.end() :] if front else text)
    first = next((heading for heading, _ in sections if heading), "")
    return _Content(fields.get("title") or first, fields.get("url") or None, sections)


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value


def _plain(text: str) -> _Content:
    paragraphs = re.split(r"\n\s*\n", text)
    first = _flat(next((line for line in text.splitlines() if line.strip()), ""))
    return _Content(first if len(first) <= 100 else "", None, [("", paragraphs)])


_READERS: Final = {"html": _html, "markdown": _markdown, "text": _plain}

# ---------------------------------------------------------------- Markdown without its marks


def _sections(text: str) -> list[tuple[str, list[str]]]:
    sections: list[tuple[str, list[str]]] = [("", [])]
    within = ""
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type in {"heading_open", "tr_open"}:
            within = token.type
            if within == "tr_open":
                sections[-1][1].append("")
        elif token.type in {"heading_close", "tr_close"}:
            within = ""
        elif token.type == "inline":
            _place(sections, within, _inline(token.children or []))
    return [(heading, paragraphs) for heading, paragraphs in sections if any(paragraphs)]


def _place(sections: list[tuple[str, list[str]]], within: str, text: str) -> None:
    if within == "heading_open":
        sections.append((_flat(text), []))
    elif within == "tr_open":
        paragraphs = sections[-1][1]
        paragraphs[-1] = f"{paragraphs[-1]} {text}".strip()
    elif text:
        sections[-1][1].append(text)


def _inline(children: Iterable[Token]) -> str:
    parts = (" " if "break" in c.type else c.content for c in children if c.type not in {"image", "html_inline"})
    return _flat("".join(parts))


def _flat(text: str) -> str:
    return " ".join(unescape(text).split())


# ---------------------------------------------------------------- passages


def _passages(sections: Iterable[tuple[str, list[str]]]) -> Iterator[Passage]:
    for heading, paragraphs in sections:
        held = ""
        for piece in (p for paragraph in paragraphs for p in _pieces(_flat(paragraph))):
            if held and len(held) + 1 + len(piece) > PASSAGE_LENGTH:
                yield Passage(heading, held)
                held = ""
            held = f"{held}\n{piece}" if held else piece
        if held:
            yield Passage(heading, held)


def _pieces(paragraph: str) -> Iterator[str]:
    while len(paragraph) > PASSAGE_LENGTH:
        cut = max(paragraph.rfind(end, 0, PASSAGE_LENGTH) for end in (". ", "! ", "? ", "。"))
        cut = cut if cut > 0 else paragraph.rfind(" ", 0, PASSAGE_LENGTH)
        cut = cut + 1 if cut > 0 else PASSAGE_LENGTH
        yield paragraph[:cut].strip()
        paragraph = paragraph[cut:].strip()
    if paragraph:
        yield paragraph
