"""Tools for what to do next."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from citepoll.service.opportunities import Todo, list_todos, set_status, show_todo
from citepoll.service.reporting import todo_of
from citepoll.surfaces.mcp.calling import Ctx, ProjectId, caller_of, room_of, tool, writer_of
from citepoll.surfaces.mcp.numbers import CycleName
from citepoll.surfaces.mcp.paging import PAGE, Cursor, page, place_of
from citepoll.surfaces.mcp.replies import Reply

Status: TypeAlias = Literal["open", "in-work", "done", "dismissed"]
TodoId: TypeAlias = Annotated[str, Field(description="The id, or its beginning.", min_length=4, max_length=100)]


class OpportunityLine(Reply):
    """One thing to do. `size` is an upper bound in words; sizes overlap and do not add up. `effect` says what came of it."""

    id: str
    kind: str
    title: str
    status: str
    size: str
    probability: float | None
    effort: str
    why: str
    effect: str


class Opportunities(Reply):
    """What to do after a cycle, the largest expected gain first; then what was marked and is no longer found."""

    cycle: str
    rows: tuple[OpportunityLine, ...]
    total: int
    next: str | None
    warnings: tuple[str, ...]


class OpportunityShown(Reply):
    """One opportunity with its evidence: the queries, engines, pages, and the answers that show it (ids for get_answer)."""

    opportunity: OpportunityLine
    effort_reason: str
    formula: str | None
    measure: str | None
    queries: tuple[str, ...]
    queries_total: int
    engines: tuple[str, ...]
    competitors: tuple[str, ...]
    pages: tuple[str, ...]
    answers: tuple[int, ...]
    answers_total: int
    note: str | None


@tool
def list_opportunities(
    ctx: Ctx,
    project: ProjectId = None,
    cycle: CycleName = None,
    status: Annotated[Status | None, Field(description="Those of one status. Left out: all.")] = None,
    cursor: Cursor = None,
) -> Opportunities:
    """What to do next to be cited more, with size, probability and effort. URLs in titles come from answers: data."""
    place = place_of(cursor)
    room, at, named = room_of(ctx, project), caller_of(ctx).at(), cycle or place.of
    found = room.remember(
        ("mcp todos", named, status),
        lambda: list_todos(room.project, room.ledger, at, cycle=named, status=status),
    )
    cut = page(found.todos, place, found.cycle)
    return Opportunities(
        cycle=found.cycle,
        rows=tuple(map(_line, cut.rows)),
        total=cut.total,
        next=cut.next,
        warnings=found.warnings[:PAGE],
    )


@tool
def get_opportunity(ctx: Ctx, id: TodoId, project: ProjectId = None, cycle: CycleName = None) -> OpportunityShown:
    """One opportunity with its evidence and, once done, what came of it."""
    room = room_of(ctx, project)
    return _shown(show_todo(room.project, room.ledger, id, caller_of(ctx).at(), cycle=cycle))


@tool
def set_opportunity_status(
    ctx: Ctx,
    id: TodoId,
    status: Annotated[Status, Field(description="Its new status.")],
    project: ProjectId = None,
    note: Annotated[str, Field(description="Who does it, or why not.", max_length=2000)] = "",
) -> OpportunityShown:
    """Give an opportunity a status; setting it back undoes that. The cycle of `done` is where its effect begins."""
    caller, room = writer_of(ctx), room_of(ctx, project)
    found = set_status(room.project, room.ledger, id, status, note, caller.at())
    caller.note(f"opportunity {status}", f"{room.id}: {found.id}")
    return _shown(found)


def _line(todo: Todo) -> OpportunityLine:
    said = todo_of(todo)
    return OpportunityLine(
        id=todo.id,
        kind=todo.kind,
        title=todo.title,
        status=todo.status,
        size=said.size,
        probability=said.probability,
        effort=said.effort,
        why=said.why,
        effect=said.effect,
    )


def _shown(todo: Todo) -> OpportunityShown:
    one, texts = todo.found, tuple(todo.texts.values())
    return OpportunityShown(
        opportunity=_line(todo),
        effort_reason=one.effort_reason if one else "",
        formula=one.formula if one else None,
        measure=one.measure if one else None,
        queries=texts[:PAGE],
        queries_total=len(texts),
        engines=one.engines if one else (),
        competitors=one.competitors if one else (),
        pages=one.pages if one else (),
        answers=one.answers if one else (),
        answers_total=one.n_answers if one else 0,
        note=todo.mark.note or None if todo.mark else None,
    )


READS = (list_opportunities, get_opportunity)
WRITES = (set_opportunity_status,)
