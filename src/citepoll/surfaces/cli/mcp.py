"""citepoll mcp"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from citepoll.errors import InputError
from citepoll.surfaces.web.rooms import Rooms

Serve = Callable[[Rooms, bool], None]


def mcp_command(serve: Serve) -> Callable[..., None]:
    """The command, for the server that `serve` runs until its input ends."""

    def mcp(
        folders: Annotated[
            list[Path] | None,
            typer.Argument(metavar="FOLDER", help="A project, or a folder that holds projects. Default: here."),
        ] = None,
        allow_writes: Annotated[
            bool,
            typer.Option(
                "--allow-writes", help="Let the agent poll, which may cost money, import, lock and set statuses."
            ),
        ] = False,
    ) -> None:
        """Serve projects to an AI agent over stdio (MCP); read-only unless told otherwise. docs/mcp.md has the tools."""
        places = tuple(folders or [Path()])
        missing = [folder for folder in places if not folder.is_dir()]
        if missing:
            raise InputError(f"There is no folder {missing[0]}.", "Name a project, or a folder that holds projects.")
        serve(Rooms(places), allow_writes)

    return mcp
