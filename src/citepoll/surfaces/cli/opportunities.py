"""citepoll opportunities [list | show ID | set ID STATUS]"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from citepoll.explain.opportunities import STATUSES
from citepoll.hashing import short
from citepoll.report.numbers import noun
from citepoll.report.printable import one_line
from citepoll.service import opportunities as service
from citepoll.service.opportunities import Todo, TodoList
from citepoll.surfaces.cli.terminal import HERE, AsJson, ProjectDir, emit_json, now, opened, out, say, warn

app = typer.Typer(help="What to do next, with its evidence, its size and its status.", invoke_without_command=True)
CycleName = Annotated[str | None, typer.Option(metavar="NAME", help="Default: the latest.")]
Key = Annotated[str, typer.Argument(metavar="ID", help="An id, or how it begins.")]
Status = Annotated[str | None, typer.Option(metavar="|".join(STATUSES), help="Only those of this status.")]
Limit = Annotated[int, typer.Option(min=0, metavar="N", help="The most to show; 0 for all.")]


@app.callback()
def bare(
    context: typer.Context,
    cycle: CycleName = None,
    status: Status = None,
    limit: Limit = 15,
    project: ProjectDir = HERE,
    as_json: AsJson = False,
) -> None:
    """List what to do next, the largest expected gain first."""
    if context.invoked_subcommand is None:
        show_all(cycle, status, limit, project, as_json)


@app.command("list")
def show_all(
    cycle: CycleName = None,
    status: Status = None,
    limit: Limit = 15,
    project: ProjectDir = HERE,
    as_json: AsJson = False,
) -> None:
    """List what to do next, the largest expected gain first."""
    desk = opened(project)
    found = service.list_todos(desk.project, desk.ledger, now(), cycle=cycle, status=status)
    emit_json(found) if as_json else _print(found, limit)


@app.command("show")
def show(key: Key, cycle: CycleName = None, project: ProjectDir = HERE, as_json: AsJson = False) -> None:
    """One opportunity: why, on which queries and engines, in which answers, how large, and what came of it."""
    desk = opened(project)
    todo = service.show_todo(desk.project, desk.ledger, key, now(), cycle=cycle)
    emit_json(todo) if as_json else _print_one(todo)


@app.command("set")
def set_status(
    key: Key,
    status: Annotated[str, typer.Argument(metavar="|".join(STATUSES))],
    note: Annotated[str, typer.Option(metavar="TEXT", help="Who does it, or why not.")] = "",
    cycle: CycleName = None,
    project: ProjectDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Give an opportunity a status; set it back to undo."""
    desk = opened(project)
    todo = service.set_status(desk.project, desk.ledger, key, status, note, now(), cycle=cycle)
    emit_json(todo) if as_json else say(f"{short(todo.id)} is {todo.status}: {todo.title}")


def _print(found: TodoList, limit: int) -> None:
    shown = found.todos[:limit] if limit else found.todos
    table = Table(box=None, pad_edge=False)
    for head, right in (("id", False), ("size", True), ("prob.", True), ("effort", False), ("status", False)):
        table.add_column(head, justify="right" if right else "left", no_wrap=True)
    table.add_column("what, and why", overflow="fold")
    for todo in shown:
        one = todo.found
        why = one.why if one else "no longer found in this cycle"
        said = " ".join([*(f"{e.engine}: {e.sentence}." for e in todo.effects), todo.no_effect or ""])
        table.add_row(
            short(todo.id), f"≤ {one.size * 100:.1f}" if one else "", f"{one.probability:.2f}" if one else "",
            one.effort if one else "", todo.status, Text(one_line(f"{todo.title}: {why}. {said}".rstrip())),
        )  # fmt: skip
    out.print(table) if shown else say("Nothing to do was found in this cycle.")
    left = len(found.todos) - len(shown)
    say(f"{noun(len(found.todos), 'opportunity', 'opportunities')}, cycle {found.cycle}"
        + (f"; {left} more not shown (--limit 0)" if left else ""))  # fmt: skip
    if shown:
        say("size: points of share over all queries, an upper bound; they overlap, so they do not add up. "
            "`citepoll opportunities show ID` has the formula and the answers.")  # fmt: skip
    for warning in found.warnings:
        warn(warning)


def _print_one(todo: Todo) -> None:
    one = todo.found
    out.print(Text(one_line(todo.title), style="bold"))
    out.print(f"{todo.kind}, {todo.status}, {short(todo.id)}")
    if todo.mark:
        out.print(
            Text(f"marked {todo.mark.status} in cycle {todo.mark.cycle}: {one_line(todo.mark.note) or 'no note'}")
        )
    if one:
        out.print(Text(one_line(one.why)))
        out.print(f"size: at most {one.size * 100:.1f} points of {one.measure}, with a probability of "
                  f"{one.probability:.2f}")  # fmt: skip
        out.print(f"  = {one.formula}")
        out.print(f"effort: {one.effort}; {one.effort_reason}")
        out.print(f"engines: {', '.join(one.engines) or 'none'}")
        for label, values in (("competitor", one.competitors), ("page", one.pages)):
            for value in values:
                out.print(Text(f"{label}: {one_line(value)}"))
    else:
        out.print("No longer found in this cycle.")
    for text in todo.texts.values():
        out.print(Text(f"query: {one_line(text)}"))
    for effect in todo.effects:
        out.print(Text(f"since {effect.since}, {effect.engine}: {effect.sentence}"))
    if todo.no_effect:
        out.print(todo.no_effect)
    if one:
        ids = " ".join(str(answer) for answer in one.answers)
        out.print(f"answers ({len(one.answers)} of {one.n_answers}): {ids}")
        say("`citepoll answers show ID` opens one.")
