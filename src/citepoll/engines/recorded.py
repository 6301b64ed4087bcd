"""Recorded answers: a row of the interchange schema (docs/interchange.md) read as if an engine had sent it.

The row's own engine label is the engine's name in a project; the surface is `recorded`. The body is the row, byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from citepoll.engines.base import Facts, HttpRequest
from citepoll.engines.bodies import decode
from citepoll.errors import EngineError, InputError
from citepoll.model import STATUSES, Answer, Citation, CitationLevel, Query, Source, Status, normal_text

FACTS = Facts(
    id="recorded",
    name="Recorded answers",
    surface="recorded",
    returns_spans=True,
    returns_sources=True,
    returns_queries=True,
    docs="docs/interchange.md",
    verified="recording",
)

SYNONYMS: Mapping[str, Status] = {
    **{status: status for status in STATUSES},
    **dict.fromkeys(("shown", "ok", "success", "succeeded", "complete", "completed", "done", "final"), "answered"),
    **dict.fromkeys(("incomplete", "length", "max_tokens", "cut"), "truncated"),
    **dict.fromkeys(("no_text", "blank"), "empty"),
    **dict.fromkeys(("refusal", "declined"), "refused"),
    **dict.fromkeys(("content_filter", "filtered", "safety", "policy"), "blocked"),
    **dict.fromkeys(("not_shown", "no_answer", "no_overview", "not_triggered", "none"), "absent"),
    **dict.fromkeys(("pending", "in_progress", "queued", "page_token"), "deferred"),
    **dict.fromkeys(("error", "errored", "failure", "exception", "timeout", "timed_out", "rate_limited"), "failed"),
}  # fmt: skip
"""The product's statuses and the words that other tools use for them."""

LEVELS: frozenset[str] = frozenset({"span", "marker", "listed", "retrieved"})

_RUN = re.compile(r"\s*(\d{1,6})(?:\.0*)?\s*", re.ASCII)


def status_of(word: object) -> Status:
    """The product's status for a row's own word; a row without one is `answered`, whatever its text.

    Raises `InputError` for a word that is none of them.
    """
    if word is None or word == "":
        return "answered"
    key = re.sub(r"[\s\-]+", "_", str(word).strip().lower())
    found = SYNONYMS.get(key)
    if found is None:
        raise InputError(
            f"status {str(word)[:60]!r} is unknown",
            f"Use one of {', '.join(STATUSES)} (or a synonym in docs/interchange.md).",
        )
    return found


def request(query: Query, settings: Mapping[str, object]) -> HttpRequest:
    """Recorded answers are not asked: always raises `EngineError`."""
    raise EngineError("Recorded answers cannot be asked.", "Import them with `citepoll import FILE --cycle NAME`.")


def parse(status_code: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """The answer in a recorded row; `status_code` and `headers` are those of no call and are passed over.

    Citations without a level are `listed`; those of level `retrieved` and `additional_sources` become sources. Offsets
    that do not lie inside the text are dropped. `spans` is True where a citation says its passage, and where there is
    no citation at all. A body that is no row is a failed answer that says why.
    """
    plain = _plain(body)
    if plain is not None:
        return plain
    try:
        row = decode(body)
    except ValueError as wrong:
        return Answer("failed", message=str(wrong))
    if not isinstance(row, dict):
        return Answer("failed", message="a recorded answer is a JSON object")
    try:
        status = status_of(row.get("status"))
    except InputError as wrong:
        return Answer("failed", message=wrong.cause)
    text = _text(row, "answer_text") or ""
    every = [_citation(raw, at, len(text)) for at, raw in enumerate(_items(row.get("citations")), 1)]
    citations = tuple(c for c in every if c.level != "retrieved")
    retrieved = [c for c in every if c.level == "retrieved"]
    more = [_citation(raw, at, 0) for at, raw in enumerate(_items(row.get("additional_sources")), 1)]
    return Answer(
        status=status,
        text=text,
        citations=citations,
        sources=tuple(Source(c.url, c.position, "retrieved", c.title) for c in [*retrieved, *more]),
        queries=tuple(q for q in _items(row.get("search_queries")) if isinstance(q, str)),
        model=_text(row, "model") or None,
        message=_text(row, "message"),
        spans=not citations or any(c.start is not None for c in citations),
    )


class _PlainRow(msgspec.Struct):
    answer_text: str = ""
    citations: tuple[Citation, ...] = ()
    status: str | None = None
    model: str | None = None
    message: str | None = None
    additional_sources: None = None
    search_queries: None = None


_decode_plain = msgspec.json.Decoder(_PlainRow).decode


def _plain(body: bytes) -> Answer | None:
    """The answer of a row whose every value is of its documented type, decoded at once; None for all others."""
    try:
        row = _decode_plain(body)
        status = status_of(row.status)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, InputError):
        return None
    length, spans = len(row.answer_text), not row.citations
    for c in row.citations:
        if c.level == "retrieved" or not 0 < c.position < 2**16:
            return None
        if c.start is not None or c.end is not None:
            if c.start is None or c.end is None or not 0 <= c.start <= c.end <= length:
                return None
            spans = True
    return Answer(status, row.answer_text, row.citations, model=row.model or None, message=row.message, spans=spans)


def _text(row: Mapping[str, Any], name: str) -> str | None:
    return row[name] if isinstance(row.get(name), str) else None


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _citation(raw: Any, at: int, length: int) -> Citation:
    if isinstance(raw, str):
        return Citation(raw, at)
    if not isinstance(raw, dict):
        return Citation("", at)
    position, said = raw.get("position"), _text(raw, "level")
    level: CitationLevel = said if said in LEVELS else "listed"  # type: ignore[assignment]
    start, end = _span(raw.get("start"), raw.get("end"), length)
    return Citation(
        _text(raw, "url") or "",
        position if type(position) is int and 0 < position < 2**16 else min(at, 2**16 - 1),
        level,
        _text(raw, "title"),
        start,
        end,
    )


def _span(start: object, end: object, length: int) -> tuple[int | None, int | None]:
    if type(start) is int and type(end) is int and 0 <= start <= end <= length:
        return start, end
    return None, None


# ---------------------------------------------------------------- a row on its way in


class Entry(msgspec.Struct, frozen=True):
    """A checked row: what the ledger needs of it. `run`, `ref` and `asked_at` are None where the row has none."""

    engine: str
    text: str
    status: Status
    run: int | None
    ref: str | None
    language: str | None
    market: str | None
    asked_at: datetime | None
    model: str | None
    simulated: bool


LARGEST_RUN = 2**16 - 1


def entry(row: Any, engine: str | None) -> Entry:
    """Check a row and read its facts. `engine` names the engine of a row that names none.

    Raises `InputError` whose cause is the reason for turning the row away.
    """
    if not isinstance(row, dict):
        raise InputError("the row is not a JSON object")
    _check_types(row)
    text = normal_text(row.get("query") or row.get("prompt") or "")
    if not text:
        raise InputError("`query` is missing or empty")
    label = normal_text(row.get("engine") or engine or "")
    if not label:
        raise InputError("`engine` is missing", "Name it in the row, or for all rows with --engine ID.")
    _check_label(label)
    ref = row.get("query_id")
    return Entry(
        engine=label,
        text=text,
        status=status_of(row.get("status")),
        run=_run_number(row.get("run")),
        ref=None if ref is None else str(ref) or None,
        language=row.get("language"),
        market=row.get("market"),
        asked_at=_moment(row.get("asked_at")),
        model=row.get("model") or None,
        simulated=row.get("surface") == "simulated",
    )


LONGEST_LABEL = 200


def _check_label(label: str) -> None:
    if len(label) > LONGEST_LABEL or not label.isprintable():
        raise InputError(
            f"`engine` is {label[:40]!r}: longer than {LONGEST_LABEL} characters, or with control characters"
        )
    if label.startswith("blended"):
        raise InputError(f"`engine` is {label[:40]!r}: names that begin with blended are those of combined numbers")


_TEXTS = ("engine", "query", "prompt", "answer_text", "language", "market", "model", "status", "surface")


def _check_types(row: Mapping[str, Any]) -> None:
    for name in _TEXTS:
        if row.get(name) is not None and not isinstance(row[name], str):
            raise InputError(f"`{name}` is {_kind(row[name])}, not text")
    for name in ("citations", "additional_sources"):
        _check_links(name, row.get(name))
    if row.get("query_id") is not None and not isinstance(row["query_id"], str | int):
        raise InputError(f"`query_id` is {_kind(row['query_id'])}, not text or a number")


def _check_links(name: str, links: Any) -> None:
    if links is None:
        return
    if not isinstance(links, list):
        raise InputError(f"`{name}` is {_kind(links)}, not a list")
    for at, link in enumerate(links, 1):
        url = link.get("url") if isinstance(link, dict) else link
        if not isinstance(link, dict | str) or not isinstance(url, str | None):
            raise InputError(f"`{name}` {at} is {_kind(url if isinstance(link, dict) else link)}, not a URL")
        level = link.get("level") if isinstance(link, dict) else None
        if level is not None and (not isinstance(level, str) or level not in LEVELS):
            raise InputError(f"`{name}` {at} has the level {str(level)[:40]!r}; known are {', '.join(sorted(LEVELS))}")


def _run_number(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, str) and (digits := _RUN.fullmatch(value)):
        value = int(digits[1])
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST_RUN:
        raise InputError(f"`run` is {str(value)[:40]!r}, not a whole number from 1 to {LARGEST_RUN}")
    return value


def _moment(value: Any) -> datetime | None:
    """ISO 8601 or seconds since 1970; a moment without an offset is taken as UTC."""
    if value is None or value == "":
        return None
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            moment = datetime.fromtimestamp(value, UTC)
        else:
            moment = datetime.fromisoformat(value)
        if not 1 < moment.year < 9999:
            raise ValueError("no time zone can show it")
    except (ValueError, TypeError, OverflowError, OSError):
        raise InputError(f"`asked_at` is {str(value)[:40]!r}, not a date and time like 2026-11-03T09:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _kind(value: Any) -> str:
    names = {str: "text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return names.get(type(value), "null")
