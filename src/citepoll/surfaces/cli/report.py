"""citepoll report"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from citepoll.service.reporting import write_report
from citepoll.surfaces.cli.terminal import HERE, AsJson, ProjectDir, emit_json, now, opened, progress, say


def report(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Default: report.html here.")
    ] = None,
    cycle: Annotated[str | None, typer.Option(metavar="NAME", help="Default: the latest.")] = None,
    project: ProjectDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Write one self-contained HTML file: where we stand, against whom, on which evidence."""
    desk = opened(project)
    path = output or desk.project.root / "report.html"
    with progress("drawing the report"):
        size = write_report(desk.project, desk.ledger, path, cycle, now())
    emit_json({"file": str(path), "bytes": size}) if as_json else say(f"The report is in {path} ({size / 1e6:.1f} MB).")
