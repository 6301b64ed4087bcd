"""From raw answers to derived tables: parse, extract, observe; on every core where there is much to do."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import NamedTuple

import polars as pl

from citepoll.engines import calls, load, recorded
from citepoll.errors import LedgerError
from citepoll.extract.columns import ANSWERS, CITATIONS, HITS, Columns
from citepoll.extract.observe import EXTRACTOR_VERSION, Observer
from citepoll.model import FINAL, Answer, Brand, Query
from citepoll.project import Project
from citepoll.store.derived import Built, Derived
from citepoll.store.erasing import dropped
from citepoll.store.ledger import Cycle, Kept, Ledger
from citepoll.store.redirects import redirects_of, revision

BATCH = 1000
PART = 10_000
"""Answers in one Parquet file: bounds the memory of a rebuild."""
WORTH_PROCESSES = 5_000
"""Below this many answers, starting processes takes longer than the work."""

Leads = Mapping[str, str | None]
Step = Callable[[int, int], None]
"""Called with the answers done and the answers in all."""


class _Work(NamedTuple):
    cycle: str
    kind: str
    kept: list[Kept]
    questions: dict[str, str]


def derivation(project: Project, ledger: Ledger, cycle: Cycle) -> dict[str, object]:
    """All that a cycle's derived tables depend on; equal content, equal tables."""
    redirects = revision(ledger, cycle)
    return {
        "cycle": cycle.name,
        "set": cycle.set_hash,
        "extractor": EXTRACTOR_VERSION,
        "columns": [*ANSWERS, *CITATIONS, *HITS],
        "brands": project.brands_hash,
        "revision": list(ledger.revision(cycle)),
        **({"redirects": list(redirects)} if any(redirects) else {}),
    }


def derive(project: Project, ledger: Ledger, cycle: Cycle, at: datetime, *, again: bool = False,
           step: Step | None = None) -> Built:  # fmt: skip
    """The derived tables of a cycle for today's brands and extractor, built if they are not there (or with `again`).

    Those of a cycle whose payloads were dropped are what they were then. Raises `LedgerError` where these are gone too.
    """
    derived = Derived(project.data / "derived")
    detail = derivation(project, ledger, cycle)
    found = derived.find(cycle, detail)
    if found is not None and not again:
        return found
    if event := dropped(ledger).get(cycle.name):
        versions = derived.versions(cycle)
        if not versions:
            day = str(event["at"])[:10]
            raise LedgerError(
                f"The payloads of {cycle.name} were dropped on {day}, and its derived tables are gone.",
                "Restore a backup.",
            )
        return versions[-1]
    with derived.alone():
        found = None if again else derived.find(cycle, detail)
        return found or derived.write(cycle, detail, _parts(project, ledger, cycle, step), at)


def observer_of(project: Project, leads: Leads | None = None) -> Observer:
    """The observer of a project's brands. Raises `ProjectError` where two brands own the same property."""
    return Observer(project.brands, leads)


def leads_of(ledger: Ledger, cycle: Cycle, answers: Iterable[Answer] | None = None) -> Leads:
    """Where the redirects lead that a cycle's answers cite (or some of them), None for those that are not resolved."""
    raws = None if answers is None else {citation.url for answer in answers for citation in answer.citations}
    return {found.raw: found.url for found in redirects_of(ledger, cycle, raws)}


def parse(cycle: Cycle, kept: Kept) -> Answer:
    """What a recorded run says. A run that failed or was deferred in transport stays so, whatever its body holds."""
    return _parse(cycle.kind, kept)


def _parse(kind: str, kept: Kept) -> Answer:
    if not kept.body and kept.status in FINAL:
        return Answer(kept.status, message=kept.message or "The payload is not kept any more.")
    if kept.status not in FINAL:
        return Answer(kept.status, message=kept.message)
    if kind == "recorded":
        return recorded.parse(200, {}, kept.body)
    answer = calls.read(load(kept.engine_id), kept.http_status or 200, kept.headers, kept.body)
    return answer if answer.status in FINAL else replace(answer, status=kept.status)


def _parts(project: Project, ledger: Ledger, cycle: Cycle, step: Step | None) -> Iterator[Mapping[str, pl.DataFrame]]:
    total = ledger.revision(cycle)[0]
    done = 0
    batches = _batches(ledger, cycle, {q.id: q for q in ledger.query_set(cycle).queries} if cycle.set_hash else {})
    held: list[dict[str, pl.DataFrame]] = []
    for size, frames in _observed(project, batches, total, leads_of(ledger, cycle)):
        held.append(frames)
        done += size
        if step:
            step(done, max(done, total))
        if sum(frame["answers"].height for frame in held) >= PART:
            yield _joined(held)
            held = []
    if held or done == 0:
        yield _joined(held or [Columns().frames()])


def _joined(held: list[dict[str, pl.DataFrame]]) -> dict[str, pl.DataFrame]:
    return {name: pl.concat([frames[name] for frames in held]) for name in held[0]}


def _batches(ledger: Ledger, cycle: Cycle, queries: Mapping[str, Query]) -> Iterator[_Work]:
    after = 0
    while page := ledger.kept(cycle, after=after, limit=BATCH):
        after = page[-1].run_id
        asked = {kept.query_id: queries[kept.query_id].text for kept in page if kept.query_id in queries}
        yield _Work(cycle.name, cycle.kind, page, asked)


def _observed(
    project: Project, batches: Iterator[_Work], total: int, leads: Leads
) -> Iterator[tuple[int, dict[str, pl.DataFrame]]]:
    observer = observer_of(project, leads)
    cores = min(os.cpu_count() or 1, 8)
    if total < WORTH_PROCESSES or cores < 2:
        for work in batches:
            yield len(work.kept), _observe(observer, work)
        return
    context = multiprocessing.get_context("spawn")  # Polars' threads do not survive a fork
    with ProcessPoolExecutor(cores, mp_context=context, initializer=_start, initargs=(project.brands, leads)) as pool:
        while some := list(islice(batches, 4 * cores)):
            for work, frames in zip(some, pool.map(_observe_here, some), strict=True):
                yield len(work.kept), frames


_here: list[Observer] = []  # the observer of a worker process


def _start(brands: tuple[Brand, ...], leads: Leads) -> None:
    _here[:] = [Observer(brands, leads)]


def _observe_here(work: _Work) -> dict[str, pl.DataFrame]:
    return _observe(_here[0], work)


def _observe(observer: Observer, work: _Work) -> dict[str, pl.DataFrame]:
    columns = Columns()
    for kept in work.kept:
        answer = _parse(work.kind, kept)
        day = kept.asked_at.date() if kept.asked_at else None
        seen = observer.read(answer, work.questions.get(kept.query_id, ""), day)
        columns.add(kept.run_id, work.cycle, kept.engine, kept.query_id, kept.number, answer.status, day, seen)
    return columns.frames()
