"""citepoll import"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from citepoll.report.numbers import count, noun
from citepoll.service.deriving import derive
from citepoll.service.importing import ImportSummary, import_file
from citepoll.surfaces.cli.terminal import HERE, AsJson, ProjectDir, emit_json, now, opened, progress, say, warn


def import_answers(
    file: Annotated[Path, typer.Argument(help="JSONL, JSONL.gz, CSV or Parquet; docs/interchange.md has the schema.")],
    cycle: Annotated[str, typer.Option(metavar="NAME", help="The cycle that the answers belong to; made if absent.")],
    engine: Annotated[str | None, typer.Option(metavar="ID", help="The engine of rows that name none.")] = None,
    project: ProjectDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Import recorded answers into a cycle. Importing the same file twice changes nothing."""
    desk = opened(project)
    with progress(f"reading {file.name}", counted=False) as (bar, task):
        summary = import_file(
            desk.project, desk.ledger, file, cycle, at=now(), engine=engine,
            step=lambda done, rows: bar.update(task, total=1.0, completed=done, note=f"{rows:,} rows"),
        )  # fmt: skip
    with progress("extracting") as (bar, task):
        derive(
            desk.project, desk.ledger, desk.ledger.cycle(cycle), now(),
            step=lambda done, total: bar.update(task, completed=done, total=total),
        )  # fmt: skip
    if as_json:
        emit_json(summary)
    else:
        _tell(summary)
    for warning in summary.warnings:
        warn(warning)


def _tell(summary: ImportSummary) -> None:
    say(f"{summary.file} → cycle {summary.cycle}: {noun(summary.new, 'new answer')} of {noun(summary.rows, 'row')}")
    if summary.known:
        say(f"  {count(summary.known)} were here already and stay as they are")
    if summary.further:
        say(f"  {count(summary.further)} repeat an engine, query and run with other content: kept as further runs")
    if summary.rejected:
        say(f"  {count(summary.rejected)} could not be read: {summary.rejects_file} has each with its reason")
    statuses = ", ".join(f"{status} {count(n)}" for status, n in summary.statuses.items())
    say(f"  {noun(summary.queries, 'query', 'queries')}, {noun(len(summary.engines), 'engine')}; {statuses}")
