"""citepoll health"""

from __future__ import annotations

from collections.abc import Iterator

from citepoll.report.numbers import count, money, noun
from citepoll.service.health import Health
from citepoll.service.health import health as health_of
from citepoll.surfaces.cli.terminal import HERE, AsJson, ProjectDir, emit_json, now, opened, out, warn


def health(project: ProjectDir = HERE, as_json: AsJson = False) -> None:
    """Is the newest cycle fresh, whole and within its budget, and is there a backup."""
    desk = opened(project)
    found = health_of(desk.project, desk.ledger, now())
    if as_json:
        emit_json(found)
        return
    for line in _lines(found):
        out.print(line)
    for warning in found.warnings:
        warn(warning)


def _lines(found: Health) -> Iterator[str]:
    if found.cycle is not None and found.begun_at:
        yield f"newest cycle  {found.cycle}, {found.status}, begun {found.begun_at:%Y-%m-%d}"
        failed = f", {count(found.failed or 0)} failed"
        yield f"runs          {count(found.recorded or 0)} of {count(found.runs or 0)} recorded{failed}"
    if found.due_at:
        yield f"next one due  {found.due_at:%Y-%m-%d} ({found.cadence or 'scheduled'})"
    else:
        yield (
            "next one due  no cadence is set ([cadence] every in citepoll.toml)"
            if not found.cadence and not found.next_at
            else "next one due  now"
        )
    spent = money(found.spent) if found.spent is not None else "not known"
    yield f"spent         {spent}" + (f" of {money(found.ceiling)}" if found.ceiling is not None else "")
    if found.redirects:
        yield f"redirects     {count(found.unresolved or 0)} of {noun(found.redirects, 'redirect')} not resolved"
    yield "last backup   " + (f"{found.backed_up_at:%Y-%m-%d %H:%M} UTC" if found.backed_up_at else "none")
