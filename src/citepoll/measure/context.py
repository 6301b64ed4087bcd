"""What the read side is given: the derived tables, and the facts about the project that they do not hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import polars as pl

from citepoll.model import Surface

Table: TypeAlias = pl.DataFrame | pl.LazyFrame


@dataclass(frozen=True, slots=True)
class Frames:
    """The derived tables of the cycles at hand; eager or lazy."""

    answers: Table
    citations: Table
    hits: Table
    queries: Table


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """`weight`: its part of the audience, on any scale."""

    surface: Surface
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class CycleFacts:
    """The query set of a cycle: its hash, the ids in it; `previous_hash` is the set of the cycle before, if any.

    `planned` is engine → query id → runs, empty for recorded answers.
    """

    set_hash: str | None = None
    query_ids: frozenset[str] = frozenset()
    previous_hash: str | None = None
    simulated: bool = False
    planned: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Context:
    """The project: brands in its order and the tracked one, engines in its order, cycles from old to new."""

    brands: tuple[str, ...]
    tracked: str
    engines: Mapping[str, EngineFacts]
    cycles: Mapping[str, CycleFacts] = field(default_factory=dict)
    mix_surfaces: bool = False

    @property
    def ordered_brands(self) -> tuple[str, ...]:
        """The tracked brand, then the others in the project's order."""
        return (self.tracked, *(brand for brand in self.brands if brand != self.tracked))
