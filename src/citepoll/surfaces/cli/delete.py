"""citepoll delete cycle | payloads | project"""

from __future__ import annotations

from typing import Annotated

import typer

from citepoll.report.numbers import noun
from citepoll.service import deleting, retaining
from citepoll.service.deleting import Deletion
from citepoll.service.retaining import Retention
from citepoll.surfaces.cli.terminal import (
    HERE,
    AsJson,
    ProjectDir,
    Yes,
    confirm_name,
    emit_json,
    now,
    opened,
    say,
    warn,
)

app = typer.Typer(help="Delete answers for good.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="CYCLE")]


@app.command("cycle")
def cycle(name: Name, project: ProjectDir = HERE, yes: Yes = False, as_json: AsJson = False) -> None:
    """Delete a cycle with its answers and payloads. `citepoll export --cycle NAME` first keeps a copy."""
    desk = opened(project)
    _tell(deleting.doomed(desk.ledger, name))
    confirm_name(name, yes)
    _end(deleting.delete_cycle(desk.project, desk.ledger, name, now()), as_json)


@app.command("project")
def project_(project: ProjectDir = HERE, yes: Yes = False, as_json: AsJson = False) -> None:
    """Delete every answer of the project, and what was derived or decided from them. `citepoll backup` first keeps a copy."""
    desk = opened(project)
    _tell(deleting.doomed(desk.ledger))
    say("  and the statuses of opportunities, the experiments and the history of the project")
    say("Project file, queries, locked query sets and the corpus stay.")
    confirm_name(desk.project.root.resolve().name, yes)
    _end(deleting.delete_project(desk.project, desk.ledger, now()), as_json)


@app.command("payloads")
def payloads(
    older_than: Annotated[
        int | None, typer.Option(min=1, metavar="MONTHS", help="Default: [retention] raw_months of citepoll.toml.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and delete nothing.")] = False,
    project: ProjectDir = HERE,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Drop the payloads of cycles that were closed long ago. Their numbers stay; their answers cannot be read any more."""
    desk = opened(project)
    found = retaining.outlived(desk.project, desk.ledger, now(), older_than)
    if not as_json:
        _tell_payloads(found)
    if not dry_run and found.cycles:
        confirm_name(desk.project.root.resolve().name, yes)
        found = retaining.retain(desk.project, desk.ledger, now(), older_than)
        say("Gone. Backups and exports that hold them are yours to delete.")
    if as_json:
        emit_json(found)


def _tell_payloads(found: Retention) -> None:
    say(f"Payloads of cycles closed before {found.before:%Y-%m-%d} ({noun(found.months, 'month')} ago):")
    for one in found.cycles:
        say(f"  {one.cycle}: {noun(one.attempts, 'payload')} ({one.bytes / 1e6:.1f} MB)")
    if not found.cycles:
        say("  none")
        return
    say(
        "What is lost: the text of these answers, their payloads, evidence, exports, and any later rebuild. It cannot be undone."
    )
    say("What stays: every count and number, with the brands of now, statuses, costs and times.")


def _tell(going: Deletion) -> None:
    say(f"This deletes {noun(len(going.cycles), 'cycle')}, and it cannot be undone:")
    for one in going.cycles:
        answers = noun(one.attempts, "recorded answer")
        say(
            f"  {one.cycle}: {noun(one.runs, 'run')}, {answers} with payloads ({one.bytes / 1e6:.1f} MB), derived tables"
        )


def _end(gone: Deletion, as_json: bool) -> None:
    if as_json:
        emit_json(gone)
    else:
        say(f"Gone: {noun(len(gone.cycles), 'cycle')}, {noun(gone.answers, 'answer')}.")
        say("Backups and exports that hold them are yours to delete.")
    if not gone.emptied:
        warn("another program has the ledger open: it empties its write-ahead file when that one closes.")
