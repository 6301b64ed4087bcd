"""citepoll serve"""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from litestar import Litestar

from citepoll.errors import InputError
from citepoll.project import DATA
from citepoll.report.numbers import noun
from citepoll.surfaces.cli.terminal import say, warn, write
from citepoll.surfaces.web.desk import Desk, Settings, is_loopback, open_desk, proxies, public_origin
from citepoll.surfaces.web.listening import bound, server

OPENER = "open.html"
"""The file that leads a browser in, in the home of the accounts."""

Build = Callable[[Desk], Litestar]


def serve_command(build: Build) -> Callable[..., None]:
    """The command, for the app that `build` makes of a desk."""

    def serve(
        folders: Annotated[
            list[Path] | None,
            typer.Argument(metavar="FOLDER", help="A project, or a folder that holds projects. Default: here."),
        ] = None,
        host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
        port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen at; 0 takes a free one.")] = 8321,
        public_url: Annotated[
            str | None, typer.Option(metavar="URL", help="The address that people use, as https://polls.example.org.")
        ] = None,
        trusted_proxy: Annotated[
            list[str] | None,
            typer.Option(metavar="ADDR", help="A proxy whose forwarded headers count; may be repeated."),
        ] = None,
        home: Annotated[
            Path | None, typer.Option(metavar="DIR", help="Where accounts are kept. Default: .citepoll in FOLDER.")
        ] = None,
        no_open: Annotated[bool, typer.Option("--no-open", help="Do not open a browser.")] = False,
    ) -> None:
        """Show projects in a browser, and to programs. Without accounts: on this machine only, by a printed address."""
        places = tuple(folders or [Path()])
        settings = Settings(host, port, public_origin(public_url), proxies(trusted_proxy or ()))
        _check_folders(places)
        desk = open_desk(places, home or places[0] / DATA, settings)
        _check_reach(desk)
        listening = bound(host, port)
        desk.settings = replace(settings, port=listening.getsockname()[1])
        opener = desk.accounts.path.parent / OPENER
        try:
            server(build(desk), desk.settings, lambda: _tell(desk, opener, no_open)).run(sockets=[listening])
        finally:
            opener.unlink(missing_ok=True)

    return serve


def _check_folders(folders: tuple[Path, ...]) -> None:
    for folder in folders:
        if not folder.is_dir():
            raise InputError(f"There is no folder {folder}.", "Name a project, or a folder that holds projects.")


def _check_reach(desk: Desk) -> None:
    """Without accounts nothing but this machine may reach the server; with them, it must know its name."""
    settings = desk.settings
    away = not is_loopback(settings.host)
    if desk.token is not None and (away or settings.public_url or settings.trusted_proxies):
        raise InputError(
            "This server has no accounts, so it can be reached from this machine only.",
            f"Make an owner first: citepoll user add NAME --role owner --home {desk.accounts.path.parent}",
        )
    if away and settings.public_url is None:
        raise InputError(
            f"{settings.host} can be reached from elsewhere, and this server does not know by which name.",
            "Say --public-url and the address that people use.",
        )
    if settings.public_url and not settings.https and away:
        warn(
            "passwords go over the network in the clear: put a proxy with https in front, and name it with --public-url"
        )


def _tell(desk: Desk, opener: Path, no_open: bool) -> None:
    url = f"{desk.settings.url}/enter/{desk.token}" if desk.token else desk.settings.url
    write(f"{url}\n")
    if desk.token:
        say(
            "Open this address: it lets in one browser, once. What stands behind /enter/ is the bearer token for programs."
        )
    say(f"Serving {noun(len(desk.rooms.all()), 'project')}; accounts in {desk.accounts.path}. Ctrl-C ends it.")
    if not no_open and sys.stdout.isatty():
        webbrowser.open(_leading_to(url, opener))


def _leading_to(url: str, opener: Path) -> str:
    """The address of a file that leads a browser on to `url`: every user of the machine may read what a browser is
    started with, and only the owner may read this."""
    opener.unlink(missing_ok=True)
    with os.fdopen(os.open(opener, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as out:
        out.write(f'<!doctype html><meta http-equiv="refresh" content="0; url={url}"><title>citepoll</title>')
    return opener.resolve().as_uri()
