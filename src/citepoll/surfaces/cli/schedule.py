"""citepoll schedule"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from citepoll.service.scheduling import Upcoming, upcoming
from citepoll.surfaces.cli.terminal import HERE, AsJson, ProjectDir, emit_json, now, opened, out, say


def schedule(
    project: ProjectDir = HERE,
    number: Annotated[int, typer.Option("--next", min=1, max=100, metavar="N", help="How many times to show.")] = 5,
    as_json: AsJson = False,
) -> None:
    """When cycles begin by themselves. A running `citepoll serve` begins them; this command only looks."""
    desk = opened(project)
    found = upcoming(desk.project, desk.ledger, now(), number)
    if as_json:
        emit_json(found)
        return
    for line in _lines(found):
        out.print(line)
    if found.words is None:
        say("Set [schedule] in citepoll.toml: docs/project-file.md has its settings.")
    elif found.counts_since is None and found.enabled:
        say("No server has seen this schedule yet: `citepoll serve` begins its cycles.")


def _lines(found: Upcoming) -> Iterator[str]:
    yield f"schedule  {found.words or 'none'}" + ("" if found.enabled or found.words is None else ", not enabled")
    if found.over:
        yield f"over      {found.over}: the rounds of a cycle are spread over this"
    if found.last:
        yield f"last      {found.last:%a %Y-%m-%d %H:%M %Z}: {found.begun or 'no cycle was begun since'}"
    for at, time in enumerate(found.times):
        yield f"{'next' if at == 0 else '':10}{time:%a %Y-%m-%d %H:%M %Z}"
