"""How a password is read: typed, piped, or from a file; never as an argument, where other processes see it."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from citepoll.errors import InputError


def read_password(file: Path | None) -> str:
    """The password; asked for twice on a terminal, else the first line of the file or of standard input."""
    if file is not None:
        return _first_line(_text(file))
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    return _first_line(sys.stdin.read(65536))


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as wrong:
        raise InputError(
            f"{file} cannot be read: {wrong}.", "Name a text file with the password in its first line."
        ) from None


def _first_line(text: str) -> str:
    line = text.removeprefix("\ufeff").split("\n", 1)[0].removesuffix("\r")
    if not line:
        raise InputError("No password was given.", "Type it, pipe it in, or name a file with --password-file.")
    return line
