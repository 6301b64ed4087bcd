"""citepoll measure"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from citepoll.errors import SliceError
from citepoll.hashing import short
from citepoll.measure.found import FOUND
from citepoll.measure.metrics import METRICS
from citepoll.measure.slices import FIELDS
from citepoll.measure.verdicts import NONE_SEEN, QUERIES, VERDICTS, kind_of_verdict
from citepoll.model import Change, Slice, SliceResult
from citepoll.report import tables, terminal
from citepoll.report.numbers import unit_of, words
from citepoll.report.pairs import dimension_names, is_blended, with_texts
from citepoll.report.printable import one_line
from citepoll.service.opened import OpenProject
from citepoll.service.reading import read
from citepoll.surfaces.cli.terminal import HERE, AsJson, ProjectDir, now, opened, out, progress, say, warn, write


def measure(
    metric: Annotated[
        list[str] | None,
        typer.Option(
            "--metric",
            "-m",
            help=f"Repeat, or separate with commas. Counted: {', '.join(METRICS)}; or all of these. "
            f"Found, one kind at a time: {', '.join(name for name in FOUND if not name.startswith('velocity_of_'))}; "
            "docs/metrics.md says what each is.",
        ),
    ] = None,
    by: Annotated[
        str,
        typer.Option(metavar="FIELDS", help=f"Separated by commas: {', '.join(FIELDS)}. A found metric has its own."),
    ] = "brand,engine",
    where: Annotated[str, typer.Option(metavar="'FIELD OP VALUE and …'", help="OP is = != ~ in < <= > >=.")] = "",
    cycle: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Default: the latest; may be repeated.")
    ] = None,
    compare: Annotated[
        str | None, typer.Option(metavar="CYCLE|previous", help="Show the change since this earlier cycle.")
    ] = None,
    private_suffixes: Annotated[
        str, typer.Option(metavar="on|off", help="off: blogspot.com is one domain, not one for each blog.")
    ] = "on",
    target: Annotated[
        str, typer.Option(metavar="fixed_set|category|both", help="Whom the interval speaks of.")
    ] = "both",
    confidence: Annotated[float, typer.Option(help="The level of the intervals; only 0.95 was checked.")] = 0.95,
    limit: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Keep the N largest domains or URLs of each group (velocity too), or the first N found."
        ),
    ] = None,
    project: ProjectDir = HERE,
    as_json: AsJson = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    md: Annotated[bool, typer.Option("--md", help="Print a Markdown table.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Leave CSV cells that look like formulae as they are.")] = False,
) -> None:
    """Estimates with their intervals, and what was found. Without options: share of citation by brand and engine."""
    slice = Slice(
        metrics=_metrics(metric or ["share_of_citation"]),
        by=tuple(part.strip() for part in by.split(",") if part.strip()),
        where=where,
        cycles=tuple(cycle or ()),
        compare=compare,
        target=target,  # type: ignore[arg-type]
        confidence=confidence,
        private_suffixes=_switch(private_suffixes),
        limit=limit,
    )
    desk = opened(project)
    with progress("deriving") as (bar, task):
        result = read(
            desk.project, desk.ledger, slice, now(),
            step=lambda done, total: bar.update(task, completed=done, total=total),
        )  # fmt: skip
    if as_json:
        write(tables.json_text(result))
    elif csv:
        write(tables.csv_text(result, raw=raw))
    elif md:
        write(tables.markdown_text(result))
    elif tables.is_found(result):
        print_found(result)
    elif compare:
        print_changes(desk, result)
    else:
        print_table(desk, result)
    if as_json or csv:
        for warning in result.warnings:
            warn(warning)


def _metrics(given: list[str]) -> tuple[str, ...]:
    names = [name.strip() for text in given for name in text.split(",") if name.strip()]
    return tuple(METRICS) if names == ["all"] else tuple(names)


def _switch(text: str) -> bool:
    words = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}
    if text.lower() not in words:
        raise SliceError(f"--private-suffixes is {text!r}.", "Say on or off.")
    return words[text.lower()]


def print_table(desk: OpenProject, result: SliceResult) -> None:
    """The result as a table that fits the terminal, its warnings below."""
    kinds = {e.name: e.surface for name in result.cycles for e in desk.ledger.engines(desk.ledger.cycle(name))}
    if len(surfaces := set(kinds.values())) == 1:
        kinds["blended"] = surfaces.pop()
    plain = (out.encoding or "").lower() not in ("utf-8", "utf8")
    out.print(terminal.table(result, width=out.width, ascii_only=plain, kinds=kinds, tracked=desk.project.tracked.name))
    say(f"cycle {', '.join(result.cycles)}; thick: these queries, thin: questions like these")
    for name, label in result.labels.items():
        if is_blended(name):
            say(label)
    for line in _evidence(result, desk.project.tracked.name):
        say(line)
    if result.simulated:
        say("simulated: answers of the built-in local engine, not of an AI engine")
    for warning in (*result.warnings, *_row_warnings(result)):
        warn(warning)


def _evidence(result: SliceResult, tracked: str) -> Iterator[str]:
    """Band and grade of the tracked brand's rows, in words."""
    for row in result.rows:
        if row.grade and row.estimate.target == "fixed_set" and row.dimensions.get("brand", tracked) == tracked:
            place = ", ".join(
                str(v) for k, v in row.dimensions.items() if k not in ("brand", "query") and v is not None
            )
            band = f"{row.band}; " if row.band else ""
            yield f"{place}: {band}evidence {row.grade}. {row.grade_next or ''}".rstrip()


def _row_warnings(result: SliceResult) -> Iterator[str]:
    """The warnings of single estimates that the result has not, each once, with how many rows it is about."""
    said = set(result.warnings)
    found = Counter(
        w for row in result.rows for w in set(row.estimate.warnings) - said if not w.startswith("equal weights")
    )
    for text, rows in found.most_common(5):
        yield text if rows <= 2 else f"{text} ({rows} rows)"
    if len(found) > 5:
        yield f"{len(found) - 5} more warnings of single rows: --json has them"


def _span(change: Change) -> str:
    if change.value is None or change.low is None or change.high is None:
        return ""
    return f"{change.value * 100:+.0f} ({change.low * 100:.0f} to {change.high * 100:.0f})"


def print_changes(desk: OpenProject, result: SliceResult) -> None:
    """Before, after and verdict of each row in a word, what the words mean below, and what else changed."""
    target = "category" if result.slice.target == "category" else "fixed_set"
    names = [name for name in dimension_names(result) if name != "cycle"]
    table = Table(*names, "before", "now", "change", "verdict", "unseen under", box=None, pad_edge=False)
    meant: dict[str, str] = {}
    for row in with_texts(result).rows:
        if row.change is not None and row.estimate.target == target:
            kind = kind_of_verdict(row.change, row.adjusted_p)
            meant[kind] = VERDICTS[kind]
            ends = (words(end, unit_of(row.metric)) for end in (row.change.before, row.change.after))
            places = (Text(one_line(str(row.dimensions.get(name) or ""))) for name in names)
            table.add_row(*places, *ends, _span(row.change), kind, _unseen(row.change) if kind == NONE_SEEN else "")
    out.print(table)
    say(f"{result.slice.compare} → {result.cycles[-1]}, on {QUERIES[target]}.")
    for kind, meaning in meant.items():
        say(f"{kind}: {meaning}.")
    if result.slice.target == "both":
        say("--target category speaks of questions like these.")
    for warning in (*result.warnings, *_beside(result)):
        warn(warning)


def _beside(result: SliceResult) -> Iterator[str]:
    """What stands beside single changes, once each, with the engines that it concerns where these are not all."""
    concerned: dict[str, set[str]] = {}
    rows = [(row.change, str(row.dimensions.get("engine"))) for row in result.rows if row.change]
    every = {engine for _, engine in rows if not is_blended(engine)}
    for change, engine in rows:
        for text in change.warnings:
            concerned.setdefault(text, set()).add(engine)
    for text, engines in concerned.items():
        own = engines & every
        yield f"{', '.join(sorted(own))}: {text}" if own and own < every else text


def _unseen(change: Change) -> str:
    """The move that this design misses more often than once in five; any, where the answers are too few."""
    return "any" if change.detectable is None else f"{change.detectable * 100:.0f} points"


def print_found(result: SliceResult) -> None:
    """The rows of a found metric: its dimensions, the number, and what stands behind it in one line."""
    names = dimension_names(result)
    extra: dict[str, list[str]] = {
        "metric": [row.metric for row in result.rows],
        "target": [row.estimate.target for row in result.rows],
    }
    extra = {head: cells for head, cells in extra.items() if len(set(cells)) > 1}
    table = Table(*names, *extra, "estimate", box=None, pad_edge=False)
    table.add_column("what stands behind it", overflow="fold", ratio=1)
    for at, row in enumerate(result.rows):
        places = (Text(one_line(_named(result, name, row.dimensions.get(name)), 60)) for name in names)
        said = words(row.estimate, unit_of(row.metric)).removesuffix(", no interval")
        more = (cells[at] for cells in extra.values())
        table.add_row(*places, *more, said, Text(one_line(tables.words_behind(row))))
    out.print(table) if result.rows else say("Nothing was found.")
    since = f"since {result.slice.compare}: " if result.slice.compare else ""
    cycles = ", ".join(result.cycles) or "no cycle yet"
    say(f"{', '.join(result.slice.metrics)}; {since}{cycles}; --json has the evidence")
    if result.simulated:
        say("simulated: answers of the built-in local engine, not of an AI engine")
    for warning in (*result.warnings, *_row_warnings(result)):
        warn(warning)


def _named(result: SliceResult, name: str, value: object) -> str:
    """A dimension's value as a reader knows it: a question's text for its id, the start of another id."""
    text = "" if value is None else str(value)
    return result.labels.get(text, text) if name == "query" else short(text) if text.startswith("sha256:") else text
