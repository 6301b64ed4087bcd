"""citepoll alerts list|test|send"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from citepoll.errors import SendError
from citepoll.project import FILE
from citepoll.report.printable import one_line
from citepoll.service.alerting import Rules, raise_alerts, raise_states, rules
from citepoll.service.delivering import deliver, send_test, told
from citepoll.service.measuring import measurable
from citepoll.store.alerts import Alert, by_moment
from citepoll.store.alerts import alerts as stored
from citepoll.surfaces.cli.terminal import HERE, AsJson, ProjectDir, emit_json, now, opened, out, say, warn

app = typer.Typer(help="What is told when something changed, and to whom.", no_args_is_help=True)


@app.command("list")
def list_alerts(
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="The most to list.")] = 20,
    project: ProjectDir = HERE,
    as_json: AsJson = False,
) -> None:
    """The channels, the watched queries, and the newest alerts with how they were sent."""
    desk = opened(project)
    found, history = rules(desk.project, desk.ledger), by_moment(stored(desk.ledger, limit))
    if as_json:
        emit_json({"rules": found, "alerts": history})
        return
    _print_rules(found)
    table = Table("raised", "cycle", "alert", "sent", box=None, pad_edge=False)
    for alert in history:
        table.add_row(f"{alert.raised_at:%Y-%m-%d %H:%M}", Text(one_line(alert.notice.cycle, 40)),
                      Text(one_line(alert.notice.title)), Text(_way(alert)))  # fmt: skip
    out.print(table) if history else say("No alert yet.")


@app.command("test")
def try_channel(
    channel: Annotated[str | None, typer.Option(metavar="NAME", help="Default: every channel.")] = None,
    project: ProjectDir = HERE,
) -> None:
    """Send a test message to a channel, or to each."""
    desk = opened(project)
    names = [one.name for one in desk.project.alerts.channels] if channel is None else [channel]
    failed = []
    for name in names:
        try:
            left = send_test(desk.project, name, now())
            say(f"{name}: a test message is sent." + (f" But {left}." if left else ""))
        except SendError as wrong:
            failed.append(name)
            warn(f"{name}: {wrong.cause} {wrong.fix}")
    if failed:
        raise SendError(f"{', '.join(failed)} took no test message.", "See docs/alerts.md.")
    if not names:
        say(f"There is no channel yet. Set one up below [alerts] in {FILE}; docs/alerts.md shows how.")


@app.command("send")
def send(project: ProjectDir = HERE, as_json: AsJson = False) -> None:
    """Look for alerts in the newest measured cycle, and send all that were not sent yet, digests included."""
    desk = opened(project)
    at, ready = now(), measurable(desk.ledger)
    new = (
        raise_alerts(desk.project, desk.ledger, ready[-1], at) if ready else raise_states(desk.project, desk.ledger, at)
    )
    sent = deliver(desk.project, desk.ledger, at, at_once=True)
    if as_json:
        emit_json({"new": new, "sent": sent})
    else:
        for alert in reversed(stored(desk.ledger, ids=new)):
            say(alert.notice.title)
        say(told(sent) or ("Nothing to send." if desk.project.alerts.channels else "No channel is set up."))
    if failed := [one.channel for one in sent if not one.arrived]:
        raise SendError(f"{', '.join(failed)} took nothing.", "The alerts wait; `citepoll alerts send` tries again.")


def _print_rules(found: Rules) -> None:
    for channel in found.channels:
        missing = f"; {' and '.join(channel.missing)} not set" if channel.missing else ""
        waiting = f"; {channel.waiting} waiting" if channel.waiting else ""
        say(f"{channel.name} ({channel.form}): {channel.where}{missing}{waiting}")
        if channel.problem:
            warn(f"{channel.name}: {channel.problem}")
    if not found.channels:
        say(f"No channel is set up: alerts are kept, and sent to nobody. Channels stand below [alerts] in {FILE}.")
    if found.digest:
        say(f"Sent as a {found.digest} digest.")
    for text, known in found.watch:
        say(f"watched: {one_line(text, 120)}" + ("" if known else " (not asked in the newest measured cycle)"))


def _way(alert: Alert) -> str:
    """`email 2026-11-03, team waiting`."""
    return ", ".join(
        f"{one.channel} {one.sent_at:%Y-%m-%d}"
        if one.sent_at
        else f"{one.channel} {'failed' if one.problem else 'waiting'}"
        for one in alert.deliveries
    )
