"""Fills a report: the numbers through the read side, the evidence from the raw answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, tzinfo
from pathlib import Path

import polars as pl

from citepoll import __version__
from citepoll.errors import InputError
from citepoll.extract.observe import EXTRACTOR_VERSION
from citepoll.model import Slice
from citepoll.project import Project, zone
from citepoll.report.data import (
    Ahead,
    Concentration,
    EngineNote,
    Evidence,
    Method,
    ReportData,
    TargetLine,
    ToDo,
)
from citepoll.report.html import render
from citepoll.report.pdf import Paper, Printed, render_pdf
from citepoll.report.todos import FIRST
from citepoll.service.answers import Shown, seen
from citepoll.service.cells import Cells, read_cells
from citepoll.service.comparing import past
from citepoll.service.deriving import derive
from citepoll.service.gaps import leads, weights_of
from citepoll.service.matrix import cell_notes
from citepoll.service.measuring import chosen, measure
from citepoll.service.opportunities import Todo, list_todos
from citepoll.service.sources import compare_engines
from citepoll.service.targets import list_targets
from citepoll.store.derived import Built
from citepoll.store.ledger import Cycle, Ledger
from citepoll.store.rounds import planned_runs

OTHERS = (
    "share_of_citation_earned", "slot_share", "share_of_voice", "mention_rate", "mention_share_of_voice", "presence_rate",
    "first_position_rate",
)  # fmt: skip
ANSWERS_SHOWN = 300
"""Answers that a report carries as evidence: about 1.5 MB of HTML. All are in the ledger."""
SOURCES_SHOWN = 15


def write_report(project: Project, ledger: Ledger, path: Path, cycle: str | None, at: datetime) -> int:
    """Write one self-contained HTML file; returns its size in bytes. Raises `InputError` where it cannot be written."""
    return _write(path, render(report_data(project, ledger, cycle, at)).encode("utf-8", "replace"))


def write_pdf(
    project: Project, ledger: Ledger, path: Path, cycle: str | None, at: datetime, paper: Paper = "a4"
) -> Printed:
    """Write the report as a PDF file, without its answers. Raises `InputError` where it cannot be written."""
    printed = render_pdf(report_data(project, ledger, cycle, at), paper=paper)
    _write(path, printed.pdf)
    return printed


def _write(path: Path, page: bytes) -> int:
    draft = path.with_name(f".{path.name}.new")
    try:
        draft.write_bytes(page)
        draft.replace(path)
    except OSError as wrong:
        raise InputError(
            f"{path} cannot be written: {wrong.strerror}.", "Choose another place with --output."
        ) from None
    finally:
        with suppress(OSError):
            draft.unlink()
    return len(page)


def report_data(project: Project, ledger: Ledger, name: str | None, at: datetime) -> ReportData:
    """Everything that a report of a cycle (default: the newest measurable one) shows."""
    cycle = chosen(Slice(cycles=(name,) if name else ()), ledger)[0]
    built = derive(project, ledger, cycle, at)
    queries = ledger.query_set(cycle).queries if cycle.set_hash else ()
    todo = tuple(todo_of(one) for one in list_todos(project, ledger, at, cycle=cycle.name).todos)
    evidence = tuple(_evidence(project, ledger, cycle, built, todo[:FIRST]))
    before = past(project, ledger, cycle, at)
    slice = Slice(cycles=(cycle.name,))

    def ask(**changes: object) -> object:
        return measure(project, ledger, replace(slice, **changes), at)  # type: ignore[arg-type]

    cells = read_cells(project, ledger, cycle, at)
    tracked = project.tracked.name
    return ReportData(
        brand=tracked,
        shares=measure(project, ledger, slice, at),
        engines=engine_notes(project, ledger, cycle, evidence),
        queries=queries,
        method=method_of(project, ledger, cycle, built),
        written_at=at.astimezone(zone(project.time_zone)),
        cells=tuple(cell_notes(project, cells)),
        ahead=tuple(_ahead(cells, project)),
        sources=ask(metrics=("slot_share",), by=("engine", "domain"), limit=SOURCES_SHOWN),  # type: ignore[arg-type]
        owners=owners_of(built),
        others=ask(metrics=OTHERS),  # type: ignore[arg-type]
        evidence=evidence,
        answers_total=ledger.revision(cycle)[0],
        project=project.root.resolve().name,
        changes=before.changes,
        trend=before.trend,
        breaks=before.breaks,
        todo=todo,
        todo_total=len(todo),
        targets=tuple(target_lines(project, ledger, cycle, at)),
        classes=ask(metrics=("slot_share",), by=("engine", "source_class")),  # type: ignore[arg-type]
        concentration=tuple(_concentration(project, ledger, cycle, at)),
        weights=weights_of(project).words(),
    )


def engine_notes(
    project: Project, ledger: Ledger, cycle: Cycle, evidence: tuple[Evidence, ...] = ()
) -> tuple[EngineNote, ...]:
    """The engines of a cycle with today's weights, and the models that the evidence names."""
    weights = {e.name: e.weight for e in project.engines}
    notes = []
    for engine in ledger.engines(cycle):
        models = {e.model for e in evidence if e.engine == engine.name and e.model}
        weight = weights.get(engine.name, engine.weight)
        notes.append(EngineNote(engine.name, engine.surface, models=tuple(sorted(models)), weight=weight))
    return tuple(notes)


def method_of(project: Project, ledger: Ledger, cycle: Cycle, built: Built) -> Method:
    """Where the numbers of a cycle come from."""
    days = built.table("answers").select(first=pl.col("day").min(), last=pl.col("day").max()).collect().row(0)
    here = zone(project.time_zone)
    first, last = (datetime(d.year, d.month, d.day, tzinfo=here) if d else None for d in days)
    planned = planned_runs(ledger, cycle) if cycle.kind == "polled" else {}
    runs = [number for of_engine in planned.values() for number in of_engine.values()]
    return Method(
        cycle=cycle.name,
        query_set_hash=cycle.set_hash or "",
        query_set_version=ledger.version(cycle.set_hash).number if cycle.set_hash else None,
        runs=max(runs, default=None),
        least_runs=min(runs, default=None),
        first=first,
        last=last,
        extractor=str(EXTRACTOR_VERSION),
        product=f"citepoll {__version__}",
        brands=len(project.brands),
    )


def _ahead(cells: Cells, project: Project) -> Iterator[Ahead]:
    for gap, on in leads(project, cells):
        yield Ahead(
            competitor=gap.competitor,
            query_id=gap.query_id,
            theirs=gap.theirs,
            ours=gap.ours,
            valid=gap.n,
            probability=gap.probability,
            confirmed=gap.verdict == "confirmed",
            pages=on.pages.get(gap.competitor, ()),
            weight=on.weight,
        )


def todo_of(todo: Todo) -> ToDo:
    """An opportunity as a thing to do."""
    one = todo.found
    effect = " ".join(f"{effect.engine}: {effect.sentence}." for effect in todo.effects) or todo.no_effect or ""
    if one is None:
        gone = "no longer found in this cycle"
        return ToDo(todo.id, todo.kind, todo.title, "", "", why=gone, status=todo.status, effect=effect)
    return ToDo(
        id=todo.id,
        kind=todo.kind,
        sentence=todo.title,
        size=f"at most {one.size * 100:.1f} points",
        effort=one.effort,
        why=one.why,
        effort_reason=one.effort_reason,
        probability=one.probability,
        answers=tuple(str(answer) for answer in one.answers),
        answers_total=one.n_answers,
        status=todo.status,
        effect=effect,
    )


def target_lines(project: Project, ledger: Ledger, cycle: Cycle, at: datetime) -> Iterator[TargetLine]:
    """Where each target stands on each engine."""
    for aim in list_targets(project, ledger, at, cycle=cycle.name).aims:
        goal, found = aim.standing.goal, aim.standing
        yield TargetLine(goal.metric, goal.value, goal.by, found.engine, found.chance, found.reason)


def _concentration(project: Project, ledger: Ledger, cycle: Cycle, at: datetime) -> Iterator[Concentration]:
    for engine in compare_engines(project, ledger, at, cycle=cycle.name).engines:
        if engine.domains.effective is not None:
            yield Concentration(engine.engine, engine.domains.effective, engine.domains.sources)


def owners_of(built: Built) -> dict[str, str]:
    """The brand of each domain whose every citation is that brand's."""
    cited = (
        built.table("citations")
        .filter(pl.col("domain").is_not_null())
        .select(pl.col("domain", "brand").cast(pl.String))
    )
    found = cited.group_by("domain").agg(pl.col("brand").unique()).collect()
    return {domain: names[0] for domain, names in found.iter_rows() if len(names) == 1 and names[0]}


def _evidence(
    project: Project, ledger: Ledger, cycle: Cycle, built: Built, first: tuple[ToDo, ...]
) -> Iterator[Evidence]:
    """Up to ANSWERS_SHOWN answers: those behind the `first` things to do; then for each query in turn its first run on
    each engine, then the second ones …"""
    order = built.table("answers").sort("run", "query_id", "engine").select("run_id").collect()["run_id"].to_list()
    behind = {int(key) for todo in first for key in todo.answers}
    wanted = sorted(order, key=lambda run_id: run_id not in behind)[:ANSWERS_SHOWN]
    kept = ledger.kept(cycle, limit=ANSWERS_SHOWN, run_ids=wanted)
    for shown in seen(project, ledger, cycle, kept):
        yield _shown(shown, zone(project.time_zone))


def _shown(shown: Shown, here: tzinfo) -> Evidence:
    asked = shown.kept.asked_at
    return Evidence(
        key=str(shown.id),
        engine=shown.kept.engine,
        query_id=shown.kept.query_id,
        run=shown.kept.number,
        status=shown.answer.status,
        text=shown.answer.text,
        citations=shown.citations,
        mentions=shown.mentions,
        asked_at=asked.astimezone(here) if asked else None,
        model=shown.answer.model,
    )
