"""From a parsed answer to what was observed in it: citations with their owners, mentions, a hit per brand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from operator import itemgetter

import msgspec
from msgspec.structs import replace

from citepoll.extract.citations import Ownership
from citepoll.extract.mentions import Found, Matcher, Named
from citepoll.model import CITED_LEVELS, Answer, Brand, Citation, Hit, Observation, ResolvedCitation
from citepoll.urls import LONGEST_KEPT, Canonical, canonical

EXTRACTOR_VERSION = "2"
"""Changes whenever the same answer and brands may give another observation; derived tables carry it."""

UNRESOLVED = "an opaque redirect that was not resolved"
"""The problem of a citation that has a URL all the same; its domain is the engine's title where that is a host."""


class Resolved(msgspec.Struct, frozen=True):
    """What a raw URL says of itself: the part of a `ResolvedCitation` that is the same wherever the URL recurs."""

    raw: str
    url: str | None = None
    domain: str | None = None
    domain_icann: str | None = None
    brand: str | None = None
    rule: str | None = None
    unwrapped: str | None = None
    problem: str | None = None


class Counts(msgspec.Struct):
    """A `Hit` while it is counted."""

    brand: str
    slots: int = 0
    first: bool = False
    earned: bool | None = None
    mentions: int = 0
    denied: int = 0
    ambiguous: int = 0
    order: int | None = None


class Reading(msgspec.Struct, frozen=True):
    """All that an `Observation` says, without its objects, which cost more to build than to decide on.

    `resolved` goes with `citations`, one by one; the sources come last among both.
    """

    answer: Answer
    citations: Sequence[Citation]
    resolved: Sequence[Resolved]
    found: Found
    hits: Sequence[Counts]

    def observation(self) -> Observation:
        citations = tuple([_resolved_citation(c, r) for c, r in zip(self.citations, self.resolved, strict=True)])
        hits = tuple([_hit(counts) for counts in self.hits])
        return Observation(self.answer, citations, self.found.mentions, hits)


def _resolved_citation(c: Citation, r: Resolved) -> ResolvedCitation:
    return ResolvedCitation(
        r.raw, c.position, c.level, r.url, r.domain, r.domain_icann, r.brand, r.rule,
        c.title, c.start, c.end, r.unwrapped, r.problem,
    )  # fmt: skip


def _hit(c: Counts) -> Hit:
    return Hit(c.brand, c.slots, c.first, c.earned, c.mentions, c.denied, c.ambiguous, c.order)


class Observer:
    """Observes answers for a fixed set of brands. Build it once; it keeps a bounded cache of URLs and their owners.

    `leads` tells where redirects lead that were resolved, raw URL → page, None for one that was not.

    Raises `ProjectError` for owned properties that cannot be read or that two brands share.
    """

    def __init__(self, brands: Iterable[Brand], leads: Mapping[str, str | None] | None = None) -> None:
        self._brands = tuple(brands)
        self._leads = leads or {}
        self._rank = {brand.name: at for at, brand in enumerate(self._brands)}
        self._ownership = Ownership(self._brands)
        self._matcher = Matcher(self._brands)
        self._kept = lru_cache(maxsize=1 << 16)(self._resolved)

    def observe(self, answer: Answer, question: str = "", on: date | None = None) -> Observation:
        """All citations with their owners, the mentions, and a hit per brand that occurs in the answer.

        `on` is the day of the answer, which decides between owners that changed. Sources, and citations of level
        `retrieved`, are kept as `retrieved` and count for nothing. A brand of which an ambiguous name is the only sign
        has a hit that is zero but for `ambiguous`.
        """
        return self.read(answer, question, on).observation()

    def read(self, answer: Answer, question: str = "", on: date | None = None) -> Reading:
        """The same as `observe`, for `Columns` alone."""
        day = on if self._ownership.dated else None
        citations: Sequence[Citation] = answer.citations
        resolved = [self._resolve(c, day) for c in citations]
        found = self._matcher.find(answer.text, question, citations if answer.spans else ())
        counted = [
            (c.position, r.brand)
            for c, r in zip(citations, resolved, strict=True)
            if r.url is not None and c.level in CITED_LEVELS
        ]
        hits = self._hits(counted, found, answer.spans)
        if answer.sources:
            sources = [Citation(s.url, s.position, "retrieved", s.title) for s in answer.sources]
            citations = [*citations, *sources]
            resolved += [self._resolve(s, day) for s in sources]
        return Reading(answer, citations, resolved, found, hits)

    # ------------------------------------------------------------ citations

    def _resolve(self, c: Citation, day: date | None) -> Resolved:
        r = self._kept(c.url, day) if len(c.url) <= LONGEST_KEPT else self._resolved(c.url, day)
        return self._by_title(r, c.title, day) if r.problem is UNRESOLVED and c.title else r

    def _resolved(self, raw: str, day: date | None) -> Resolved:
        url = canonical(raw)
        if not isinstance(url, Canonical):
            return Resolved(raw, problem=url.reason)
        if raw in self._leads or url.unresolved:
            led = canonical(self._leads.get(raw) or "")
            if not isinstance(led, Canonical) or led.unresolved:
                return Resolved(raw, url.url, unwrapped=url.unwrapped, problem=UNRESOLVED)
            return self._owned(raw, led, day, ", ".join(filter(None, (url.host, led.unwrapped))))
        return self._owned(raw, url, day, url.unwrapped)

    def _owned(self, raw: str, url: Canonical, day: date | None, unwrapped: str | None) -> Resolved:
        brand, rule = self._ownership.owner(url, day) or (None, None)
        return Resolved(raw, url.url, url.domain, url.domain_icann, brand, rule, unwrapped)

    def _by_title(self, redirect: Resolved, title: str, day: date | None) -> Resolved:
        """The owner and domain that the title names, where it is a host and nothing else."""
        host = canonical(title)
        if not isinstance(host, Canonical) or host.path != "/" or "?" in host.url:
            return redirect
        brand, rule = self._ownership.owner(host, day) or (None, None)
        return replace(redirect, domain=host.domain, domain_icann=host.domain_icann, brand=brand, rule=rule)

    # ------------------------------------------------------------ hits

    def _hits(self, counted: Sequence[_Counted], found: Found, spans: bool) -> list[Counts]:
        """A row per brand that is cited, named, denied or ambiguous, in the order of the project's brands."""
        brands = {brand for _, brand in counted if brand is not None}
        brands.update([name.brand for name in found.named], found.ambiguous)
        if not brands:
            return []
        hits = {brand: Counts(brand) for brand in sorted(brands, key=self._rank.__getitem__)}
        for _, brand in counted:
            if brand is not None:
                hits[brand].slots += 1
        _count_names(hits, found)
        first = min(counted, key=_position)[1] if counted else None
        if first is not None:
            hits[first].first = True
        if spans:
            earned = _earned(counted, found.named)
            for brand, hit in hits.items():
                hit.earned = brand in earned
        return list(hits.values())


_Counted = tuple[int, str | None]
"""Position and owner of a citation that counts."""

_position = itemgetter(0)


def _count_names(hits: Mapping[str, Counts], found: Found) -> None:
    for name in found.named:
        hit = hits[name.brand]
        if name.order:
            hit.mentions += 1
            hit.order = name.order
        else:
            hit.denied += 1
    for brand, count in found.ambiguous.items():
        hits[brand].ambiguous = count


def _earned(counted: Sequence[_Counted], named: Sequence[Named]) -> set[str]:
    """Brands named in a passage that carries a counted citation of somebody else's page."""
    beside = [name for name in named if name.order and name.citations]
    if not beside:
        return set()
    owners: dict[int, list[str | None]] = {}
    for position, brand in counted:
        owners.setdefault(position, []).append(brand)
    return {
        name.brand
        for name in beside
        if any(name.brand != owner for position in name.citations for owner in owners.get(position, ()))
    }
