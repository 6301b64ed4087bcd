"""citepoll corpus add | list | remove"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from citepoll.report.numbers import count, noun
from citepoll.service import corpus
from citepoll.surfaces.cli.terminal import HERE, AsJson, ProjectDir, emit_json, opened, out, progress, say, warn

app = typer.Typer(help="The pages that the local engine answers from.", no_args_is_help=True)


@app.command("add")
def add(
    path: Annotated[Path, typer.Argument(metavar="DIR|FILE", help="HTML, Markdown or text.")],
    base_url: Annotated[
        str | None, typer.Option(metavar="URL", help="The address of the folder, for pages that do not say their own.")
    ] = None,
    project: ProjectDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Put your own pages into the local engine's corpus. A page that is there already is replaced."""
    store = opened(project).project.data / "corpus.db"
    with progress("reading pages") as (bar, task):
        added = corpus.add(
            store, path, base_url=base_url, progress=lambda done, total: bar.update(task, completed=done, total=total)
        )
    if as_json:
        emit_json(added)
    else:
        say(
            f"{noun(added.added, 'page')} added, {count(added.replaced)} replaced, {count(added.unchanged)} unchanged; "
            f"{noun(added.passages, 'passage')} written"
        )
    for skipped in added.skipped:
        warn(f"{skipped.path} was passed over: {skipped.reason} {skipped.fix}")
    if added.gone:
        warn(
            f"{noun(len(added.gone), 'page')} of that folder no longer on disk: still in the corpus; `corpus remove` takes out."
        )


@app.command("list")
def show(project: ProjectDir = HERE, as_json: AsJson = False) -> None:
    """Every page of the corpus."""
    found = corpus.documents(opened(project).project.data / "corpus.db")
    if as_json:
        emit_json(found)
        return
    if not found:
        say("The corpus is empty: `citepoll corpus add DIR` puts pages in.")
        return
    table = Table("page", "title", "passages", box=None, pad_edge=False)
    for document in found:
        table.add_row(document.url, document.title, count(document.passages))
    out.print(table)


@app.command("remove")
def remove(
    names: Annotated[list[str], typer.Argument(metavar="URL|FILE|DIR...")],
    project: ProjectDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Take pages out of the corpus; `corpus add` puts them back."""
    gone = corpus.remove(opened(project).project.data / "corpus.db", names)
    emit_json(gone) if as_json else say(f"{noun(len(gone), 'page')} taken out.")
