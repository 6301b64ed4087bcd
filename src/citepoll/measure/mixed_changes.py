"""Changes of a number that is blended over engines (STATISTICS sections 2 and 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import sqrt

import numpy as np

from citepoll.measure.blend import blend_estimates, blended
from citepoll.measure.bounds import tail
from citepoll.measure.changes import NO_RATIO_CATEGORY
from citepoll.measure.contrasts import NO_PAIR, ONE_PAIR, mover_of, p_mover, pseudo_mean, t_bounds, t_p
from citepoll.model import Change, Target


def blended_change(parts: Mapping[str, Change], panels: Mapping[str, np.ndarray], weights: Mapping[str, float], *,
                   target: Target, level: float = 0.95) -> Change:  # fmt: skip
    """The change of a blended share. `parts` are the engines' own fixed-set changes; `panels` their counts.

    A panel has shape (4, queries): citing and valid answers before, then after, over one order of queries for all
    engines. fixed_set: MOVER over the engines' shares of their own paired queries. category: the pseudo-query t on the
    change of each query's weighted share, over queries with answers on every engine in both cycles. An engine without a
    change gives a null one with its reason.
    """
    without = [engine for engine in weights if engine not in parts or parts[engine].value is None]
    fixed = _fixed(parts, weights, without, level)
    if target == "fixed_set" or without:
        return replace(fixed, target=target)
    return _category(panels, weights, level)


def blended_detectable(parts: Mapping[str, Change], weights: Mapping[str, float]) -> float | None:
    """The move of the blend that would have been seen four times in five, from the engines' own.

    fixed_set: the root of the sum of squares, the engines' runs being independent. category: the weighted sum, as if all
    engines moved as one, an upper bound. None where an engine has none.
    """
    known = [(weights[e], parts[e].detectable, parts[e].target) for e in weights if e in parts]
    moves = [(w * d, target) for w, d, target in known if d is not None]
    if len(moves) < len(weights):
        return None
    if all(target == "category" for _, target in moves):
        return sum(move for move, _ in moves)
    return sqrt(sum(move**2 for move, _ in moves))


def blended_ratio_change(parts: Mapping[str, Change], weights: Mapping[str, float], *, target: Target,
                         level: float = 0.95) -> Change:  # fmt: skip
    """The change of a blended ratio, fixed_set by MOVER; category is null with its reason."""
    without = [engine for engine in weights if engine not in parts or parts[engine].value is None]
    fixed = _fixed(parts, weights, without, level)
    if target == "fixed_set" or without:
        return replace(fixed, target=target)
    return replace(
        fixed, target=target, value=None, low=None, high=None, p=None, method="none", reason=NO_RATIO_CATEGORY
    )


def _fixed(parts: Mapping[str, Change], weights: Mapping[str, float], without: list[str], level: float) -> Change:
    if without:
        reason = f"nothing to compare on {', '.join(without)}"
        nothing = blend_estimates({}, weights, target="fixed_set")
        return Change(target="fixed_set", confidence=level, reason=reason, before=nothing, after=nothing)
    before = blend_estimates({e: parts[e].before for e in weights}, weights, target="fixed_set")
    after = blend_estimates({e: parts[e].after for e in weights}, weights, target="fixed_set")
    terms = [
        (sign * w, end) for e, w in weights.items() for sign, end in ((-1.0, parts[e].before), (1.0, parts[e].after))
    ]
    value, low, high = mover_of(terms, tail("fixed_set", level))
    return Change(
        target="fixed_set", confidence=level, value=value, low=low, high=high, p=p_mover(terms), method="mover-fixed",
        n_queries=max(parts[e].n_queries for e in weights), dropped=max(parts[e].dropped for e in weights),
        before=before, after=after,
        warnings=tuple(dict.fromkeys(f"{e}: {text}" for e in weights for text in parts[e].warnings)),
    )  # fmt: skip


def _category(panels: Mapping[str, np.ndarray], weights: Mapping[str, float], level: float) -> Change:
    tables = [panels[engine] for engine in weights]
    complete = np.all([(t[1] > 0) & (t[3] > 0) for t in tables], axis=0)
    kept = {engine: panels[engine][:, complete] for engine in weights}
    ends = [
        blended({e: t[at] for e, t in kept.items()}, {e: t[at + 1] for e, t in kept.items()}, weights,
                target="category", level=level)
        for at in (0, 2)
    ]  # fmt: skip
    queries = int(complete.sum())
    found = Change(
        target="category", confidence=level, n_queries=queries, dropped=int(complete.size) - queries,
        before=ends[0], after=ends[1],
    )  # fmt: skip
    if not queries:
        return replace(found, reason=NO_PAIR)
    moves = sum(
        (w * (kept[e][2] / kept[e][3] - kept[e][0] / kept[e][1]) for e, w in weights.items()), np.zeros(queries)
    )
    if queries == 1:
        return replace(found, value=float(moves[0]), low=-1.0, high=1.0, method="pseudo-query-t", warnings=(ONE_PAIR,))
    mean, value = pseudo_mean(moves), float(moves.mean())
    low, high = t_bounds(mean, value, 1.0, tail("category", level))
    return replace(found, value=value, low=low, high=high, p=t_p(mean), method="pseudo-query-t")
