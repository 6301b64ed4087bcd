"""Export: the answers of a cycle in the interchange schema, as JSONL, CSV or Parquet."""

from __future__ import annotations

import csv
import gzip
import io
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, Any, cast

import polars as pl

from citepoll.engines.bodies import decode
from citepoll.errors import InputError
from citepoll.hashing import canonical_json
from citepoll.model import Answer, Query
from citepoll.service.deriving import Leads, leads_of, parse
from citepoll.service.retaining import check_kept
from citepoll.store.ledger import Cycle, Kept, Ledger, stamp

Step = Callable[[int, int], None]
FORMATS = ("jsonl", "csv", "parquet")
FIRST = (
    "engine", "query", "query_id", "run", "status", "answer_text", "citations", "additional_sources", "asked_at",
    "model", "language", "market", "surface",
)  # fmt: skip
"""The columns of CSV and Parquet, in order; keys beyond them stand in `more` as JSON."""

PIECE = 256 * 1024
"""Bytes that a stream sends at once."""
PART = 2_000
"""Rows of a part of a Parquet file."""

_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def format_of(path: Path | None, chosen: str | None) -> str:
    """The format by name, else by the file's ending, else JSONL. Raises `InputError` for another name."""
    if chosen is None and path is not None:
        name = path.name.lower().removesuffix(".gz")
        chosen = next((f for f in FORMATS if name.endswith("." + f)), None)
        if chosen is None:
            raise InputError(
                f"{path.name} does not say its format.", f"End it in .{', .'.join(FORMATS)}, or say --format."
            )
    chosen = chosen or "jsonl"
    if chosen not in FORMATS:
        raise InputError(f"{chosen!r} is not a format.", f"Use one of {', '.join(FORMATS)}.")
    return chosen


def rows(ledger: Ledger, cycle: Cycle, step: Step | None = None) -> Iterator[dict[str, Any]]:
    """Every recorded run of a cycle as a row of the interchange schema, in the order of recording."""
    if cycle.kind == "recorded" and cycle.status == "open":
        raise InputError(f"The import into {cycle.name!r} did not come to its end.", "Import the file again first.")
    check_kept(ledger, cycle)
    queries = {q.id: q for q in ledger.query_set(cycle).queries}
    leads = leads_of(ledger, cycle)
    total, done, after = ledger.revision(cycle)[0], 0, 0
    while page := ledger.kept(cycle, after=after):
        after = page[-1].run_id
        for kept in page:
            yield _row(cycle, kept, queries[kept.query_id], leads)
        done += len(page)
        if step:
            step(done, max(total, done))


def _row(cycle: Cycle, kept: Kept, query: Query, leads: Leads) -> dict[str, Any]:
    facts = {
        "engine": kept.engine,
        "query": query.text,
        "query_id": kept.ref if cycle.kind == "recorded" else query.ref,
        "run": kept.number,
        "status": kept.status,
        "asked_at": stamp(kept.asked_at) if kept.asked_at else None,
        "language": query.language,
        "market": query.market,
        "surface": kept.surface,
    }
    if cycle.kind == "recorded":
        row = decode(kept.body)
        return {**row, **{name: value for name, value in facts.items() if value is not None}}
    return {**{name: value for name, value in facts.items() if value is not None}, **_answer(parse(cycle, kept), leads)}


def _answer(answer: Answer, leads: Leads) -> dict[str, Any]:
    said: dict[str, Any] = {
        "answer_text": answer.text,
        "citations": [
            _link(c, level=c.level, start=c.start, end=c.end, **_resolved(c.url, leads)) for c in answer.citations
        ],
        "additional_sources": [_link(s) for s in answer.sources],
    }
    if answer.model:
        said["model"] = answer.model
    if answer.queries:
        said["search_queries"] = list(answer.queries)
    return said


def _resolved(raw: str, leads: Leads) -> dict[str, str]:
    """The page that a resolved redirect leads to, in the place of its URL, and the URL as the engine gave it."""
    page = leads.get(raw)
    return {"url": page, "redirect": raw} if page else {}


def _link(link: Any, **more: object) -> dict[str, Any]:
    values = {"url": link.url, "title": link.title, "position": link.position, **more}
    return {name: value for name, value in values.items() if value is not None}


def export(
    ledger: Ledger, cycle: Cycle, path: Path, chosen: str, *, raw: bool = False, step: Step | None = None
) -> int:
    """Write a cycle to `path` (gzip where it ends in .gz), whole or not at all; returns the number of rows.

    `raw` leaves CSV cells that a spreadsheet would run as formulae as they are; without it they get an apostrophe, which
    the import takes off again.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with _opened(draft, gz=path.name.endswith(".gz")) as out:
            written = write(rows(ledger, cycle, step), out, chosen, raw=raw)
        draft.replace(path)
    except (OSError, pl.exceptions.PolarsError) as wrong:
        reason = getattr(wrong, "strerror", None) or wrong
        raise InputError(f"{path} cannot be written: {reason}.", "Choose another place, or make room.") from None
    finally:
        with suppress(OSError):
            draft.unlink()
    return written


def _opened(path: Path, *, gz: bool) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path, "wb")) if gz else path.open("wb")


def write(found: Iterator[dict[str, Any]], out: IO[bytes], chosen: str, *, raw: bool = False) -> int:
    """Write rows to an open binary file in the chosen format; returns how many."""
    if chosen == "parquet":
        return _parquet(found, out)
    written = 0
    with _putting(out, chosen, raw) as put:
        for row in found:
            put(row)
            written += 1
    return written


def pieces(found: Iterator[dict[str, Any]], chosen: str, *, raw: bool = False) -> Iterator[bytes]:
    """What `write` writes, in pieces of about `PIECE` bytes. Parquet is written to a file of its own first."""
    if chosen == "parquet":
        with TemporaryFile() as whole:
            _parquet(found, whole)
            whole.seek(0)
            while piece := whole.read(PIECE):
                yield piece
        return
    out = io.BytesIO()
    with _putting(out, chosen, raw) as put:
        for row in found:
            put(row)
            if out.tell() >= PIECE:
                yield out.getvalue()
                out.seek(0)
                out.truncate()
    yield out.getvalue()


@contextmanager
def _putting(out: IO[bytes], chosen: str, raw: bool) -> Iterator[Callable[[dict[str, Any]], object]]:
    """What writes a row of JSONL or CSV; the head of a CSV is written at once."""
    if chosen == "jsonl":
        yield lambda row: out.write(canonical_json(row) + b"\n")
        return
    text = io.TextIOWrapper(out, "utf-8", newline="", write_through=True)
    table = csv.DictWriter(text, [*FIRST, "more"])  # ends lines with CR LF, so that both are quoted in cells
    table.writeheader()
    yield lambda row: table.writerow({k: v if raw else _guarded(v) for k, v in _flat(row).items()})
    text.detach()


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    flat = {name: row.get(name) for name in FIRST}
    for name in ("citations", "additional_sources"):
        flat[name] = canonical_json(row[name]).decode() if row.get(name) is not None else None
    flat["query_id"] = None if flat["query_id"] is None else str(flat["query_id"])
    more = {name: value for name, value in row.items() if name not in FIRST}
    flat["more"] = canonical_json(more).decode() if more else None
    return flat


def _guarded(value: Any) -> Any:
    return "'" + value if isinstance(value, str) and _FORMULA.match(value) else value


def _parquet(found: Iterator[dict[str, Any]], out: IO[bytes]) -> int:
    """Rows are written in parts and the parts joined, so that a large cycle is never held as a whole."""
    types = {name: pl.Int64 if name == "run" else pl.String for name in (*FIRST, "more")}
    written = 0
    with TemporaryDirectory() as folder:
        while (some := [_flat(row) for row in islice(found, PART)]) or not written:
            pl.DataFrame(some, schema=types).write_parquet(Path(folder) / f"part-{written:09d}.parquet")
            written += len(some)
            if len(some) < PART:
                break
        pl.scan_parquet(Path(folder) / "part-*.parquet").sink_parquet(Path(folder) / "whole.parquet")
        with (Path(folder) / "whole.parquet").open("rb") as whole:
            shutil.copyfileobj(whole, out)
    return written
