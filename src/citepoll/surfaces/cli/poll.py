"""citepoll poll"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.progress import Progress

from citepoll.measure.budgeting import FIRST_LOOK
from citepoll.model import Engine
from citepoll.report.numbers import count, duration, money, noun, spread
from citepoll.sampling.sampler import Event
from citepoll.service import polling
from citepoll.service.outlays import outlay_lines
from citepoll.service.polling import Planned, Polled
from citepoll.service.starting import cautions
from citepoll.service.stopping import points
from citepoll.surfaces.cli.redirects import tell_redirects
from citepoll.surfaces.cli.terminal import HERE, AsJson, ProjectDir, emit_json, now, opened, progress, say, warn


def poll(
    project: ProjectDir = HERE,
    cycle: Annotated[str | None, typer.Option(metavar="NAME", help="The cycle's name (default: the date).")] = None,
    over: Annotated[str | None, typer.Option(metavar="SPAN", help="Spread the rounds, as in 36h or 3d.")] = None,
    stop_at: Annotated[
        str | None,
        typer.Option(metavar="POINTS", help="End an engine when its share is known to ± 2pp, say; runs is the cap."),
    ] = None,
    allocate: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Share N runs an engine out over the queries, most where the last cycle was unsure.",
        ),
    ] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Ask failed and deferred runs again.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be asked, and ask nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Ask every engine every locked query, or go on with the cycle that was interrupted."""
    desk = opened(project)
    half_width = points(stop_at, "--stop-at") if stop_at else None
    planned = polling.plan(
        desk.project, desk.ledger, name=cycle, over=over, retry=retry_failed, at=now(), half_width=half_width,
        allocate=allocate,
    )  # fmt: skip
    if not dry_run:
        polling.check_keys(planned.engines)
    for warning in cautions(desk.project, desk.ledger, planned):
        warn(warning)
    if not as_json:
        _tell_plan(planned)
    if dry_run:
        if as_json:
            emit_json(planned)
        return
    with progress(f"polling {planned.cycle}") as (bar, task), _stopping() as stop:
        bar.update(task, total=planned.todo)
        polled = polling.poll(
            desk.project, desk.ledger, planned, at=now(), stop=stop, retry=retry_failed, tell=_teller(bar, task)
        )
    emit_json(polled) if as_json else _tell_end(polled)
    if polled.stopped or polled.interrupted:
        raise typer.Exit(9 if polled.stopped else 130)


def _teller(bar: Progress, task: Any) -> Callable[[Event], None]:
    failed = 0

    def tell(event: Event) -> None:
        nonlocal failed
        if event.what == "recorded":
            failed += event.status == "failed"
            bar.update(task, advance=1, note=f"round {event.round}" + (f", {failed} failed" if failed else ""))
        elif event.what == "waiting" and event.due:
            bar.update(task, note=f"round {event.round} starts {event.due:%d %b %H:%M} UTC")
        elif event.what == "resolving":
            bar.update(task, note="following redirects")
        elif event.what == "stopped":
            warn(f"{event.engine} stops: {event.reason}")
        elif event.what == "enough":
            say(f"{event.engine} has enough: {event.reason}")

    return tell


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """Ctrl-C lets the calls in flight finish; a second one ends at once."""
    stop = threading.Event()

    def interrupt(*_: object) -> None:
        signal.signal(signal.SIGINT, before)
        stop.set()

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def _tell_plan(planned: Planned) -> None:
    version = f"version {planned.version} of the query set" if planned.version else "its query set"
    begins = "going on with" if planned.resumes else "new"
    say(f"{begins} cycle {planned.cycle}: {noun(planned.queries, 'query', 'queries')} ({version})")
    for engine in planned.engines:
        label = f" ({engine.surface})" if engine.surface == "simulated" else ""
        say(f"  {engine.name}{label}: {_runs(planned, engine)}")
    if planned.allotment is not None:
        say(f"  runs by the answers of {planned.allotment.after}; `citepoll plan --allocate N` lists them by query")
    if planned.stop_at is not None:
        say(
            f"  an engine ends when its share is known to ± {planned.stop_at * 100:.3g} points on these queries: a look "
            f"after every round from {FIRST_LOOK} on"
        )
    for line in outlay_lines(planned.estimates):
        say(f"  {line}")
    say(f"  to ask now: {count(planned.todo)} of {noun(planned.runs, 'run')}{_price(planned)}{_time(planned)}")


def _runs(planned: Planned, engine: Engine) -> str:
    """`3 runs a query, 48 in all`; where they differ `20 queries × 2 runs, 4 × 9, 76 in all`."""
    if planned.allotment is None:
        return f"{noun(engine.runs, 'run')} a query, {count(planned.queries * engine.runs)} in all"
    each = planned.allotment.runs.get(engine.name)
    if each is None:
        same = f"{noun(engine.runs, 'run')} a query, {count(planned.queries * engine.runs)} in all"
        return f"{same}: {planned.allotment.after} did not ask it, so there is nothing to go by"
    return f"{spread(each.values())}, {count(sum(each.values()))} in all"


def _time(planned: Planned) -> str:
    return "" if planned.seconds is None else f"; about {duration(planned.seconds)}"


def _price(planned: Planned) -> str:
    """What the runs to ask may cost; empty where nothing costs anything."""
    known = sum(estimate.usd for estimate in planned.estimates if estimate.usd is not None)
    unknown = [estimate.engine for estimate in planned.estimates if estimate.usd is None]
    parts = [f"about {money(known)}"] if known else []
    parts += [f"an unknown price for {', '.join(unknown)}"] if unknown else []
    parts += [f"at most {money(planned.ceiling)} a cycle"] if planned.ceiling is not None else []
    return f"; {', '.join(parts)}" if parts else ""


def _tell_end(polled: Polled) -> None:
    label = " (simulated)" if polled.simulated else ""
    say(f"cycle {polled.cycle}{label} is {polled.status}: {noun(polled.recorded, 'run')} recorded now")
    for progress_ in polled.progress:
        statuses = ", ".join(f"{status} {count(n)}" for status, n in progress_.statuses.items()) or "nothing yet"
        todo = f", {count(progress_.todo)} to ask" if progress_.todo else ""
        spend = f", {money(progress_.cost)}" if progress_.cost is not None else ""
        say(f"  {progress_.engine}: {statuses}{todo}{spend}")
    for ended in polled.ended_early:
        say(
            f"  {ended.engine} ended after {ended.rounds} of {ended.planned} rounds at ± {ended.half_width * 100:.1f} "
            f"points: {noun(ended.calls, 'call')} saved"
        )
    if polled.redirects and polled.redirects.cited:
        tell_redirects(polled.redirects)
    for engine, reason in polled.stopped.items():
        warn(f"{engine} stopped: {reason}")
    if polled.status == "open" or any(p.todo for p in polled.progress):
        say("`citepoll poll` goes on from here.")
    elif polled.status == "stopped":
        say("`citepoll poll --retry-failed` asks what failed again; `citepoll measure` counts what is there.")
