"""The A/A check: do two back-to-back cycles of one set look like independent draws of the same shares?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from citepoll.errors import SliceError
from citepoll.measure.independence import Independence, a_a
from citepoll.measure.verdicts import REAL, adjust
from citepoll.model import Slice
from citepoll.project import Project
from citepoll.service.cells import Cells, read_cells
from citepoll.service.history import counts
from citepoll.service.measuring import chosen, differences, read_frames, set_warnings
from citepoll.store.ledger import Cycle, Ledger


@dataclass(frozen=True, slots=True)
class Checked:
    """One brand on one engine. `alone` is the check by itself; `adjusted` are its p (fixed set, category, dispersion)
    after Benjamini-Hochberg over all tests shown, and `independent` and `sentence` go by these."""

    brand: str
    alone: Independence
    adjusted: tuple[float | None, ...]
    independent: bool | None
    sentence: str


@dataclass(frozen=True, slots=True)
class EngineCheck:
    """One engine: False where a brand fails, None where no brand can be told. `runs` are the valid answers of each cycle."""

    engine: str
    surface: str
    independent: bool | None
    sentence: str
    queries: int
    runs: tuple[int, int]
    brands: tuple[Checked, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """An A/A check of two cycles: `independent` is False where an engine fails, None where none can be told.

    `tests` were adjusted together at `level`; `branded_out` queries were not compared.
    """

    cycles: tuple[str, str]
    independent: bool | None
    engines: tuple[EngineCheck, ...]
    tests: int
    branded_out: int
    warnings: tuple[str, ...]
    level: float = REAL


def check_a_a(project: Project, ledger: Ledger, first: str, second: str, at: datetime) -> Check:
    """Compare two cycles that nothing should lie between, for every brand on the engines that both asked.

    Raises `SliceError` for an unknown or open cycle, for one named twice, and where no engine is in both.
    """
    if first == second:
        raise SliceError(f"{first!r} cannot be compared with itself.", "Name two cycles, polled back to back.")
    a, b = chosen(Slice(cycles=(first, second)), ledger)
    common = [e for e in ledger.engines(a) if e.name in {other.name for other in ledger.engines(b)}]
    if not common:
        raise SliceError(
            f"{a.name} and {b.name} have no engine in common.", "Poll the same project twice, back to back."
        )
    cells = read_cells(project, ledger, a, at), read_cells(project, ledger, b, at)
    found = [_engine(project, cells, engine.name, engine.surface) for engine in common]
    tests = [p for engine in found for brand in engine.brands for p in brand.adjusted]
    adjusted = iter(adjust(tests))
    shown = sum(p is not None for p in tests)
    engines = tuple(
        _judged(engine, [tuple(next(adjusted) for _ in b.adjusted) for b in engine.brands], shown) for engine in found
    )
    return Check(
        cycles=(a.name, b.name),
        independent=_together([engine.independent for engine in engines]),
        engines=engines,
        tests=shown,
        branded_out=max(each.branded_out for each in cells),
        warnings=tuple(_warnings(project, ledger, a, b, at)),
    )


def _together(told: Sequence[bool | None]) -> bool | None:
    """False where one fails, None where none can be told."""
    known = [each for each in told if each is not None]
    return all(known) if known else None


def _engine(project: Project, cells: tuple[Cells, Cells], engine: str, surface: str) -> EngineCheck:
    """The checks by themselves; `adjusted` holds the bare p until all engines are known, none of a brand never cited."""
    ids = list(dict.fromkeys(q.id for each in cells for q in each.queries))
    brands = []
    valid: tuple[list[int], ...] = ([], [])
    for brand in project.brands:
        (k1, r1), (k2, r2) = (counts(each, engine, brand.name, ids) for each in cells)
        alone = a_a(k1, r1, k2, r2)
        bare = (alone.fixed_set.p, alone.category.p, alone.dispersion.p) if sum(k1) + sum(k2) else (None,) * 3
        brands.append(Checked(brand.name, alone, bare, None, alone.sentence))
        valid = (r1, r2)
    queries = sum(x > 0 and y > 0 for x, y in zip(*valid, strict=True))
    return EngineCheck(engine, surface, None, "", queries, (sum(valid[0]), sum(valid[1])), tuple(brands))


def _judged(engine: EngineCheck, adjusted: list[tuple[float | None, ...]], tests: int) -> EngineCheck:
    brands = tuple(_checked(brand, own, tests) for brand, own in zip(engine.brands, adjusted, strict=True))
    independent = _together([brand.independent for brand in brands])
    failed = ", ".join(brand.brand for brand in brands if brand.independent is False)
    sentences = {
        False: f"the runs do not look independent: {failed}",
        True: "the runs look independent: nothing speaks against it",
        None: brands[0].sentence,
    }
    return replace(engine, brands=brands, independent=independent, sentence=sentences[independent])


def _checked(brand: Checked, adjusted: tuple[float | None, ...], tests: int) -> Checked:
    failed = any(p is not None and p <= REAL for p in adjusted)
    sentence = brand.sentence
    if brand.alone.independent is False and not failed:
        sentence = f"would count alone, not among the {tests} tests shown: {sentence}"
    untold = brand.alone.dispersion.p is None and not failed
    return replace(brand, adjusted=adjusted, independent=None if untold else not failed, sentence=sentence)


def _warnings(project: Project, ledger: Ledger, a: Cycle, b: Cycle, at: datetime) -> Iterator[str]:
    """What else differs, so that a failure may have another cause."""
    yield from set_warnings(ledger, a, b)
    frames = read_frames(project, ledger, (a, b), at)
    _, _, found = differences(ledger, frames, (a, b))[0]
    for engine, texts in sorted(found.items()):
        yield from (f"{engine}: {text}" for text in texts)
    names = [{e.name for e in ledger.engines(cycle)} for cycle in (a, b)]
    for name in sorted(names[0] ^ names[1]):
        yield f"{name} is in one of the cycles only and was left out"
