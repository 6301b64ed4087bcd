"""citepoll token make|list|revoke"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from citepoll.report.printable import one_line
from citepoll.service import accounts, sessions
from citepoll.store.accounts import AccountFile
from citepoll.surfaces.cli.terminal import AsJson, emit_json, now, out, say, write
from citepoll.surfaces.cli.user import HOME, Home

app = typer.Typer(help="Tokens with which programs use the REST API and MCP.", no_args_is_help=True)


@app.command("make")
def make(
    user: Annotated[str, typer.Argument(help="Whose token it is: it never may more than its user.")],
    name: Annotated[str, typer.Option(help="What it is for.")],
    scope: Annotated[str, typer.Option(help="read or write.")] = "read",
    project: Annotated[str | None, typer.Option(metavar="ID", help="The one project it is for. Default: all.")] = None,
    home: Home = HOME,
    as_json: AsJson = False,
) -> None:
    """Make a token. It is printed once, and only its hash is kept."""
    file = AccountFile(home)
    made, secret = sessions.make_token(file, accounts.user_named(file, user), name, scope, project, now())
    if as_json:
        emit_json({"id": made.id, "user": made.user.name, "name": made.name, "scope": made.scope,
                   "project": made.project, "token": secret})  # fmt: skip
        return
    write(f"{secret}\n")
    say(f"Token {made.id} of {made.user.name}, {made.scope}. It is not shown again.")


@app.command("list")
def list_tokens(home: Home = HOME, as_json: AsJson = False) -> None:
    """List the tokens, without their secrets."""
    found = AccountFile(home).tokens()
    if as_json:
        emit_json(found)
        return
    table = Table("id", "user", "name", "scope", "project", "last used", "", box=None, pad_edge=False)
    for token in found:
        state = "revoked" if token.revoked_at else ""
        used = (token.used_at or "never")[:16]
        table.add_row(str(token.id), Text(token.user.name), Text(one_line(token.name)), token.scope,
                      Text(token.project or "all"), used, state)  # fmt: skip
    out.print(table)


@app.command("revoke")
def revoke(
    number: Annotated[int, typer.Argument(metavar="ID", help="The token's number.")],
    home: Home = HOME,
    as_json: AsJson = False,
) -> None:
    """End a token, at once."""
    found = sessions.revoke_token(AccountFile(home), number, now())
    if as_json:
        emit_json(found)
    else:
        say(f"Token {found.id} of {found.user.name} is revoked.")
