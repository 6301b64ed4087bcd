"""What a report is made of. The service fills it; nothing here computes.

Names of engines, brands and queries are those of the rows: `EngineNote.name` is the value of the `engine` dimension,
`Query.id` that of `CellNote.query_id`, and so on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

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
    instead. `weight` is that of the query's intent: weight × probability is what the lead is worth."""

    competitor: str
    query_id: str
    theirs: int
    ours: int
    valid: int
    probability: float | None = None
    confirmed: bool = False
    engine: str | None = None
    pages: tuple[str, ...] = ()
    weight: float | None = None

    @property
    def worth(self) -> float:
        """Weight × probability; an unknown one counts as 1."""
        return (1.0 if self.weight is None else self.weight) * (1.0 if self.probability is None else self.probability)


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
    time zone, None where the recording does not say. `runs` are planned per query and engine, at least `least_runs` of them where
    they differ; both None for recorded answers."""

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
    least_runs: int | None = None


@dataclass(frozen=True, slots=True)
class ToDo:
    """One thing to do. `kind` is the slug of an opportunity, `sentence` says what, `why` on what grounds.

    `size` is text in points, with its "at most"; `effort` one word; `probability` None where it was not computed.
    `answers` are keys of `Evidence` that show it, of `answers_total` in all (None: these); keys that the report does
    not hold are counted, not linked. `effect` says what came of one that is done.
    """

    id: str
    kind: str
    sentence: str
    size: str
    effort: str
    why: str = ""
    effort_reason: str = ""
    probability: float | None = None
    answers: tuple[str, ...] = ()
    answers_total: int | None = None
    status: str = "open"
    effect: str = ""


@dataclass(frozen=True, slots=True)
class TargetLine:
    """A target of the tracked brand on one engine: `metric` is to be at least `value` (a fraction) by a day. `chance` of
    having been met in this cycle, or None and the `reason`."""

    metric: str
    value: float
    by: date
    engine: str
    chance: float | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Break:
    """What is different from `cycle` on, against the cycle before: `word` stands at a rule in the trend (`another
    model`), `sentence` below it. `engine` None: on every engine. `severs`: the lines are not drawn through, since the
    numbers on both sides are no trend (another query set)."""

    cycle: str
    word: str
    sentence: str = ""
    engine: str | None = None
    severs: bool = False


@dataclass(frozen=True, slots=True)
class Concentration:
    """How concentrated the citations of an engine are: like `effective` domains cited equally often, of `domains`."""

    engine: str
    effective: float
    domains: int


@dataclass(frozen=True, slots=True)
class ReportData:
    """All that stands in a report.

    `shares`: share_of_citation (the overview of a desk may show another metric here, in `changes` and `trend`) by brand
    and engine, both targets, every brand, blended rows included.
    `changes`: the same slice with its change since the cycle that `changes.slice.compare` names; None in a first cycle.
    `trend`: share_of_citation by brand, cycle and engine, `trend.cycles` from the oldest; `breaks` mark it.
    `todo`: what to do, the most worthwhile first, of `todo_total` (None: no list was made; 0: nothing was found).
    `sources`: slot_share by domain and engine (or another share by domain); `owners` maps a domain to its brand.
    `classes`: the same by `source_class` and engine. `others`: further metrics by brand and engine, as a table.
    `answers_total` counts all answers of the cycle; `evidence` may hold fewer, and the report says so.
    `weights`: the intent weights by which `ahead` is ranked, in words.
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
    project: str = ""
    warnings: tuple[str, ...] = ()
    changes: SliceResult | None = None
    trend: SliceResult | None = None
    breaks: tuple[Break, ...] = ()
    todo: tuple[ToDo, ...] = ()
    todo_total: int | None = None
    targets: tuple[TargetLine, ...] = ()
    classes: SliceResult | None = None
    concentration: tuple[Concentration, ...] = ()
    weights: str = ""

    @property
    def metric(self) -> str:
        """The metric of `shares`."""
        return self.shares.slice.metrics[0]
