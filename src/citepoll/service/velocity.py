"""How fast shares move: their change per cycle over the cycles that were measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from citepoll.measure.context import Frames
from citepoll.measure.found import FOUND, unit_of
from citepoll.measure.movements import velocities
from citepoll.model import Contrast, Estimate, Row, Slice, SliceResult
from citepoll.project import Project
from citepoll.report.numbers import words
from citepoll.service.classing import classed
from citepoll.service.measuring import chosen, context, differences, measurable, read_frames, set_warnings
from citepoll.store.ledger import Cycle, Ledger


@dataclass(frozen=True, slots=True)
class Velocities:
    """Rows of the newest cycle, each with its change per cycle over `cycles`."""

    cycles: tuple[str, ...]
    rows: tuple[tuple[Row, Contrast], ...]
    warnings: tuple[str, ...]


def velocity(project: Project, ledger: Ledger, slice: Slice, at: datetime) -> Velocities:
    """The change per cycle of counted metrics over the slice's cycles (default: all measurable ones). Never a forecast.

    Raises `SliceError` for what `measure` refuses.
    """
    cycles = _cycles(ledger, slice)
    frames = classed(project, slice, read_frames(project, ledger, cycles, at))
    names = tuple(c.name for c in cycles)
    rows = velocities(frames, slice, context(project, ledger, cycles), names)
    warnings = [text for a, b in pairwise(cycles) for text in set_warnings(ledger, a, b)]
    engines = {str(row.dimensions["engine"]) for row, _ in rows}
    return Velocities(names, rows, tuple(dict.fromkeys((*warnings, *_else(ledger, frames, cycles, engines)))))


def read_velocity(project: Project, ledger: Ledger, slice: Slice, at: datetime) -> SliceResult:
    """The rows of `velocity` and its kin: the slope as the estimate, the share of the newest cycle in the evidence."""
    of = {str(FOUND[name].of): name for name in slice.metrics}
    found = velocity(project, ledger, replace(slice, metrics=tuple(of)), at)
    by = tuple(dict.fromkeys(name for row, _ in found.rows for name in row.dimensions if name != "cycle"))
    return SliceResult(
        rows=tuple(_rows(found, of)),
        slice=replace(slice, by=by or slice.by, cycles=found.cycles),
        cycles=found.cycles,
        warnings=found.warnings,
    )


def _cycles(ledger: Ledger, slice: Slice) -> tuple[Cycle, ...]:
    """The cycles named, else all; `chosen` refuses what cannot be measured."""
    return chosen(slice, ledger) if slice.cycles or not measurable(ledger) else measurable(ledger)


def _else(ledger: Ledger, frames: Frames, cycles: Sequence[Cycle], engines: Set[str]) -> Iterator[str]:
    """What else changed inside an engine from cycle to cycle, or failed: it is part of the slope."""
    for earlier, later, found in differences(ledger, frames, cycles):
        for engine, texts in sorted(found.items()):
            for text in texts if engine in engines else ():
                failed = text.endswith((f"failed in {earlier.name}", f"failed in {later.name}"))
                yield f"{engine}: {text}" if failed else f"{engine}, {earlier.name} to {later.name}: {text}"


def _rows(found: Velocities, names: Mapping[str, str]) -> Iterator[Row]:
    for row, slope in found.rows:
        now = row.estimate
        estimate = Estimate(
            slope.value, slope.low, slope.high, slope.target, slope.method, slope.confidence, now.n, slope.n_queries,
            excluded=now.excluded, reason=slope.reason, warnings=slope.warnings,
        )  # fmt: skip
        evidence = {
            "words": f"over {len(found.cycles)} cycles; now {words(now, unit_of(row.metric))}",
            "of": row.metric,
            "cycles": list(found.cycles),
            "now": {key: getattr(now, key) for key in ("value", "low", "high", "cited", "of", "n")},
            "p": slope.p,
            "dropped": slope.dropped,
        }
        dimensions = {name: value for name, value in row.dimensions.items() if name != "cycle"}
        yield Row(names[row.metric], dimensions, estimate, simulated=row.simulated, evidence=evidence)
