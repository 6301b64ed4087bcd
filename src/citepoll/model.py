"""The words of the domain: one immutable type for each hand-over of the pipeline. Depends on hashing only."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from citepoll.hashing import content_hash

Target = Literal["fixed_set", "category"]
Surface = Literal["api", "ui", "serp", "recorded", "simulated"]
CitationLevel = Literal["span", "marker", "listed", "retrieved"]
Status = Literal["answered", "truncated", "empty", "refused", "blocked", "absent", "deferred", "failed"]

STATUSES: tuple[Status, ...] = (
    "answered", "truncated", "empty", "refused", "blocked", "absent", "deferred", "failed",
)  # fmt: skip
VALID: frozenset[Status] = frozenset({"answered", "truncated", "empty"})
FINAL: frozenset[Status] = frozenset({"answered", "truncated", "empty", "refused", "blocked", "absent"})
CITED_LEVELS: frozenset[CitationLevel] = frozenset({"span", "marker", "listed"})

INTENTS: tuple[str, ...] = (
    "definitional", "how-to", "best-of", "versus", "recommendation", "use-case", "troubleshooting",
)  # fmt: skip
"""The seven intents. `comparison` is read as best-of."""


def normal_text(text: str) -> str:
    """NFC, with every run of white space as one space, none at the ends: the text that identifies a query."""
    return " ".join(unicodedata.normalize("NFC", text).split())


# ---------------------------------------------------------------- what is asked


@dataclass(frozen=True, slots=True)
class Query:
    """One question put to an engine. `text` must be `normal_text`; `ref` is the id that a file gave it."""

    text: str
    language: str = "en"
    market: str = "US"
    intent: str | None = None
    topic: str | None = None
    ref: str | None = None

    @property
    def id(self) -> str:
        """`sha256:…` of text, language and market: the identity across files, cycles and versions."""
        return content_hash([self.text, self.language, self.market])


@dataclass(frozen=True, slots=True)
class QuerySet:
    """The locked list of queries that a cycle uses. Order carries no meaning; ids are distinct."""

    queries: tuple[Query, ...]

    @property
    def hash(self) -> str:
        """`sha256:…` of the content (identity, intent and topic of every query), whatever the order."""
        return content_hash(sorted([q.text, q.language, q.market, q.intent or "", q.topic or ""] for q in self.queries))


# ---------------------------------------------------------------- who is measured


@dataclass(frozen=True, slots=True)
class Alias:
    """A name to look for. `needs`: one of these words must stand within 200 characters; `excludes`: none may."""

    text: str
    case_sensitive: bool = False
    needs: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Property:
    """An owned domain (with its subdomains) or path prefix, as `acme.com` or `github.com/acme`; dates are inclusive."""

    rule: str
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class Brand:
    """An entity with aliases and owned properties; exactly one of a project is `tracked`, the others competitors."""

    name: str
    aliases: tuple[Alias, ...] = ()
    owns: tuple[Property, ...] = ()
    tracked: bool = False


@dataclass(frozen=True, slots=True)
class Engine:
    """One sampled answer surface of a project. `name` labels its cells (default: the id); `id` names the registry entry."""

    name: str
    id: str
    surface: Surface
    model: str | None = None
    country: str | None = None
    language: str | None = None
    weight: float | None = None
    runs: int = 3
    settings: Mapping[str, object] = field(default_factory=dict)


# ---------------------------------------------------------------- what came back


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """The verbatim payload of one asking, stored before anything looks inside it. Latency in seconds, cost in US dollars."""

    status: Status
    body: bytes
    asked_at: datetime | None = None
    http_status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    request: Mapping[str, object] = field(default_factory=dict)
    latency: float | None = None
    cost: float | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """A source referenced in the answer. `position` counts from 1; start and end are code points of the answer's text."""

    url: str
    position: int
    level: CitationLevel = "listed"
    title: str | None = None
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A page that the engine reports as retrieved or listed without citing it."""

    url: str
    position: int
    level: CitationLevel = "retrieved"
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A payload parsed. `spans` is True where the surface says which passage carries which citation.

    `follow_up` is the vendor's wish for a second call (a mapping with the request and the delay), or None.
    """

    status: Status
    text: str = ""
    citations: tuple[Citation, ...] = ()
    sources: tuple[Source, ...] = ()
    queries: tuple[str, ...] = ()
    model: str | None = None
    usage: Mapping[str, object] = field(default_factory=dict)
    message: str | None = None
    spans: bool = False
    cost: float | None = None
    retry_after: float | None = None
    follow_up: Mapping[str, object] | None = None


# ---------------------------------------------------------------- what was observed in an answer


@dataclass(frozen=True, slots=True)
class Mention:
    """A brand named in the text. `order` counts brands by first appearance from 1; `citations` are the positions of
    the citations attached to the passage (sentence, list item or table row); `denied`: "no information about Acme"."""

    brand: str
    alias: str
    start: int
    end: int
    order: int
    denied: bool = False
    citations: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ResolvedCitation:
    """A citation with its canonical URL and owner. `problem` says why there is no URL (then url and domain are None), or
    that it is a redirect that was not resolved (then domain is that of the engine's title, if it names one).

    `domain` honours the private section of the Public Suffix List, `domain_icann` does not.
    `rule` is the owned property that matched; `unwrapped` names the redirect wrapper that was opened, or is None.
    """

    raw: str
    position: int
    level: CitationLevel
    url: str | None = None
    domain: str | None = None
    domain_icann: str | None = None
    brand: str | None = None
    rule: str | None = None
    title: str | None = None
    start: int | None = None
    end: int | None = None
    unwrapped: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A brand that occurs in an answer: one row per answer and brand. `earned` is None where the surface gives no spans."""

    brand: str
    slots: int = 0
    first: bool = False
    earned: bool | None = None
    mentions: int = 0
    denied: int = 0
    ambiguous: int = 0
    order: int | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """All that `extract` finds in one answer."""

    answer: Answer
    citations: tuple[ResolvedCitation, ...]
    mentions: tuple[Mention, ...]
    hits: tuple[Hit, ...]

    @property
    def slots(self) -> int:
        """Citations with a URL, duplicates included; `retrieved` sources are none."""
        return sum(1 for c in self.citations if c.url is not None and c.level != "retrieved")


# ---------------------------------------------------------------- what is asked of the read side


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval, or the reason why there is none (then value, low and high are None).

    value, low, high are fractions 0–1 unless the metric's unit says otherwise. `n` counts valid answers, `n_queries`
    queries with at least one. Where the metric has them, `cited` is a count, `of` what it is a part of (answers, or for
    ratios citations or mentions), and `pooled` the one over the other, over all answers. `n_effective` is n* of
    STATISTICS section 1. `failed` answers are in `excluded`, by status.
    """

    value: float | None
    low: float | None
    high: float | None
    target: Target
    method: str
    confidence: float = 0.95
    n: int = 0
    n_queries: int = 0
    cited: float | None = None
    pooled: float | None = None
    n_effective: float | None = None
    excluded: Mapping[str, int] = field(default_factory=dict)
    reason: str | None = None
    warnings: tuple[str, ...] = ()
    of: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """A difference of shares (fractions) with its interval, or the reason why there is none (then value is None).

    `p` is two-sided for no difference, None where there is no test. `n_queries` count, `dropped` lack an answer
    somewhere. `detectable` is the move that this design sees four times in five, None where not known or out of reach.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    target: Target
    method: str = "none"
    confidence: float = 0.95
    n_queries: int = 0
    dropped: int = 0
    detectable: float | None = None
    reason: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Contrast):
    """A change between two cycles. `before` and `after` are the shares of the paired queries alone, and may differ
    from the headlines; `p_second` is a second opinion under the null that `second` names: the interval decides."""

    before: Estimate
    after: Estimate
    p_second: float | None = None
    second: str | None = None

    @property
    def value1(self) -> float | None:
        return self.before.value

    @property
    def value2(self) -> float | None:
        return self.after.value


@dataclass(frozen=True, slots=True)
class Slice:
    """A question to the read side: the one way in for every surface.

    `metrics` are counted ones, or found ones of one kind (docs/metrics.md has both tables). `by` takes brand, engine,
    query, topic, intent, domain, url, source_class, cycle, citation_level, run, language, market, branded; for a found
    metric those that its table names, and left as it is it means the metric's own. `where` is text, `FIELD OP VALUE and
    …`. No cycles: the latest closed one, or all where the metric runs over cycles. `compare` names an earlier cycle: each
    row then carries the change since it, paired by query. `limit` keeps the largest groups of domains or URLs within each
    combination of the other dimensions, for velocities too, and the first rows of a found list.
    """

    metrics: tuple[str, ...] = ("share_of_citation",)
    by: tuple[str, ...] = ("brand", "engine")
    where: str = ""
    cycles: tuple[str, ...] = ()
    compare: str | None = None
    target: Literal["fixed_set", "category", "both"] = "both"
    confidence: float = 0.95
    private_suffixes: bool = True
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One estimate of a slice: metric, the values of its dimensions, the estimate, its grade of evidence.

    Where the slice compares: the change since the earlier cycle, its p after Benjamini–Hochberg over all rows of this
    target, and the sentence that says whether it is real. `evidence` is what stands behind a row of a found metric, fit
    for JSON, with the keys that docs/metrics.md names; None for a counted one.
    """

    metric: str
    dimensions: Mapping[str, str | int | bool | None]
    estimate: Estimate
    grade: str | None = None
    grade_next: str | None = None
    band: str | None = None
    simulated: bool = False
    change: Change | None = None
    adjusted_p: float | None = None
    verdict: str | None = None
    evidence: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class SliceResult:
    """The answer: rows, the slice as resolved, the cycles it stands on, warnings for all rows."""

    rows: tuple[Row, ...]
    slice: Slice
    cycles: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    simulated: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
