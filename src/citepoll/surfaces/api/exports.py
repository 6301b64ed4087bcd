"""/exports, /report and /imports: whole cycles and slices as files, the report, and recorded answers on the way in."""

from __future__ import annotations

from itertools import chain
from typing import Annotated, Literal

from litestar import Response, get, post
from litestar.params import QueryParameter
from litestar.response import Stream

from citepoll.report.html import render
from citepoll.report.pdf import Paper, render_pdf
from citepoll.report.tables import csv_text, json_text
from citepoll.service.cells import newest
from citepoll.service.exporting import pieces, rows
from citepoll.service.importing import ImportSummary
from citepoll.service.reading import read
from citepoll.service.reporting import report_data
from citepoll.service.uploads import SENT, SUFFIXES, import_bytes
from citepoll.surfaces.api.call import Here, RoomCall
from citepoll.surfaces.api.cycles import cycle_named
from citepoll.surfaces.api.found import Cycle
from citepoll.surfaces.api.rules import JSON
from citepoll.surfaces.api.slices import (
    By,
    Compare,
    Confidence,
    Cycles,
    Largest,
    Metrics,
    PrivateSuffixes,
    TargetOf,
    Where,
    slice_of,
)
from citepoll.surfaces.web.rooms import slug

Format = Literal["jsonl", "csv", "parquet"]
TYPES = {"jsonl": "application/x-ndjson", "csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
HTML, PDF = "text/html", "application/pdf"
Raw = Annotated[
    bool, QueryParameter(description="True leaves CSV cells as they are that a spreadsheet would run as formulae.")
]


@get("/exports/answers", needs="read", gives=tuple(TYPES.values()), sync_to_thread=True)
def export_answers(
    here: Here, cycle: Cycle = None,
    format: Annotated[Format, QueryParameter(description="The interchange schema as lines of JSON, CSV or Parquet.")] = "jsonl",
    raw: Raw = False,
) -> Stream:  # fmt: skip
    """Every answer of a cycle in the interchange schema, as a stream; `citepoll import` reads it back."""
    ledger = here.room.ledger
    found = cycle_named(here, cycle) if cycle is not None else newest(ledger, None)
    stream = pieces(rows(ledger, found), format, raw=raw)
    first = next(stream, b"")  # what is wrong with the cycle is told before the status is sent
    headers = attached(here, found.name, format)
    return Stream(chain((first,), stream), media_type=TYPES[format], headers=headers)


@get("/exports/measures", needs="read", gives=(TYPES["csv"], JSON), sync_to_thread=True)
def export_measures(
    here: Here, metrics: Metrics = None, by: By = None, where: Where = "", cycles: Cycles = None,
    compare: Compare = None, target: TargetOf = "both", confidence: Confidence = 0.95,
    private_suffixes: PrivateSuffixes = True, limit: Largest = None,
    format: Annotated[Literal["csv", "json"], QueryParameter(description="As `citepoll measure` prints it.")] = "csv",
    raw: Raw = False,
) -> Response[str]:  # fmt: skip
    """The rows of a slice as a file, however many they are."""
    asked = slice_of(metrics, by, where, cycles, compare, target, confidence, private_suffixes, limit)
    found = read(here.room.project, here.room.ledger, asked, here.at)
    text = json_text(found) if format == "json" else csv_text(found, raw=raw)
    kind = JSON if format == "json" else TYPES["csv"]
    return Response(text, media_type=kind, headers=attached(here, "measures", format))


@get("/report", needs="read", gives=(HTML, PDF), sync_to_thread=True)
def report(
    here: Here, cycle: Cycle = None,
    format: Annotated[Literal["html", "pdf"], QueryParameter(description="One file, without anything it loads.")] = "html",
    paper: Annotated[Paper, QueryParameter(description="The size of a PDF's pages.")] = "a4",
) -> Response[bytes]:  # fmt: skip
    """The report of a cycle: where we stand, against whom, on which evidence."""
    kind = PDF if format == "pdf" else HTML
    shown = here.kept_bytes(lambda: _report(here, cycle, format, paper), kind)
    shown.headers.update(attached(here, cycle or "report", format))
    return shown


def _report(here: RoomCall, cycle: str | None, format: str, paper: Paper) -> bytes:
    data = report_data(here.room.project, here.room.ledger, cycle, here.at)
    return render_pdf(data, paper=paper).pdf if format == "pdf" else render(data).encode("utf-8", "replace")


@post(
    "/imports", needs="write", status_code=201, takes=tuple(SUFFIXES), request_max_body_size=SENT, sync_to_thread=True
)
def import_answers(
    here: Here, cycle: Annotated[str, QueryParameter(max_length=200, description="The cycle; it is made if absent.")],
    engine: Annotated[str | None, QueryParameter(max_length=200, description="For rows that do not name theirs.")] = None,
    name: Annotated[str, QueryParameter(max_length=200, description="What the history calls the file.")] = "upload",
) -> Response[ImportSummary]:  # fmt: skip
    """Import recorded answers: the body is JSONL or CSV in the interchange schema, as it is or compressed with gzip."""
    project, ledger = here.room.project, here.room.ledger
    kind = here.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return here.write(
        "answers imported", cycle,
        lambda: import_bytes(project, ledger, here.body, kind, cycle, here.at, engine=engine, name=name), 201,
    )  # fmt: skip


def attached(here: RoomCall, name: str, ending: str) -> dict[str, str]:
    """Text of answers must never be shown as a page of this server: browsers save the file."""
    return {"Content-Disposition": f'attachment; filename="{here.room.id}-{slug(name)}.{ending}"'}


ROUTES = [export_answers, export_measures, report, import_answers]
