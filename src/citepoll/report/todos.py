"""What to do next, each with its door to the answers, and where the targets stand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from citepoll.hashing import short
from citepoll.measure.metrics import METRICS
from citepoll.report.data import ReportData, TargetLine, ToDo
from citepoll.report.evidence import AnswerList, AnswerView, EvidenceView
from citepoll.report.numbers import noun, percent
from citepoll.report.printable import anchor, one_line
from citepoll.report.sentences import label_and_note

FIRST = 3
KINDS: Mapping[str, str] = {
    "create-coverage": "Create coverage",
    "improve-page": "Improve a page",
    "earn-inclusion": "Earn inclusion",
    "investigate-loss": "Investigate a loss",
}
SETTLED = ("done", "dismissed")
"""Statuses that need nobody's attention: they are listed, not among the first."""
SURE = 0.005
"""A chance nearer than this to none or all is told as a bound."""


@dataclass(frozen=True, slots=True)
class ToDoLine:
    """One thing to do. `gain` is its size and effort in words, `chance` its probability; `answers` the door to its
    evidence inside the report, `shown_by` the keys of all the answers that are named."""

    id: str
    key: str
    kind: str
    sentence: str
    why: str
    gain: str
    chance: str
    effort_reason: str
    status: str
    effect: str
    answers: AnswerList | None
    elsewhere: str
    shown_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ToDos:
    """The list, and the first of it that still wait for somebody. `heading` counts these in words."""

    heading: str
    first: tuple[ToDoLine, ...]
    every: tuple[ToDoLine, ...]
    total: int

    @property
    def left_out(self) -> int:
        return max(0, self.total - len(self.every))


@dataclass(frozen=True, slots=True)
class Aim:
    """A target in words: what and by when; the chance of having been met on each engine."""

    sentence: str
    chances: str


def todos(data: ReportData, evidence: EvidenceView) -> ToDos | None:
    """The list of things to do; None where none was made."""
    if data.todo_total is None and not data.todo:
        return None
    answers = evidence.answers()
    every = tuple(todo_line(one, answers) for one in data.todo)
    first = tuple(line for line, one in zip(every, data.todo, strict=True) if one.status not in SETTLED)[:FIRST]
    heading = {1: "One thing to do", 2: "Two things to do", 3: "Three things to do"}.get(len(first), "Things to do")
    return ToDos(heading, first, every, max(data.todo_total or 0, len(every)))


def aims(data: ReportData, labels: Mapping[str, str]) -> tuple[Aim, ...]:
    """The targets of a report."""
    return aims_of(data.targets, labels, data.written_at.date())


def aims_of(targets: Iterable[TargetLine], labels: Mapping[str, str], today: date) -> tuple[Aim, ...]:
    """Each target once, with the engines' chances in the order given."""
    groups: dict[tuple[str, float, date], list[TargetLine]] = {}
    for one in targets:
        groups.setdefault((one.metric, one.value, one.by), []).append(one)
    return tuple(
        Aim(_aim(metric, value, by, today), _chances(several, labels))
        for (metric, value, by), several in groups.items()
    )


def targets_of(data: ReportData, metric: str) -> tuple[float, ...]:
    """The values that a metric is to reach, each once."""
    return tuple(dict.fromkeys(one.value for one in data.targets if one.metric == metric))


def todo_line(one: ToDo, answers: Mapping[str, AnswerView]) -> ToDoLine:
    """One thing to do in words; `answers` are those of a report by key, none on a page of the desk."""
    keys = dict.fromkeys(one_line(key, 80) for key in one.answers)
    here = [answers[key] for key in keys if key in answers]
    total = max(one.answers_total or 0, len(keys))
    effort = f"effort {one_line(one.effort, 20)}" if one.effort else ""
    listed = AnswerList(anchor("shown", one.id), "Evidence", tuple(here), total - len(here)) if here else None
    return ToDoLine(
        id=anchor("todo", one.id),
        key=one_line(short(one.id), 12),
        kind=KINDS.get(one.kind) or one_line(one.kind.replace("-", " "), 40).capitalize(),
        sentence=one_line(_bare(one.sentence), 300),
        why=one_line(_bare(one.why), 600),
        gain=", ".join(part for part in (one_line(one.size, 60), effort) if part),
        chance=f"probability {chance(one.probability)}" if one.probability is not None else "",
        effort_reason=one_line(one.effort_reason, 200),
        status="" if one.status == "open" else one_line(one.status.replace("-", " "), 20),
        effect=one_line(one.effect, 600),
        answers=listed,
        elsewhere=f"{noun(total, 'answer')}: in the project, not in this file" if total and not here else "",
        shown_by=tuple(keys),
    )


def _bare(text: str) -> str:
    """A sentence with addresses as people say them."""
    bare = re.sub(r"https?://(?:www\.)?", "", text)
    return bare[:1].upper() + bare[1:]


def _aim(metric: str, value: float, by: date, today: date) -> str:
    name = METRICS[metric].label if metric in METRICS else one_line(metric, 60)
    days = (by - today).days
    left = f"{noun(days, 'day')} left" if days >= 0 else f"{noun(-days, 'day')} ago"
    return f"Target: {name.lower()} of at least {percent(value)} by {by.isoformat()}, {left}."


def _chances(several: list[TargetLine], labels: Mapping[str, str]) -> str:
    """The chances; where there is none at all, why."""
    known = [f"{_name(one, labels)} {chance(one.chance)}" for one in several if one.chance is not None]
    if known:
        return f"Chance of having been met: {', '.join(known)}."
    reasons = dict.fromkeys(one_line(one.reason or "it was not computed", 200) for one in several)
    return f"No chance is stated: {'; '.join(reasons)}."


def chance(probability: float) -> str:
    """A probability in words: `83 %`, never none or all: `under 1 %`, `over 99 %`."""
    if probability < SURE:
        return "under 1 %"
    return "over 99 %" if probability >= 1 - SURE else percent(probability)


def _name(one: TargetLine, labels: Mapping[str, str]) -> str:
    return one_line(label_and_note(labels.get(one.engine, one.engine))[0], 80)
