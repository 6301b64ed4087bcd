"""A content change judged against control queries: difference in differences (STATISTICS section 3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from citepoll.measure.bounds import tail
from citepoll.measure.changes import change
from citepoll.measure.contrasts import (
    Counts,
    PseudoMean,
    mover_of,
    p_mover,
    pseudo_mean,
    read_cycles,
    t_bounds,
    t_p,
)
from citepoll.model import Change, Contrast, Target

Arm: TypeAlias = tuple[Counts, Counts, Counts, Counts]
"""k1, r1, k2, r2 of the queries of one arm."""

NOT_CHECKED = "not checked: fewer than two cycles before the change"
NO_ARM = "no query of an arm has valid answers in both cycles"
SMALL_ARM = "an arm of one query says nothing about questions like it"


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceInDifferences(Contrast):
    """The treated queries' change less the control queries'; each arm's own change beside it."""

    treated: Change
    control: Change


def difference_in_differences(
    treat: Arm, control: Arm, *, target: Target, level: float = 0.95
) -> DifferenceInDifferences:
    """(T2 - T1) - (C2 - C1): how much more the share of the treated queries moved, with its interval and p.

    Each arm is (k1, r1, k2, r2), as `change` takes them. fixed_set: MOVER over the four fixed-set intervals; category:
    Welch's sum of the two pseudo-query variances, with the fewer queries' degrees of freedom. An arm without a paired
    query, or of one query (category): null with its reason. The effect is causal only as far as queries were put into
    the arms at random; `pre_trend` looks for signs against it. Source: STATISTICS section 3.1.
    """
    a2 = tail(target, level)
    t, c = (change(*arm, target=target, level=level) for arm in (treat, control))
    found = DifferenceInDifferences(
        target=target, confidence=level, n_queries=t.n_queries + c.n_queries, dropped=t.dropped + c.dropped,
        treated=t, control=c, warnings=tuple(dict.fromkeys((*t.warnings, *c.warnings))),
    )  # fmt: skip
    if t.value is None or c.value is None:
        return replace(found, reason=NO_ARM)
    if target == "fixed_set":
        parts = [(1.0, t.after), (-1.0, t.before), (-1.0, c.after), (1.0, c.before)]
        value, low, high = mover_of(parts, a2)
        return replace(found, value=value, low=low, high=high, p=p_mover(parts), method="mover-fixed")
    if min(t.n_queries, c.n_queries) < 2:
        return replace(found, reason=SMALL_ARM)
    arms = [_arm_mean(arm) for arm in (treat, control)]
    mean = PseudoMean(arms[0].mean - arms[1].mean, arms[0].se2 + arms[1].se2, min(arms[0].df, arms[1].df))
    value = t.value - c.value
    low, high = t_bounds(mean, value, 2.0, a2)
    return replace(found, value=value, low=low, high=high, p=t_p(mean), method="pseudo-query-t")


def pre_trend(
    treat: Sequence[tuple[Counts, Counts]],
    control: Sequence[tuple[Counts, Counts]],
    *,
    target: Target,
    level: float = 0.95,
) -> Contrast:
    """Did the arms already part before the change? The same test on the last two cycles before it.

    Each arm holds a (k, r) for every cycle before the change, the oldest first. Fewer than two: null, "not checked". No
    sign of a difference is no proof that the arms would have moved alike. Source: STATISTICS section 3.1.
    """
    if min(len(treat), len(control)) < 2:
        return Contrast(target=target, confidence=level, reason=NOT_CHECKED)
    (k1, r1), (k2, r2) = treat[-2:]
    (c1, n1), (c2, n2) = control[-2:]
    return difference_in_differences((k1, r1, k2, r2), (c1, n1, c2, n2), target=target, level=level)


def _arm_mean(arm: Arm) -> PseudoMean:
    k1, r1, k2, r2 = arm
    fractions = read_cycles([k1, k2], [r1, r2]).fractions
    return pseudo_mean(fractions[1] - fractions[0])
