"""citepoll experiment start | list | show | end"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from citepoll.report.numbers import noun, percent, points
from citepoll.report.printable import one_line
from citepoll.service import experiments as service
from citepoll.service.experiments import Trial
from citepoll.surfaces.cli.terminal import HERE, AsJson, ProjectDir, emit_json, now, opened, out, say, warn

app = typer.Typer(help="Judge a content change against queries that it does not touch.", no_args_is_help=True)
Queries = "'topic = pricing', 'intent in (versus, best-of)', or a file with a question per line."
Number = Annotated[int, typer.Argument(metavar="N", help="The experiment's number.")]


@app.command("start")
def start(
    treat: Annotated[str, typer.Option(metavar="QUERIES", help=f"The queries that the change is for: {Queries}")],
    control: Annotated[str, typer.Option(metavar="QUERIES", help="The queries that it does not touch, likewise.")],
    change: Annotated[str, typer.Option(metavar="TEXT", help="What is changed.")],
    project: ProjectDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Begin: the newest cycle is the one before the change; says what effect the design can see."""
    desk = opened(project)
    trial = service.start(desk.project, desk.ledger, treat, control, change, now())
    emit_json(trial) if as_json else _print(trial)


@app.command("list")
def show_all(project: ProjectDir = HERE, as_json: AsJson = False) -> None:
    """Every experiment."""
    found = service.list_experiments(opened(project).ledger)
    if as_json:
        emit_json(found)
        return
    if not found:
        say('No experiment yet: `citepoll experiment start --treat … --control … --change "…"`.')
        return
    table = Table("n", "change", "after cycle", "treated", "control", "started", "ended", box=None, pad_edge=False)
    for each in found:
        table.add_row(
            str(each.id), Text(one_line(each.change)), each.cycle, str(len(each.treat)), str(len(each.control)),
            each.started_at[:10], (each.ended_at or "")[:10],
        )  # fmt: skip
    out.print(table)


@app.command("show")
def show(number: Number, project: ProjectDir = HERE, as_json: AsJson = False) -> None:
    """What the change did in every cycle since, with its interval, the check before it, and the power of the design."""
    desk = opened(project)
    trial = service.judge(desk.project, desk.ledger, number, now())
    emit_json(trial) if as_json else _print(trial)


@app.command("end")
def end(number: Number, project: ProjectDir = HERE, as_json: AsJson = False) -> None:
    """Close an experiment: cycles from now on do not count for it."""
    desk = opened(project)
    found = service.end(desk.ledger, number, now())
    emit_json(found) if as_json else say(f"Experiment {found.id} ended after cycle {found.last_cycle}.")


def _print(trial: Trial) -> None:
    found = trial.experiment
    out.print(Text(f"{found.id}: {one_line(found.change)}", style="bold"))
    ended = f", ended after {found.last_cycle}" if found.ended_at else ""
    out.print(f"{noun(len(found.treat), 'query', 'queries')} treated, {len(found.control)} control; "
              f"begun after cycle {found.cycle}{ended}")  # fmt: skip
    for power in trial.power:
        assumed = "estimated" if power.icc_estimated else "assumed"
        out.print(f"{power.engine}: an effect of {_points(power.fixed_set)} on these queries, or "
                  f"{_points(power.category)} on questions like these, is seen four times in five (share "
                  f"{percent(power.share)}, {power.runs:.1f} runs, correlation {power.icc:.2f} {assumed}; optimistic below "
                  "50 queries an arm)")  # fmt: skip
    for trend in trial.pre_trends:
        out.print(f"{trend.engine}, before: {trend.sentence}")
    for one in trial.judgements:
        whom = "these queries" if one.target == "fixed_set" else "questions like these"
        p = "" if one.p is None else f", adjusted p {one.p:.3f}"
        effect = "" if one.effect.value is None else f"{points(one.effect)}{p}; "
        out.print(f"{one.engine}, {one.before} to {one.after}, {whom}: {effect}{one.sentence}")
    if trial.reason:
        say(trial.reason)
    for warning in trial.warnings:
        warn(warning)


def _points(fraction: float) -> str:
    return f"{fraction * 100:.0f} points"
