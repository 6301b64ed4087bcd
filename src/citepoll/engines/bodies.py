"""Tolerant reading of vendors' JSON: what is missing or of another kind reads as nothing, never as an exception."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import Any

import msgspec

from citepoll.model import Citation, CitationLevel, Source
from citepoll.urls import Canonical, canonical

Page = tuple[str, str, CitationLevel]
"""URL, title and level of a page that is no citation yet; the title may be ""."""

LAST_POSITION = 2**16 - 1
"""Positions are 16 bits wide in the derived tables; a longer list ends with many at the last one."""

_decode = msgspec.json.Decoder().decode
_LONE = re.compile("[\ud800-\udfff]")
_THOUGHT = re.compile(r"\A\s*<think>.*?</think>\s*", re.DOTALL)


def decode(body: bytes) -> Any:
    """A JSON value from bytes. NaN and infinities read as null, a lone surrogate as U+FFFD, a BOM is passed over.

    Raises `ValueError` (its message says what is wrong) for what is not JSON or not UTF-8.
    """
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        text = body.decode("utf-8-sig")
        return _without_surrogates(json.loads(text, parse_constant=lambda _: None))
    except UnicodeDecodeError as wrong:
        raise ValueError(f"not UTF-8: byte {wrong.start} is 0x{body[wrong.start]:02x}") from None
    except json.JSONDecodeError as wrong:
        raise ValueError(f"not JSON: {wrong.msg} at column {wrong.colno}") from None
    except RecursionError:
        raise ValueError("not usable JSON: nested too deeply") from None
    except ValueError:
        raise ValueError("not usable JSON: a number has too many digits") from None


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return _LONE.sub("�", value)
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value


def mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def mappings(value: Any) -> list[dict[str, Any]]:
    """The objects in a list; an empty list for what is none."""
    return [item for item in values(value) if isinstance(item, dict)]


def values(value: Any) -> list[Any]:
    """The list, an empty one for what is none."""
    return value if isinstance(value, list) else []


def text(value: Any) -> str:
    """`""` for what is no text."""
    return value if isinstance(value, str) else ""


def texts(*values: Any) -> tuple[str, ...]:
    """The texts among the values and in the lists among them: each once, in order, blank ones left out."""
    every = (item for value in values for item in (value if isinstance(value, list) else [value]))
    return tuple(dict.fromkeys(item for item in every if isinstance(item, str) and item.strip()))


def whole(value: Any) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def dollars(value: Any) -> float | None:
    """A sum of money, None for what is no finite number from 0 on."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) and found >= 0 else None


def spoken(content: str) -> str:
    """What the model says to the reader: a leading `<think>…</think>` of models that print their thoughts is left out."""
    return _THOUGHT.sub("", content, count=1)


def span(start: Any, end: Any, length: int) -> tuple[int, int] | None:
    """Offsets that lie inside a text of `length` code points and hold at least one, else None."""
    first, last = whole(start), whole(end)
    return (first, last) if first is not None and last is not None and 0 <= first < last <= length else None


def cite(url: str, level: CitationLevel, title: str | None = None, where: tuple[int, int] | None = None) -> Citation:
    """A citation that waits for its position (`numbered`)."""
    start, end = where or (None, None)
    return Citation(url, 1, level, title or None, start, end)


def numbered(found: Iterable[Citation]) -> tuple[Citation, ...]:
    """The citations with their positions, from 1 in the order given."""
    return tuple(
        Citation(c.url, min(at, LAST_POSITION), c.level, c.title, c.start, c.end) for at, c in enumerate(found, 1)
    )


def in_text_order(found: Iterable[Citation]) -> list[Citation]:
    """The citations as a reader meets them: by the end of their passage, those without one last."""
    return sorted(found, key=lambda c: (c.end is None, c.end or 0))


def uncited(pages: Iterable[Page], citations: Iterable[Citation]) -> tuple[Source, ...]:
    """Sources: each page once, those that are cited left out, `listed` before `retrieved`."""
    cited = {_page(citation.url) for citation in citations}
    kept: dict[str, Source] = {}
    for url, title, level in pages:
        key = _page(url)
        if url and key not in cited and (key not in kept or (level, kept[key].level) == ("listed", "retrieved")):
            kept[key] = Source(url, 1, level, title or None)
    return tuple(
        Source(source.url, min(at, LAST_POSITION), source.level, source.title)
        for at, source in enumerate(kept.values(), 1)
    )


def _page(url: str) -> str:
    found = canonical(url)
    return found.url if isinstance(found, Canonical) else url


def anchored(citations: Iterable[Citation]) -> bool:
    """`Answer.spans`: True where a citation says its passage, and where there is none."""
    found = list(citations)
    return not found or any(c.start is not None for c in found)


class Text:
    """The answer's text, put together from its parts; `add` returns where a part begins, in code points."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0

    def add(self, part: str, *, apart: bool = False) -> int:
        """`apart`: it is no continuation of the part before, so an empty line keeps their sentences apart."""
        if apart and part and self._parts and not self._parts[-1].endswith("\n"):
            self._push("\n\n")
        start = self._length
        self._push(part)
        return start

    def _push(self, part: str) -> None:
        if part:
            self._parts.append(part)
            self._length += len(part)

    def __str__(self) -> str:
        return "".join(self._parts)


def walk(value: Any, *path: str) -> Any:
    """The value at a path of keys through objects, None where the path ends early."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value
