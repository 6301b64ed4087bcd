"""`text_blocks` as SerpApi and SearchApi write them: typed blocks that name their references by index.

Block types are not told apart: text, references and inner blocks are looked for under the names that either vendor
documents, at any depth, so a type that is added later is read as far as it keeps to these names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from citepoll.engines.blocks import DEEPEST, Passage, Reference, heading, row
from citepoll.engines.bodies import mapping, text, whole

_TITLES: Final = ("title", "feature")
_TEXTS: Final = ("snippet", "answer", "text", "code")
_PARTS: Final = ("list", "items", "text_blocks")
_LINKS: Final = ("snippet_links", "links")


@dataclass(frozen=True, slots=True)
class TextBlocks:
    """What was read. `references`: all but the excluded ones, in the vendor's order; the rest are counts.

    `unresolved`: indexes that lead to no reference; `excluded`: references that the rule left out, used or not;
    `links`: links within the text, which are no references.
    """

    passages: tuple[Passage, ...]
    references: tuple[Reference, ...]
    unresolved: int
    excluded: int
    links: int

    def counts(self) -> dict[str, object]:
        """What the blocks name and no citation shows, for `Answer.usage`."""
        return {"unresolved_references": self.unresolved, "links_in_text": self.links}


def read(blocks: Any, references: Any, excluded: Callable[[str], bool] = lambda url: False) -> TextBlocks:
    """Blocks and the list that their `reference_indexes` point into: by its `index`, or else by place, from 0.

    `excluded` says of an address whether it is left out. What is of another shape is passed over.
    """
    every = _references(references)
    left_out = {index for index, reference in every.items() if excluded(reference.url)}
    kept = {index: reference for index, reference in every.items() if index not in left_out}
    reader = _Reader(kept, left_out)
    passages = tuple(reader.passage(block, DEEPEST) for block in _items(blocks))
    return TextBlocks(passages, tuple(kept.values()), reader.unresolved, len(left_out), reader.links)


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _references(listed: Any) -> dict[int, Reference]:
    found: dict[int, Reference] = {}
    for place, entry in enumerate(map(mapping, _items(listed))):
        url, index = text(entry.get("link")).strip(), whole(entry.get("index"))
        if url:
            found.setdefault(place if index is None else index, Reference(url, text(entry.get("title")) or None))
    return found


class _Reader:
    def __init__(self, references: dict[int, Reference], left_out: set[int]) -> None:
        self.references = references
        self.left_out = left_out
        self.unresolved = 0
        self.links = 0

    def passage(self, block: Any, depth: int) -> Passage:
        """A block, or a plain string in its place."""
        if isinstance(block, str):
            return Passage(block)
        if not isinstance(block, dict) or depth == 0:
            return Passage()
        self.links += sum(len(_items(block.get(name))) for name in _LINKS)
        return Passage(
            heading(_first(block, _TITLES), _first(block, _TEXTS)),
            self._named(block.get("reference_indexes")),
            tuple(self._parts(block, depth - 1)),
        )

    def _parts(self, block: dict[str, Any], depth: int) -> Iterable[Passage]:
        for name in _PARTS:
            for part in _items(block.get(name)):
                yield self.passage(part, depth)
        yield from self._rows(block, depth)

    def _rows(self, block: dict[str, Any], depth: int) -> Iterable[Passage]:
        """A table (`headers`, and rows in one of three fields) or a comparison (labels, then feature and values)."""
        table = mapping(block.get("table"))
        labels = _items(block.get("product_labels"))
        yield self._row(_items(table.get("headers") or block.get("headers")), depth)
        yield self._row(["", *labels] if labels else [], depth)
        rows = _items(block.get("detailed")) or _items(table.get("rows")) or _items(block.get("table"))
        for line in (*rows, *_items(block.get("comparison"))):
            yield self._row(_cells(line), depth)

    def _row(self, cells: list[Any], depth: int) -> Passage:
        read = [self.passage(cell, depth) for cell in cells]
        return Passage(row(cell.text for cell in read), tuple(r for cell in read for r in cell.references))

    def _named(self, indexes: Any) -> tuple[Reference, ...]:
        found = [whole(index) for index in _items(indexes)]
        self.unresolved += sum(1 for i in found if i not in self.references and i not in self.left_out)
        return tuple(self.references[i] for i in found if i in self.references)


def _cells(line: Any) -> list[Any]:
    if isinstance(line, dict) and isinstance(line.get("values"), list):
        return [_first(line, _TITLES), *line["values"]]
    return line if isinstance(line, list) else [line]


def _first(block: dict[str, Any], names: tuple[str, ...]) -> str:
    return next((block[name] for name in names if isinstance(block.get(name), str)), "")
