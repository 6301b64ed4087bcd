"""Tools for the questions that are asked: the locked set, its lint, a plan of how many and how often."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from citepoll.model import Target
from citepoll.report.numbers import money, noun
from citepoll.service.costs import Outlay
from citepoll.service.drafts import read_draft
from citepoll.service.measuring import brands_named
from citepoll.service.planning import Asked, make_plan
from citepoll.service.queries import check, lock_file, numbered, unlocked_edits
from citepoll.surfaces.mcp.calling import Ctx, ProjectId, caller_of, room_of, tool, writer_of
from citepoll.surfaces.mcp.paging import PAGE, Cursor, page, place_of
from citepoll.surfaces.mcp.replies import Reply

Fraction = Annotated[float, Field(gt=0, lt=1)]


class QueryLine(Reply):
    """A query of the locked set. `brands` are those that it names: such queries stay out of brand metrics."""

    id: str
    text: str
    language: str
    market: str
    intent: str | None
    topic: str | None
    brands: tuple[str, ...]


class Queries(Reply):
    """The queries of one locked version."""

    version: int | None
    rows: tuple[QueryLine, ...]
    total: int
    next: str | None


class FindingLine(Reply):
    """What is wrong with a query file, and what to do. error: no poll can use it; warning: it changes what a number means."""

    code: str
    severity: str
    sentence: str
    query_ids: tuple[str, ...]
    queries_total: int


class Lint(Reply):
    """The findings on the query file. `edits` says how it differs from the locked set."""

    queries: int
    edits: str
    findings: tuple[FindingLine, ...]
    findings_total: int
    warnings: tuple[str, ...]


class Design(Reply):
    """A design of one cycle over all engines, judged by the engine that it serves worst. `enough`: it sees the move asked for.

    `width` is the full width of the interval, `detectable` the least move that is seen; both are fractions.
    """

    target: Target
    queries: int
    runs: int
    calls: int
    cost: float | None = Field(description="US dollars; null where nobody knows.")
    width: float
    detectable: float | None
    enough: bool
    cheapest_usual: bool = Field(description="The cheapest with at least three runs a query.")


class Sight(Reply):
    """What one engine's present queries and runs see."""

    engine: str
    target: Target
    queries: int
    runs: int
    width: float
    detectable: float | None


class OutlayLine(Reply):
    """What runs of an engine are expected to cost and to take, and who says so; `affordable` of them fit its `ceiling`."""

    engine: str
    runs: int
    usd: float | None
    cost_from: str | None
    seconds: float | None
    ceiling: float | None = None
    affordable: int | None = None


class Plan(Reply):
    """Precision and cost. `designs` see the move asked for, or are the best there is; `present` is the project as it is."""

    queries: int | None
    designs: tuple[Design, ...]
    present: tuple[Sight, ...]
    cycle_cost: tuple[OutlayLine, ...]
    cycle_seconds: float | None
    warnings: tuple[str, ...]
    sentence: str


class Locked(Reply):
    """A locked version. The counts say what differs from the version before."""

    version: int | None
    hash: str
    queries: int
    added: int
    removed: int
    reworded: int
    relabelled: int
    warnings: tuple[str, ...]


@tool
def list_queries(
    ctx: Ctx,
    project: ProjectId = None,
    version: Annotated[int | None, Field(description="A locked version. Left out: the newest.", ge=1, lt=2**31)] = None,
    contains: Annotated[str, Field(description="Part of the text, whatever the case.", max_length=500)] = "",
    cursor: Cursor = None,
) -> Queries:
    """The questions that engines are asked, with intent and topic. They name no brand, but for those with `brands`."""
    room = room_of(ctx, project)
    found, named = numbered(room.ledger, version), brands_named(room.project.brands)
    fit = [query for query in found.queries.queries if contains.casefold() in query.text.casefold()]
    cut = page(fit, place_of(cursor))
    rows = (
        QueryLine(
            id=q.id,
            text=q.text,
            language=q.language,
            market=q.market,
            intent=q.intent,
            topic=q.topic,
            brands=named(q.text),
        )
        for q in cut.rows
    )
    return Queries(version=found.number, rows=tuple(rows), total=cut.total, next=cut.next)


@tool
def lint_queries(ctx: Ctx, project: ProjectId = None) -> Lint:
    """What is wrong with the project's query file, and what to do about it."""
    room = room_of(ctx, project)
    draft = read_draft(room.project)
    findings = check(room.project, room.ledger, draft.queries) if draft.queries else ()
    shown = (
        FindingLine(
            code=one.code,
            severity=one.severity,
            sentence=one.sentence,
            query_ids=one.query_ids[:PAGE],
            queries_total=len(one.query_ids),
        )
        for one in findings[:PAGE]
    )
    return Lint(
        queries=len(draft.queries),
        edits=unlocked_edits(room.project, room.ledger),
        findings=tuple(shown),
        findings_total=len(findings),
        warnings=draft.warnings[:PAGE],
    )


@tool
def plan(
    ctx: Ctx,
    project: ProjectId = None,
    detect: Annotated[
        float, Field(ge=0.001, lt=1, description="The move to be seen, a fraction: .05 is 5 points.")
    ] = 0.05,
    power: Annotated[Fraction, Field(description="How often it is to be seen.")] = 0.8,
    queries: Annotated[
        int | None, Field(description="So many queries. Left out: as many as it takes.", ge=1, le=100_000)
    ] = None,
    runs: Annotated[
        int | None, Field(description="So many runs a query. Left out: as many as it takes.", ge=1, le=1000)
    ] = None,
    share: Annotated[Fraction | None, Field(description="The share presumed. Left out: that of past cycles.")] = None,
) -> Plan:
    """How many queries and runs see a move, what the present ones see, and what a cycle costs. Nothing is asked or paid."""
    room = room_of(ctx, project)
    asked = Asked(detect=detect, power=power, queries=queries, runs=runs, share=share)
    found = make_plan(room.project, room.ledger, asked, caller_of(ctx).at())
    return Plan(
        queries=found.queries,
        designs=tuple(map(Design.of, found.lines[:PAGE])),
        present=tuple(map(Sight.of, found.present[:PAGE])),
        cycle_cost=tuple(map(OutlayLine.of, found.outlays[:PAGE])),
        cycle_seconds=found.seconds,
        warnings=found.warnings,
        sentence=cost_words(found.outlays),
    )


@tool
def lock_queries(ctx: Ctx, project: ProjectId = None) -> Locked:
    """Freeze the query file as it is, intents filled in: the next cycle asks this version. Lint it first.

    The same content again is the same version. A trend does not join queries that were reworded.
    """
    caller, room = writer_of(ctx), room_of(ctx, project)
    version, changed = lock_file(room.project, room.ledger, caller.at())
    caller.note("query set locked", f"{room.id}: version {version.number}")
    findings = check(room.project, room.ledger, version.queries.queries)
    return Locked(
        version=version.number,
        hash=version.hash,
        queries=len(version.queries.queries),
        added=len(changed.added) if changed else 0,
        removed=len(changed.removed) if changed else 0,
        reworded=len(changed.reworded) if changed else 0,
        relabelled=len(changed.relabelled) if changed else 0,
        warnings=tuple(one.sentence for one in findings if one.severity != "note")[:PAGE],
    )


def cost_words(found: tuple[Outlay, ...]) -> str:
    """What runs are expected to cost together, in words."""
    if not found:
        return "no cost is known: no query set is locked"
    runs = noun(sum(each.runs for each in found), "run")
    unknown = [each.engine for each in found if each.usd is None]
    known = money(sum(each.usd for each in found if each.usd is not None))
    return f"{runs}, about {known}" + (f", and nobody knows what {', '.join(unknown)} costs" if unknown else "")


READS = (list_queries, lint_queries, plan)
WRITES = (lock_queries,)
