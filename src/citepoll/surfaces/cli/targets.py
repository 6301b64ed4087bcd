"""citepoll targets"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from citepoll.project import FILE
from citepoll.report.numbers import percent, unit_of, words
from citepoll.report.printable import one_line
from citepoll.service.targets import list_targets
from citepoll.surfaces.cli.terminal import HERE, AsJson, ProjectDir, emit_json, now, opened, out, say, warn


def targets(
    cycle: Annotated[str | None, typer.Option(metavar="NAME", help="Default: the latest.")] = None,
    project: ProjectDir = HERE,
    as_json: AsJson = False,
) -> None:
    """The targets of citepoll.toml: where each stands, and the chance that it has been met."""
    desk = opened(project)
    found = list_targets(desk.project, desk.ledger, now(), cycle=cycle)
    if as_json:
        emit_json(found)
        return
    if not desk.project.targets:
        say(f'No target yet. Add to {FILE}:\n\n[[target]]\nmetric = "share_of_citation"\nvalue = 0.3\nby = 2027-03-31')
        return
    table = Table("target", "engine", "now", "chance", box=None, pad_edge=False)
    for aim in found.aims:
        goal = aim.standing.goal
        table.add_row(
            f"{goal.metric} {percent(goal.value)} by {goal.by}", Text(one_line(aim.standing.engine)),
            words(aim.standing.estimate, unit_of(goal.metric)), Text(aim.sentence),
        )  # fmt: skip
    out.print(table)
    say(f"{found.brand}, cycle {found.cycle}, on these queries. The chance is that the share is at the target now, "
        "given the answers; nothing here forecasts.")  # fmt: skip
    for warning in found.warnings:
        warn(warning)
