"""/opportunities: what to do next, with the status that people gave it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from litestar import Response, get, patch
from litestar.params import JSONBody, PathParameter, QueryParameter

from citepoll.service.opportunities import Todo, list_todos, set_status, show_todo
from citepoll.surfaces.api.call import Here, named
from citepoll.surfaces.api.found import Cycle
from citepoll.surfaces.api.paging import Cursor, Items, Limit, page

Status = Literal["open", "in-work", "done", "dismissed"]
Id = Annotated[str, PathParameter(description="The id, or its beginning.")]


class Marking(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A status for an opportunity, a note, and whose it is (left out: as before). The cycle in which it is marked done
    is where its effect begins."""

    status: Status
    note: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    owner: Annotated[str, msgspec.Meta(max_length=200)] | None = None


@get("/opportunities", needs="read", sync_to_thread=True)
def opportunities(
    here: Here, cycle: Cycle = None,
    status: Annotated[Status | None, QueryParameter(description="Those of one status. Left out: all.")] = None,
    cursor: Cursor = None, limit: Limit = 50,
) -> Response[Items[Todo]]:  # fmt: skip
    """What to do after a cycle, by size × probability; then what was marked and is no longer found."""
    room = here.room
    return here.kept(
        lambda: page(list_todos(room.project, room.ledger, here.at, cycle=cycle, status=status).todos, cursor, limit)
    )


@get("/opportunities/{id:str}", needs="read", sync_to_thread=True)
def opportunity(here: Here, id: Id, cycle: Cycle = None) -> Response[Todo]:
    """One opportunity with its evidence and, once done, what came of it."""
    found: Todo = named(lambda: show_todo(here.room.project, here.room.ledger, id, here.at, cycle=cycle))
    return here.fresh(found)


@patch("/opportunities/{id:str}", needs="write", sync_to_thread=True)
def mark(here: Here, id: Id, data: JSONBody[Marking]) -> Response[Todo]:
    """Give an opportunity a status. Setting it back undoes that."""
    found: Todo = named(lambda: show_todo(here.room.project, here.room.ledger, id, here.at))
    return here.write(
        f"opportunity {data.status}", found.id,
        lambda: set_status(here.room.project, here.room.ledger, found.id, data.status, data.note, here.at, owner=data.owner),
    )  # fmt: skip


ROUTES = [opportunities, opportunity, mark]
