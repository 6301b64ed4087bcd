"""citepoll corpus add | refresh | list | remove"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from citepoll.errors import InputError
from citepoll.fetch.guard import Guard
from citepoll.fetch.robots import Visitor
from citepoll.report.numbers import count, noun
from citepoll.sampling.local.documents import is_address
from citepoll.service import corpus
from citepoll.service.corpus import Added
from citepoll.surfaces.cli.terminal import HERE, AsJson, ProjectDir, emit_json, opened, out, progress, say, warn

app = typer.Typer(help="The pages that the local engine answers from.", no_args_is_help=True)


Allow = Annotated[
    list[str] | None, typer.Option(metavar="HOST:PORT", help="Open an inner host to this command; may be repeated.")
]


@app.command("add")
def add(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="DIR|FILE|URL...", help="HTML, Markdown or text.")
    ] = None,
    from_: Annotated[Path | None, typer.Option("--from", metavar="FILE", help="A list of URLs, one a line.")] = None,
    base_url: Annotated[
        str | None, typer.Option(metavar="URL", help="The address of the folder, for pages that do not say their own.")
    ] = None,
    allow: Allow = None,
    project: ProjectDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Put pages into the local engine's corpus: your own files, or pages of the web (robots.txt is obeyed, one page a
    second and host). A page that is there already is replaced."""
    store = opened(project).project.data / "corpus.db"
    urls = [*(s for s in sources or () if is_address(s)), *(corpus.addresses_in(from_) if from_ else ())]
    paths = [Path(s) for s in sources or () if not is_address(s)]
    if not urls and not paths:
        raise InputError("There is nothing to add.", "Name a folder, a file or a URL, or a list of URLs with --from.")
    done = [_added(partial(corpus.add, store, path, base_url=base_url)) for path in paths]
    if urls:
        done.append(_added(partial(corpus.add_pages, store, urls, Visitor(Guard(allow or ())))))
    _tell(corpus.total(done), as_json)


@app.command("refresh")
def refresh(allow: Allow = None, project: ProjectDir = HERE, as_json: AsJson = False) -> None:
    """Read the pages that were added by their URL again. One that cannot be read now is kept as it was."""
    store = opened(project).project.data / "corpus.db"
    visitor = Visitor(Guard(allow or ()))
    _tell(_added(partial(corpus.add_pages, store, corpus.pages_of(store), visitor)), as_json)


def _added(adding: Callable[..., Added]) -> Added:
    with progress("reading pages") as (bar, task):
        return adding(progress=lambda done, total: bar.update(task, completed=done, total=total))


def _tell(added: Added, as_json: bool) -> None:
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
