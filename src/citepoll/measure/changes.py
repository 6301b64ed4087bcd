"""Did a share move between two cycles on the same locked queries? (STATISTICS section 2)"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from citepoll.measure import exact, planning
from citepoll.measure.bounds import tail
from citepoll.measure.contrasts import (
    NO_PAIR,
    NOT_IN_ALL,
    ONE_PAIR,
    Counts,
    Cycles,
    mover_of,
    p_mover,
    pseudo_mean,
    read_cycles,
    t_bounds,
    t_p,
)
from citepoll.measure.grades import DEFAULT_ICC
from citepoll.measure.methods import left_out
from citepoll.measure.ratios import share_of_voice
from citepoll.measure.shares import share
from citepoll.model import Change, Target

ONE_RUN = "one run per query: a change of these queries shows late; three runs see about twice as much"
NO_RATIO_CATEGORY = "no category interval is specified for a change of a ratio of citations"


def change(k1: Counts, r1: Counts, k2: Counts, r2: Counts, *, target: Target, level: float = 0.95) -> Change:
    """The change of a share from cycle 1 to cycle 2, with its interval and p.

    Counts of citing and valid answers over the same queries, 0 runs where a cycle lacks one: only queries with
    answers in both count. fixed_set: MOVER of the two fixed-set intervals and p_mover, beside it the exact mid-p that
    no query changed. category: the pseudo-query t on the queries' changes, beside it the exact sign flip. No query in
    both: null with its reason. One query and category: the whole range, no p. Raises `InputError` for the counts that
    `share` refuses. Source: STATISTICS section 2.
    """
    a2 = tail(target, level)
    cycles = read_cycles([k1, k2], [r1, r2])
    before, after = (share(k, r, target=target, level=level) for k, r in zip(cycles.cited, cycles.runs, strict=True))
    warnings = cycles.notices(level)
    found = Change(
        target=target, confidence=level, n_queries=cycles.queries, dropped=cycles.dropped, warnings=warnings,
        before=before, after=after,
    )  # fmt: skip
    if not cycles.queries:
        return replace(found, reason=NO_PAIR)
    found = replace(found, detectable=detectable_from(cycles, target, level))
    if target == "category":
        return _category(found, cycles, a2)
    parts = [(-1.0, before), (1.0, after)]
    value, low, high = mover_of(parts, a2)
    return replace(
        found, value=value, low=low, high=high, p=p_mover(parts), method="mover-fixed",
        p_second=exact.mid_p(cycles.cited, cycles.runs), second=exact.NO_QUERY_CHANGED,
        warnings=(*warnings, ONE_RUN) if cycles.runs.max() == 1 else warnings,
    )  # fmt: skip


def change_of_ratio(
    brand1: Sequence[Sequence[int]],
    total1: Sequence[Sequence[int]],
    brand2: Sequence[Sequence[int]],
    total2: Sequence[Sequence[int]],
    *,
    target: Target,
    level: float = 0.95,
) -> Change:
    """The change of a share of voice or slot share: counts nested queries -> runs, as `share_of_voice` takes them.

    fixed_set: MOVER of the two ratio intervals. category: null with its reason. Only queries with answers in both
    cycles count; the queries of both are in the same order. Raises `InputError` as `share_of_voice` does.
    Source: STATISTICS section 3.1.
    """
    tail(target, level)
    pairs = list(zip(brand1, total1, brand2, total2, strict=True))
    kept = [pair for pair in pairs if len(pair[0]) and len(pair[2])]
    x1, y1, x2, y2 = ([pair[i] for pair in kept] for i in range(4))
    before, after = (share_of_voice(x, y, target=target, level=level) for x, y in ((x1, y1), (x2, y2)))
    dropped = len(pairs) - len(kept)
    found = Change(
        target=target, confidence=level, n_queries=len(kept), dropped=dropped, before=before, after=after,
        warnings=(left_out(dropped, len(pairs), NOT_IN_ALL),) if dropped else (),
    )  # fmt: skip
    if not kept or before.value is None or after.value is None:
        return replace(found, reason=before.reason or after.reason if kept else NO_PAIR)
    if target == "category":
        return replace(found, reason=NO_RATIO_CATEGORY)
    parts = [(-1.0, before), (1.0, after)]
    value, low, high = mover_of(parts, (1.0 - level) / 2.0)
    return replace(found, value=value, low=low, high=high, p=p_mover(parts), method="mover-fixed")


def detectable_from(cycles: Cycles, target: Target, level: float) -> float | None:
    """The move from the first cycle's share that these queries and runs would have shown four times in five.

    ICC and correlation are those of the two cycles, drawn towards the planner's defaults where few queries tell.
    """
    f = cycles.fractions
    informative = float(min((f > 0).any(axis=0).sum(), (f < 1).any(axis=0).sum()))
    return planning.detectable(
        float(f[0].mean()),
        cycles.queries,
        float(1.0 / np.mean(1.0 / cycles.runs)),
        target=target,
        icc=planning.toward(planning.icc_of(cycles), DEFAULT_ICC, informative),
        r=planning.toward(planning.correlation_of(cycles), planning.DEFAULT_CORRELATION, informative),
        level=level,
    )


def _category(found: Change, cycles: Cycles, a2: float) -> Change:
    changes = cycles.fractions[1] - cycles.fractions[0]
    value = float(changes.mean())
    if cycles.queries == 1:
        return replace(
            found, value=value, low=-1.0, high=1.0, method="pseudo-query-t", warnings=(*found.warnings, ONE_PAIR)
        )
    mean = pseudo_mean(changes)
    low, high = t_bounds(mean, value, 1.0, a2)
    return replace(
        found, value=value, low=low, high=high, p=t_p(mean), method="pseudo-query-t",
        p_second=exact.sign_flip(cycles.cited, cycles.runs), second=exact.SYMMETRIC,
    )  # fmt: skip
