"""Addresses of pages that other pages link to, so that every number is a door."""

from __future__ import annotations

import re
from urllib.parse import quote, urlencode

from citepoll.project import Project
from citepoll.report.alerts import Notice
from citepoll.service.delivering import Link, no_desk
from citepoll.surfaces.web.rooms import room_id

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


def cell_path(project: str, cycle: str, engine: str, query: str) -> str:
    """One field of the matrix; `query` is the id of a question."""
    return f"/p/{quote(project)}/queries/cell?{urlencode({'cycle': cycle, 'engine': engine, 'query': query})}"


def cycle_path(project: str, name: str) -> str:
    """The page of a cycle. What cannot stand in a part of a path, or means another page there, is escaped with a ~."""
    plain = re.sub(r"[~/%]", _escaped, name)
    if plain == "new" or not plain.strip("."):
        plain = re.sub(".", _escaped, plain)
    return f"/p/{quote(project)}/cycles/{quote(plain, safe='')}"


def cycle_named(part: str) -> str:
    """The name that `cycle_path` put into the path, from the part as the server decoded it."""
    return re.sub("~([0-9A-F]{2})", lambda found: chr(int(found[1], 16)), part)


def _escaped(found: re.Match[str]) -> str:
    return f"~{ord(found[0]):02X}"


def source_path(project: str, domain: str, cycle: str | None = None) -> str:
    """One domain among the sources of a cycle (default: the newest)."""
    return f"/p/{quote(project)}/sources/{quote(domain, safe='')}" + (
        f"?{urlencode({'cycle': cycle})}" if cycle else ""
    )


def page_path(project: str, noun: str, **asked: str | int | None) -> str:
    """A page of a project by the last part of its path, with what it is asked; None and empty are left out."""
    given = {name: value for name, value in asked.items() if value not in (None, "")}
    return f"/p/{quote(project)}/{noun}" + (f"?{urlencode(given)}" if given else "")


def overview_path(project: str, cycle: str | None = None) -> str:
    """The overview of a cycle (default: the newest)."""
    return f"/p/{quote(project)}/" + (f"?{urlencode({'cycle': cycle})}" if cycle else "")


def alert_path(project: str, notice: Notice) -> str:
    """Where the evidence of an alert stands."""
    if notice.kind == "change":
        return page_path(project, "", cycle=notice.cycle, compare=notice.earlier)
    if notice.kind == "loss" and notice.engine and notice.query:
        return cell_path(project, notice.cycle, notice.engine, notice.query)
    if notice.kind == "loss":
        return answers_path(project, cycle=notice.cycle, query=notice.query)
    if notice.kind == "engine":
        return answers_path(project, cycle=notice.cycle, engine=notice.engine, status="failed")
    return cycle_path(project, notice.cycle)


def alert_link(public_url: str | None) -> Link:
    """How messages link to a desk that others can reach under `public_url`; without one, they name commands."""
    if public_url is None:
        return no_desk

    def link(project: Project, notice: Notice | None) -> str:
        room = room_id(project.root.resolve())
        return public_url + (alert_path(room, notice) if notice else page_path(room, "alerts"))

    return link
