"""citepoll backup | restore"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from citepoll.report.numbers import noun
from citepoll.service.backup import back_up, backup_name
from citepoll.service.backup import restore as bring_back
from citepoll.surfaces.cli.terminal import HERE, AsJson, ProjectDir, emit_json, now, opened, progress, say


def backup(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Default: the project's name and the time, here.")
    ] = None,
    desk: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Add the accounts of the desk whose home this folder is.")
    ] = None,
    project: ProjectDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Write ledger, corpus, derived tables, project file and queries into one file. Safe while a poll is at work."""
    held, at = opened(project), now()
    path = file or Path(backup_name(held.project, at))
    with progress("writing the backup"):
        written = back_up(held.project, held.ledger, path, at, desk=desk)
    if as_json:
        emit_json({"file": str(path), "bytes": written.size, "manifest": written.manifest})
        return
    files = noun(len(written.manifest.items), "file")
    say(f"The backup is in {path} ({written.size / 1e6:.1f} MB, {files}); it was read back and is whole.")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `citepoll backup` wrote.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder, or an empty one.")],
    as_json: AsJson = False,
) -> None:
    """Bring a project back from a backup, into a new folder. Nothing is overwritten."""
    with progress("restoring"):
        restored = bring_back(file, folder)
    if as_json:
        emit_json(restored)
        return
    made = restored.made_at[:16].replace("T", " ")
    say(
        f"{restored.root} is as it was at {made} UTC: {noun(len(restored.cycles), 'cycle')}, "
        f"{noun(restored.answers, 'answer')}."
    )
    if restored.desk:
        say(f"The accounts are in {restored.desk}; `citepoll serve --home {restored.desk.parent}` uses them.")
