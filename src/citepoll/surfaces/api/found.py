"""What a slice finds, each at an address of its own: changes, gaps, sources, citations, targets, other houses' numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from litestar import Response, get
from litestar.params import QueryParameter

from citepoll.measure.definitions import DEFINITIONS
from citepoll.model import Slice
from citepoll.report.tables import json_value
from citepoll.service.sources import Reason, rank_sources
from citepoll.surfaces.api.call import Here, RoomCall
from citepoll.surfaces.api.slices import By, Measures, TargetOf, Where, answer, words

Cycle = Annotated[str | None, QueryParameter(description="A cycle by name. Left out: the newest that was measured.")]
Since = Annotated[str, QueryParameter(description="The earlier cycle, or `previous`.")]
Most = Annotated[int, QueryParameter(ge=1, le=500, description="The largest N of each engine.")]
CitedBy = Annotated[
    Literal["domain", "url", "query"],
    QueryParameter(description="domain, url: what each engine cites. query: the domains that it cites on each query."),
]
RankedBy = Annotated[Literal["domain", "url", "class"], QueryParameter(description="What is ranked.")]


@dataclass(frozen=True, slots=True)
class Sources:
    """As the summary of `Measures`, of slot share; `classes` has each domain or URL shown, its class and why."""

    slice: dict[str, Any]
    cycles: tuple[str, ...]
    simulated: bool
    warnings: tuple[str, ...]
    labels: dict[str, str]
    rows: tuple[dict[str, Any], ...]
    classes: tuple[Reason, ...]


@get("/changes", needs="read", sync_to_thread=True)
def changes(
    here: Here, metrics: Annotated[list[str] | None, QueryParameter(description="Counted metrics.")] = None,
    by: By = None, where: Where = "", cycle: Cycle = None, since: Since = "previous", target: TargetOf = "both",
) -> Response[Measures]:  # fmt: skip
    """What moved since an earlier cycle, paired by query, each row with its test and its sentence."""
    asked = Slice(words(metrics) or Slice().metrics, words(by) or Slice().by, where, _one(cycle), since, target)
    return here.kept(lambda: answer(here, asked))


@get("/gaps", needs="read", sync_to_thread=True)
def gaps(
    here: Here, by: Annotated[Literal["query", "topic", "intent"], QueryParameter(description="The rows.")] = "query",
    where: Where = "", cycle: Cycle = None,
) -> Response[Measures]:  # fmt: skip
    """Where competitors are ahead, worth most first; the evidence has probability, worth and the pages cited instead."""
    return here.kept(lambda: answer(here, Slice(("citation_gap",), (by,), where, _one(cycle))))


@get("/citations", needs="read", sync_to_thread=True)
def citations(
    here: Here, by: CitedBy = "domain", where: Where = "", cycle: Cycle = None, limit: Most = 25
) -> Response[Measures]:
    """What engines cite: shares of their citation slots with intervals, by domain, by URL, or query by query."""
    fields = ("query", "engine", "domain") if by == "query" else ("engine", by)
    asked = Slice(("slot_share",), fields, where, _one(cycle), target="fixed_set", limit=limit)
    return here.kept(lambda: answer(here, asked))


@get("/sources", needs="read", sync_to_thread=True)
def sources(
    here: Here, by: RankedBy = "domain", where: Where = "", cycle: Cycle = None, limit: Most = 25
) -> Response[Sources]:
    """The sources of each engine, ranked, with the class of each and why it has it."""
    return here.kept(lambda: _sources(here, by, where, cycle, limit))


def _sources(here: RoomCall, by: str, where: str, cycle: str | None, limit: int) -> dict[str, Any]:
    project, ledger = here.room.project, here.room.ledger
    result, reasons = rank_sources(project, ledger, here.at, by=by, where=where, cycle=cycle, limit=limit)
    return {**json_value(result), "classes": reasons}


@get("/targets", needs="read", sync_to_thread=True)
def targets(here: Here, cycle: Cycle = None) -> Response[Measures]:
    """Where the project's targets stand after a cycle."""
    return here.fresh(answer(here, Slice(("target",), cycles=_one(cycle))))


@get("/views", needs="read", sync_to_thread=True)
def views(here: Here, where: Where = "", cycle: Cycle = None) -> Response[Measures]:
    """The same answers as other tools count them, each definition under its own name."""
    names = tuple(definition.metric for definition in DEFINITIONS)
    return here.kept(lambda: answer(here, Slice(names, where=where, cycles=_one(cycle))))


def _one(cycle: str | None) -> tuple[str, ...]:
    return (cycle,) if cycle is not None else ()


ROUTES = [changes, gaps, citations, sources, targets, views]
