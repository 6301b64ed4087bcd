"""From counts to the estimates of one engine: which entities have rows, and what they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from citepoll.measure.bounds import Floats
from citepoll.measure.context import Context, Frames
from citepoll.measure.intervals import mean_per_answer, overlap, share_many, share_of_voice
from citepoll.measure.metrics import Metric
from citepoll.measure.numerators import Entity, Numerators, brand_totals, by_query, cited_urls, count
from citepoll.measure.question import Question
from citepoll.measure.scope import Family, Group, GroupKey, Scope
from citepoll.model import Estimate, Target

BLOCK = 2_000_000
"""Entities times queries that stand in memory at once (8 bytes each)."""

EARNED = "cited_or_earned"
NO_PASSAGES = "no answer that cites says which passage carries which citation"


@dataclass(frozen=True, slots=True)
class Counted:
    """A metric's numerators, and where it needs them the brands' total per answer, or the URLs of every answer."""

    metric: Metric
    question: Question
    numerators: Numerators
    totals: Numerators | None = None
    urls: Mapping[GroupKey, list[list[frozenset[str]]]] | None = None

    @property
    def confidence(self) -> float:
        return self.question.slice.confidence


def read_counts(metric: Metric, question: Question, context: Context, frames: Frames, scope: Scope) -> Counted:
    """All that the estimates of a metric need from the tables."""
    if metric.estimator == "overlap":
        nothing = Numerators(((),), frozenset({0}), {})
        return Counted(metric, question, nothing, urls=cited_urls(question, frames, scope))
    if metric.denominator in ("brand_slots", "brand_mentions"):
        totals = brand_totals(metric.numerator, context, frames, scope)
        return Counted(metric, question, count(metric, question, frames, scope), totals)
    if metric.numerator == "valid":
        return Counted(metric, question, Numerators(((),), frozenset({0}), {}))
    return Counted(metric, question, count(metric, question, frames, scope))


# ---------------------------------------------------------------- which entities have rows


def standing(counted: Counted, family: Family, group: Group) -> tuple[Floats, Floats]:
    """Per entity: the mean over queries of its mean per run, by which rows are ranked, and its plain sum."""
    sparse, size = counted.numerators.of(family.index, group.engine), len(counted.numerators.entities)
    runs = group.runs if counted.metric.estimator == "share" else group.runs[group.position]
    weights = 1.0 / np.maximum(runs, 1.0)[sparse.column] / max(int((group.runs > 0).sum()), 1)
    value, cited = np.zeros(size), np.zeros(size)
    np.add.at(value, sparse.entity, sparse.value * weights)
    np.add.at(cited, sparse.entity, sparse.value)
    return value, cited


def ranked(counted: Counted, value: Floats, cited: Floats) -> list[int]:
    """Codes of the entities that have a row, in order: brands as in the project, domains and URLs by value, the larger
    count, then name; no more than the slice's limit of them for each brand and level."""
    numerators, fields = counted.numerators, counted.question.entities(counted.metric.name)
    if fields in ((), ("brand",)):
        return list(range(len(numerators.entities)))
    brands = counted.question.brands
    shown = [code for code in range(len(numerators.entities)) if cited[code] > 0 or code in numerators.always]

    def place(code: int) -> tuple[int, float, float, Entity]:
        entity = numerators.entities[code]
        brand = brands.index(entity[fields.index("brand")]) if "brand" in fields else 0
        return brand, -round(float(value[code]), 12), -cited[code], entity

    shown.sort(key=place)
    return _limited(counted, fields, shown)


def _limited(counted: Counted, fields: Sequence[str], codes: list[int]) -> list[int]:
    limit = counted.question.slice.limit
    if limit is None or not {"domain", "url"} & set(fields):
        return codes
    kept: list[int] = []
    taken: dict[Entity, int] = {}
    for code in codes:
        entity = counted.numerators.entities[code]
        within = tuple(name for field, name in zip(fields, entity, strict=True) if field not in ("domain", "url"))
        taken[within] = taken.get(within, 0) + 1
        if taken[within] <= limit:
            kept.append(code)
    return kept


# ---------------------------------------------------------------- one engine


def of_engine(
    counted: Counted, family: Family, group: Group, codes: Sequence[int], target: Target
) -> dict[int, Estimate]:
    """The estimates of the entities with these codes, with what is excluded by status.

    All that were not counted in this group have the same estimate, which is made once.
    """
    hit = frozenset(counted.numerators.of(family.index, group.engine).entity.tolist())
    absent = [code for code in codes if code not in hit]
    asked = [code for code in codes if code in hit] + absent[:1]
    found = _ESTIMATORS[counted.metric.estimator](counted, family, group, asked, target)
    estimates = {code: _completed(counted.metric, group, e) for code, e in zip(asked, found, strict=True)}
    return {code: estimates[code if code in hit else absent[0]] for code in codes}


def _completed(metric: Metric, group: Group, estimate: Estimate) -> Estimate:
    """The estimate with what is excluded, and for earned citations with what cannot be seen."""
    excluded = excluded_by(metric, group)
    if metric.numerator != EARNED or not group.unplaced:
        return replace(estimate, excluded=excluded)
    if group.unplaced == group.citing:
        return replace(
            estimate, value=None, low=None, high=None, cited=None, of=None, pooled=None, n_effective=None,
            method="none", reason=NO_PASSAGES, excluded=excluded,
        )  # fmt: skip
    partly = (
        f"{group.unplaced} of {group.citing} answers that cite do not say which passage carries which citation: "
        "earned citations in them are not counted"
    )
    return replace(estimate, excluded=excluded, warnings=(*estimate.warnings, partly))


def excluded_by(metric: Metric, group: Group) -> dict[str, int]:
    """Requests that do not count below the line, by status."""
    counted = {"requests": set(group.excluded), "triggerable": {"absent"}}.get(metric.denominator, set())
    return {status: number for status, number in group.excluded.items() if status not in counted}


def _shares(counted: Counted, family: Family, group: Group, codes: Sequence[int], target: Target) -> Iterator[Estimate]:
    runs = group.counts[counted.metric.denominator]
    asked = runs > 0
    for block in blocks(codes, runs.size):
        cited = table(counted, family, group, block)
        yield from share_many(cited[:, asked], runs[asked], target=target, level=counted.confidence)


def _ratios(counted: Counted, family: Family, group: Group, codes: Sequence[int], target: Target) -> Iterator[Estimate]:
    answers = group.position.size
    whole = group.slots
    if counted.totals is not None:
        whole = counted.totals.of(family.index, group.engine).dense([0], answers, 1)[0]
    total = nested(whole, group)
    for block in blocks(codes, answers):
        for part in of_answers(counted, family, group, block):
            yield share_of_voice(nested(part, group), total, target=target, level=counted.confidence)


def _means(counted: Counted, family: Family, group: Group, codes: Sequence[int], target: Target) -> Iterator[Estimate]:
    for part in of_answers(counted, family, group, codes):
        yield mean_per_answer(nested(part, group), target=target, level=counted.confidence)


def _overlaps(
    counted: Counted, family: Family, group: Group, codes: Sequence[int], target: Target
) -> Iterator[Estimate]:
    urls = (counted.urls or {})[family.index, group.engine]
    return (overlap(urls, target=target, level=counted.confidence) for _ in codes)


_ESTIMATORS = {"share": _shares, "ratio": _ratios, "mean": _means, "overlap": _overlaps}


def table(counted: Counted, family: Family, group: Group, codes: Sequence[int]) -> Floats:
    """Answers that count, of shape (codes, the family's queries)."""
    if counted.metric.numerator == "valid":
        return group.runs[None, :]
    sparse = counted.numerators.of(family.index, group.engine)
    return sparse.dense(codes, group.runs.size, len(counted.numerators.entities))


def of_answers(counted: Counted, family: Family, group: Group, codes: Sequence[int]) -> Floats:
    """Counts of shape (codes, the group's valid answers)."""
    sparse = counted.numerators.of(family.index, group.engine)
    return sparse.dense(codes, group.position.size, len(counted.numerators.entities))


def nested(values: Floats, group: Group) -> list[list[int]]:
    return by_query(values.astype(np.int64).tolist(), group)


def blocks(codes: Sequence[int], columns: int) -> Iterator[Sequence[int]]:
    step = max(1, BLOCK // max(columns, 1))
    return (codes[start : start + step] for start in range(0, len(codes), step))
