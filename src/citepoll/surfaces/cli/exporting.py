"""citepoll export"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from citepoll.errors import InputError
from citepoll.report.numbers import noun
from citepoll.service import exporting
from citepoll.surfaces.cli.terminal import HERE, AsJson, ProjectDir, emit_json, opened, progress, say


def export(
    cycle: Annotated[str, typer.Option(metavar="NAME", help="The cycle to export.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Default: standard output.")
    ] = None,
    format: Annotated[
        str | None, typer.Option(metavar="jsonl|csv|parquet", help="Default: by the file's ending.")
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Leave CSV cells that look like formulae as they are.")] = False,
    project: ProjectDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Write a cycle's answers in the interchange schema, ready to be imported again."""
    ledger = opened(project).ledger
    found = ledger.cycle(cycle)
    chosen = exporting.format_of(output, format)
    if output is None:
        if sys.stdout.isatty() and chosen == "parquet":
            raise InputError("Parquet is not for a terminal.", "Name a file with --output FILE.")
        exporting.write(exporting.rows(ledger, found), sys.stdout.buffer, chosen, raw=raw)
        return
    with progress(f"writing {output.name}") as (bar, task):
        written = exporting.export(
            ledger,
            found,
            output,
            chosen,
            raw=raw,
            step=lambda done, total: bar.update(task, completed=done, total=total),
        )
    emit_json({"cycle": cycle, "file": str(output), "rows": written}) if as_json else say(
        f"{noun(written, 'row')} → {output}"
    )
