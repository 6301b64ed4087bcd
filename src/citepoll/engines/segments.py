"""Google's segments: stretches of a text part, counted in bytes of UTF-8, as offsets in code points of the whole text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from citepoll.engines import bodies


@dataclass(frozen=True, slots=True)
class Passages:
    """The answer's text, and its parts: number of the part → where it starts in the text, and its own text."""

    text: str
    parts: Mapping[int, tuple[int, str]]

    def span(self, segment: Mapping[str, Any]) -> tuple[int, int] | None:
        """Where a segment lies, None where it cannot be told. An absent start, and an absent part, are 0.

        The segment repeats its text: where the documented reading does not cut it, bytes of the whole text are tried,
        then its one occurrence.
        """
        number = bodies.whole(segment.get("partIndex")) or 0
        repeated = bodies.text(segment.get("text"))
        documented = code_points(*self.parts.get(number, (0, "")), segment.get("startIndex"), segment.get("endIndex"))
        if documented and repeated in ("", self.text[slice(*documented)]):
            return documented
        if not repeated:
            return None
        overall = code_points(0, self.text, segment.get("startIndex"), segment.get("endIndex"))
        if overall and repeated == self.text[slice(*overall)]:
            return overall
        at = self.text.find(repeated)
        return (at, at + len(repeated)) if at >= 0 and self.text.find(repeated, at + 1) < 0 else None


def code_points(offset: int, part: str, start: Any, end: Any) -> tuple[int, int] | None:
    """Byte offsets in `part`, which begins at `offset`, as code points; None where they cut a character or miss the part."""
    data = part.encode()
    found = bodies.span(0 if start is None else start, end, len(data))
    if found is None:
        return None
    try:
        first = len(data[: found[0]].decode())
        return offset + first, offset + first + len(data[found[0] : found[1]].decode())
    except UnicodeDecodeError:
        return None
