"""citepoll init"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from citepoll.errors import ProjectError
from citepoll.newproject import Start, write_project
from citepoll.surfaces.cli.terminal import AsJson, emit_json, say


def init(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The project's folder; it is made if absent.")],
    brand: Annotated[str, typer.Option(help="The brand that you track.")] = "",
    owns: Annotated[
        list[str] | None,
        typer.Option(metavar="DOMAIN", help="A domain or path prefix that the brand owns; may be repeated."),
    ] = None,
    more: Annotated[
        list[str] | None, typer.Argument(metavar="[DOMAIN | NAME=DOMAIN]...", help="More domains, or more competitors.")
    ] = None,
    competitor: Annotated[
        list[str] | None, typer.Option(metavar="NAME=DOMAIN", help="A competitor; may be repeated.")
    ] = None,
    category: Annotated[str, typer.Option(help="What buyers would call the category, as in 'running shoes'.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a project: a folder with a commented citepoll.toml. Asks for what is missing on a terminal, never in a script."""
    asks = sys.stdin.isatty() and not as_json
    owned = [*(owns or []), *(text for text in more or [] if "=" not in text)]
    named = [*(competitor or []), *(text for text in more or [] if "=" in text)]
    if not brand:
        brand = _ask(asks, "The brand that you track", "--brand NAME")
    if not owned:
        owned = _ask(asks, "Its domains, separated by spaces", "--owns DOMAIN").split()
    rivals = [_rival(text) for text in named]
    if asks and not rivals:
        typed = typer.prompt("Competitors as NAME=DOMAIN, separated by commas (Enter for none)", default="", err=True)
        rivals = [_rival(text) for text in typed.split(",") if text.strip()]
    path = write_project(directory, Start(brand, tuple(owned), tuple(rivals), category))
    if as_json:
        emit_json({"project": str(directory), "file": str(path)})
        return
    say(f"Made {path}. Next: write {directory}/queries.toml (or `citepoll queries starter --project {directory}`),")
    say(f"or import recorded answers: citepoll import FILE --cycle NAME --project {directory}")


def _ask(asks: bool, question: str, option: str) -> str:
    answer = typer.prompt(question, err=True) if asks else ""
    if not str(answer).strip():
        raise ProjectError(f"{question}: not given.", f"Say it with {option}.")
    return str(answer).strip()


def _rival(text: str) -> tuple[str, str]:
    name, equals, domain = text.partition("=")
    if not equals or not name.strip() or not domain.strip():
        raise ProjectError(f"{text!r} is not a competitor.", "Write NAME=DOMAIN, as in --competitor 'Other=other.com'.")
    return name.strip(), domain.strip()
