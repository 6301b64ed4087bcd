"""citepoll gaps"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from citepoll.explain.worth import QueryGap
from citepoll.report import listing
from citepoll.report.numbers import noun
from citepoll.report.printable import one_line
from citepoll.service.gaps import GapList, find_gaps
from citepoll.surfaces.cli.terminal import HERE, AsJson, ProjectDir, emit_json, now, opened, out, say, write

SHOWN = 25


def gaps(
    cycle: Annotated[str | None, typer.Option(metavar="NAME", help="Default: the latest.")] = None,
    where: Annotated[str, typer.Option(metavar="'FIELD OP VALUE and …'", help="Which queries, engines, runs.")] = "",
    by: Annotated[str, typer.Option(metavar="query|topic|intent", help="One row for each of these.")] = "query",
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="The most to show; 0 for all.")] = SHOWN,
    project: ProjectDir = HERE,
    as_json: AsJson = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    md: Annotated[bool, typer.Option("--md", help="Print a Markdown table.")] = False,
) -> None:
    """Where competitors are ahead, with what probability, and which of their pages are cited instead."""
    desk = opened(project)
    found = find_gaps(desk.project, desk.ledger, now(), cycle=cycle, where=where, by=by)
    if as_json:
        emit_json(found)
    elif csv:
        write(listing.csv_text(*_rows(found)))
    elif md:
        write(listing.markdown_text(*_rows(found)))
        write(f"\n{found.weights.words()}\n")
    else:
        _print(found, limit)


def _rows(found: GapList) -> tuple[tuple[str, ...], list[list[object]]]:
    """The list as a flat table, all of it."""
    if found.by != "query":
        names = (found.by, "queries", "confirmed", "candidates", "expected", "worth", "ahead")
        return names, [
            [g.name, g.queries, g.confirmed, g.candidates, g.expected, g.worth, ", ".join(g.ahead)]
            for g in found.groups
        ]
    head = (
        "query", "intent", "topic", "verdict", "probability", "weight", "worth", "ours", "answers", "ahead",
        *(f"{engine}: ours of answers" for engine in found.engines), "pages",
    )  # fmt: skip
    rows: list[list[object]] = []
    for gap in found.queries:
        cells = {cell.engine: f"{cell.cited.get(found.brand, 0)} of {cell.n}" for cell in gap.cells}
        ahead = ", ".join(f"{one.competitor} {one.theirs}" for one in gap.ahead)
        pages = " ".join(url for urls in gap.pages.values() for url in urls)
        rows.append([
            gap.query.text, gap.query.intent, gap.query.topic, gap.verdict, gap.probability, gap.weight, gap.worth,
            gap.ours, gap.n, ahead, *(cells.get(engine) for engine in found.engines), pages,
        ])  # fmt: skip
    return head, rows


def _print(found: GapList, limit: int) -> None:
    if not found.queries:
        say("No query with a valid answer fits: nothing can be ahead. `citepoll cycles list` shows what was asked.")
    elif found.by == "query":
        _print_queries(found, limit)
        if len(found.queries) == 1:
            _print_engines(found.queries[0], found.brand)
    else:
        _print_groups(found)
    say(f"{found.brand}, cycle {found.cycle}. Confirmed from a probability of {found.confirmed_from:.2f} that a competitor "
        f"leads by more than {found.margin * 100:.0f} points. Worth = intent weight × probability.")  # fmt: skip
    say(found.weights.words())
    if found.branded_out:
        say(f"{noun(found.branded_out, 'query names', 'queries name')} a brand of the project: left out.")
    if found.unasked:
        say(f"{noun(found.unasked, 'query has', 'queries have')} no valid answer: left out.")


def _print_queries(found: GapList, limit: int) -> None:
    open_gaps = [gap for gap in found.queries if gap.ahead]
    shown = open_gaps[:limit] if limit else open_gaps
    table = Table(box=None, pad_edge=False)
    table.add_column("worth", justify="right")
    table.add_column("prob.", justify="right")
    for head in ("verdict", "query", "ahead (them : us)", "cited instead"):
        table.add_column(head, overflow="fold")
    for gap in shown:
        ahead = ", ".join(f"{one.competitor} {one.theirs}:{one.ours}" for one in gap.ahead[:3])
        page = next((urls[0] for urls in gap.pages.values() if urls), "")
        table.add_row(
            f"{gap.worth:.1f}", f"{gap.probability:.2f}", gap.verdict, Text(one_line(gap.query.text, 80)),
            Text(f"{one_line(ahead)} of {gap.n}"), Text(one_line(page.removeprefix("https://"), 60)),
        )  # fmt: skip
    out.print(table) if shown else say("No competitor is ahead on any query.")
    rest = len(open_gaps) - len(shown)
    none = len(found.queries) - len(open_gaps)
    say(f"{noun(len(open_gaps), 'gap')} in {noun(len(found.queries), 'query', 'queries')}; {none} without"
        + (f"; {rest} more not shown (--limit 0)" if rest else ""))  # fmt: skip


def _print_engines(gap: QueryGap, brand: str) -> None:
    """Engines down, brands that are cited across: answers that cite each, of the valid ones."""
    brands = dict.fromkeys((brand, *(name for cell in gap.cells for name in cell.cited)))
    table = Table("engine", "answers", box=None, pad_edge=False)
    for name in brands:
        table.add_column(Text(one_line(name)))
    for cell in gap.cells:
        table.add_row(Text(one_line(cell.engine)), str(cell.n), *(str(cell.cited.get(name, 0)) for name in brands))
    out.print("", table)


def _print_groups(found: GapList) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("worth", justify="right")
    table.add_column(found.by)
    for head in ("queries", "confirmed", "candidates", "expected"):
        table.add_column(head, justify="right")
    table.add_column("ahead", overflow="fold")
    for group in found.groups:
        ahead = ", ".join(f"{name} on {number}" for name, number in list(group.ahead.items())[:3])
        table.add_row(
            f"{group.worth:.1f}", Text(one_line(group.name or "(none)")), str(group.queries), str(group.confirmed),
            str(group.candidates), f"{group.expected:.1f}", Text(one_line(ahead)),
        )  # fmt: skip
    out.print(table)
    say("expected: gaps to expect among the queries, the sum of their probabilities")
