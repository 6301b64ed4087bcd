"""Addresses of pages that other pages link to, so that every number is a door."""

from __future__ import annotations

from urllib.parse import quote, unquote, urlencode

ANSWER_FILTERS = (
    "cycle", "engine", "query", "intent", "topic", "branded", "run", "status", "cites", "domain", "url", "mentions", "q",
    "page",
)  # fmt: skip
"""What the address of a list of answers may say; `dashboard/answers.py` tells what each means."""


def answers_path(project: str, **filters: str | int | None) -> str:
    """The list of answers behind a number: `answers_path("acme", cycle="2026-11", cites="Acme", status="valid")`.

    None and empty leave a filter out. Raises `KeyError` for one that is not known.
    """
    if unknown := filters.keys() - set(ANSWER_FILTERS):
        raise KeyError(*sorted(unknown))
    given = {name: value for name in ANSWER_FILTERS if (value := filters.get(name)) not in (None, "")}
    return f"/p/{quote(project)}/answers" + (f"?{urlencode(given)}" if given else "")


def answer_path(project: str, run_id: int | str, tab: str | None = None) -> str:
    """One answer; `tab` is one of text, sources, searches, payload, timing."""
    return f"/p/{quote(project)}/answers/{run_id}" + (f"?tab={tab}" if tab else "")


def queries_path(project: str, cycle: str | None = None) -> str:
    """The matrix query × engine of a cycle (default: the newest)."""
    return f"/p/{quote(project)}/queries" + (f"?{urlencode({'cycle': cycle})}" if cycle else "")


def cycle_path(project: str, name: str) -> str:
    """The page of a cycle. Names may hold a slash, which no part of a path can: those are escaped twice."""
    plain = name.replace("%", "%25").replace("/", "%2F")
    return f"/p/{quote(project)}/cycles/{quote(plain.replace('.', '%2E') if not plain.strip('.') else plain, safe='')}"


def cycle_named(part: str) -> str:
    """The name that `cycle_path` put into the path, from the part as the server decoded it."""
    return unquote(part)
