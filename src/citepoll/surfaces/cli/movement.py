"""citepoll movement, citepoll decay"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from citepoll.explain.halflife import HalfLife
from citepoll.report.numbers import noun
from citepoll.report.printable import one_line, printable
from citepoll.service import moving
from citepoll.surfaces.cli.terminal import HERE, AsJson, ProjectDir, emit_json, now, opened, out, say


def movement(
    earlier: Annotated[
        str, typer.Argument(metavar="[EARLIER]", help="Default: the cycle before the later one.")
    ] = "previous",
    later: Annotated[str | None, typer.Argument(metavar="[LATER]", help="Default: the newest cycle.")] = None,
    owner: Annotated[str | None, typer.Option(metavar="BRAND", help="Only pages that this brand owns.")] = None,
    limit: Annotated[int, typer.Option(metavar="N", help="The most to list; 0 for all.")] = 40,
    project: ProjectDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Citations won and lost between two cycles, by query, engine and page."""
    desk = opened(project)
    found = moving.won_and_lost(desk.project, desk.ledger, earlier, later, now(), owner=owner)
    shown = found.moved[:limit] if limit else found.moved
    if as_json:
        emit_json({
            "earlier": found.earlier, "later": found.later,
            "moved": [{"query": found.texts[m.query_id], "movement": m} for m in shown],
        })  # fmt: skip
        return
    table = Table("", box=None, pad_edge=False)
    table.add_column("page", overflow="fold", ratio=3)
    for head in ("of", "engine"):
        table.add_column(head)
    table.add_column("query", ratio=2)
    for head in ("before", "now"):
        table.add_column(head, no_wrap=True)
    for each in shown:
        table.add_row(
            each.what + ("" if each.sure else " ?"),
            Text(one_line(printable(each.url.split("://", 1)[-1]), 90)), each.owner or "",
            Text(each.engine), Text(one_line(found.texts[each.query_id], 48)),
            f"{each.before}/{each.before_of}", f"{each.after}/{each.after_of}",
        )  # fmt: skip
    out.print(table)
    won = sum(m.what == "won" for m in found.moved)
    say(f"{found.earlier} → {found.later}: {won} won, {len(found.moved) - won} lost, {len(shown)} shown")
    say(
        "? means too few runs, or runs that do not agree: chance alone may have moved it. Of many, some others are chance too."
    )


def decay(
    cycle: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Default: every cycle; may be repeated.")
    ] = None,
    absent: Annotated[int, typer.Option(metavar="N", help="Cycles without it that end a stay.")] = 1,
    project: ProjectDir = HERE,
    as_json: AsJson = False,
) -> None:
    """How long a newly cited page stays cited: its half-life in cycles. Nothing is extrapolated."""
    desk = opened(project)
    found = moving.decay(desk.project, desk.ledger, now(), names=tuple(cycle or ()), absent=absent)
    if as_json:
        emit_json(found)
        return
    say(f"over {noun(len(found.cycles), 'cycle')}: {', '.join(found.cycles)}")
    out.print(f"all pages: {_half_life(found.every)}")
    out.print(f"pages of {desk.project.tracked.name}: {_half_life(found.owned)}")


def _half_life(found: HalfLife) -> str:
    seen = f"{noun(found.n, 'stay')} that began in sight, {found.ended} ended"
    if found.value is None:
        return f"no half-life: {found.reason} ({seen})"
    low = "?" if found.low is None else f"{found.low:g}"
    high = "more" if found.high is None else f"{found.high:g}"
    return f"half are gone after {noun(int(found.value), 'cycle')} ({low} to {high}; {seen})"
