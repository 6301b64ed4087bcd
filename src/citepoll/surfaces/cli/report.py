"""citepoll report"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from citepoll.report.pdf import Paper, missing_sentence
from citepoll.service.reporting import write_pdf, write_report
from citepoll.surfaces.cli.terminal import HERE, AsJson, ProjectDir, emit_json, now, opened, progress, say, warn


def report(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Default: report.html or report.pdf here.")
    ] = None,
    cycle: Annotated[str | None, typer.Option(metavar="NAME", help="Default: the latest.")] = None,
    pdf: Annotated[bool, typer.Option("--pdf", help="Write a PDF to print or send, without the answers.")] = False,
    paper: Annotated[Paper, typer.Option(help="The size of the PDF's pages.")] = "a4",
    project: ProjectDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Write one self-contained file: where we stand, against whom, on which evidence. HTML, or with --pdf a PDF."""
    desk = opened(project)
    path = output or desk.project.root / ("report.pdf" if pdf else "report.html")
    missing = ""
    with progress("drawing the report"):
        if pdf:
            printed = write_pdf(desk.project, desk.ledger, path, cycle, now(), paper)
            size, missing = len(printed.pdf), printed.missing
        else:
            size = write_report(desk.project, desk.ledger, path, cycle, now())
    found = {"file": str(path), "bytes": size, **({"without_glyph": missing} if pdf else {})}
    emit_json(found) if as_json else say(f"The report is in {path} ({size / 1e6:.1f} MB).")
    if missing:
        warn(f"{missing_sentence(missing)} Install a font that has them and write it again.")
