"""Citations won and lost between two cycles, by query, engine and URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Key: TypeAlias = tuple[str, str, str]
"""(query id, engine, URL)."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A URL that the valid answers of a cell cite in one cycle and not in the other; runs citing it, of valid runs.

    `sure` where every valid run of both cycles agrees (all cite it in one, none in the other): with fewer, chance alone
    may have moved it. `owner` is the brand that owns the page.
    """

    what: Literal["won", "lost"]
    query_id: str
    engine: str
    url: str
    owner: str | None
    before: int
    before_of: int
    after: int
    after_of: int
    sure: bool


@dataclass(frozen=True, slots=True)
class Cited:
    """One cycle: runs that cite each (query, engine, URL), valid runs of each (query, engine), the owner of each URL."""

    runs: Mapping[Key, int]
    valid: Mapping[tuple[str, str], int]
    owners: Mapping[str, str]


def moved(before: Cited, after: Cited) -> tuple[Moved, ...]:
    """What was won and lost, in cells with valid answers in both cycles; the surest first, then by runs, then by name.

    A URL that both cycles cite, in however many runs, is in neither list. No common cell: empty.
    """
    found = []
    for key in before.runs.keys() | after.runs.keys():
        cell = key[:2]
        had, has = before.runs.get(key, 0), after.runs.get(key, 0)
        of_before, of_after = before.valid.get(cell, 0), after.valid.get(cell, 0)
        if not of_before or not of_after or (had and has):
            continue
        sure = max(had, has) == (of_before if had else of_after) and min(of_before, of_after) > 1
        owner = after.owners.get(key[2]) or before.owners.get(key[2])
        found.append(Moved("lost" if had else "won", *key, owner, had, of_before, has, of_after, sure))
    return tuple(
        sorted(found, key=lambda m: (not m.sure, -max(m.before, m.after), m.what, m.engine, m.url, m.query_id))
    )
