"""What a gap is worth: the weight of its query's intent times its probability. Rankings print the weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from citepoll.explain.gaps import Gap
from citepoll.model import Query

INTENT_WEIGHTS: Mapping[str, float] = MappingProxyType({
    "definitional": 1.0, "how-to": 2.0, "troubleshooting": 2.0, "use-case": 2.5, "best-of": 3.0,
    "recommendation": 3.0, "versus": 4.0,
})  # fmt: skip
"""How near a question stands to a purchase, relative to a definitional one."""
DEFAULT_SOURCE = "published conversion signal, the default"
NO_INTENT = 1.0
"""The weight of a query without an intent: that of the least."""


@dataclass(frozen=True, slots=True)
class IntentWeights:
    """A weight for each intent, and where they come from."""

    values: Mapping[str, float]
    source: str = DEFAULT_SOURCE

    def of(self, intent: str | None) -> float:
        return self.values.get(intent or "", NO_INTENT)

    def words(self) -> str:
        """`intent weights (published conversion signal, the default): definitional 1, …`."""
        each = ", ".join(f"{name} {value:g}" for name, value in self.values.items())
        return f"intent weights ({self.source}): {each}; no intent {NO_INTENT:g}"


def intent_weights(given: Mapping[str, float], place: str) -> IntentWeights:
    """The default weights with those `given` in their stead; `place` names where these stand."""
    source = f"{', '.join(given)}: {place}; the rest: {DEFAULT_SOURCE}" if given else DEFAULT_SOURCE
    if set(given) >= set(INTENT_WEIGHTS):
        source = place
    return IntentWeights({**INTENT_WEIGHTS, **given}, source)


@dataclass(frozen=True, slots=True)
class Cell:
    """One engine on one query: `n` valid answers, and for each brand those that cite it (no entry: none)."""

    engine: str
    n: int
    cited: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class QueryGap:
    """One query over all engines: the surest competitor's verdict and probability, and what that is worth.

    `ahead` holds the competitors whose verdict is not `none`, the surest first; `pages` for each of them the pages that
    answers cite, the most cited first. `ours` of `n` valid answers cite the tracked brand.
    """

    query: Query
    verdict: str
    probability: float
    weight: float
    worth: float
    n: int
    ours: int
    ahead: tuple[Gap, ...]
    cells: tuple[Cell, ...]
    pages: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class GroupGap:
    """The gaps of a topic or an intent: its queries by verdict, how many gaps to expect among them (the sum of their
    probabilities), what they are worth together, and on how many queries each competitor is ahead."""

    name: str | None
    queries: int
    confirmed: int
    candidates: int
    expected: float
    worth: float
    ahead: Mapping[str, int]


def query_gap(
    query: Query, found: Iterable[Gap], cells: tuple[Cell, ...], ours: int, weights: IntentWeights,
    pages: Mapping[str, tuple[str, ...]],
) -> QueryGap:  # fmt: skip
    """One query's gap from those against every competitor (`explain.gaps.gaps`: the surest first).

    The verdict and the probability are those of the competitor most surely ahead, which is conservative for "some
    competitor is ahead" (STATISTICS section 3). Without competitors: verdict none, probability 0.
    """
    every = tuple(found)
    ahead = tuple(sorted((g for g in every if g.verdict != "none"), key=lambda g: g.verdict != "confirmed"))
    best = max((gap.probability for gap in every), default=0.0)
    weight = weights.of(query.intent)
    return QueryGap(
        query=query,
        verdict=ahead[0].verdict if ahead else "none",
        probability=best,
        weight=weight,
        worth=weight * best if ahead else 0.0,
        n=sum(cell.n for cell in cells),
        ours=ours,
        ahead=ahead,
        cells=cells,
        pages={gap.competitor: pages[gap.competitor] for gap in ahead if gap.competitor in pages},
    )


_VERDICTS = ("confirmed", "candidate", "none")


def ranked(found: Iterable[QueryGap]) -> tuple[QueryGap, ...]:
    """By worth, the largest first; queries without a gap (worth 0) last, the surest of them first."""
    return tuple(
        sorted(found, key=lambda gap: (-gap.worth, _VERDICTS.index(gap.verdict), -gap.probability, gap.query.text))
    )


def grouped(found: Iterable[QueryGap], by: str) -> tuple[GroupGap, ...]:
    """The gaps by `topic` or `intent`, the group worth most first; queries without one stand under None."""
    groups: dict[str | None, list[QueryGap]] = {}
    for gap in found:
        groups.setdefault(getattr(gap.query, by), []).append(gap)
    rows = [_group(name, gaps) for name, gaps in groups.items()]
    return tuple(sorted(rows, key=lambda row: (-row.worth, row.name or "")))


def _group(name: str | None, gaps: list[QueryGap]) -> GroupGap:
    verdicts = Counter(gap.verdict for gap in gaps)
    ahead = Counter(one.competitor for gap in gaps for one in gap.ahead)
    return GroupGap(
        name=name,
        queries=len(gaps),
        confirmed=verdicts["confirmed"],
        candidates=verdicts["candidate"],
        expected=sum(gap.probability for gap in gaps),
        worth=sum(gap.worth for gap in gaps),
        ahead=dict(ahead.most_common()),
    )
