"""citepoll check aa"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from citepoll.report.numbers import count, noun, percent
from citepoll.report.printable import one_line
from citepoll.service.checking import Check, Checked, EngineCheck, check_a_a
from citepoll.surfaces.cli.terminal import HERE, AsJson, ProjectDir, emit_json, now, opened, out, say, warn

app = typer.Typer(help="Whether the presumptions behind the numbers hold.", no_args_is_help=True)


@app.callback()
def check() -> None:
    """Keeps `aa` a command of its own while it is the only one."""


@app.command("aa")
def a_a(
    first: Annotated[str, typer.Argument(metavar="CYCLE1")],
    second: Annotated[str, typer.Argument(metavar="CYCLE2")],
    strict: Annotated[bool, typer.Option("--strict", help="End with 1 where an engine's runs do not.")] = False,
    project: ProjectDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Do an engine's runs look independent? Compares two cycles of one set, polled back to back."""
    desk = opened(project)
    found = check_a_a(desk.project, desk.ledger, first, second, now())
    if as_json:
        emit_json(found)
    else:
        for engine in found.engines:
            _tell(engine, found.cycles)
        _tell_scope(found)
    for warning in found.warnings:
        warn(warning)
    if strict and found.independent is False:
        raise typer.Exit(1)


def _tell(engine: EngineCheck, cycles: tuple[str, str]) -> None:
    kind = f" ({engine.surface})" if engine.surface in ("simulated", "recorded") else ""
    out.print(Text(f"{one_line(engine.engine, 60)}{kind}: {engine.sentence}"))
    asked = (
        f"{noun(engine.queries, 'query', 'queries')}, {count(engine.runs[0])} and {count(engine.runs[1])} valid answers"
    )
    out.print(Text(f"  {asked}"))
    table = Table(box=None, pad_edge=False)
    table.add_column("  brand", no_wrap=True, overflow="ellipsis")
    for head in (one_line(cycles[0], 14), one_line(cycles[1], 14), "parted", "least p", "adjusted"):
        table.add_column(head, justify="right", no_wrap=True)
    for brand in engine.brands:
        table.add_row(Text(f"  {one_line(brand.brand, 24)}"), *_cells(brand))
    out.print(table)
    for brand in engine.brands:
        if brand.alone.independent is False:
            out.print(Text(f"  {brand.brand}: {brand.sentence}"))
    out.print()


def _cells(brand: Checked) -> tuple[str, ...]:
    change, ratio = brand.alone.fixed_set, brand.alone.dispersion.ratio
    shares = ("no data" if value is None else percent(value) for value in (change.value1, change.value2))
    bare = (change.p, brand.alone.category.p, brand.alone.dispersion.p)
    return (*shares, "" if ratio is None else f"× {ratio:.1f}", _least(bare), _least(brand.adjusted))


def _least(values: tuple[float | None, ...]) -> str:
    tested = [p for p in values if p is not None]
    return "" if not tested else "< .001" if min(tested) < 0.001 else f"{min(tested):.3f}".removeprefix("0")


def _tell_scope(found: Check) -> None:
    branded = f"; {noun(found.branded_out, 'branded query', 'branded queries')} left out" if found.branded_out else ""
    say(
        f"{noun(found.tests, 'test')} of both targets and of how far answers part, adjusted together: in one check of twenty "
        f"independent runs look otherwise{branded}"
    )
