"""Import and export of recorded answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from citepoll.engines import recorded
from citepoll.engines.bodies import decode
from citepoll.errors import CitepollError, InputError, LedgerError, SliceError
from citepoll.hashing import bytes_hash, canonical_json
from citepoll.model import Engine, Query, QuerySet
from citepoll.project import Project
from citepoll.service.queries import with_intents
from citepoll.service.retaining import check_kept
from citepoll.store import imports
from citepoll.store.files import Line, read_rows
from citepoll.store.imports import IdConflicts, Incoming
from citepoll.store.ledger import Cycle, Ledger

BATCH = 500

Step = Callable[[float, int], None]
"""Called with the fraction of the file that was read and the rows seen so far."""


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What an import did. `further` rows stated a run that was taken; `outside` queries are not in the project's set."""

    cycle: str
    file: str
    rows: int = 0
    new: int = 0
    known: int = 0
    rejected: int = 0
    rejects_file: str | None = None
    further: int = 0
    renamed: int = 0
    statuses: Mapping[str, int] = field(default_factory=dict)
    engines: tuple[str, ...] = ()
    queries: int = 0
    outside: int = 0
    ids: IdConflicts | None = None
    set_hash: str | None = None
    warnings: tuple[str, ...] = ()


class _Tally:
    def __init__(self) -> None:
        self.rows = self.new = self.known = self.rejected = self.further = self.renamed = 0
        self.statuses: Counter[str] = Counter()


def import_file(project: Project, ledger: Ledger, path: Path, cycle_name: str, *, at: datetime,
                engine: str | None = None, step: Step | None = None) -> ImportSummary:  # fmt: skip
    """Read recorded answers from `path` into the cycle, which is made if absent, and close it.

    Rows that the cycle holds already are passed over; rows that cannot be read go to a rejects file with line and reason.
    Raises `InputError` for a file that cannot be read to its end; what was read before is kept and the cycle stands on it.
    """
    tally = _Tally()
    rejects = _Rejects(project.root / "rejects" / f"{_plain(cycle_name)}-{_plain(path.name)}.rejects.jsonl")
    cycle: Cycle | None = None
    try:
        for batch in _batches(read_rows(path), engine, project, rejects, tally, step):
            cycle = cycle or _cycle(project, ledger, cycle_name, at)
            entered = imports.enter(ledger, cycle, batch)
            tally.new += entered.new
            tally.known += entered.known
            tally.further += entered.further
            tally.statuses.update(row.status for row in batch)
        rejects.close()
    except CitepollError as wrong:
        if cycle is not None:
            with suppress(LedgerError):
                _close(project, ledger, cycle, path, tally, at, whole=False)
        if tally.rows:
            wrong.kept = _kept(tally, rejects)
        raise
    finally:
        with suppress(InputError):
            rejects.close()
    if cycle is None:
        return _nothing(path, cycle_name, tally, rejects)
    return _close(project, ledger, cycle, path, tally, at, rejects)


def _kept(tally: _Tally, rejects: _Rejects) -> str:
    turned_away = f"; {tally.rejected:,} were turned away ({rejects.path})" if tally.rejected else ""
    return f"Kept: {tally.new + tally.known:,} rows that were read before{turned_away}."


def _nothing(path: Path, cycle_name: str, tally: _Tally, rejects: _Rejects) -> ImportSummary:
    if tally.rejected:
        raise InputError(
            f"None of the {tally.rejected:,} rows of {path} could be read: {rejects.first}.",
            "docs/interchange.md shows the schema; the rejects file has every row with its reason.",
            kept=f"Rejected rows: {rejects.path}",
        )
    raise InputError(
        f"{path} holds no rows.", "Check that it is the right file.", kept=f"The cycle {cycle_name!r} is as it was."
    )


def _cycle(project: Project, ledger: Ledger, name: str, at: datetime) -> Cycle:
    try:
        cycle = ledger.cycle(name)
    except SliceError:
        return ledger.create(name, "recorded", (), project.seed, at)
    if cycle.kind != "recorded":
        raise InputError(
            f"{name!r} is a cycle of `citepoll poll`.", "Import into a cycle of its own with --cycle NAME."
        )
    check_kept(ledger, cycle)  # its tables are not derived again, so that what is added would count nowhere
    return cycle


def _batches(lines: Iterator[Line], engine: str | None, project: Project, rejects: _Rejects, tally: _Tally,
             step: Step | None) -> Iterator[list[Incoming]]:  # fmt: skip
    batch: list[Incoming] = []
    try:
        for line in lines:
            tally.rows += 1
            try:
                row = _incoming(line, engine, project)
                tally.renamed += engine is not None and row.engine.name != engine
                batch.append(row)
            except InputError as wrong:
                tally.rejected += 1
                rejects.add(line, wrong.cause)
            if step:
                step(line.done, tally.rows)
            if len(batch) >= BATCH:
                yield batch
                batch = []
    except InputError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _incoming(line: Line, engine: str | None, project: Project) -> Incoming:
    if line.problem:
        raise InputError(line.problem)
    try:
        row = decode(line.data) if isinstance(line.data, bytes) else _unfolded(line.data)
        canonical = canonical_json(row)
    except (ValueError, TypeError, OverflowError, RecursionError) as wrong:
        raise InputError(str(wrong)) from None
    entry = recorded.entry(row, engine)
    query = Query(entry.text, entry.language or project.language, entry.market or project.market, ref=entry.ref)
    surface = "simulated" if entry.simulated else "recorded"
    return Incoming(
        engine=Engine(entry.engine, entry.engine, surface, model=entry.model),  # type: ignore[arg-type]
        query=query,
        status=entry.status,
        run=entry.run,
        asked_at=entry.asked_at,
        row_hash=bytes_hash(canonical),
        body=line.data if isinstance(line.data, bytes) else canonical,
    )


def _unfolded(values: Mapping[str, Any]) -> dict[str, Any]:
    """A CSV or Parquet row with its lists read from JSON text, or from URLs one after the other.

    `more` holds further keys as JSON.
    """
    row: dict[str, Any] = {}
    for name, value in values.items():
        if name == "more" and isinstance(value, str):
            row.update(_more(decode(value.encode())))
        elif name in ("citations", "additional_sources", "search_queries") and isinstance(value, str):
            row[name] = decode(value.encode()) if value.lstrip().startswith("[") else value.split()
        elif isinstance(value, datetime):
            row[name] = value.isoformat()
        elif isinstance(value, float) and value != value:
            row[name] = None
        else:
            row[name] = value
    return row


def _more(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError("`more` is not a JSON object")
    return value


def _close(project: Project, ledger: Ledger, cycle: Cycle, path: Path, tally: _Tally, at: datetime,
           rejects: _Rejects | None = None, *, whole: bool = True) -> ImportSummary:  # fmt: skip
    imports.number_further(ledger, cycle)
    asked = imports.asked_queries(ledger, cycle)
    queries, numbered, outside = _set_of(ledger, cycle, asked)
    summary = ImportSummary(
        cycle=cycle.name,
        file=_utf8(path.name),
        rows=tally.rows,
        new=tally.new,
        known=tally.known,
        rejected=tally.rejected,
        rejects_file=str(rejects.path) if rejects and tally.rejected else None,
        further=tally.further,
        renamed=tally.renamed,
        statuses=dict(sorted(tally.statuses.items())),
        engines=tuple(e.name for e in ledger.engines(cycle)),
        queries=len(asked),
        outside=outside,
        ids=imports.id_conflicts(ledger, cycle),
        set_hash=queries.hash,
    )
    if tally.new or cycle.status != "closed":
        detail = {k: v for k, v in asdict(summary).items() if k in ("file", "rows", "new", "rejected", "further")}
        detail["whole"] = whole
        imports.close_import(ledger, cycle, queries, at, numbered=numbered and whole, detail=detail)
    return replace(summary, warnings=tuple(_warnings(summary, ledger)))


def _set_of(ledger: Ledger, cycle: Cycle, asked: tuple[Query, ...]) -> tuple[QuerySet, bool, int]:
    """The set that an imported cycle stands on, whether it becomes a version of the project's, and the queries outside of it.

    The project's set grows with the cycle whose import built it, so that several files make one set.
    """
    current = ledger.current()
    if current is None or (current.origin == f"import into {cycle.name}" and cycle.set_hash in (current.hash, None)):
        return QuerySet(with_intents(asked)), True, 0
    known = {q.id: q for q in current.queries.queries}
    outside = sum(q.id not in known for q in asked)
    if not outside:
        return current.queries, True, 0
    return QuerySet(with_intents(tuple(known.get(q.id, q) for q in asked))), False, outside


def _warnings(summary: ImportSummary, ledger: Ledger) -> Iterator[str]:
    if summary.outside:
        yield (
            f"{summary.outside:,} of {summary.queries:,} queries are not in the project's locked set: this cycle stands on a "
            "set of its own, and a comparison with others uses the common queries only."
        )
    if summary.renamed:
        yield f"{summary.renamed:,} rows name their engine themselves and keep that name."
    ids = summary.ids
    if ids and (ids.ids_with_several_texts or ids.texts_with_several_ids):
        yield (
            f"The file's query ids are not reliable: {ids.ids_with_several_texts:,} of {ids.ids:,} ids carry several texts, "
            f"{ids.texts_with_several_ids:,} of {ids.texts:,} texts several ids. A query is its text."
        )


class _Rejects:
    """The rejects file of an import, made when the first row is turned away."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.first = ""
        self._out: Any = None

    def add(self, line: Line, reason: str) -> None:
        self.first = self.first or f"line {line.number}: {reason}"
        data = line.data.decode("utf-8", "backslashreplace") if isinstance(line.data, bytes) else line.data
        entry = {"line": line.number, "reason": reason, "row": data}
        with self._writing():
            if self._out is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._out = self.path.open("wb")
            self._out.write(canonical_json(_plain_values(entry)) + b"\n")

    def close(self) -> None:
        if self._out is not None:
            with self._writing():
                self._out.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as wrong:
            raise InputError(
                f"The rejects file {self.path} cannot be written: {wrong.strerror}.", "Make room or give write access."
            ) from None


def _plain_values(value: Any) -> Any:
    if isinstance(value, dict):
        return {_utf8(str(k)): _plain_values(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain_values(v) for v in value]
    return value if isinstance(value, int | bool | type(None)) else _utf8(str(value))


def _utf8(text: str) -> str:
    """The text with what was no UTF-8 written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def _plain(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in name)[:80] or "file"
