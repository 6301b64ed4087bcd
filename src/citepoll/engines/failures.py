"""Error bodies of every vendor → status, the vendor's words, when to come back, and whether asking again is worth it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final, Literal

from citepoll.engines import bodies
from citepoll.model import Answer, Status

Retry = Literal["no", "later", "stop"]
"""`stop`: no call to this engine can succeed (key, quota, model); `later`: the same call may (an error or a broken body
inside HTTP 200 among them); `no`: this call never will."""


@dataclass(frozen=True, slots=True)
class Failed(Answer):
    """An answer that is none: failed, or blocked before the model spoke.

    `message` is the vendor's words or None; `reason` is always there, in ours where the vendor gave none.
    """

    retry: Retry = "no"
    reason: str = ""


POLICY: Final = re.compile(
    r"content[_ ]?filter|content[_ ]policy|bio_policy|cyber_policy|responsibleaipolicy|\binvalid_prompt\b"
    r"|content exists risk|data_?inspection_?failed|violat\w+ (our |the )?(usage|content|safety)"
)
"""A policy of the vendor refused the question itself (OpenAI, Azure, Anthropic, DeepSeek, DashScope, xAI)."""

HOPELESS: Final = re.compile(
    r"insufficient_(quota|balance|user_quota)|insufficient balance|credit balance is too low|billing_(not_active|hard_limit)"
    r"|arrearage|invalid_api_key|incorrect api key|api[_ ]key[_ ](not[_ ])?(in)?valid|authentication_error|model_not_found"
    r"|unknown model|model .{0,80}(not found|does not exist)|invalid[ _]model"
    r"|model[ _]not[ _]exist|not supported (with|for|by) this model|\w*perday\w*"
    r"|(run out|used all) of .{0,40}searches|searches for the month .{0,40}run out"
)
"""Key, quota, model or tool, told in words or codes where the HTTP status alone does not say it."""

PASSING: Final = re.compile(
    r"overloaded|rate_?limit|server_error|internal(_error| error|\b)|unavailable|timed? ?out|timeout|too_many_requests"
)

_CLOSED: Final = frozenset({401, 402, 403, 404, 410})
_AGAIN: Final = frozenset({408, 409, 425, 429})
_BLOCKING: Final = frozenset({200, 400, 403, 422, 451})
_DELAY: Final = re.compile(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*s?\s*", re.ASCII)


def opened(status_code: int, headers: Mapping[str, str], body: bytes, *names: str) -> dict[str, Any] | Failed:
    """The JSON object of a call that went well, else why it did not. An error inside HTTP 200 is an error.

    An object that holds none of `names` is no answer of this surface (a gateway's greeting, say), and is not empty.
    """
    try:
        document = bodies.decode(body)
    except ValueError as wrong:
        return _unreadable(status_code, headers, str(wrong))
    if isinstance(document, list) and bodies.mapping(document[0] if document else None).get("error"):
        document = document[0]  # Google wraps errors of streamed calls in a list
    if not isinstance(document, dict):
        return _unreadable(status_code, headers, "not a JSON object")
    if not 200 <= status_code < 300 or document.get("error") or document.get("type") == "error":
        return failure(document, status_code, headers)
    if names and all(document.get(name) is None for name in names):
        return _unreadable(status_code, headers, f"a JSON object without {' or '.join(names)}")
    return document


def failure(document: Mapping[str, Any], status_code: int = 200, headers: Mapping[str, str] | None = None) -> Failed:
    """The failed answer that an error body tells of. A code inside the body outranks a status code of 2xx."""
    error = document.get("error")
    code = bodies.whole(bodies.mapping(error).get("code"))
    if 200 <= status_code < 300 and code is not None and 400 <= code < 600:
        status_code = code
    message = _message(document)
    status, retry = _verdict(status_code, " ".join(signals(document)).lower())
    return Failed(
        status,
        model=bodies.text(document.get("model")) or None,
        usage=bodies.mapping(document.get("usage")),
        message=message,
        retry_after=retry_after(headers or {}, document),
        retry=retry,
        reason=message or f"HTTP {status_code}, with an error that has no words",
    )


def _unreadable(status_code: int, headers: Mapping[str, str], why: str) -> Failed:
    _, retry = _verdict(status_code, "")
    return Failed(
        "failed", retry_after=retry_after(headers), retry=retry, reason=f"HTTP {status_code}: the body is {why}"
    )


def _verdict(status_code: int, said: str) -> tuple[Status, Retry]:
    if status_code in _BLOCKING and POLICY.search(said):
        return "blocked", "no"
    if status_code in _CLOSED or HOPELESS.search(said):
        return "failed", "stop"
    if status_code in _AGAIN or status_code >= 500 or status_code < 300 or PASSING.search(said):
        return "failed", "later"
    return "failed", "no"


def signals(document: Mapping[str, Any]) -> Iterator[str]:
    """The codes and words in which a vendor says what is wrong."""
    error = document.get("error")
    for source in (document, error) if isinstance(error, dict) else (document,):
        yield from (bodies.text(source.get(name)) for name in ("code", "type", "status", "reason"))
        for detail in bodies.mappings(source.get("details")):
            yield bodies.text(detail.get("reason"))
            yield from (bodies.text(v.get("quotaId")) for v in bodies.mappings(detail.get("violations")))
    yield _message(document) or ""


def _message(document: Mapping[str, Any]) -> str | None:
    error = document.get("error")
    inner = bodies.mapping(error)
    found = (
        *(inner.get(name) for name in ("message", "detail", "code", "type")),
        error,
        *(document.get(name) for name in ("message", "detail", "error_message", "msg")),
        *(detail.get("msg") for detail in bodies.mappings(document.get("detail"))),
    )
    return next((words.strip() for words in found if isinstance(words, str) and words.strip()), None)


def retry_after(headers: Mapping[str, str], document: Mapping[str, Any] | None = None) -> float | None:
    """Seconds that the vendor asks to wait: `retry-after-ms`, `Retry-After`, Google's RetryInfo; None where it does not say.

    A date in `Retry-After` is counted from the response's own `Date`, since there is no clock here.
    """
    known = {name.lower(): value for name, value in headers.items()}
    milliseconds = _seconds(known.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    said = known.get("retry-after")
    found = _seconds(said)
    if found is None and said:
        found = _until(said, known.get("date"))
    return found if found is not None else _retry_info(document or {})


def _retry_info(document: Mapping[str, Any]) -> float | None:
    details = bodies.mappings(bodies.mapping(document.get("error")).get("details"))
    return next((s for d in details if (s := _seconds(d.get("retryDelay"))) is not None), None)


def _seconds(value: Any) -> float | None:
    matched = _DELAY.fullmatch(value) if isinstance(value, str) else None
    return float(matched[1]) if matched else None


def _until(moment: str, now: str | None) -> float | None:
    try:
        seconds = (parsedate_to_datetime(moment) - parsedate_to_datetime(now or "")).total_seconds()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None
