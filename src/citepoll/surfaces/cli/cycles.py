"""citepoll cycles list | show | resolve | close | drop"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from citepoll.hashing import short
from citepoll.report.numbers import count, noun, spread
from citepoll.service import polling
from citepoll.service.cycles import told
from citepoll.service.deleting import delete_cycle
from citepoll.service.resolving import resolve_cycle
from citepoll.store.rounds import allotment_of
from citepoll.surfaces.cli.redirects import tell_redirects
from citepoll.surfaces.cli.terminal import HERE, AsJson, ProjectDir, Yes, confirm, emit_json, now, opened, out, say

app = typer.Typer(help="What was polled and imported.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="CYCLE")]


@app.command("list")
def show_all(project: ProjectDir = HERE, as_json: AsJson = False) -> None:
    """Every cycle with its status and its answers."""
    ledger = opened(project).ledger
    cycles = ledger.cycles()
    if as_json:
        emit_json([{"cycle": c, "progress": ledger.progress(c)} for c in cycles])
        return
    if not cycles:
        say("No cycle yet: `citepoll import FILE --cycle NAME` or `citepoll poll`.")
        return
    table = Table("cycle", "kind", "status", "begun", "query set", "runs", "recorded", box=None, pad_edge=False)
    for cycle in cycles:
        progress = ledger.progress(cycle)
        planned, todo = sum(p.planned for p in progress), sum(p.todo for p in progress)
        table.add_row(
            cycle.name, cycle.kind, cycle.status, cycle.created_at[:10], short(cycle.set_hash or ""),
            count(planned), count(planned - todo),
        )  # fmt: skip
    out.print(table)


@app.command("show")
def show(cycle: Name, project: ProjectDir = HERE, as_json: AsJson = False) -> None:
    """One cycle: its engines, their runs by status, and what was done to it."""
    ledger = opened(project).ledger
    found = ledger.cycle(cycle)
    progress, engines, history = ledger.progress(found), ledger.engines(found), ledger.history(cycle)
    allotted = allotment_of(ledger, found)
    if as_json:
        emit_json({"cycle": found, "engines": engines, "progress": progress, "allotment": allotted, "history": history})
        return
    out.print(f"{found.name}: {found.kind}, {found.status}, begun {found.created_at}, query set {found.set_hash}")
    for engine, runs in zip(engines, progress, strict=False):
        statuses = ", ".join(f"{status} {count(n)}" for status, n in runs.statuses.items())
        out.print(f"  {engine.name} ({engine.surface}): {noun(runs.planned, 'run')}; {statuses or 'nothing recorded'}")
        if allotted and engine.name in allotted.runs:
            each = spread(allotted.runs[engine.name].values())
            out.print(f"    runs differ by query, by the answers of {allotted.after}: {each}")
    for event in history:
        out.print(f"  {event['at']} {event['what']}: {told(event)}")


@app.command("resolve")
def resolve(cycle: Name, project: ProjectDir = HERE, as_json: AsJson = False) -> None:
    """Follow the redirects behind which an engine hides the pages it cites, where the poll did not get to their end."""
    desk = opened(project)
    found = resolve_cycle(desk.project, desk.ledger, cycle, now())
    emit_json(found) if as_json else tell_redirects(found)


@app.command("close")
def close(cycle: Name, project: ProjectDir = HERE, as_json: AsJson = False) -> None:
    """Close a polled cycle as it is, so that it can be measured without the runs that are missing."""
    desk = opened(project)
    closed = polling.close(desk.project, desk.ledger, cycle, now())
    emit_json(closed) if as_json else say(f"{closed.name} is closed.")


@app.command("drop")
def drop(cycle: Name, project: ProjectDir = HERE, yes: Yes = False, as_json: AsJson = False) -> None:
    """Delete a cycle with its answers. `citepoll export --cycle NAME` first keeps a copy that can be imported again."""
    desk = opened(project)
    found = desk.ledger.cycle(cycle)
    confirm(f"Delete {cycle} with {count(desk.ledger.revision(found)[0])} answers?", yes)
    runs = delete_cycle(desk.project, desk.ledger, cycle, now()).cycles[0].runs
    emit_json({"dropped": cycle, "runs": runs}) if as_json else say(f"{cycle} is gone, with {noun(runs, 'run')}.")
