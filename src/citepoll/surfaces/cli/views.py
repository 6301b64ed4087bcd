"""citepoll views"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from citepoll.report import listing
from citepoll.report.numbers import count, noun, percent
from citepoll.report.printable import one_line
from citepoll.service.views import ViewList, list_views
from citepoll.surfaces.cli.terminal import HERE, AsJson, ProjectDir, emit_json, now, opened, out, say, write


def views(
    cycle: Annotated[str | None, typer.Option(metavar="NAME", help="Default: the latest.")] = None,
    where: Annotated[str, typer.Option(metavar="'FIELD OP VALUE and …'", help="Which queries, engines, runs.")] = "",
    project: ProjectDir = HERE,
    as_json: AsJson = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """Other tools' numbers with numerator and denominator spelled out, to reconcile them with ours."""
    desk = opened(project)
    found = list_views(desk.project, desk.ledger, now(), cycle=cycle, where=where)
    if as_json:
        emit_json(found)
    elif csv:
        head = ("name", "engine", "brand", "numerator", "denominator", "value")
        write(listing.csv_text(head, [[getattr(view, name) for name in head] for view in found.views]))
    else:
        _print(found)


def _print(found: ViewList) -> None:
    for definition in found.definitions:
        out.print(Text(definition.name, style="bold"))
        out.print(f"{definition.numerator} ÷ {definition.denominator}")
        out.print(f"beside our {definition.ours}: {definition.differs}")
        out.print(_table(found, definition.name), "")
    say(f"cycle {found.cycle}. Plain ratios of counts, as other tools print them: they have no interval. "
        "`citepoll measure` has ours.")  # fmt: skip
    if found.branded_out:
        say(f"{noun(found.branded_out, 'query names', 'queries name')} a brand of the project: left out.")


def _table(found: ViewList, name: str) -> Table:
    """Brands down, engines across."""
    here = [view for view in found.views if view.name == name]
    engines = list(dict.fromkeys(view.engine for view in here))
    table = Table(box=None, pad_edge=False)
    for head in ("", *engines):
        table.add_column(Text(one_line(head)))
    for brand in dict.fromkeys(view.brand for view in here):
        cells = {view.engine: view for view in here if view.brand == brand}
        table.add_row(
            Text(one_line(brand)), *(_cell(cells[engine].numerator, cells[engine].denominator) for engine in engines)
        )
    return table


def _cell(part: int, whole: int) -> str:
    return f"{percent(part / whole, 1)} ({count(part)} of {count(whole)})" if whole else "nothing to divide by"
