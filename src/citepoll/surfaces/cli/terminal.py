"""What every command shares: data to standard output, all else to standard error; progress; the project's folder."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from citepoll.errors import CitepollError, InputError
from citepoll.report.printable import printable
from citepoll.service.opened import OpenProject, open_project

ProjectDir = Annotated[Path, typer.Option("--project", "-p", help="The project's folder.", show_default="here")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

out = Console(soft_wrap=False, highlight=False, emoji=False, markup=False)
err = Console(stderr=True, highlight=False, emoji=False, markup=False)

HERE = Path(".")


def now() -> datetime:
    return datetime.now(UTC)


def opened(project: Path) -> OpenProject:
    return open_project(project)


def emit_json(value: Any) -> None:
    """Print a value as indented JSON; dataclasses and structs as objects."""
    encoded = msgspec.json.encode(value, enc_hook=str)
    write(msgspec.json.format(encoded, indent=2).decode() + "\n")


def write(text: str) -> None:
    """Print data as it is, unwrapped, in UTF-8 whatever the locale says."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))
    sys.stdout.buffer.flush()


def say(text: str) -> None:
    """A line for people, on standard error, wrapped to the terminal."""
    err.print(Text(printable(text)))


def warn(text: str) -> None:
    err.print(Text("warning: ", style="bold") + Text(printable(text)))


def forgive_encodings() -> None:
    """Let a terminal that cannot show a character show a question mark in its place."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def unwritten(wrong: OSError) -> CitepollError:
    """The error for what the system refused, most often the output; what is left of that goes nowhere."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    place = f" ({wrong.filename})" if wrong.filename else ""
    return CitepollError(
        f"The system refused: {wrong.strerror or wrong}{place}.", "Check the disk, and where the output goes."
    )


def show_error(error: CitepollError) -> None:
    err.print(Text("error: ", style="bold red") + Text(printable(error.cause)))
    for line in (error.kept, error.fix):
        if line:
            err.print(Text("       " + printable(line)))


def confirm(question: str, yes: bool, why: str = "This deletes what is kept") -> None:
    """Ask on a terminal; in a script, go on only with --yes. `why` it has to be asked."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise InputError(f"{why}, and nobody is here to be asked.", "Say --yes in a script.")
    typer.confirm(question, abort=True, err=True)


def confirm_name(name: str, yes: bool) -> None:
    """Go on only where somebody types the name of what is deleted, or with --yes."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise InputError("This cannot be undone, and nobody is here to be asked.", "Say --yes in a script.")
    if typer.prompt(f"Type {name} to delete it", err=True).strip() != name:
        raise InputError("That is another name.", "Nothing was deleted.")


@contextmanager
def progress(label: str, *, counted: bool = True) -> Iterator[tuple[Progress, Any]]:
    """A bar on standard error, shown on a terminal only."""
    columns = [SpinnerColumn(), TextColumn("{task.description}"), BarColumn()]
    columns.append(MofNCompleteColumn() if counted else TaskProgressColumn())
    with Progress(*columns, TextColumn("{task.fields[note]}"), TimeRemainingColumn(), console=err, transient=True,
                  disable=not err.is_terminal) as bar:  # fmt: skip
        yield bar, bar.add_task(label, total=None, note="")
