"""Before a cycle is started: what it asks and costs, how precise it can be, and what speaks against it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from citepoll.measure.budgeting import FIRST_LOOK
from citepoll.model import Engine
from citepoll.project import Project
from citepoll.queryset.lint import plan_warnings
from citepoll.service.corpus import lacks_documents
from citepoll.service.planning import Asked, Sight, make_plan
from citepoll.service.polling import Planned
from citepoll.service.queries import unlocked_edits
from citepoll.store.ledger import Ledger


def sights(project: Project, ledger: Ledger, engines: tuple[Engine, ...], at: datetime) -> tuple[Sight, ...]:
    """What a cycle of the locked queries on these engines can be expected to see, engine by engine and target by target.

    () where no query is without a brand's name. Takes a fifth of a second: past cycles are read for it.
    """
    return make_plan(replace(project, engines=engines), ledger, Asked(), at).present


def cautions(project: Project, ledger: Ledger, planned: Planned) -> Iterator[str]:
    """What to know before the poll begins, as sentences: what limits its numbers, edits that are not locked, missing keys."""
    before = [c for c in ledger.cycles() if c.name != planned.cycle and c.set_hash]
    for finding in plan_warnings(planned.engines, planned.set_hash, before[-1].set_hash if before else None):
        yield finding.sentence
    if planned.stop_at is not None and not planned.resumes:
        for engine in planned.engines:
            if engine.runs == FIRST_LOOK:
                yield f"{engine.name} has {FIRST_LOOK} runs, and the first look is after {FIRST_LOOK}: nothing can be saved."
    if not planned.resumes and (edits := unlocked_edits(project, ledger)):
        yield f"{project.query_file.name} differs from the locked set ({edits}): the locked set is asked."
    if lacks_documents(project):
        yield "The local engine has no documents to answer from: add some first, or with `citepoll corpus add`."
    if planned.missing_keys:
        named = ", ".join(f"{engine} ({variable})" for engine, variable in planned.missing_keys.items())
        yield f"no key for {named}: a poll is refused until it is set"
