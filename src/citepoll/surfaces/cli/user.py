"""citepoll user add|list|role|password|remove|log"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from citepoll.project import DATA
from citepoll.report.printable import one_line
from citepoll.service import accounts
from citepoll.store.accounts import AccountFile, User
from citepoll.surfaces.cli.passwords import read_password
from citepoll.surfaces.cli.terminal import AsJson, Yes, confirm, emit_json, now, out, say

app = typer.Typer(help="Who may enter a server: accounts with a role.", no_args_is_help=True)

Home = Annotated[Path, typer.Option("--home", metavar="DIR", help="Where accounts are kept, as for `citepoll serve`.")]
Name = Annotated[str, typer.Argument(help="The user's name.")]
Projects = Annotated[
    list[str] | None,
    typer.Option("--project", metavar="ID", help="A project that the user sees; may be repeated. Default: all."),
]
PasswordFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="A file whose first line is the password. Default: asked for, or stdin."),
]
HOME = Path(DATA)


@app.command("add")
def add(
    name: Name,
    role: Annotated[str, typer.Option(help="owner, analyst or viewer.")],
    project: Projects = None,
    password_file: PasswordFile = None,
    home: Home = HOME,
    as_json: AsJson = False,
) -> None:
    """Add a user. The first one should be an owner; the password has 12 characters or more."""
    file = AccountFile(home)
    made = accounts.add_user(file, name, read_password(password_file), role, project, now())
    _show(made, f"Added {made.name}, {made.role}, in {file.path}.", as_json)


@app.command("list")
def list_users(home: Home = HOME, as_json: AsJson = False) -> None:
    """List the users: role, projects, last login."""
    found = AccountFile(home).users()
    if as_json:
        emit_json(found)
        return
    table = Table("name", "role", "projects", "last login", box=None, pad_edge=False)
    for user in found:
        seen = "all" if user.projects is None else ", ".join(user.projects) or "none"
        table.add_row(Text(user.name), user.role, Text(one_line(seen)), (user.entered_at or "never")[:16])
    out.print(table)


@app.command("role")
def set_role(
    name: Name,
    role: Annotated[str, typer.Argument(help="owner, analyst or viewer.")],
    project: Projects = None,
    home: Home = HOME,
    as_json: AsJson = False,
) -> None:
    """Change a user's role and projects. The user's sessions end."""
    file = AccountFile(home)
    accounts.set_role(file, accounts.user_named(file, name), role, project, now())
    made = accounts.user_named(file, name)
    _show(made, f"{made.name} is {made.role} now.", as_json)


@app.command("password")
def password(name: Name, password_file: PasswordFile = None, home: Home = HOME, as_json: AsJson = False) -> None:
    """Set a user's password. The user's sessions end; tokens stay."""
    file = AccountFile(home)
    user = accounts.user_named(file, name)
    accounts.set_password(file, user, read_password(password_file), now())
    _show(user, f"{user.name} has a new password.", as_json)


@app.command("remove")
def remove(name: Name, home: Home = HOME, yes: Yes = False, as_json: AsJson = False) -> None:
    """Remove a user with sessions and tokens."""
    file = AccountFile(home)
    user = accounts.user_named(file, name)
    confirm(f"Remove {user.name} with all sessions and tokens?", yes)
    accounts.remove_user(file, user, now())
    _show(user, f"Removed {user.name}.", as_json)


@app.command("log")
def log(
    home: Home = HOME,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many lines, the newest.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show the audit log: who did what, to what, when, from where."""
    found = AccountFile(home).audit(limit)
    if as_json:
        emit_json(found)
        return
    table = Table("when", "who", "what", "object", "from", box=None, pad_edge=False)
    for line in found:
        table.add_row(
            line.at[:19], *(Text(one_line(text)) for text in (line.who, line.what, line.object, line.address))
        )
    out.print(table)


def _show(user: User, text: str, as_json: bool) -> None:
    if as_json:
        emit_json(user)
    else:
        say(text)
