"""citepoll sources"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from citepoll.errors import InputError
from citepoll.report import tables
from citepoll.report.numbers import count, noun, percent
from citepoll.report.printable import one_line
from citepoll.service import sources as service
from citepoll.service.opened import OpenProject
from citepoll.service.sources import Engines, NamingPage, Reason
from citepoll.surfaces.cli.measure import print_table
from citepoll.surfaces.cli.terminal import HERE, AsJson, ProjectDir, emit_json, now, opened, out, say


def sources(
    by: Annotated[str, typer.Option(metavar="|".join(service.BY))] = "domain",
    names: Annotated[
        bool, typer.Option("--names", help="Pages cited where competitors are named, and you are not.")
    ] = False,
    metric: Annotated[str, typer.Option(metavar="slot_share|share_of_citation")] = "slot_share",
    where: Annotated[str, typer.Option(metavar="'FIELD OP VALUE and …'")] = "",
    cycle: Annotated[str | None, typer.Option(metavar="NAME", help="Default: the latest.")] = None,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="The largest N of each engine, or N pages.")] = 20,
    project: ProjectDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Which sources engines cite, of which class, how concentrated, and who is named beside them."""
    desk = opened(project)
    if names and by not in ("domain", "url"):
        raise InputError(f"--names lists pages, not by {by}.", "Leave --by out.")
    if names:
        pages = service.pages_that_name(desk.project, desk.ledger, now(), where=where, cycle=cycle)
        emit_json(pages) if as_json else _print_pages(pages, limit)
    elif by == "engine":
        engines = service.compare_engines(desk.project, desk.ledger, now(), where=where, cycle=cycle)
        emit_json(engines) if as_json else _print_engines(engines)
    else:
        _rank(desk, by, metric, where, cycle, limit, as_json)


def _rank(desk: OpenProject, by: str, metric: str, where: str, cycle: str | None, limit: int, as_json: bool) -> None:
    result, reasons = service.rank_sources(
        desk.project, desk.ledger, now(), by=by, metric=metric, where=where, cycle=cycle, limit=limit
    )
    if as_json:
        classes = {reason.place: reason for reason in reasons}
        emit_json([{**row, **_class_of(classes.get(str(row.get(by))))} for row in tables.json_rows(result)])
        return
    if not result.rows:
        say("No source is cited here.")
        return
    print_table(desk, result)
    _print_reasons(reasons)
    if by == "class":
        for name, words in service.class_words().items():
            say(f"{name}: {words}")


def _class_of(reason: Reason | None) -> dict[str, object]:
    if reason is None:
        return {}
    return {"source_class": reason.source_class, "class_reason": reason.reason, "class_ground": reason.ground}


def _print_reasons(reasons: tuple[Reason, ...]) -> None:
    if not reasons:
        return
    table = Table(box=None, pad_edge=False)
    for head in ("source", "class", "why"):
        table.add_column(head, overflow="fold")
    for reason in reasons:
        guess = " (a guess)" if reason.ground == "fallback" else ""
        table.add_row(Text(one_line(reason.place)), reason.source_class, Text(one_line(reason.reason) + guess))
    out.print("", table)


def _print_engines(found: Engines) -> None:
    if not found.engines:
        say("No engine answered here.")
        return
    table = Table(box=None, pad_edge=False)
    for head in ("engine", "citations", "domains", "HHI", "as many as", "runs in common"):
        table.add_column(head, justify="left" if head == "engine" else "right")
    for each in found.engines:
        domains = each.domains
        table.add_row(
            Text(one_line(each.engine)), count(domains.slots), count(domains.sources),
            "none" if domains.hhi is None else f"{domains.hhi:.3f}",
            "none" if domains.effective is None else f"{domains.effective:.1f} equal ones",
            "no pair" if each.run_overlap is None else percent(each.run_overlap),
        )  # fmt: skip
    out.print(table)
    for pair in found.overlaps:
        shared = "no query that both cite on" if pair.overlap is None else f"{percent(pair.overlap)} in common"
        out.print(Text(f"{' and '.join(pair.engines)}: {shared} ({noun(pair.queries, 'query', 'queries')})"))
    say(f"cycle {found.cycle}. HHI: the sum of squared shares of domains; its inverse says how many equal domains would "
        "give it. In common: URLs that two answers to a query share ÷ URLs of the one that cites fewer, as a mean over "
        "queries. No interval is specified for these.")  # fmt: skip


def _print_pages(pages: tuple[NamingPage, ...], limit: int) -> None:
    if not pages:
        say("No third-party page is cited where competitors are named and you are not.")
        return
    table = Table(box=None, pad_edge=False)
    for head in ("answers", "queries"):
        table.add_column(head, justify="right")
    for head in ("page", "class", "names", "in the same"):
        table.add_column(head, overflow="fold")
    for page in pages[:limit]:
        table.add_row(
            str(len(page.answers)), str(len(page.queries)), Text(one_line(page.url.removeprefix("https://"))),
            page.source_class, Text(", ".join(page.competitors)), page.basis,
        )  # fmt: skip
    out.print(table)
    if any(page.basis == "answer" for page in pages[:limit]):
        say("answer: the engine does not say which passage carries which citation, so the names stand anywhere in an "
            "answer that cites the page.")  # fmt: skip
    if len(pages) > limit:
        say(f"{len(pages) - limit} more not shown (--limit)")
