"""What kind of source is cited, how concentrated citations are, and which pages name competitors only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal
from urllib.parse import unquote

import polars as pl

from citepoll.errors import InputError, ProjectError
from citepoll.urls import Canonical, canonical

SourceClass = Literal[
    "owned", "competitor", "earned_media", "review_platform", "community", "video", "social", "reference",
    "government_education", "retail_marketplace", "vendor_blog", "other",
]  # fmt: skip
Ground = Literal["brand", "override", "table", "rule", "fallback"]

CLASSES: Mapping[SourceClass, str] = {
    "owned": "the tracked brand's own properties",
    "competitor": "the properties of the other brands of the project",
    "earned_media": "news, magazines, trade press, analysts, test laboratories and editorial product reviewers, guides,"
    " recipe sites and blogs under a domain of their own, and publishers of information that live from readers, on"
    " health as on anything else: an editor decides",
    "review_platform": "places where customers or directories rate firms, products, places and works, local directories"
    " included",
    "community": "what anyone may post: forums, questions and answers, mailing lists, shared code and documents, and"
    " blogs on blog platforms, since one person speaks there and no editor decides",
    "video": "video platforms and streaming services",
    "social": "social networks",
    "reference": "works to look things up in: encyclopaedias, dictionaries, databases, standards, how-to and teaching"
    " texts, documentation of open projects, medical reference (that of hospitals and health charities"
    " included), journals, their publishers and preprint servers, since nobody wins a place there by outreach",
    "government_education": "governments, armed forces, public bodies, organisations of states, universities, schools",
    "retail_marketplace": "sellers of what others make: shops, marketplaces, app stores, booking and ticket sites,"
    " property and vehicle portals, and comparisons of prices or tariffs that lead to an order",
    "vendor_blog": "a company's own site, blog or documentation: it sells what it makes or does itself, its own shop"
    " included, from makers and software houses to banks, airlines, hotels, restaurants, law firms and clinics",
    "other": "charities, associations, think tanks, museums, sport, religion, tourist boards, paid press-release wires,"
    " rented hosting, audio, search engines",
}
"""Every class and what it holds. A site belongs where its readers use it, whatever the legal form of its owner."""

# The other two follow from the brands of the project, so that no table may give them.
_GIVEN: Mapping[str, SourceClass] = {name: name for name in CLASSES if name not in ("owned", "competitor")}
_WWW = "www."


@dataclass(frozen=True, slots=True)
class Classed:
    """The class of a source and why. `ground` says what decided; `fallback` is a guess from the kind of address."""

    source_class: SourceClass
    reason: str
    ground: Ground


@dataclass(frozen=True, slots=True)
class Concentration:
    """How concentrated slots are on sources. `hhi` from 1/n to 1, `effective` from 1 to n; both None without a slot."""

    hhi: float | None
    effective: float | None
    sources: int
    slots: int


# ---------------------------------------------------------------- tables of sources


class SourceTable:
    """Sources with their class and reason; the longest pattern that covers an address decides.

    A pattern is a domain or host with all below it (`acme.com`), one with a path prefix (`acme.com/forum`), or a
    name under any public suffix (`acme.*`). A longer host wins over a longer path. Raises `ProjectError` for a
    pattern that is none of these or stands twice, and for an unknown class.
    """

    def __init__(self, rows: Iterable[tuple[str, str, str]], ground: Ground = "override") -> None:
        self._classed: dict[str, Classed] = {}
        for pattern, name, reason in rows:
            key = _key(pattern)
            if key in self._classed:
                raise ProjectError(f"The source `{pattern}` stands twice.", "Give each source one entry.")
            self._classed[key] = Classed(_source_class(pattern, name), reason, ground)
        self._deepest = _deepest(self._classed)

    @classmethod
    def of_canonical(cls, rows: Iterable[list[str]], ground: Ground) -> SourceTable:
        """The table of rows whose patterns are canonical and stand once, which is not looked at again.

        Raises `ProjectError` for an unknown class.
        """
        table = cls(())
        shared: dict[tuple[str, str], Classed] = {}
        for pattern, name, reason in rows:
            classed = shared.get((name, reason))
            if classed is None:
                classed = shared[name, reason] = Classed(_source_class(pattern, name), reason, ground)
            table._classed[pattern] = classed
        table._deepest = _deepest(table._classed)
        return table

    def __len__(self) -> int:
        return len(self._classed)

    def find(self, url: Canonical) -> Classed | None:
        """The entry with the longest pattern that covers `url`, or None."""
        if not self._classed:
            return None
        return next((self._classed[key] for key in self._keys(url) if key in self._classed), None)

    def _keys(self, url: Canonical) -> Iterator[str]:
        """Every pattern that covers `url`, the longest host first, below it the longest path."""
        segments = _segments(url.path)[: self._deepest]
        suffix = url.domain_icann.partition(".")[2]
        host = url.host.removeprefix(_WWW)
        while host:
            for depth in range(len(segments), 0, -1):
                yield "/".join((host, *segments[:depth]))
            yield host
            if suffix and host.endswith("." + suffix):
                yield f"{host.removesuffix(suffix)}*"
            host = host.partition(".")[2]


def _deepest(patterns: Iterable[str]) -> int:
    return max((pattern.count("/") for pattern in patterns if "/" in pattern), default=0)


def _key(pattern: str) -> str:
    fix = "Write a domain, a domain with a path, or a name under any suffix: acme.com, acme.com/forum, acme.*."
    written = pattern.strip().lower()
    name = written.removesuffix(".*")
    url = canonical(f"{name}.com" if name != written else name)
    if not isinstance(url, Canonical) or "?" in url.url or (name != written and "/" in name):
        raise ProjectError(f"`{pattern}` names no source.", fix)
    host = url.host.removeprefix(_WWW)
    return f"{host.removesuffix('.com')}.*" if name != written else "/".join((host, *_segments(url.path)))


def _source_class(pattern: str, name: str) -> SourceClass:
    found = _GIVEN.get(name)
    if found is None:
        raise ProjectError(f"The source `{pattern}` has the class {name!r}.", f"Classes are {', '.join(_GIVEN)}.")
    return found


def _segments(path: str) -> tuple[str, ...]:
    return tuple(unquote(segment).casefold() for segment in path.split("/") if segment)


_NONE = SourceTable(())


@cache
def source_table() -> SourceTable:
    """The table of well-known sources that comes with the package, read once."""
    return SourceTable.of_canonical(_lines("source_classes.tsv"), "table")


# ---------------------------------------------------------------- rules for the rest


@dataclass(frozen=True, slots=True)
class _Rule:
    """`part` of the address (host, name, path) that `pattern` is looked for in, and the class where it is found."""

    part: str
    pattern: re.Pattern[str]
    classed: Classed


@cache
def _rules(*, before: bool) -> tuple[_Rule, ...]:
    """The rules to try before the table (a forum on a company's site), or those after it; the last one always holds."""
    return tuple(_rule(*line) for line in _lines("source_rules.tsv") if (line[0] == "before") is before)


def _rule(when: str, part: str, pattern: str, name: str, reason: str) -> _Rule:
    classed = Classed(_source_class(pattern, name), reason, "fallback" if when == "last" else "rule")
    return _Rule(part, re.compile(pattern), classed)


def _by_rule(url: Canonical, *, before: bool) -> Iterator[Classed]:
    """What the rules that hold say, in their order. `name` is the registrable domain without its suffix."""
    name = url.domain_icann.partition(".")[0]
    parts = {"host": url.host.removeprefix(_WWW), "name": name, "path": url.path.lower()}
    return (rule.classed for rule in _rules(before=before) if rule.pattern.search(parts[rule.part]))


def _lines(name: str) -> Iterator[list[str]]:
    text = files("citepoll.explain").joinpath(name).read_text("utf-8")
    return (line.split("\t") for line in text.splitlines()[1:])


# ---------------------------------------------------------------- the class of a source


def classify(
    place: str, brand: str | None = None, tracked: str | None = None, overrides: SourceTable = _NONE
) -> Classed:
    """The class of a URL or domain, and why: its owner, the project's overrides, the table, the rules, in this order.

    `brand` is the owner as extraction found it, or None; `tracked` names the tracked brand, any other owner is a
    competitor. A forum on a known site is a community, whatever the site. What no rule knows is taken for a
    company's own site, under .org and its like for an organisation's, with the ground `fallback`.
    Raises `InputError` for a text that is no address.
    """
    if brand is not None:
        return Classed("owned" if brand == tracked else "competitor", f"owned by {brand}", "brand")
    url = canonical(place)
    if not isinstance(url, Canonical):
        raise InputError(f"{place[:80]!r} is no address: {url.reason}.", "Give a URL or a domain.")
    return (
        overrides.find(url)
        or next(_by_rule(url, before=True), None)
        or source_table().find(url)
        or next(_by_rule(url, before=False))
    )


def with_classes(citations: pl.DataFrame, tracked: str | None, overrides: SourceTable = _NONE) -> pl.DataFrame:
    """The table `citations` with `source_class`, `source_reason` and `source_ground`; null where there is no URL.

    Rows and their order stay. An unresolved redirect is classed by the domain that its title names.
    """
    redirect = pl.col("problem").is_not_null() & pl.col("url").is_not_null()
    place = pl.when(redirect).then(pl.coalesce("domain", "url")).otherwise(pl.col("url")).alias("_place")
    placed = citations.with_columns(place)
    seen = placed.select("_place", "brand").drop_nulls("_place").unique()
    classed = [classify(at, brand, tracked, overrides) for at, brand in seen.iter_rows()]
    found = seen.with_columns(
        pl.Series("source_class", [c.source_class for c in classed], pl.String),
        pl.Series("source_reason", [c.reason for c in classed], pl.String),
        pl.Series("source_ground", [c.ground for c in classed], pl.String),
    )
    joined = placed.join(found, on=["_place", "brand"], how="left", nulls_equal=True, maintain_order="left")
    return joined.drop("_place")


# ---------------------------------------------------------------- concentration


def concentration(slots: Iterable[int]) -> Concentration:
    """Herfindahl–Hirschman index, the sum of squared shares of slots, and 1 / HHI, the effective number of sources.

    1 / HHI is how many sources with equal shares would give the same index (Laakso and Taagepera 1979; Hill's number
    of order 2, 1973). With few slots HHI comes out too high, by about (1 - HHI) / slots: compare engines at like
    numbers. `slots` holds a count per source; sources without a slot count for nothing. No slot at all: both null.
    Raises `InputError` for a negative count.
    """
    counts = [count for count in slots if count != 0]
    if any(count < 0 for count in counts):
        raise InputError("A source has fewer than no slots.", "Give the number of slots per source.")
    total = sum(counts)
    if total == 0:
        return Concentration(None, None, 0, 0)
    squares = sum(count * count for count in counts)
    return Concentration(squares / total**2, total**2 / squares, len(counts), total)
