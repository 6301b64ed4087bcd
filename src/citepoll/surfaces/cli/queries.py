"""citepoll queries lint | lock | show | diff | add | export | starter"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from citepoll.errors import InputError
from citepoll.hashing import short
from citepoll.queryset import formats
from citepoll.queryset.lock import diff as difference
from citepoll.queryset.lock import render
from citepoll.report.numbers import noun
from citepoll.report.printable import one_line
from citepoll.service import queries as service
from citepoll.surfaces.cli.terminal import HERE, AsJson, ProjectDir, emit_json, now, opened, out, say, warn, write

app = typer.Typer(help="The questions that are asked: write, check, lock.", no_args_is_help=True)


@app.command("lint")
def lint(
    file: Annotated[Path | None, typer.Argument(help="Default: the project's query file.")] = None,
    project: ProjectDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Say what is wrong with the query file, and what to do about it. Ends with 1 where something makes it unusable."""
    desk = opened(project)
    reading = service.read_file(desk.project, file)
    findings = service.check(desk.project, desk.ledger, reading.queries)
    if as_json:
        emit_json({"queries": len(reading.queries), "findings": findings, "warnings": reading.warnings})
    else:
        for warning in reading.warnings:
            warn(warning)
        for finding in findings:
            out.print(f"{finding.severity}: {finding.sentence} [{finding.code}]", soft_wrap=False)
        say(f"{noun(len(reading.queries), 'query', 'queries')}, {noun(len(findings), 'finding')}")
    if any(finding.severity == "error" for finding in findings):
        raise typer.Exit(1)


@app.command("lock")
def lock(project: ProjectDir = HERE, as_json: AsJson = False) -> None:
    """Freeze the query file under its hash. The next cycle asks what is locked; a later edit makes a new version."""
    desk = opened(project)
    version, changed = service.lock_file(desk.project, desk.ledger, now())
    for finding in service.check(desk.project, desk.ledger, version.queries.queries):
        if finding.severity != "note":
            warn(finding.sentence)
    if as_json:
        emit_json(
            {"version": version.number, "hash": version.hash, "queries": len(version.queries.queries), "diff": changed}
        )
        return
    say(f"version {version.number} is locked: {noun(len(version.queries.queries), 'query', 'queries')}, {version.hash}")
    if changed:
        write(render(changed) + "\n")


@app.command("show")
def show(
    version: Annotated[int | None, typer.Argument(help="A locked version (default: the query file).")] = None,
    project: ProjectDir = HERE,
    as_json: AsJson = False,
) -> None:
    """The queries with their intents, why, and the brands that they name."""
    desk = opened(project)
    locked = service.numbered(desk.ledger, version) if version is not None else None
    queries = locked.queries.queries if locked else service.read_file(desk.project).queries
    rows = service.labelled(desk.project, queries)
    if as_json:
        emit_json({
            "version": locked.number if locked else None, "hash": locked.hash if locked else None,
            "queries": [{"id": r.query.id, "query": r.query, "rule": r.rule, "brands": r.brands} for r in rows],
        })  # fmt: skip
        return
    table = Table("query", "intent", "why", "topic", "names", box=None, pad_edge=False)
    for row in rows:
        table.add_row(
            one_line(row.query.text),
            row.query.intent,
            row.rule or "stated",
            one_line(row.query.topic or ""),
            ", ".join(row.brands),
        )
    out.print(table)
    for each in desk.ledger.versions():
        say(f"version {each.number}: {short(each.hash)}, locked {each.locked_at[:10]}, {each.origin}")


@app.command("diff")
def diff(
    old: Annotated[int, typer.Argument(help="A locked version.")],
    new: Annotated[int | None, typer.Argument(help="A later one (default: the query file).")] = None,
    project: ProjectDir = HERE,
    as_json: AsJson = False,
) -> None:
    """What differs between two versions, or between a version and the query file."""
    desk = opened(project)
    before = service.numbered(desk.ledger, old).queries
    if new is not None:
        after = service.numbered(desk.ledger, new).queries
    else:
        after = type(before)(service.with_intents(service.read_file(desk.project).queries))
    found = difference(before, after)
    emit_json(found) if as_json else write(render(found) + "\n")


@app.command("add")
def add(
    file: Annotated[Path, typer.Argument(help="Queries as TOML, CSV or JSONL.")],
    project: ProjectDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Append queries from a file to the project's query file. What is there already stays; the locked set is untouched."""
    desk = opened(project)
    more = service.read_file(desk.project, file)
    added = service.add_to_file(desk.project, more)
    for warning in more.warnings:
        warn(warning)
    if as_json:
        emit_json({"added": added, "read": len(more.queries)})
    else:
        say(
            f"{noun(added, 'query', 'queries')} added to {desk.project.query_file.name}; `citepoll queries lock` freezes them."
        )


@app.command("export")
def export(
    version: Annotated[int | None, typer.Argument(help="A locked version (default: the newest).")] = None,
    format: Annotated[str, typer.Option(metavar="toml|csv|jsonl")] = "toml",
    project: ProjectDir = HERE,
) -> None:
    """Print a locked version."""
    if format not in formats.FORMATS:
        raise InputError(f"{format!r} is not a format.", f"Use one of {', '.join(formats.FORMATS)}.")
    found = service.numbered(opened(project).ledger, version)
    write(formats.write(found.queries.queries, format))


@app.command("starter")
def starter(
    category: Annotated[str | None, typer.Option(help="As buyers say it, as in 'running shoes'.")] = None,
    audience: Annotated[str | None, typer.Option(help="For whom, as in 'beginners'.")] = None,
    count: Annotated[int, typer.Option(min=7, max=500, help="How many queries.")] = 50,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Default: the project's query file.")] = None,
    project: ProjectDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Write a first query set for your category: non-branded, in the recommended mix of intents. Edit it before you lock it."""
    desk = opened(project)
    queries = service.start(desk.project, category, audience, count)
    if as_json:
        emit_json(queries)
        return
    path = output or desk.project.query_file
    service.write_new(path, queries)
    say(f"{noun(len(queries), 'query', 'queries')} → {path}. Read them, edit them, then `citepoll queries lock`.")
