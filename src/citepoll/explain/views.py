"""Other houses' numbers, each with its numerator and denominator, for people who must reconcile tools.

They are plain ratios of counts, as these tools print them: no interval, no weighing of queries. No composite score.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Definition:
    """A number as others define it. `ours` is the metric of `citepoll measure` nearest to it, and `differs` says how."""

    name: str
    numerator: str
    denominator: str
    ours: str
    differs: str


DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        "share_of_citation", "valid answers that cite a page of the brand", "valid answers",
        "share_of_citation", "the same counts; ours averages the queries and has an interval",
    ),
    Definition(
        "slot_share", "citations of the brand's pages", "all citations of valid answers",
        "slot_share", "elsewhere called citation share; a page cited twice in an answer counts twice",
    ),
    Definition(
        "share_of_citing_answers", "valid answers that cite a page of the brand",
        "valid answers with at least one citation",
        "share_of_citation", "answers without any source are left out, so it is never lower than ours",
    ),
    Definition(
        "prompt_coverage", "queries with at least one run that cites the brand", "queries with a valid answer",
        "share_of_citation", "grows with the number of runs: three runs find more than one",
    ),
    Definition(
        "mention_voice", "mentions of the brand by name", "mentions of all brands of the project",
        "mention_share_of_voice", "counts names in the text, no sources; depends on who is in the project",
    ),
    Definition(
        "presence", "valid answers that cite or name the brand", "valid answers",
        "presence_rate", "elsewhere called visibility; a name without a source counts",
    ),
    Definition(
        "share_over_all_requests", "valid answers that cite a page of the brand", "all requests, failures included",
        "share_over_all_requests", "a failed or refused request counts as an answer that does not cite",
    ),
)  # fmt: skip


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
