"""Assembles the command line and the one app of the server. One file per noun in surfaces; nothing is decided here."""

from __future__ import annotations

import sys
from functools import partial
from importlib import import_module
from typing import Annotated, Any

import typer
from litestar import Litestar

from citepoll import __version__
from citepoll.errors import CitepollError
from citepoll.jobs.chores import Chore
from citepoll.jobs.rounds import Rounds
from citepoll.jobs.server import Jobs
from citepoll.service import delivering, retaining
from citepoll.surfaces import api, dashboard
from citepoll.surfaces.cli import (
    alerts,
    answers,
    check,
    corpus,
    cycles,
    delete,
    engines,
    experiment,
    opportunities,
    queries,
    token,
    user,
)
from citepoll.surfaces.cli.backup import backup, restore
from citepoll.surfaces.cli.compare import compare, velocity
from citepoll.surfaces.cli.exporting import export
from citepoll.surfaces.cli.gaps import gaps
from citepoll.surfaces.cli.health import health
from citepoll.surfaces.cli.importing import import_answers
from citepoll.surfaces.cli.init import init
from citepoll.surfaces.cli.mcp import mcp_command
from citepoll.surfaces.cli.measure import measure
from citepoll.surfaces.cli.movement import decay, movement
from citepoll.surfaces.cli.plan import plan
from citepoll.surfaces.cli.poll import poll
from citepoll.surfaces.cli.rebuild import rebuild
from citepoll.surfaces.cli.report import report
from citepoll.surfaces.cli.schedule import schedule
from citepoll.surfaces.cli.serve import serve_command
from citepoll.surfaces.cli.sources import sources
from citepoll.surfaces.cli.targets import targets
from citepoll.surfaces.cli.terminal import forgive_encodings, show_error, unwritten
from citepoll.surfaces.cli.views import views
from citepoll.surfaces.dashboard.doors import alert_link
from citepoll.surfaces.web.application import assemble
from citepoll.surfaces.web.desk import Desk
from citepoll.surfaces.web.warming import Warming


def build_app(desk: Desk) -> Litestar:
    """The one app that a server runs, with its background work."""
    link = alert_link(desk.settings.public_url)
    jobs = Jobs(
        desk.rooms, desk.accounts, desk.accounts.path.parent, desk.clock,
        chores=(Chore("retention", retaining.wants, retaining.retain_daily),),
        after=(partial(delivering.after_cycle, link=link),),
    )  # fmt: skip
    rounds = Rounds("alerts", partial(delivering.check_and_send, link=link), desk.rooms, desk.accounts, desk.clock)
    desk.worker = jobs.polls
    mcp, answering = _mcp("http").mount(desk)
    built = assemble(
        desk,
        [dashboard.pages(), api.api(), mcp],
        dashboard.error_page,
        lifespan=[jobs.running, rounds.running, answering, Warming(desk, dashboard.ahead).running],
    )
    built.state.nav = dashboard.NAV
    return built


def _mcp(name: str) -> Any:
    """A module of the MCP server. Its library takes half a second to load, which no other command should pay."""
    return import_module(f"citepoll.surfaces.mcp.{name}")


app = typer.Typer(name="citepoll", no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)

app.command("init")(init)
app.add_typer(queries.app, name="queries")
app.add_typer(corpus.app, name="corpus")
app.add_typer(engines.app, name="engines")
app.command("plan")(plan)
app.command("poll")(poll)
app.command("import")(import_answers)
app.command("export")(export)
app.command("schedule")(schedule)
app.add_typer(cycles.app, name="cycles")
app.command("measure")(measure)
app.command("compare")(compare)
app.command("velocity")(velocity)
app.command("movement")(movement)
app.command("decay")(decay)
app.command("gaps")(gaps)
app.command("sources")(sources)
app.add_typer(opportunities.app, name="opportunities")
app.add_typer(experiment.app, name="experiment")
app.command("targets")(targets)
app.command("views")(views)
app.add_typer(check.app, name="check")
app.add_typer(answers.app, name="answers")
app.command("report")(report)
app.command("rebuild")(rebuild)
app.command("health")(health)
app.add_typer(alerts.app, name="alerts")
app.command("backup")(backup)
app.command("restore")(restore)
app.add_typer(delete.app, name="delete")
app.command("serve")(serve_command(build_app))
app.command("mcp")(mcp_command(lambda rooms, writes: _mcp("stdio").serve(rooms, writes)))
app.add_typer(user.app, name="user")
app.add_typer(token.app, name="token")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"citepoll {__version__}")
        raise typer.Exit


@app.callback()
def citepoll(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Polls AI answer engines the way a pollster polls voters: who is cited as a source, with honest intervals."""


def main() -> None:
    """The `citepoll` command. Errors of ours end with their own exit status (docs/cli.md has the table)."""
    forgive_encodings()
    try:
        app()
    except (CitepollError, OSError) as wrong:
        error = wrong if isinstance(wrong, CitepollError) else unwritten(wrong)
        show_error(error)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
