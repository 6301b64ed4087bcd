"""From a parsed answer to what was observed in it: citations with their owners, mentions, a hit per brand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, make_dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any, cast

from citepoll.extract.citations import Ownership
from citepoll.extract.mentions import Found, Matcher
from citepoll.model import (
    CITED_LEVELS,
    Answer,
    Brand,
    Citation,
    CitationLevel,
    Hit,
    Mention,
    Observation,
    ResolvedCitation,
    Source,
)
from citepoll.urls import LONGEST_KEPT, Canonical, canonical

EXTRACTOR_VERSION = "1"
"""Changes whenever the same answer and brands may give another observation; derived tables carry it."""

UNRESOLVED = "an opaque redirect that was not resolved"
"""The problem of a citation that has a URL all the same; its domain is the engine's title where that is a host."""


@dataclass(frozen=True, slots=True)
class _Resolved:
    url: str | None = None
    domain: str | None = None
    domain_icann: str | None = None
    brand: str | None = None
    rule: str | None = None
    unwrapped: str | None = None
    problem: str | None = None


# A frozen dataclass sets its thirteen fields one by one through object.__setattr__: 1.0 us a citation, a twelfth of a
# rebuild. A draft of the same slots that then takes the class is equal in every respect and costs 0.24 us.
_Draft = make_dataclass("_Draft", [field.name for field in fields(ResolvedCitation)], slots=True)


def _resolved_citation(*values: object) -> ResolvedCitation:
    draft: Any = _Draft(*values)
    draft.__class__ = ResolvedCitation
    return cast(ResolvedCitation, draft)


class Observer:
    """Observes answers for a fixed set of brands. Build it once; it keeps a bounded cache of URLs and their owners.

    Raises `ProjectError` for owned properties that cannot be read or that two brands share.
    """

    def __init__(self, brands: Iterable[Brand]) -> None:
        self._brands = tuple(brands)
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
        day = on if self._ownership.dated else None
        cited = [self._citation(c, day, c.level, c.start, c.end) for c in answer.citations]
        found = self._matcher.find(answer.text, question, answer.citations if answer.spans else ())
        hits = self._hits([c for c in cited if c.url is not None and c.level in CITED_LEVELS], found, answer.spans)
        cited += [self._citation(s, day, "retrieved") for s in answer.sources]
        return Observation(answer, tuple(cited), found.mentions, hits)

    # ------------------------------------------------------------ citations

    def _citation(
        self,
        c: Citation | Source,
        day: date | None,
        level: CitationLevel,
        start: int | None = None,
        end: int | None = None,
    ) -> ResolvedCitation:
        r = self._kept(c.url, day) if len(c.url) <= LONGEST_KEPT else self._resolved(c.url, day)
        if r.problem is UNRESOLVED and c.title:
            r = self._by_title(r, c.title, day)
        return _resolved_citation(
            c.url, c.position, level, r.url, r.domain, r.domain_icann, r.brand, r.rule,
            c.title, start, end, r.unwrapped, r.problem,
        )  # fmt: skip

    def _resolved(self, raw: str, day: date | None) -> _Resolved:
        url = canonical(raw)
        if not isinstance(url, Canonical):
            return _Resolved(problem=url.reason)
        if url.unresolved:
            return _Resolved(url.url, unwrapped=url.unwrapped, problem=UNRESOLVED)
        brand, rule = self._ownership.owner(url, day) or (None, None)
        return _Resolved(url.url, url.domain, url.domain_icann, brand, rule, url.unwrapped)

    def _by_title(self, redirect: _Resolved, title: str, day: date | None) -> _Resolved:
        """The owner and domain that the title names, where it is a host and nothing else."""
        host = canonical(title)
        if not isinstance(host, Canonical) or host.path != "/" or "?" in host.url:
            return redirect
        brand, rule = self._ownership.owner(host, day) or (None, None)
        return replace(redirect, domain=host.domain, domain_icann=host.domain_icann, brand=brand, rule=rule)

    # ------------------------------------------------------------ hits

    def _hits(self, counted: Sequence[ResolvedCitation], found: Found, spans: bool) -> tuple[Hit, ...]:
        """A row per brand that is cited, named, denied or ambiguous, in the order of the project's brands."""
        seen: defaultdict[str, _Counts] = defaultdict(_Counts)
        for citation in counted:
            if citation.brand is not None:
                seen[citation.brand].slots += 1
        for mention in found.mentions:
            seen[mention.brand].name(mention)
        for brand, count in found.ambiguous.items():
            seen[brand].ambiguous = count
        if not seen:
            return ()
        first = min(counted, key=_position).brand if counted else None
        earned = _earned(counted, found.mentions) if spans else None
        return tuple([seen[b].hit(b, first, earned) for b in sorted(seen, key=self._rank.__getitem__)])


@dataclass(slots=True)
class _Counts:
    slots: int = 0
    mentions: int = 0
    denied: int = 0
    ambiguous: int = 0
    order: int | None = None

    def name(self, mention: Mention) -> None:
        if mention.denied:
            self.denied += 1
        else:
            self.mentions += 1
            self.order = mention.order

    def hit(self, brand: str, first: str | None, earned: frozenset[str] | None) -> Hit:
        own = None if earned is None else brand in earned
        return Hit(brand, self.slots, brand == first, own, self.mentions, self.denied, self.ambiguous, self.order)


def _position(citation: ResolvedCitation) -> int:
    return citation.position


def _earned(counted: Sequence[ResolvedCitation], mentions: Sequence[Mention]) -> frozenset[str]:
    """Brands named in a passage that carries a counted citation of somebody else's page."""
    owners: dict[int, list[str | None]] = {}
    for citation in counted:
        owners.setdefault(citation.position, []).append(citation.brand)
    return frozenset([
        mention.brand
        for mention in mentions
        if not mention.denied and any(mention.brand != owner for at in mention.citations for owner in owners.get(at, ()))
    ])  # fmt: skip
