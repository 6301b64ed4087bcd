"""Experiments: a content change judged against queries that it does not touch. List, design and start, one, its end.

`/p/PROJECT/experiments`, `/p/PROJECT/experiments/new?treat=&control=` (how the ticks are filled in), and
`/p/PROJECT/experiments/NUMBER`. An experiment starts from the page that has stated what it could see.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.exceptions import NotFoundException
from litestar.params import Body, FromPath, FromQuery

from citepoll.errors import CitepollError, InputError
from citepoll.hashing import content_hash, short
from citepoll.model import INTENTS, Query
from citepoll.report.numbers import noun, percent, points
from citepoll.report.printable import one_line
from citepoll.report.sentences import TARGETS
from citepoll.service.cells import newest
from citepoll.service.experiments import (
    Design,
    Judgement,
    Power,
    Trial,
    begin,
    design,
    end,
    halves,
    judge,
    list_experiments,
    offered,
)
from citepoll.store.actions import Experiment
from citepoll.surfaces.dashboard.doors import answers_path, page_path
from citepoll.surfaces.dashboard.measured import Choices, chosen_of, engines_offered, tags_of, unmeasured
from citepoll.surfaces.dashboard.page import Page, PageNow
from citepoll.surfaces.web.asking import DeskNow, RoomNow
from citepoll.surfaces.web.desk import Desk
from citepoll.surfaces.web.rooms import Room

WAITING = (
    "Experiments will stand here. Each needs a measured cycle from before its change, so the first cycle comes first."
)
REST: Choices = (("half", "the other half of these, by chance"), ("rest", "all other queries"))
TREATED, CONTROL = "treat", "control"
LONGEST = 2000
Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


@dataclass(frozen=True, slots=True)
class Line:
    """An experiment in the list."""

    href: str
    change: str
    cycle: str
    arms: str
    started: str
    ended: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A query that may stand in an arm; `field` names its ticks."""

    field: str
    text: str
    about: str
    arm: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What a design could show on an engine, in words."""

    engine: str
    share: str
    runs: str
    correlation: str
    fixed_set: str
    category: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """One engine in one cycle after the change, for one target."""

    cycle: str
    engine: str
    whom: str
    effect: str
    sentence: str
    p: str


@get("/p/{project:str}/experiments", needs="read", nav="Experiments", sync_to_thread=True)
def experiments(page: PageNow, room: RoomNow) -> Response[str]:
    """Every experiment, the newest first."""
    if waiting := unmeasured(page, room, "Experiments", WAITING):
        return waiting
    lines = [_line(room.id, one) for one in reversed(list_experiments(room.ledger))]
    return page.show("experiments.html", "Experiments", lines=lines, room=room.id, may=page.reader.may("write"))


@get("/p/{project:str}/experiments/new", needs="write", sync_to_thread=True)
def new(page: PageNow, room: RoomNow, treat: FromQuery[str] = "", control: FromQuery[str] = "") -> Response[str]:
    """The form, its ticks filled in for a group of queries if one is named."""
    if waiting := unmeasured(page, room, "Experiments", WAITING):
        return waiting
    queries = offered(room.project, room.ledger)
    arms = _filled(queries, chosen_of("group", treat, _groups(queries)), control, newest(room.ledger, None).name)
    return _form(page, room, queries, arms, picked=(treat, control))


@post("/p/{project:str}/experiments/design", needs="write", status_code=200, sync_to_thread=True)
def state(page: PageNow, room: RoomNow, desk: DeskNow, data: Form) -> Response[str]:
    """States what an experiment with these arms could see. Nothing is kept."""
    return _stated(page, room, desk, data)


@post("/p/{project:str}/experiments", needs="write", sync_to_thread=True)
def start(page: PageNow, room: RoomNow, desk: DeskNow, data: Form) -> Response[Any]:
    """Starts it, where the page has stated the power of just these arms; else states it."""
    change, arms = data.get("change", "").strip(), _arms(data)
    if data.get("stated") != _mark(arms) or not change or len(change) > LONGEST:
        return _stated(page, room, desk, data)
    made = begin(room.project, room.ledger, *_ids(room, arms), change, desk.clock())
    number = made.experiment.id
    desk.note(page.reader, "experiment started", f"{room.id}: {number}", page.address)
    return page.go(page_path(room.id, f"experiments/{number}"), "The experiment has started: now make the change.")


@get("/p/{project:str}/experiments/{number:int}", needs="read", sync_to_thread=True)
def experiment(page: PageNow, room: RoomNow, desk: DeskNow, number: FromPath[int]) -> Response[str]:
    """One: arms, power, whether the arms parted before, the effect in each cycle since."""
    _known(room, number)
    trial: Trial = room.remember(
        ("experiment", number), lambda: judge(room.project, room.ledger, number, desk.clock())
    )  # fmt: skip
    labels = dict(engines_offered(room, room.ledger.cycle(trial.experiment.cycle)))
    return page.show(
        "experiment.html", one_line(trial.experiment.change, 120), trial=trial, line=_line(room.id, trial.experiment),
        power=[_seen(power, labels) for power in trial.power], room=room.id, may=page.reader.may("write"),
        before=[(labels.get(one.engine, one.engine), one.sentence) for one in trial.pre_trends],
        verdicts=[_verdict(one, labels) for one in trial.judgements],
        tags_=tags_of(room, room.ledger.cycle(trial.experiment.cycle)),
        arms=[(name, [(one_line(q.text, 300), answers_path(room.id, query=q.id)) for q in arm])
              for name, arm in (("Treated", trial.treat), ("Control", trial.control))],
    )  # fmt: skip


@post("/p/{project:str}/experiments/{number:int}/end", needs="write", sync_to_thread=True)
def finish(page: PageNow, room: RoomNow, desk: DeskNow, number: FromPath[int], data: Form) -> Response[Any]:
    """Ends one: cycles after the newest measured one do not count for it."""
    _known(room, number)
    found = end(room.ledger, number, desk.clock())
    desk.note(page.reader, "experiment ended", f"{room.id}: {number}", page.address)
    return page.go(page_path(room.id, f"experiments/{number}"), f"Ended: cycles after {found.last_cycle} do not count.")


# ---------------------------------------------------------------- the form


def _groups(queries: Sequence[Query]) -> Choices:
    """`intent:best-of`, `topic:pricing` and their words."""
    intents = [name for name in INTENTS if any(query.intent == name for query in queries)]
    topics = sorted({query.topic for query in queries if query.topic})
    return [
        ("all:", "all queries"),
        *((f"intent:{name}", f"intent {name}") for name in intents),
        *((f"topic:{name}", f"topic {one_line(name, 60)}") for name in topics),
    ]


def _of_group(queries: Sequence[Query], group: str) -> list[Query]:
    field, _, name = group.partition(":")
    return [query for query in queries if field == "all" or (field and getattr(query, field) == name)]


def _filled(queries: Sequence[Query], treat: str, control: str, cycle: str) -> dict[str, str]:
    """The arm of each query by the short form of its id."""
    chosen_of("control", control, (*REST, *_groups(queries)))
    treated: Sequence[Query] = _of_group(queries, treat)
    untouched: Sequence[Query] = _of_group(queries, control) if control not in dict(REST) else ()
    if control == "half":
        treated, untouched = halves(treated, cycle)
    elif control == "rest":
        untouched = [query for query in queries if query not in treated]
    arms = {short(query.id): CONTROL for query in untouched}
    return arms | {short(query.id): TREATED for query in treated}


def _form(
    page: Page, room: Room, queries: Sequence[Query], arms: Mapping[str, str], *, change: str = "",
    picked: tuple[str, str] = ("", ""), found: Design | None = None, error: CitepollError | None = None,
) -> Response[str]:  # fmt: skip
    cycle = newest(room.ledger, None)
    labels = dict(engines_offered(room, cycle))
    counted = [sum(arm == name for arm in arms.values()) for name in (TREATED, CONTROL)]
    return page.show(
        "experiment_new.html", "Start an experiment", status=422 if error else 200, room=room.id, cycle=cycle.name,
        queries=[_choice(query, arms) for query in queries], groups=_groups(queries), rest=(*REST, *_groups(queries)),
        picked=picked, change=change, error=error, counted=counted, stated=_mark(arms) if found else "",
        power=[_seen(power, labels) for power in found.power] if found else [], found=found,
        tags_=tags_of(room, cycle),
    )  # fmt: skip


def _choice(query: Query, arms: Mapping[str, str]) -> Choice:
    key = short(query.id)
    about = ", ".join(one_line(text, 60) for text in (query.intent, query.topic) if text)
    return Choice(f"arm-{key}", one_line(query.text, 300), about, arms.get(key, ""))


def _stated(page: Page, room: Room, desk: Desk, data: Mapping[str, str]) -> Response[str]:
    arms, change = _arms(data), data.get("change", "").strip()
    queries = offered(room.project, room.ledger)
    try:
        if len(change) > LONGEST:
            raise InputError(f"The change has more than {LONGEST} characters.", "Shorten it.")
        found = design(room.project, room.ledger, *_ids(room, arms), desk.clock())
        if not change:
            raise InputError("An experiment needs a change.", "Say what is changed for the treated queries.")
    except InputError as wrong:
        return _form(page, room, queries, arms, change=change[:LONGEST], error=wrong)
    return _form(page, room, queries, arms, change=change, found=found)


def _arms(data: Mapping[str, str]) -> dict[str, str]:
    """The ticks of a form: the short form of an id → its arm."""
    ticked = {name.removeprefix("arm-"): arm for name, arm in data.items() if name.startswith("arm-")}
    return {key: arm for key, arm in ticked.items() if arm in (TREATED, CONTROL)}


def _ids(room: Room, arms: Mapping[str, str]) -> tuple[list[str], list[str]]:
    every = {short(query.id): query.id for query in offered(room.project, room.ledger)}
    treat, control = (
        [every[key] for key, arm in arms.items() if arm == name and key in every] for name in (TREATED, CONTROL)
    )
    return treat, control


def _mark(arms: Mapping[str, str]) -> str:
    return short(content_hash(dict(arms)))


# ---------------------------------------------------------------- in words


def _known(room: Room, number: int) -> None:
    if all(one.id != number for one in list_experiments(room.ledger)):
        raise NotFoundException(f"There is no experiment {number}.")


def _line(project: str, one: Experiment) -> Line:
    return Line(
        href=page_path(project, f"experiments/{one.id}"),
        change=one_line(one.change, 300),
        cycle=one_line(one.cycle, 60),
        arms=f"{noun(len(one.treat), 'query', 'queries')} treated, {len(one.control)} control",
        started=one.started_at[:10],
        ended=f"{one.ended_at[:10]}, after {one_line(one.last_cycle or '', 60)}" if one.ended_at else "",
    )


def _seen(power: Power, labels: Mapping[str, str]) -> Seen:
    assumed = "estimated" if power.icc_estimated else "assumed"
    return Seen(
        engine=labels.get(power.engine, one_line(power.engine, 60)),
        share=percent(power.share),
        runs=f"{power.runs:.1f}",
        correlation=f"{power.icc:.2f} ({assumed})",
        fixed_set=f"{power.fixed_set * 100:.0f} points",
        category=f"{power.category * 100:.0f} points",
    )


def _verdict(one: Judgement, labels: Mapping[str, str]) -> Verdict:
    return Verdict(
        cycle=one_line(one.after, 60),
        engine=labels.get(one.engine, one_line(one.engine, 60)),
        whom=TARGETS[one.target],
        effect=points(one.effect),
        sentence=one.sentence,
        p="" if one.p is None else f"{one.p:.3f}",
    )


ROUTES = [experiments, new, state, start, experiment, finish]
