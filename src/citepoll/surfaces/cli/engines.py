"""citepoll engines [check ID | parse ID FILE]"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from citepoll.errors import EngineError
from citepoll.report.numbers import money, noun
from citepoll.report.printable import one_line, printable
from citepoll.service.engine_checks import Candidate, Checked, candidates, expected, measured_words, project_at
from citepoll.service.engine_checks import check as check_engines
from citepoll.service.engines import Listed, Page, Parsed, key_words, list_engines, parse_file
from citepoll.surfaces.cli.terminal import HERE, AsJson, ProjectDir, Yes, confirm, emit_json, out, say, warn

app = typer.Typer(
    help="The engines that can be asked, what is wrong with one (`check`), what it reads in a body from disk (`parse`).",
    invoke_without_command=True,
)


@app.callback()
def engines(context: typer.Context, as_json: AsJson = False) -> None:
    """List the engines: what they return, whether their key is set, what they cost, what their parser was tested on."""
    if context.invoked_subcommand:
        return
    found = list_engines()
    if as_json:
        emit_json(found)
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column()
    for each in found:
        table.add_row(Text(one_line(each.id)), Text(_described(each)))
    out.print(table)
    for each in found:
        if each.problem:
            warn(each.problem)


def _described(engine: Listed) -> str:
    if engine.problem:
        return "cannot be loaded"
    beside = f"; returns {', '.join(engine.returns)}" if engine.returns else ""
    lines = (f"{engine.surface}; {key_words(engine)}", f"parser: {engine.verified}{beside}", engine.price_note)
    return "\n".join(one_line(line) for line in lines if line)


@app.command("check")
def check(
    engine: Annotated[
        str | None,
        typer.Argument(
            metavar="[ID|NAME]", help="One engine (default: those of the project, or all whose key is set)."
        ),
    ] = None,
    project: ProjectDir = HERE,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Send one cheap call to each engine and say in words what is wrong. Records nothing; ends with 8 where one does not work."""
    chosen = candidates(project_at(project), engine)
    _ask_first(chosen, yes)
    found = check_engines(chosen)
    emit_json(found) if as_json else _tell(found)
    if not all(each.works for each in found):
        raise typer.Exit(EngineError.exit_code)


def _ask_first(chosen: tuple[Candidate, ...], yes: bool) -> None:
    """Says what the calls may cost, and asks; where none is to be made, nothing is asked."""
    calls, usd, unknown = expected(chosen)
    if not calls:
        return
    parts = [f"about {money(usd)}"] if usd else []
    parts += [f"an unknown price for {', '.join(one_line(name) for name in unknown)}"] if unknown else []
    say(f"{noun(calls, 'call')}: {', '.join(parts) or 'without a cost'}")
    confirm("Send it?" if calls == 1 else "Send them?", yes, "This makes calls that may cost money")


def _tell(found: tuple[Checked, ...]) -> None:
    for each in found:
        out.print(Text(one_line(f"{each.engine}: {each.says}")))
        quoted = f"{'the vendor: ' if each.http_status else ''}{each.vendor}" if each.vendor else ""
        for line in (quoted, each.fix, measured_words(each)):
            if line:
                out.print(Padding(Text(one_line(line)), (0, 0, 0, 2)))


@app.command("parse")
def parse(
    engine: Annotated[str, typer.Argument(metavar="ID", help="The engine, as openai:responses.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The body, byte for byte.")],
    http_status: Annotated[int, typer.Option(min=100, max=599, help="The status that came with it.")] = 200,
    headers: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Its headers: a JSON object, or lines Name: value.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read a body from disk as an engine reads it: status, text, citations with offsets, sources, queries."""
    found = parse_file(engine, file, http_status, headers)
    if as_json:
        emit_json(found)
    else:
        _print(found)


def _print(found: Parsed) -> None:
    out.print(
        Text(f"{found.status} (HTTP {found.http_status})" + (f", {one_line(found.model)}" if found.model else ""))
    )
    if words := found.message or found.reason:
        out.print(Text(printable(words)))
    if found.text:
        out.print("", Text(printable(found.text)), "")
    if found.queries:
        out.print(Text("searched: " + "; ".join(one_line(query) for query in found.queries)))
    out.print(_pages(found.citations, found.text))
    out.print(_pages(found.sources, ""))
    say(f"{noun(len(found.citations), 'citation')}, {noun(len(found.sources), 'source')} beside them")


def _pages(pages: tuple[Page, ...], text: str) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    for page in pages:
        passage = one_line(text[page.start : page.end], 60) if page.start is not None else ""
        table.add_row(
            str(page.position), page.level, Text(one_line(page.url, 90)), Text(one_line(page.title or "", 40)),
            Text(passage),
        )  # fmt: skip
    return table
