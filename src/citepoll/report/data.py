"""What a report is made of. The service fills it; nothing here computes.

Names of engines, brands and queries are those of the rows: `EngineNote.name` is the value of the `engine` dimension,
`Query.id` that of `CellNote.query_id`, and so on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from citepoll.model import Mention, Query, ResolvedCitation, SliceResult, Status, Surface


@dataclass(frozen=True, slots=True)
class EngineNote:
    """An engine as the report speaks of it. `models` are the versions that the answers named."""

    name: str
    surface: Surface
    label: str = ""
    models: tuple[str, ...] = ()
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class CellNote:
    """The tracked brand on one query and engine: cited in `cited` of `valid` answers; `ahead` names competitors that
    are ahead there."""

    query_id: str
    engine: str
    cited: int
    valid: int
    ahead: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ahead:
    """A competitor that is ahead on a query: answers that cite it and the tracked brand, of `valid` over all engines
    given. `probability` that its propensity is higher by the stated margin, where it was computed. `pages` are cited
    instead."""

    competitor: str
    query_id: str
    theirs: int
    ours: int
    valid: int
    probability: float | None = None
    confirmed: bool = False
    engine: str | None = None
    pages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """One answer behind the numbers. `key` is its id for people, unique in the report; text and URLs are untrusted."""

    key: str
    engine: str
    query_id: str
    run: int
    status: Status
    text: str
    citations: tuple[ResolvedCitation, ...] = ()
    mentions: tuple[Mention, ...] = ()
    asked_at: datetime | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """Where the numbers come from. `first` and `last` are the times of the first and the last answer, in the project's
    time zone, None where the recording does not say. `runs` are planned per query and engine."""

    cycle: str
    query_set_hash: str
    query_set_version: int | None = None
    runs: int | None = None
    first: datetime | None = None
    last: datetime | None = None
    extractor: str = ""
    product: str = ""
    brands: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportData:
    """All that stands in a report.

    `shares`: share_of_citation by brand and engine, both targets, every brand, blended rows included.
    `sources`: slot_share by domain and engine (or another share by domain); `owners` maps a domain to its brand.
    `others`: further metrics by brand and engine, as a table. `verdict`: the sentence of a comparison with an earlier
    cycle. `answers_total` counts all answers of the cycle; `evidence` may hold fewer, and the report says so.
    """

    brand: str
    shares: SliceResult
    engines: tuple[EngineNote, ...]
    queries: tuple[Query, ...]
    method: Method
    written_at: datetime
    cells: tuple[CellNote, ...] = ()
    ahead: tuple[Ahead, ...] = ()
    sources: SliceResult | None = None
    owners: Mapping[str, str] = field(default_factory=dict)
    others: SliceResult | None = None
    evidence: tuple[Evidence, ...] = ()
    answers_total: int | None = None
    verdict: str | None = None
    project: str = ""
    warnings: tuple[str, ...] = ()
