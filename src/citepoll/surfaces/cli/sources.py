"""citepoll sources"""

from __future__ import annotations

from typing import Annotated

import typer

from citepoll.errors import SliceError
from citepoll.model import Slice
from citepoll.report import tables
from citepoll.service.measuring import measure
from citepoll.surfaces.cli.measure import print_table
from citepoll.surfaces.cli.terminal import HERE, AsJson, ProjectDir, now, opened, write


def sources(
    by: Annotated[str, typer.Option(metavar="domain|url")] = "domain",
    metric: Annotated[str, typer.Option(metavar="slot_share|share_of_citation")] = "slot_share",
    where: Annotated[str, typer.Option(metavar="'FIELD OP VALUE and …'")] = "",
    cycle: Annotated[str | None, typer.Option(metavar="NAME", help="Default: the latest.")] = None,
    limit: Annotated[int, typer.Option(metavar="N", help="The largest N of each engine.")] = 20,
    project: ProjectDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Rank the domains or URLs that engines cite."""
    if by not in ("domain", "url"):
        raise SliceError(f"sources are ranked by domain or url, not by {by!r}.", "Say --by domain or --by url.")
    desk = opened(project)
    slice = Slice(
        metrics=(metric,),
        by=("engine", by),
        where=where,
        cycles=(cycle,) if cycle else (),
        target="fixed_set",
        limit=limit,
    )
    result = measure(desk.project, desk.ledger, slice, now())
    write(tables.json_text(result)) if as_json else print_table(desk, result)
