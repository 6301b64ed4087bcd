"""Ownership: which brand a URL counts for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from urllib.parse import unquote

from citepoll.errors import ProjectError
from citepoll.model import Brand, Property
from citepoll.urls import Canonical, canonical, is_suffix


@dataclass(frozen=True, slots=True)
class _Rule:
    brand: str
    written: str
    host: str
    domain: str
    segments: tuple[str, ...]
    valid_from: date
    valid_to: date

    def holds(self, url: Canonical, segments: tuple[str, ...], on: date) -> bool:
        return (
            url.domain == self.domain
            and segments[: len(self.segments)] == self.segments
            and self.valid_from <= on <= self.valid_to
        )

    def ties(self, other: _Rule) -> bool:
        """Whether both claim the same place on a common day."""
        return self.brand != other.brand and self.valid_from <= other.valid_to and other.valid_from <= self.valid_to


class Ownership:
    """The owned properties of all brands; a URL has at most one owner.

    Raises `ProjectError` for a rule that is no domain or path prefix, and where two brands claim the same place at once.
    """

    def __init__(self, brands: Iterable[Brand]) -> None:
        self._rules: dict[str, list[_Rule]] = {}
        for brand in brands:
            for owned in brand.owns:
                self._add(_rule(brand.name, owned))
        for rules in self._rules.values():
            rules.sort(key=lambda rule: -len(rule.segments))
        every = [rule for rules in self._rules.values() for rule in rules]
        self.dated = any(rule.valid_from > date.min or rule.valid_to < date.max for rule in every)

    def owner(self, url: Canonical, on: date | None = None) -> tuple[str, str] | None:
        """The brand that owns `url` on that day and the rule as written, or None. The longest matching rule wins.

        Without a day, the owners are those of the rules that have not ended.
        """
        day = on or date.max
        segments: tuple[str, ...] | None = None
        host = url.host
        while host:
            for rule in self._rules.get(host, ()):
                segments = _segments(url.path) if segments is None else segments
                if rule.holds(url, segments, day):
                    return rule.brand, rule.written
            host = host.partition(".")[2]
        return None

    def _add(self, rule: _Rule) -> None:
        rules = self._rules.setdefault(rule.host, [])
        for other in rules:
            if other.segments == rule.segments and other.ties(rule):
                raise ProjectError(
                    f"{other.brand} (`{other.written}`) and {rule.brand} (`{rule.written}`) both own"
                    f" {'/'.join((rule.host, *rule.segments))}.",
                    "Leave it with one of them, or give each the days on which it held (valid_from, valid_to).",
                )
        rules.append(rule)


_BARE = re.compile(r"[\w.-]+(/\S*)?")


def _rule(brand: str, owned: Property) -> _Rule:
    fix = "Write a domain or a path prefix, such as acme.com, docs.acme.com or github.com/acme."
    place = owned.rule.strip().removeprefix("*.")
    url = canonical(f"https://{place}" if _BARE.fullmatch(place) else place)
    if not isinstance(url, Canonical):
        raise ProjectError(f"{brand} cannot own `{owned.rule}`: {url.reason}.", fix)
    if "?" in url.url or "#" in owned.rule or url.unwrapped or url.unresolved:
        raise ProjectError(f"{brand} cannot own `{owned.rule}`: it has a query or a fragment, or is a redirect.", fix)
    if "." not in url.host:
        raise ProjectError(f"{brand} cannot own `{owned.rule}`: it is no domain.", fix)
    if is_suffix(url.host):
        raise ProjectError(f"{brand} cannot own `{owned.rule}`: it is a suffix that many share.", fix)
    start, end = owned.valid_from or date.min, owned.valid_to or date.max
    if start > end:
        raise ProjectError(f"{brand} owns `{owned.rule}` from {start} to {end}, which is never.", "Swap the two dates.")
    return _Rule(brand, owned.rule, url.host.removeprefix("www."), url.domain, _segments(url.path), start, end)


def _segments(path: str) -> tuple[str, ...]:
    """Segments for comparison: unescaped, without regard to case, empty ones left out."""
    return tuple(unquote(segment).casefold() for segment in path.split("/") if segment)
