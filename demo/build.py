"""`make demo`: makes the demo project, polls two local engines, prints who is cited, writes the report.

Usage: python demo/build.py [--fresh] [FOLDER]      (demo-project)

The first cycle is `demo-1`; later calls print the cycle that exists, and `--fresh` polls the next one.
"""

from __future__ import annotations

import shutil
import sys
import tomllib
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import corpus
from rich import box
from rich.console import Console
from rich.table import Table

import citepoll
from citepoll.errors import CitepollError
from citepoll.model import Slice, SliceResult
from citepoll.project import DATA, FILE, read_project
from citepoll.report import terminal
from citepoll.report.numbers import noun, words
from citepoll.report.pairs import engines, pairs
from citepoll.report.printable import one_line
from citepoll.service import polling
from citepoll.service.corpus import add, remove
from citepoll.service.gaps import gaps_of
from citepoll.service.opened import OpenProject
from citepoll.service.queries import lock_file
from citepoll.service.reporting import write_report
from citepoll.store.corpus import CORPUS_FILE
from citepoll.surfaces.cli.terminal import progress, show_error

HERE = Path(__file__).parent
WIDTH = 100
out = Console(width=WIDTH, highlight=False)

HEAD = """\
# The demo: who is cited when a local, simulated engine is asked about Python libraries? Made by demo/build.py.

seed = "citepoll"
time_zone = "UTC"
"""

ENGINES = """
[queries]
file = "queries.toml"
language = "en"
market = "US"

# Two settings of the built-in engine: a narrow one that cites two passages, and a broad one that cites five.
[[engine]]
id = "local:bm25"
name = "local-narrow"
runs = 3
settings = { top_k = 5, cite = 2, temperature = 1.0 }

[[engine]]
id = "local:bm25"
name = "local-broad"
runs = 3
settings = { top_k = 12, cite = 5, temperature = 2.0 }
"""


def project_text() -> str:
    """The demo's citepoll.toml, its brands taken from distributions.toml."""
    tracked, *competitors = tomllib.loads(corpus.DISTRIBUTIONS.read_text("utf-8"))["brand"]
    lines = [HEAD, "[brand]", *brand_lines(tracked), 'category = "Python libraries"']
    for competitor in competitors:
        lines += ["", "[[competitor]]", *brand_lines(competitor)]
    return "\n".join([*lines, ENGINES])


def brand_lines(brand: dict[str, object]) -> list[str]:
    return [f"{key} = {toml(value)}" for key, value in brand.items()]


def toml(value: object) -> str:
    """`value` as inline TOML: texts, truth values, lists and tables of them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(toml(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {toml(item)}' for key, item in value.items())} }}"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def build(folder: Path) -> str:
    """Write the project and add its corpus; what is there already is renewed. Returns a sentence on what it holds."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(project_text(), "utf-8")
    shutil.copyfile(HERE / "queries.toml", folder / "queries.toml")
    project = read_project(folder)
    corpus.write(folder / "pages")
    held = folder / DATA / CORPUS_FILE
    done = add(held, folder / "pages")
    if done.gone:
        remove(held, done.gone)
    documents = done.added + done.replaced + done.unchanged
    return f"{folder}: {len(project.brands)} brands, {len(project.engines)} engines, {documents} documents."


def polled(desk: OpenProject, *, fresh: bool) -> str:
    """The name of the cycle to show: the newest one, or a new one where there is none or `fresh` asks for it."""
    cycles = [cycle.name for cycle in desk.cycles if cycle.status == "closed"]
    if cycles and not fresh:
        return cycles[-1]
    lock_file(desk.project, desk.ledger, datetime.now(UTC))
    name = f"demo-{len(cycles) + 1}"
    planned = polling.plan(desk.project, desk.ledger, name=name, over=None, retry=False, at=datetime.now(UTC))
    with progress(f"polling {name}") as (bar, task):
        bar.update(task, total=planned.todo)
        polling.poll(
            desk.project, desk.ledger, planned, at=datetime.now(UTC), tell=lambda event: bar.update(task, advance=1)
        )
    return name


def show(desk: OpenProject, cycle: str) -> None:
    """Print the shares with their intervals, then where each competitor is ahead."""
    result = desk.measure(Slice(cycles=(cycle,)))
    brand = desk.project.tracked.name
    ours = replace(result, rows=tuple(row for row in result.rows if row.dimensions["brand"] == brand))
    queries = len(desk.ledger.query_set(desk.ledger.cycle(cycle)).queries)
    out.print(f"How often does an answer cite {brand} as a source? {queries} queries, 3 runs each, cycle {cycle}.")
    out.print("SIMULATED: a local engine answered from the descriptions of Python libraries, not an AI engine.")
    out.print(terminal.table(ours, width=WIDTH, tracked=brand))
    out.print(f"{brand} and its competitors: share of citation on these queries, with its 95 % interval")
    out.print(matrix(result))
    out.print(f"Where a competitor is ahead of {brand} (on one query, answers of both engines together)")
    out.print(ahead(desk, cycle))


def matrix(result: SliceResult) -> Table:
    """Brands down, engines across, blended last; each cell a share with its fixed-set interval."""
    found = [pair for pair in pairs(result.rows) if pair.fixed_set is not None]
    columns = engines(found)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for head in ("brand", *(result.labels.get(name, name) for name in columns)):
        table.add_column(head)
    for brand in dict.fromkeys(pair.brand for pair in found):
        row = {pair.engine: words(pair.main.estimate) for pair in found if pair.brand == brand}
        table.add_row(brand, *(row.get(name, "") for name in columns))
    return table


def ahead(desk: OpenProject, cycle: str) -> Table:
    """Per competitor the queries where its lead is confirmed (probability .90 and more), and the clearest of them."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for head in ("competitor", "confirmed on", "possible", "clearest on", "them : us"):
        table.add_column(head, no_wrap=True)
    found = gaps_of(desk.project, desk.ledger, desk.ledger.cycle(cycle), datetime.now(UTC))
    sure = Counter(gap.competitor for gap, _ in found if gap.verdict == "confirmed")
    every = Counter(gap.competitor for gap, _ in found)
    for competitor in sorted(every, key=lambda name: (-sure[name], name)):
        mine = [(gap, query) for gap, query in found if gap.competitor == competitor]
        gap, query = mine[0]
        table.add_row(
            competitor, noun(sure[competitor], "query", "queries"), str(every[competitor] - sure[competitor]),
            one_line(query.text, 40),
            f"{gap.theirs} : {gap.ours} of {gap.n}",
        )  # fmt: skip
    return table


def main(arguments: list[str]) -> None:
    fresh = "--fresh" in arguments
    folder = Path(next((text for text in arguments if not text.startswith("-")), "demo-project"))
    build(folder)
    desk = citepoll.open(folder)
    cycle = polled(desk, fresh=fresh)
    show(desk, cycle)
    report = folder / "report.html"
    write_report(desk.project, desk.ledger, report, cycle, datetime.now(UTC))
    out.print(f"The report: {report}")
    out.print(f"Next: .venv/bin/citepoll answers --project {folder}    (every number leads to its answers)")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except CitepollError as error:
        show_error(error)
        sys.exit(error.exit_code)
