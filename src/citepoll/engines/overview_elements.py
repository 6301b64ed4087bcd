"""DataForSEO's `ai_overview` item, of a result page or of AI Mode: elements with references, and references for all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from citepoll.engines.blocks import DEEPEST, Passage, Reference, heading, laid_out, row, unused
from citepoll.engines.bodies import mapping, mappings, text
from citepoll.model import Answer

_IMAGE: Final = re.compile(r"[ \t]?!\[[^\]\n]{0,1000}\]\([^)\s]*\)")
_MARK: Final = re.compile(r"[ \t]?\[\[\d{1,3}\]\]\([^)\s]*\)")
_PAID: Final = "ai_overview_paid"


def item(result: Mapping[str, Any]) -> dict[str, Any] | None:
    """The first `ai_overview` of a result, None where it has none."""
    return next((one for one in mappings(result.get("items")) if one.get("type") == "ai_overview"), None)


def answer(
    overview: Mapping[str, Any], cost: float | None, excluded: Callable[[str], bool] = lambda url: False
) -> tuple[Answer, int]:
    """The overview as an answer, and how many pages `excluded` left out.

    References of an element are cited, with the element as their span; those that stand for the whole alone are
    `listed` sources. Where there is no element, `markdown` is the text. Advertisements are passed over; links and
    videos within the text are counted, and are no citations.
    """
    reader = _Reader(excluded)
    passages = [reader.passage(element, DEEPEST) for element in mappings(overview.get("items"))]
    general = reader.references(overview)
    layout = laid_out(passages)
    written = layout.text or plain(text(overview.get("markdown")))
    found = Answer(
        "answered" if written else "empty",
        written,
        layout.citations,
        unused(general, layout.citations),
        usage={"links_in_text": reader.links},
        spans=True,
        cost=cost,
    )
    return found, len(reader.left_out)


def plain(markdown: str) -> str:
    """Markdown without its images and without `[[1]](address)` marks, which repeat the references."""
    return _MARK.sub("", _IMAGE.sub("", markdown)).strip()


class _Reader:
    def __init__(self, excluded: Callable[[str], bool]) -> None:
        self.excluded = excluded
        self.left_out: set[str] = set()
        self.links = 0

    def passage(self, element: Mapping[str, Any], depth: int) -> Passage:
        """An element, or one within it: an expanded one has `components`, a shopping one `items`."""
        if depth == 0 or element.get("type") == _PAID:
            return Passage()
        self.links += len(mappings(element.get("links"))) + bool(text(element.get("url")))
        rows = tuple(_rows(mapping(element.get("table"))))
        inner = (*mappings(element.get("components")), *mappings(element.get("items")))
        parts = rows + tuple(self.passage(part, depth - 1) for part in inner)
        return Passage(_own_text(element, bool(parts)), self.references(element), parts)

    def references(self, holder: Mapping[str, Any]) -> tuple[Reference, ...]:
        found = []
        for entry in mappings(holder.get("references")):
            url = text(entry.get("url")).strip()
            if url and self.excluded(url):
                self.left_out.add(url)
            elif url:
                found.append(Reference(url, text(entry.get("title")) or text(entry.get("source")) or None))
        return tuple(found)


def _own_text(element: Mapping[str, Any], has_parts: bool) -> str:
    """Markdown repeats what the parts say, so it stands in for the text of an element without any."""
    said = text(element.get("text")) or text(element.get("snippet"))
    if not said and not has_parts:
        said = plain(text(element.get("markdown")))
    return heading(text(element.get("title")), said)


def _rows(table: Mapping[str, Any]) -> Iterable[Passage]:
    content = table.get("table_content")
    for line in (table.get("table_header"), *(content if isinstance(content, list) else ())):
        if isinstance(line, list):
            yield Passage(row(text(cell) for cell in line))
