"""Files to take away: the answers of a cycle, a table of numbers, the report.

`/p/PROJECT/exports` offers them:

- `…/exports/answers?cycle=&format=jsonl|csv|parquet&raw=1`
- `…/exports/measures?metrics=a,b&by=c,d&where=&cycle=&format=csv|json&raw=1`
- `…/exports/report?cycle=&format=html|pdf&paper=a4|letter`

Text that a spreadsheet would run as a formula gets an apostrophe, unless `raw` is 1.
"""

from __future__ import annotations

from itertools import chain
from typing import Any, cast

from litestar import Response, get
from litestar.params import FromQuery
from litestar.response import Stream

from citepoll.errors import CitepollError, InputError
from citepoll.measure.metrics import METRICS
from citepoll.model import Slice
from citepoll.report.html import render
from citepoll.report.pdf import PAPERS, Paper, render_pdf
from citepoll.report.tables import csv_text, json_text
from citepoll.service.cells import newest
from citepoll.service.exporting import FORMATS, pieces, rows
from citepoll.service.reading import read
from citepoll.service.reporting import report_data
from citepoll.surfaces.dashboard.measured import Choices, chosen_of, cycles_offered, unmeasured
from citepoll.surfaces.dashboard.page import Page, PageNow
from citepoll.surfaces.web.asking import DeskNow, RoomNow
from citepoll.surfaces.web.desk import Desk
from citepoll.surfaces.web.rooms import Room, slug

WAITING = "Answers, numbers and the report can be taken from here as files, after the first cycle."
TYPES = {
    "jsonl": "application/x-ndjson", "csv": "text/csv", "parquet": "application/vnd.apache.parquet",
    "json": "application/json", "html": "text/html", "pdf": "application/pdf",
}  # fmt: skip
TABLES: Choices = (("csv", "CSV"), ("json", "JSON"))
REPORTS: Choices = (("html", "HTML, with answers"), ("pdf", "PDF, to print or send"))
BY: Choices = (
    ("brand,engine", "brand and engine"),
    ("brand,engine,cycle", "brand, engine and cycle"),
    ("brand,engine,query", "brand, engine and query"),
    ("brand,engine,intent", "brand, engine and intent"),
    ("brand,engine,topic", "brand, engine and topic"),
    ("engine,domain", "engine and domain"),
    ("engine,url", "engine and page"),
    ("engine,source_class", "engine and kind of source"),
)


@get("/p/{project:str}/exports", needs="read", nav="Exports", sync_to_thread=True)
def exports(page: PageNow, room: RoomNow) -> Response[str]:
    """What can be taken away, with a form for each."""
    if waiting := unmeasured(page, room, "Exports", WAITING):
        return waiting
    return _offer(page, room)


def _offer(page: Page, room: Room, error: CitepollError | None = None, **asked: str) -> Response[str]:
    return page.show(
        "exports.html", "Exports", status=422 if error else 200, room=room.id, cycles=cycles_offered(room),
        metrics=[(name, metric.label) for name, metric in METRICS.items()], by=BY, tables=TABLES, reports=REPORTS,
        formats=[(name, {"jsonl": "JSON lines", "csv": "CSV", "parquet": "Parquet"}[name]) for name in FORMATS],
        papers=[(name, {"a4": "A4"}.get(name, name.capitalize())) for name in PAPERS], error=error,
        asked=dict.fromkeys(("metrics", "by", "where", "cycle"), "") | asked,
    )  # fmt: skip


@get("/p/{project:str}/exports/answers", needs="read", sync_to_thread=True)
def answers(
    room: RoomNow, cycle: FromQuery[str] = "", format: FromQuery[str] = "jsonl", raw: FromQuery[str] = ""
) -> Stream:
    """Every answer of a cycle in the interchange schema, a piece at a time; `citepoll import` reads it back."""
    chosen_of("format", format, [(name, name) for name in FORMATS])
    found = newest(room.ledger, cycle or None)
    stream = pieces(rows(room.ledger, found), format, raw=raw == "1")
    first = next(stream, b"")  # what is wrong with the cycle is told before the status is sent
    return Stream(
        chain((first,), stream), media_type=TYPES[format], headers=_attached(room, f"answers-{found.name}", format)
    )


@get("/p/{project:str}/exports/measures", needs="read", sync_to_thread=True)
def measures(
    page: PageNow, room: RoomNow, desk: DeskNow, metrics: FromQuery[str] = "share_of_citation",
    by: FromQuery[str] = "brand,engine", where: FromQuery[str] = "", cycle: FromQuery[str] = "",
    format: FromQuery[str] = "csv", raw: FromQuery[str] = "",
) -> Response[Any]:  # fmt: skip
    """The rows of a slice; where it cannot be asked so, the page again with the reason."""
    chosen_of("format", format, TABLES)
    asked = Slice(_words(metrics), _words(by), where, (cycle,) if cycle else ())
    try:
        found = read(room.project, room.ledger, asked, desk.clock())
    except CitepollError as wrong:
        return _offer(page, room, wrong, metrics=metrics, by=by, where=where, cycle=cycle)
    text = json_text(found) if format == "json" else csv_text(found, raw=raw == "1")
    return Response(text, media_type=TYPES[format], headers=_attached(room, "measures", format))


@get("/p/{project:str}/exports/report", needs="read", sync_to_thread=True)
def report(
    room: RoomNow, desk: DeskNow, cycle: FromQuery[str] = "", format: FromQuery[str] = "html",
    paper: FromQuery[str] = "a4",
) -> Response[bytes]:  # fmt: skip
    """The report of a cycle as one file that loads nothing."""
    chosen_of("format", format, REPORTS)
    chosen_of("paper", paper, [(name, name) for name in PAPERS])
    found = newest(room.ledger, cycle or None).name
    content = _report(room, desk, found, format, cast("Paper", paper))
    return Response(content, media_type=TYPES[format], headers=_attached(room, f"report-{found}", format))


def _report(room: Room, desk: Desk, cycle: str, format: str, paper: Paper) -> bytes:
    data = report_data(room.project, room.ledger, cycle, desk.clock())
    return render_pdf(data, paper=paper).pdf if format == "pdf" else render(data).encode("utf-8", "replace")


def _words(text: str) -> tuple[str, ...]:
    """Names between commas. Raises `InputError` where there are none, or more than a person would name."""
    found = tuple(name for part in text.split(",") if (name := part.strip()))
    if not 0 < len(found) <= 20:
        raise InputError("No metric or dimension is named, or too many.", "Name some, with commas between them.")
    return found


def _attached(room: Room, name: str, ending: str) -> dict[str, str]:
    """Text of answers is never shown as a page of this server: browsers save the file."""
    return {"Content-Disposition": f'attachment; filename="{room.id}-{slug(name)}.{ending}"'}


ROUTES = [exports, answers, measures, report]
