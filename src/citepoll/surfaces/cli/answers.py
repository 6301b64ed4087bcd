"""citepoll answers [show ID]"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from citepoll.report.numbers import noun
from citepoll.report.printable import one_line, printable
from citepoll.service import answers as service
from citepoll.service.answers import Shown, Wanted
from citepoll.surfaces.cli.terminal import HERE, AsJson, ProjectDir, emit_json, now, opened, out, say, write

app = typer.Typer(
    help="List the recorded answers behind the numbers; `citepoll answers show ID` opens one.",
    invoke_without_command=True,
)


@app.callback()
def show_list(
    context: typer.Context,
    cycle: Annotated[str | None, typer.Option(metavar="NAME", help="Default: the latest.")] = None,
    engine: Annotated[str | None, typer.Option(metavar="NAME", help="The engine's name.")] = None,
    query: Annotated[str | None, typer.Option(metavar="TEXT", help="Part of the question.")] = None,
    cites: Annotated[str | None, typer.Option(metavar="BRAND", help="Answers that cite this brand's pages.")] = None,
    names: Annotated[str | None, typer.Option(metavar="BRAND", help="Answers that name this brand.")] = None,
    domain: Annotated[
        str | None, typer.Option(metavar="DOMAIN", help="Answers that cite this registrable domain.")
    ] = None,
    url: Annotated[str | None, typer.Option(metavar="URL", help="Answers that cite this canonical URL.")] = None,
    status: Annotated[str | None, typer.Option(metavar="STATUS", help="As in answered, refused, failed.")] = None,
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="The most to list; 0 for all.")] = 50,
    project: ProjectDir = HERE,
    as_json: AsJson = False,
) -> None:
    """List the recorded answers; `citepoll answers show ID` opens one."""
    if context.invoked_subcommand:
        return
    desk = opened(project)
    found = service.find(
        desk.project, desk.ledger, Wanted(cycle, engine, query, cites, names, domain, url, status), now()
    )
    shown = found[:limit] if limit else found
    if as_json:
        emit_json(shown)
        return
    table = Table("id", "engine", "query", "run", "status", "cites", "pages of", "names", box=None, pad_edge=False)
    for each in shown:
        table.add_row(
            str(each.id), Text(each.engine), Text(one_line(each.query, 60)), str(each.run), each.status,
            str(each.citations), Text(", ".join(each.brands)), Text(", ".join(each.named)),
        )  # fmt: skip
    out.print(table)
    say(
        f"{noun(len(found), 'answer')}"
        + (f", {len(shown)} shown (--limit 0 shows all)" if len(shown) < len(found) else "")
    )


@app.command("show")
def show(
    answer: Annotated[int, typer.Argument(metavar="ID")],
    raw: Annotated[bool, typer.Option("--raw", help="Print the raw payload, byte for byte, and nothing else.")] = False,
    project: ProjectDir = HERE,
    as_json: AsJson = False,
) -> None:
    """One answer: its text with citations and mentions marked, whom each URL counts for and why, and its raw payload."""
    desk = opened(project)
    shown = service.show(desk.project, desk.ledger, answer)
    if raw:
        write(shown.kept.body.decode("utf-8", "replace") + "\n")
    elif as_json:
        emit_json({
            "id": shown.id, "cycle": shown.cycle, "engine": shown.kept.engine, "query": shown.query,
            "run": shown.kept.number, "status": shown.kept.status, "asked_at": shown.kept.asked_at,
            "model": shown.answer.model, "text": shown.answer.text, "citations": shown.citations,
            "mentions": shown.mentions, "raw": shown.kept.body.decode("utf-8", "replace"),
        })  # fmt: skip
    else:
        _print(shown)


def _print(shown: Shown) -> None:
    kept = shown.kept
    label = f" ({kept.surface})" if kept.surface in ("simulated", "recorded") else ""
    out.print(Text(f"{kept.engine}{label}, run {kept.number}, cycle {shown.cycle}: {kept.status}", style="bold"))
    out.print(Text(one_line(shown.query.text)), "\n")
    out.print(marked(shown), "\n")
    if shown.citations:
        out.print(_citations(shown))
    for mention in shown.mentions:
        place = f"characters {mention.start}–{mention.end}"
        denied = "; the answer says that it knows nothing of it, so it does not count" if mention.denied else ""
        out.print(Text(f"names {mention.brand} as {printable(mention.alias)!r} ({place}){denied}"))
    say(f"`citepoll answers show {shown.id} --raw` prints the payload as it was recorded.")


def marked(shown: Shown) -> Text:
    """The answer's text with brands underlined and citation spans reversed; control characters become U+FFFD."""
    text = Text("".join(printable(c) or "\ufffd" for c in shown.answer.text))
    for mention in shown.mentions:
        text.stylize("dim" if mention.denied else "bold underline", mention.start, mention.end)
    for citation in shown.citations:
        if citation.start is not None and citation.end is not None and citation.level != "retrieved":
            text.stylize("reverse", citation.start, citation.end)
    return text


def _citations(shown: Shown) -> Table:
    table = Table("", "level", "canonical URL", "domain", "counts for", "why", box=None, pad_edge=False)
    for citation in shown.citations:
        why = citation.problem or (f"owns {citation.rule}" if citation.rule else "no brand owns it")
        opened_from = f" (unwrapped: {citation.unwrapped})" if citation.unwrapped else ""
        table.add_row(
            str(citation.position), citation.level, Text(printable(citation.url or citation.raw) + opened_from),
            printable(citation.domain or ""), citation.brand or "", why,
        )  # fmt: skip
    return table
