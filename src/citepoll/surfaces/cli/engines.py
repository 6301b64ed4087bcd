"""citepoll engines [parse ID FILE]"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from citepoll.report.numbers import noun
from citepoll.report.printable import one_line, printable
from citepoll.service.engines import Listed, Page, Parsed, list_engines, parse_file
from citepoll.surfaces.cli.terminal import AsJson, emit_json, out, say, warn

app = typer.Typer(
    help="The engines that can be asked; `citepoll engines parse ID FILE` reads a body from disk.",
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
    lines = (f"{engine.surface}; {_key(engine)}", f"parser: {engine.verified}{beside}", engine.price_note)
    return "\n".join(one_line(line) for line in lines if line)


def _key(engine: Listed) -> str:
    if engine.key_variable is None:
        return "no key needed"
    state = "is set" if engine.key_set else "is not set, and need not be" if engine.key_optional else "is not set"
    return f"{engine.key_variable} {state}"


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
