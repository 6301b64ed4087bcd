"""The chat completions shape that OpenAI, Perplexity's Sonar and every compatible server share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from citepoll.engines import bodies
from citepoll.model import Status


def message(document: Mapping[str, Any]) -> dict[str, Any]:
    """The message of the first choice, empty where there is none."""
    return bodies.mapping(_choice(document).get("message"))


def content(document: Mapping[str, Any]) -> str:
    """The message's text; servers that send a list of parts are read as well. Printed thoughts are left out."""
    found = message(document).get("content")
    parts = "".join(bodies.text(part.get("text")) for part in bodies.mappings(found))
    return bodies.spoken(bodies.text(found) or parts)


def status_of(document: Mapping[str, Any], text: str) -> Status:
    reason = _choice(document).get("finish_reason")
    if reason == "content_filter":
        return "blocked"
    if not text.strip():
        return "refused" if bodies.text(message(document).get("refusal")) else "empty"
    return "truncated" if reason == "length" else "answered"


def message_of(document: Mapping[str, Any], status: Status) -> str | None:
    """The vendor's words about an answer that is none."""
    if status == "refused":
        return bodies.text(message(document).get("refusal"))
    return "content_filter" if status == "blocked" else None


def facts_of(document: Mapping[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """The model that answered, and the usage."""
    return bodies.text(document.get("model")) or None, bodies.mapping(document.get("usage"))


def _choice(document: Mapping[str, Any]) -> dict[str, Any]:
    return next(iter(bodies.mappings(document.get("choices"))), {})
