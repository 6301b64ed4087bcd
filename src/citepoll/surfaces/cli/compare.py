"""citepoll compare, citepoll velocity"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.table import Table

from citepoll.measure.velocity import LEAST_CYCLES
from citepoll.model import Slice
from citepoll.report import tables
from citepoll.report.numbers import noun, points, unit_of, words
from citepoll.report.printable import one_line
from citepoll.service.measuring import measure
from citepoll.service.velocity import Velocities
from citepoll.service.velocity import velocity as ask
from citepoll.surfaces.cli.measure import print_changes
from citepoll.surfaces.cli.terminal import HERE, AsJson, ProjectDir, emit_json, now, opened, out, say, warn, write

By = Annotated[str, typer.Option(metavar="FIELDS", help="As in `citepoll measure`.")]
Where = Annotated[str, typer.Option(metavar="'FIELD OP VALUE and …'", help="As in `citepoll measure`.")]
Metric = Annotated[str, typer.Option("--metric", "-m", help="Any metric that is a share.")]
Target = Annotated[str, typer.Option(metavar="fixed_set|category|both", help="Whom the interval speaks of.")]


def compare(
    earlier: Annotated[
        str, typer.Argument(metavar="[EARLIER]", help="Default: the cycle before the later one.")
    ] = "previous",
    later: Annotated[str | None, typer.Argument(metavar="[LATER]", help="Default: the newest cycle.")] = None,
    metric: Metric = "share_of_citation",
    by: By = "brand,engine",
    where: Where = "",
    target: Annotated[
        str,
        typer.Option(
            metavar="fixed_set|category|both",
            help="Whom the verdicts speak of. both: the table shows fixed_set, --json has the two.",
        ),
    ] = "both",
    project: ProjectDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Did a number move between two cycles? Paired by query, with a verdict for each row."""
    desk = opened(project)
    slice = Slice(
        metrics=tuple(metric.split(",")),
        by=tuple(by.split(",")),
        where=where,
        cycles=(later,) if later else (),
        compare=earlier,
        target=target,  # type: ignore[arg-type]
    )
    result = measure(desk.project, desk.ledger, slice, now())
    write(tables.json_text(result)) if as_json else print_changes(desk, result)


def velocity(
    cycle: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Default: every cycle; may be repeated.")
    ] = None,
    metric: Metric = "share_of_citation",
    by: By = "brand,engine",
    where: Where = "",
    target: Target = "both",
    project: ProjectDir = HERE,
    as_json: AsJson = False,
) -> None:
    """The change per cycle over three and more cycles, with its interval. It describes them and predicts nothing."""
    desk = opened(project)
    slice = Slice(
        metrics=tuple(metric.split(",")),
        by=tuple(by.split(",")),
        where=where,
        cycles=tuple(cycle or ()),
        target=target,  # type: ignore[arg-type]
    )
    found = ask(desk.project, desk.ledger, slice, now())
    if as_json:
        emit_json({
            "cycles": found.cycles, "warnings": found.warnings,
            "rows": [{"metric": r.metric, **r.dimensions, "target": r.estimate.target, "velocity": v} for r, v in found.rows],
        })  # fmt: skip
        return
    if len(found.cycles) < LEAST_CYCLES:
        say(
            f"Velocity needs {LEAST_CYCLES} cycles or more; here {'is' if len(found.cycles) == 1 else 'are'} {len(found.cycles)}."
        )
        return
    names = list(dict.fromkeys(name for row, _ in found.rows for name in row.dimensions if name != "cycle"))
    table = Table(*names, "target", "now", "change per cycle", box=None, pad_edge=False)
    for row, slope in found.rows:
        cells = (str(row.dimensions.get(name) or "") for name in names)
        table.add_row(*cells, row.estimate.target, words(row.estimate, unit_of(row.metric)), points(slope))
    out.print(table)
    say(f"over {len(found.cycles)} cycles: {', '.join(found.cycles)}")
    for line in _dropped(found):
        say(line)
    for warning in found.warnings:
        warn(warning)


def _dropped(found: Velocities) -> Iterator[str]:
    """For each engine the queries that do not count, because a cycle has no answer to them."""
    dropped: dict[str, int] = {}
    for row, slope in found.rows:
        engine = str(row.dimensions["engine"])
        dropped[engine] = max(dropped.get(engine, 0), slope.dropped)
    for engine, queries in dropped.items():
        if queries:
            yield f"{one_line(engine, 40)}: {noun(queries, 'query', 'queries')} left out, without an answer in every cycle"
