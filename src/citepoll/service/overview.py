"""What the overview of a desk shows: a cycle's shares, what changed since an earlier one, the trend, what to do first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from citepoll.errors import SliceError
from citepoll.measure.metrics import METRICS
from citepoll.model import Slice
from citepoll.project import Project, zone
from citepoll.report.data import ReportData
from citepoll.report.moved import CYCLES_SHOWN
from citepoll.service.comparing import comparable, past
from citepoll.service.deriving import derive
from citepoll.service.measuring import chosen, measurable, measure
from citepoll.service.opportunities import list_todos
from citepoll.service.reporting import engine_notes, method_of, target_lines, todo_of
from citepoll.store.ledger import Ledger

SHOWN = tuple(name for name, metric in METRICS.items() if metric.per_brand and metric.unit == "share")
"""The metrics that an overview can show: shares of a brand."""


@dataclass(frozen=True, slots=True)
class Overview:
    """`data` as a report has it, but without answers and sources. `asked` is the slice as resolved; `cycles` can be asked
    for, and compared with the `earlier` ones, the newest first."""

    data: ReportData
    asked: Slice
    cycles: tuple[str, ...]
    earlier: tuple[str, ...]


def overview(project: Project, ledger: Ledger, asked: Slice, at: datetime) -> Overview:
    """The overview of one cycle (default: the newest measurable one) by one metric of `SHOWN`.

    Without an `asked.compare` that is comparable, the newest one that is; a first cycle has none. Raises `SliceError` for
    an unknown name, and where nothing is measured yet.
    """
    if asked.metrics[0] not in SHOWN:
        raise SliceError(f"{asked.metrics[0]!r} is not a share of a brand.", f"Choose one of {', '.join(SHOWN)}.")
    cycle = chosen(replace(asked, compare=None), ledger)[0]
    earlier = tuple(c.name for c in reversed(comparable(ledger, cycle)))
    asked = replace(asked, compare=asked.compare if asked.compare in earlier else None)
    before = past(project, ledger, cycle, at, question=asked, newest=CYCLES_SHOWN)
    todos = tuple(todo_of(one) for one in list_todos(project, ledger, at, cycle=cycle.name).todos)
    data = ReportData(
        brand=project.tracked.name,
        shares=measure(project, ledger, replace(asked, cycles=(cycle.name,), compare=None), at),
        engines=engine_notes(project, ledger, cycle),
        queries=ledger.query_set(cycle).queries if cycle.set_hash else (),
        method=method_of(project, ledger, cycle, derive(project, ledger, cycle, at)),
        written_at=at.astimezone(zone(project.time_zone)),
        answers_total=ledger.revision(cycle)[0],
        project=project.root.resolve().name,
        changes=before.changes,
        trend=before.trend,
        breaks=before.breaks,
        todo=todos,
        todo_total=len(todos),
        targets=tuple(target_lines(project, ledger, cycle, at)),
    )
    compare = before.changes.slice.compare if before.changes else None
    return Overview(
        data,
        replace(asked, cycles=(cycle.name,), compare=compare),
        tuple(c.name for c in reversed(measurable(ledger))),
        earlier,
    )
