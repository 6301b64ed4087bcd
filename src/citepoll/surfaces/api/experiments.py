"""/experiments: content changes under test, and what came of them."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import JSONBody, PathParameter

from citepoll.service import experiments as service
from citepoll.service.cells import newest
from citepoll.service.experiments import Trial
from citepoll.store.actions import Experiment, experiment
from citepoll.surfaces.api.call import Here, RoomCall, named
from citepoll.surfaces.api.paging import Cursor, Items, Limit, page

Number = Annotated[int, PathParameter(ge=1, lt=2**62, description="The number of the experiment.")]
Arm = Annotated[str, msgspec.Meta(min_length=1, max_length=5000)]


class NewExperiment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An experiment to begin on the newest measured cycle. `treat` and `control` are filters on questions, as
    `topic = pricing`; `change` says in words what is changed for the treated ones."""

    change: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    treat: Arm
    control: Arm


@get("/experiments", needs="read", sync_to_thread=True)
def experiments(here: Here, cursor: Cursor = None, limit: Limit = 50) -> Response[Items[Experiment]]:
    """Every experiment, in the order of their start."""
    return here.kept(lambda: page(service.list_experiments(here.room.ledger), cursor, limit))


@get("/experiments/{number:int}", needs="read", sync_to_thread=True)
def show(here: Here, number: Number) -> Response[Trial]:
    """One experiment: its arms, what it could see, whether the arms parted before, and the effect in each cycle since."""
    room = here.room
    named(lambda: experiment(room.ledger, number))
    return here.kept(lambda: service.judge(room.project, room.ledger, number, here.at))


@post("/experiments", needs="write", status_code=201, sync_to_thread=True)
def start(here: Here, data: JSONBody[NewExperiment]) -> Response[Trial]:
    """Begin an experiment. The queries must have been put into the arms at random, or the effect is no cause."""
    return here.write("experiment started", data.change, lambda: _begun(here, data), 201)


def _begun(here: RoomCall, asked: NewExperiment) -> Trial:
    """Begin it. A filter is never read as the name of a file."""
    project, ledger = here.room.project, here.room.ledger
    cycle = newest(ledger, None)
    arms = (service.select(project, ledger, cycle, text, files=False) for text in (asked.treat, asked.control))
    treat, control = ([query.id for query in arm] for arm in arms)
    return service.begin(project, ledger, treat, control, asked.change, here.at)


@post("/experiments/{number:int}/end", needs="write", status_code=200, sync_to_thread=True)
def end(here: Here, number: Number) -> Response[Experiment]:
    """Close an experiment: cycles after the newest measured one do not count."""
    ledger = here.room.ledger
    named(lambda: experiment(ledger, number))
    return here.write("experiment ended", str(number), lambda: service.end(ledger, number, here.at))


ROUTES = [experiments, show, start, end]
