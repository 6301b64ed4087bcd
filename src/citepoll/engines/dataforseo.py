"""What all DataForSEO engines share: one task to a call, with a status of its own inside HTTP 200.

The live method answers at once; the standard one (`queue = "standard"`) is cheaper: it takes the task, and the result
is fetched by its id until it is there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from citepoll.engines.base import Auth, HttpRequest
from citepoll.engines.bodies import decode, dollars, mapping, mappings, text, whole
from citepoll.engines.failures import Failed, Retry, opened, retry_after
from citepoll.engines.locales import google_country, google_language, google_location
from citepoll.engines.settings import Settings
from citepoll.model import Answer, Query

HOST: Final = "https://api.dataforseo.com"
KEY_VARIABLE: Final = "DATAFORSEO_KEY"
"""Holds `login:password`, the pair of HTTP Basic."""

KEY_NOTE: Final = f"{KEY_VARIABLE} holds the API login and password as login:password."
AUTH: Final = Auth("header", "Authorization", "Basic {base64}")
QUEUES: Final = ("live", "standard")
DEVICES: Final = ("desktop", "mobile")
PLACE: Final = {
    "location": "a place by its full name, as Berlin,Germany (the country)",
    "location_code": "a place by its number in the vendor's list, instead of the name (the country's)",
    "queue": "live, or standard: cheaper, within minutes (live)",
}

_OK: Final = 20000
_NO_RESULTS: Final = 40102
# 20100 task created, 40601 task handed, 40602 task in queue
_WAITING: Final = frozenset({20100, 40601, 40602})
# 40100 not authorized, 40200 payment, 40201 account blocked, 40203 cost limit, 40204 no subscription, 40206 limit of a
# day, 40207 address not allowed, 40400 and 40402 no such path
_STOP: Final = frozenset({40100, 40200, 40201, 40203, 40204, 40206, 40207, 40400, 40402})
# 40101 error of the search engine, 40103 execution failed, 40202 calls a minute, 40205 limit of an hour; 5.... are
# errors of the vendor
_LATER: Final = frozenset({40101, 40103, 40202, 40205})
_WAIT: Final = 15.0
_ID: Final = re.compile(r"[0-9A-Za-z-]{8,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Task:
    """A task that went well: its result (empty where there is none) and its cost in US dollars."""

    result: dict[str, Any]
    cost: float | None


def asked(path: str, query: Query, settings: Settings, **more: object) -> HttpRequest:
    """The task: question, place, language and what `more` adds. A field that is None is left out."""
    queue = settings.choice("queue", *QUEUES) or QUEUES[0]
    task = {
        "keyword": _keyword(query.text),
        **_place(query, settings),
        "language_code": google_language(settings, query),
        **more,
    }
    body = [{name: value for name, value in task.items() if value is not None}]
    method = "live/advanced" if queue == "live" else "task_post"
    return HttpRequest("POST", f"{HOST}{path}/{method}", {"content-type": "application/json"}, body)


def _keyword(question: str) -> str:
    """The vendor decodes the field as an address: `%` and `+` are sent in their encoded form."""
    return question.replace("%", "%25").replace("+", "%2B")


def _place(query: Query, settings: Settings) -> dict[str, object]:
    name, code = settings.text("location"), settings.whole("location_code", 1, 2**31 - 1)
    if name and code is None:
        return {"location_name": name}
    return {"location_code": google_location(google_country(settings, query)) if code is None else code}


def task(path: str, status_code: int, headers: Mapping[str, str], body: bytes) -> Task | Answer:
    """The task of a reply, of several the first that went well; else the answer that it is instead: failed, waiting in the
    queue, nothing found."""
    try:
        document = mapping(decode(body))
    except ValueError:
        document = {}
    if whole(document.get("status_code")) is None:
        found = opened(status_code, headers, body)
        return found if isinstance(found, Failed) else Failed("failed", retry="later", reason="no reply of DataForSEO")
    tasks = mappings(document.get("tasks"))
    if document["status_code"] != _OK or not tasks:
        return _failed(document, headers, None)
    return _done(path, next((one for one in tasks if whole(one.get("status_code")) == _OK), tasks[0]), headers)


def _done(path: str, first: Mapping[str, Any], headers: Mapping[str, str]) -> Task | Answer:
    code, cost = whole(first.get("status_code")), dollars(first.get("cost"))
    if code in _WAITING:
        return _waiting(path, text(first.get("id")), cost)
    if code == _NO_RESULTS:
        return Answer("absent", message=_words(first), cost=cost)
    if code != _OK:
        return _failed(first, headers, cost)
    results = mappings(first.get("result"))
    return Task(next((one for one in results if one.get("items") or one.get("markdown")), _first(results)), cost)


def _first(results: list[dict[str, Any]]) -> dict[str, Any]:
    return results[0] if results else {}


def _words(holder: Mapping[str, Any]) -> str | None:
    return text(holder.get("status_message")).strip() or None


def _failed(holder: Mapping[str, Any], headers: Mapping[str, str], cost: float | None) -> Failed:
    code, words = whole(holder.get("status_code")) or 0, _words(holder)
    retry: Retry = "stop" if code in _STOP else "later" if code in _LATER or code >= 50000 else "no"
    return Failed(
        "failed",
        message=words,
        cost=cost,
        retry_after=retry_after(headers),
        retry=retry,
        reason=words or f"DataForSEO answered {code} without a word",
    )


def _waiting(path: str, task_id: str, cost: float | None) -> Answer:
    if not _ID.fullmatch(task_id):
        return Answer("deferred", cost=cost)
    url = f"{HOST}{path}/task_get/advanced/{task_id}"
    return Answer("deferred", cost=cost, follow_up={"method": "GET", "url": url, "json": None, "delay": _WAIT})
