"""Other houses' numbers, each with its numerator and denominator, for people who must reconcile tools.

They are plain ratios of counts, as these tools print them: no interval, no weighing of queries. No composite score.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from citepoll.measure.definitions import DEFINITIONS


@dataclass(frozen=True, slots=True)
class EngineCounts:
    """Counts of one engine over the queries that name no brand of the project."""

    requests: int
    valid: int
    citing: int
    slots: int
    queries: int


@dataclass(frozen=True, slots=True)
class BrandCounts:
    """Counts of one brand on one engine: answers `cited` and `present`, its `slots` and `mentions`, `queries` cited on."""

    cited: int = 0
    present: int = 0
    slots: int = 0
    mentions: int = 0
    queries: int = 0


@dataclass(frozen=True, slots=True)
class View:
    """One number of one brand on one engine. `value` is None where the denominator is 0."""

    name: str
    engine: str
    brand: str
    numerator: int
    denominator: int
    value: float | None


def views(engine: str, counts: EngineCounts, brands: Mapping[str, BrandCounts]) -> Iterator[View]:
    """Every number of `DEFINITIONS` for every brand on an engine, definition by definition."""
    mentions = sum(brand.mentions for brand in brands.values())
    for definition in DEFINITIONS:
        for name, brand in brands.items():
            part, whole = _parts(definition.name, counts, brand, mentions)
            yield View(definition.name, engine, name, part, whole, part / whole if whole else None)


def _parts(name: str, counts: EngineCounts, brand: BrandCounts, mentions: int) -> tuple[int, int]:
    return {
        "share_of_citation": (brand.cited, counts.valid),
        "slot_share": (brand.slots, counts.slots),
        "share_of_citing_answers": (brand.cited, counts.citing),
        "prompt_coverage": (brand.queries, counts.queries),
        "mention_voice": (brand.mentions, mentions),
        "presence": (brand.present, counts.valid),
        "share_over_all_requests": (brand.cited, counts.requests),
    }[name]
