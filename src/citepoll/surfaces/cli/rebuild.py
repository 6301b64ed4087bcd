"""citepoll rebuild"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from citepoll.report.numbers import count, noun
from citepoll.report.printable import one_line
from citepoll.service.rebuilding import Changes
from citepoll.service.rebuilding import rebuild as again
from citepoll.store.erasing import dropped
from citepoll.surfaces.cli.terminal import HERE, AsJson, ProjectDir, emit_json, now, opened, out, progress, say


def rebuild(
    cycle: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Default: every cycle; may be repeated.")
    ] = None,
    diff: Annotated[bool, typer.Option("--diff", help="Show, answer by answer, what changed.")] = False,
    project: ProjectDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Derive everything again from the raw answers: after brands changed, or with a later extractor. Asks no engine."""
    desk = opened(project)
    with progress("rebuilding") as (bar, task):
        found = again(
            desk.project, desk.ledger, tuple(cycle or ()), now(),
            step=lambda done, total: bar.update(task, completed=done, total=total),
        )  # fmt: skip
    if as_json:
        emit_json(
            found
            if diff
            else [
                {"cycle": c.cycle, "answers": c.answers, "changed": len({a.run_id for a in c.answers_changed})}
                for c in found
            ]
        )
        return
    for changes in found:
        _tell(changes, diff)
    if kept_as_is := () if cycle else dropped(desk.ledger):
        say(f"not rebuilt, since retention dropped their payloads: {', '.join(kept_as_is)}")
    elif not found:
        say("There is no cycle yet: nothing to rebuild.")


def _tell(changes: Changes, diff: bool) -> None:
    against = (
        f"; {count(len({c.run_id for c in changes.answers_changed}))} differ from the version of {changes.before[:19]}"
        if changes.before
        else ""
    )
    say(f"cycle {changes.cycle}: {noun(changes.answers, 'answer')} derived{against}")
    if not diff:
        return
    if changes.before is None:
        say("  there is no earlier version to compare with")
        return
    if not changes.answers_changed:
        return
    table = Table("answer", "engine", "query", "run", "brand", "what", "before", "after", box=None, pad_edge=False)
    for change in changes.answers_changed:
        table.add_row(
            str(change.run_id), change.engine, one_line(change.query), str(change.run), change.brand, change.what,
            change.before, change.after,
        )  # fmt: skip
    out.print(table)
