"""Experiments: a content change judged by difference in differences against control queries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import msgspec

from citepoll.errors import InputError
from citepoll.hashing import content_hash
from citepoll.measure.compare import DifferenceInDifferences, adjust, difference_in_differences, pre_trend, verdict
from citepoll.measure.experiments import Arm
from citepoll.measure.grades import DEFAULT_ICC
from citepoll.measure.planning import detectable_difference, icc, toward
from citepoll.measure.question import QUERY_FIELDS
from citepoll.model import Change, Contrast, Estimate, Query, Row, Slice, SliceResult, Target, normal_text
from citepoll.project import Project
from citepoll.service.cells import Cells, checked, fitting, newest, read_cells
from citepoll.service.measuring import brands_named, measurable, query_frame
from citepoll.store import actions
from citepoll.store.actions import Experiment
from citepoll.store.ledger import Cycle, Ledger

TARGETS: tuple[Target, ...] = ("fixed_set", "category")
NO_CYCLE_AFTER = "no cycle was measured since the start: nothing to judge yet"


@dataclass(frozen=True, slots=True)
class Power:
    """What a design sees four times in five on one engine: the least effect (fractions), at the share, the runs per
    query and the intra-class correlation of the cycle before. `icc_estimated` is False for the planner's default."""

    engine: str
    share: float
    runs: float
    icc: float
    icc_estimated: bool
    fixed_set: float
    category: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """One engine in one cycle after the change: the effect with its interval, its p after Benjamini–Hochberg over all
    judgements of this target, and the sentence."""

    engine: str
    before: str
    after: str
    target: Target
    effect: DifferenceInDifferences
    p: float | None
    sentence: str


@dataclass(frozen=True, slots=True)
class PreTrend:
    """Whether the arms parted between the last two cycles before the change, on one engine."""

    engine: str
    cycles: tuple[str, ...]
    contrast: Contrast
    sentence: str


@dataclass(frozen=True, slots=True)
class Design:
    """The arms of an experiment on the queries of `cycle`, and what each engine could show."""

    cycle: str
    treat: tuple[Query, ...]
    control: tuple[Query, ...]
    power: tuple[Power, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """An experiment as it stands. `judgements` are empty until a cycle follows, `reason` then says so."""

    experiment: Experiment
    treat: tuple[Query, ...]
    control: tuple[Query, ...]
    power: tuple[Power, ...]
    pre_trends: tuple[PreTrend, ...]
    judgements: tuple[Judgement, ...]
    reason: str | None
    warnings: tuple[str, ...]


NOT_AT_RANDOM = (
    "the effect is causal only as far as the queries were put into the arms at random; nothing else may have changed "
    "for one arm alone"
)
SHARED_CONTROL = "every cycle is judged against the same cycle before, so the judgements share its chance"


def start(project: Project, ledger: Ledger, treat: str, control: str, change: str, at: datetime) -> Trial:
    """Begin an experiment whose arms are filters on questions (`topic = pricing`) or files with a question per line.

    Raises what `begin` does, and `InputError` for a file that cannot be read.
    """
    cycle = newest(ledger, None)
    arms = (select(project, ledger, cycle, text) for text in (treat, control))
    treated, untouched = ([query.id for query in arm] for arm in arms)
    return begin(project, ledger, treated, untouched, change, at)


def begin(
    project: Project, ledger: Ledger, treat: Sequence[str], control: Sequence[str], change: str, at: datetime
) -> Trial:
    """Begin an experiment on the newest measurable cycle: the one before the change. The arms are ids of its queries.

    Raises `InputError` for arms that are empty, overlap or name a brand, and for a change without words.
    """
    if not change.strip():
        raise InputError("An experiment needs a change.", "Say what was changed, as in: rewrote the pricing page.")
    found = design(project, ledger, treat, control, at)
    treated, untouched = ([query.id for query in arm] for arm in (found.treat, found.control))
    power = {p.engine: msgspec.to_builtins(p) for p in found.power}
    made = actions.start(ledger, change.strip(), found.cycle, treated, untouched, power, at)
    return judge(project, ledger, made.id, at)


def design(project: Project, ledger: Ledger, treat: Sequence[str], control: Sequence[str], at: datetime) -> Design:
    """What an experiment with these arms could see, before it starts. Nothing is kept. Raises `InputError` as `begin`."""
    cycle = newest(ledger, None)
    queries = ledger.query_set(cycle).queries
    treated, untouched = (tuple(query for query in queries if query.id in set(ids)) for ids in (treat, control))
    _check_arms(project, treated, untouched)
    ids = ([query.id for query in arm] for arm in (treated, untouched))
    power = tuple(_powers(read_cells(project, ledger, cycle, at), project.tracked.name, *ids))
    return Design(cycle.name, treated, untouched, power)


def offered(project: Project, ledger: Ledger) -> tuple[Query, ...]:
    """The queries of the newest measurable cycle that may stand in an arm: those that name no brand of the project."""
    named = brands_named(project.brands)
    return tuple(query for query in ledger.query_set(newest(ledger, None)).queries if not named(query.text))


def halves(queries: Sequence[Query], seed: str) -> tuple[tuple[Query, ...], tuple[Query, ...]]:
    """The queries in two arms by chance, which is what makes an effect causal; the odd one is left in neither."""
    drawn = sorted(queries, key=lambda query: content_hash([seed, query.id]))
    half = len(drawn) // 2
    return tuple(drawn[:half]), tuple(drawn[half : 2 * half])


def judge(project: Project, ledger: Ledger, number: int, at: datetime, *, confidence: float = 0.95) -> Trial:
    """An experiment with its pre-trend check and the effect in every cycle that followed.

    Raises `InputError` for an unknown number, `SliceError` where the cycle before it was dropped.
    """
    found = actions.experiment(ledger, number)
    before = ledger.cycle(found.cycle)
    earlier, following = _around(ledger, found, before)
    cells = {c.name: read_cells(project, ledger, c, at) for c in (*earlier, before, *following)}
    brand = project.tracked.name
    raw = [
        each
        for after in following
        for each in _effects(found, brand, cells[before.name], cells[after.name], confidence)
    ]
    trends = tuple(_pre_trends(found, brand, [cells[c.name] for c in (*earlier, before)]))
    queries = {q.id: q for q in ledger.query_set(before).queries}
    return Trial(
        experiment=found,
        treat=tuple(queries[key] for key in found.treat if key in queries),
        control=tuple(queries[key] for key in found.control if key in queries),
        power=tuple(msgspec.convert(value, Power) for value in found.power.values()),
        pre_trends=trends,
        judgements=tuple(_judged(found, raw)),
        reason=None if following else NO_CYCLE_AFTER,
        warnings=(NOT_AT_RANDOM, *((SHARED_CONTROL,) if len(following) > 1 else ())),
    )


def end(ledger: Ledger, number: int, at: datetime) -> Experiment:
    """Close an experiment: cycles after the newest measurable one do not count. Raises `InputError` where it is closed."""
    found = actions.experiment(ledger, number)
    if found.ended_at:
        raise InputError(f"Experiment {number} ended on {found.ended_at[:10]}.", "Start a new one.")
    return actions.end(ledger, found, newest(ledger, None).name, at)


def select(project: Project, ledger: Ledger, cycle: Cycle, text: str, *, files: bool = True) -> tuple[Query, ...]:
    """The queries of a cycle's set that a filter names, or with `files` (never for what came over the network) a file
    with a question per line; in the order of the set.

    Raises `InputError` for a question in the file that the cycle did not ask, `SliceError` for a filter that cannot be
    read or is not on questions, `QuerySetError` for a cycle without a query set.
    """
    queries = ledger.query_set(cycle).queries
    if files and text.strip() and Path(text).is_file():
        return _listed(Path(text), queries)
    kept = fitting(query_frame(project, ledger, (cycle,)), checked(text, QUERY_FIELDS))
    wanted = set(kept["query_id"].to_list()) if text.strip() else set()
    return tuple(query for query in queries if query.id in wanted)


def _listed(path: Path, queries: Sequence[Query]) -> tuple[Query, ...]:
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as wrong:
        raise InputError(f"{path} cannot be read: {wrong}.", "Give a UTF-8 file with a question per line.") from None
    wanted = {normal_text(line) for line in lines if line.strip()}
    unknown = wanted - {query.text for query in queries}
    if unknown:
        first = sorted(unknown)[0]
        raise InputError(
            f"{path}: {len(unknown)} of {len(wanted)} questions were not asked in the cycle, as {first!r}.",
            "Copy the texts from `citepoll queries export`.",
        )
    return tuple(query for query in queries if query.text in wanted)


def _check_arms(project: Project, treat: Sequence[Query], control: Sequence[Query]) -> None:
    named = brands_named(project.brands)
    for name, arm in (("The treated arm", treat), ("The control arm", control)):
        if not arm:
            raise InputError(f"{name} fits no query of the cycle.", "Pick some, or filter as in topic = pricing.")
        branded = [query.text for query in arm if named(query.text)]
        if branded:
            raise InputError(
                f"{name} holds {len(branded)} queries that name a brand, as {branded[0]!r}.",
                "Leave them out; in a filter, add `and branded = false`.",
            )
    both = {query.id for query in treat} & {query.id for query in control}
    if both:
        first = next(query.text for query in treat if query.id in both)
        raise InputError(
            f"{len(both)} queries stand in both arms, as {first!r}.", "A query is treated or control, not both."
        )


# ---------------------------------------------------------------- power


def _powers(cells: Cells, brand: str, treat: Sequence[str], control: Sequence[str]) -> Iterator[Power]:
    """Per engine with answers in both arms; the share is (k + ½) ÷ (n + 1), so that no citation is not a share of 0."""
    for engine in cells.engines:
        arms = [_counts(cells, engine, arm, brand) for arm in (treat, control)]
        runs = [n for _, r in arms for n in r if n]
        if not all(any(r) for _, r in arms):
            continue
        k, n = sum(sum(k) for k, _ in arms), sum(runs)
        share = (k + 0.5) / (n + 1)
        found = icc([*arms[0][0], *arms[1][0]], [*arms[0][1], *arms[1][1]])
        moved = [(k, r) for counts in arms for k, r in zip(*counts, strict=True) if r]
        informative = min(sum(k > 0 for k, _ in moved), sum(k < r for k, r in moved))
        rho = toward(found, DEFAULT_ICC, informative)
        treated, untouched = (sum(1 for r in runs_of if r) for _, runs_of in arms)
        each = n / len(runs)
        least = {t: detectable_difference(share, treated, untouched, each, target=t, icc=rho) for t in TARGETS}
        yield Power(engine, share, each, rho, found is not None, least["fixed_set"], least["category"])


def _counts(cells: Cells, engine: str, queries: Sequence[str], brand: str) -> tuple[list[int], list[int]]:
    """k and r of each query, 0 of 0 where there is no valid answer."""
    found = [cells.counts.get((engine, key), (0, {})) for key in queries]
    return [brands.get(brand, 0) for _, brands in found], [n for n, _ in found]


# ---------------------------------------------------------------- judging


def _around(ledger: Ledger, found: Experiment, before: Cycle) -> tuple[list[Cycle], list[Cycle]]:
    """The cycle before the one before, if any, and those that follow and count."""
    cycles = measurable(ledger)
    last = next((c.place for c in cycles if c.name == found.last_cycle), None)
    following = [c for c in cycles if c.place > before.place and (last is None or c.place <= last)]
    return [c for c in cycles if c.place < before.place][-1:], following


def _arm(before: Cells, after: Cells, engine: str, queries: Sequence[str], brand: str) -> Arm:
    return (*_counts(before, engine, queries, brand), *_counts(after, engine, queries, brand))


def _effects(found: Experiment, brand: str, before: Cells, after: Cells, level: float) -> Iterator[Judgement]:
    for engine in after.engines:
        if engine in before.engines:
            arms = [_arm(before, after, engine, queries, brand) for queries in (found.treat, found.control)]
            for target in TARGETS:
                effect = difference_in_differences(arms[0], arms[1], target=target, level=level)
                power = found.power.get(engine)
                least = power.get(target) if isinstance(power, dict) else None
                effect = replace(effect, detectable=least)
                yield Judgement(engine, before.cycle.name, after.cycle.name, target, effect, effect.p, "")


def _judged(found: Experiment, raw: Sequence[Judgement]) -> Iterator[Judgement]:
    for target in TARGETS:
        here = [one for one in raw if one.target == target]
        for one, p in zip(here, adjust([one.p for one in here]), strict=True):
            said = verdict(one.effect, p, len(here))
            yield replace(one, p=p, sentence=f"treated against control: {said}")


def _pre_trends(found: Experiment, brand: str, cells: Sequence[Cells]) -> Iterator[PreTrend]:
    for engine in cells[-1].engines:
        arms = [[_counts(c, engine, queries, brand) for c in cells] for queries in (found.treat, found.control)]
        contrast = pre_trend(arms[0], arms[1], target="fixed_set")
        yield PreTrend(engine, tuple(c.cycle.name for c in cells), contrast, _trend_words(contrast))


def _trend_words(contrast: Contrast) -> str:
    if contrast.value is None:
        return str(contrast.reason)
    if contrast.p is not None and contrast.p <= 0.05:
        return "the arms parted before the change: the effect cannot be trusted"
    return "no sign that the arms parted before the change, which is no proof that they would have moved alike"


def list_experiments(ledger: Ledger) -> tuple[Experiment, ...]:
    """Every experiment, in the order of their start."""
    return actions.experiments(ledger)


# ---------------------------------------------------------------- as rows of a slice


def read_experiments(project: Project, ledger: Ledger, slice: Slice, at: datetime) -> SliceResult:
    """The rows of `experiment`: the effect on each engine in each cycle since, or in those that the slice names.

    An experiment that no cycle followed has one row without a value. Raises `SliceError` for an unknown cycle.
    """
    named = {ledger.cycle(name).name for name in slice.cycles}
    trials = [judge(project, ledger, one.id, at, confidence=slice.confidence) for one in list_experiments(ledger)]
    rows = [row for trial in trials for row in _rows(trial, slice) if not named or row.dimensions["cycle"] in named]
    after = {row.dimensions["cycle"] for row in rows}
    cycles = tuple(cycle.name for cycle in measurable(ledger) if cycle.name in after)
    warnings = dict.fromkeys(text for trial in trials for text in trial.warnings)
    labels = {str(trial.experiment.id): trial.experiment.change for trial in trials}
    return SliceResult(tuple(rows), replace(slice, cycles=cycles), cycles, tuple(warnings), labels=labels)


def _rows(trial: Trial, slice: Slice) -> Iterator[Row]:
    targets = TARGETS if slice.target == "both" else (slice.target,)
    about = {"change": trial.experiment.change, "before": trial.experiment.cycle}
    place = {"experiment": trial.experiment.id, "engine": None, "cycle": None}
    if not trial.judgements:
        for target in targets:
            nothing = Estimate(None, None, None, target, "none", slice.confidence, reason=trial.reason)
            yield Row("experiment", place, nothing, evidence={"words": trial.experiment.change, **about})
    for one in trial.judgements:
        if one.target in targets:
            trends = [trend.sentence for trend in trial.pre_trends if trend.engine == one.engine]
            evidence = {**about, **_behind(one), "pre_trend": trends[0] if trends else None}
            yield Row(
                "experiment", {**place, "engine": one.engine, "cycle": one.after}, _estimate(one), evidence=evidence
            )


def _estimate(one: Judgement) -> Estimate:
    effect = one.effect
    return Estimate(
        effect.value, effect.low, effect.high, effect.target, effect.method, effect.confidence,
        effect.treated.after.n + effect.control.after.n, effect.n_queries, reason=effect.reason, warnings=effect.warnings,
    )  # fmt: skip


def _behind(one: Judgement) -> dict[str, object]:
    effect = one.effect
    return {
        "words": one.sentence,
        "p": effect.p,
        "adjusted_p": one.p,
        "detectable": effect.detectable,
        "dropped": effect.dropped,
        "treated": _arm_of(effect.treated),
        "control": _arm_of(effect.control),
    }


def _arm_of(arm: Change) -> dict[str, object]:
    """The shares of an arm's paired queries before and after, and how many there are."""
    return {"before": arm.value1, "after": arm.value2, "queries": arm.n_queries}
