"""The class of every cited source as a column, for slices that ask for it."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from citepoll.explain.sources import CLASSES, SourceTable, with_classes
from citepoll.measure.context import Frames
from citepoll.measure.slices import known, parse_where
from citepoll.model import Slice
from citepoll.project import Project

FIELD = "source_class"
_ADDRESS = ("url", "domain", "problem", "brand")


def classed(project: Project, slice: Slice, frames: Frames) -> Frames:
    """The frames with `source_class` on citations where the slice names it, else as they are.

    It follows from the project file and the package's table at the time of asking, so it is never stored. Raises
    `SliceError` for a filter on a class that is not known, `ProjectError` for an override that cannot be read.
    """
    filters = [found for found in parse_where(slice.where) if found.field == FIELD]
    for found in filters:
        for name in found.names:
            known("source class", str(name), CLASSES)
    if not filters and FIELD not in slice.by:
        return frames
    return replace(frames, citations=with_class(project, frames.citations.lazy()))


def with_class(project: Project, citations: pl.LazyFrame) -> pl.LazyFrame:
    """Citations with their `source_class`; null where there is no URL. Every distinct address is classed once."""
    citations = citations.with_columns(pl.col(_ADDRESS).cast(pl.String))
    found = with_classes(citations.select(_ADDRESS).unique().collect(), project.tracked.name, overrides(project))
    return citations.join(found.select(*_ADDRESS, FIELD).lazy(), on=_ADDRESS, how="left", nulls_equal=True)


def overrides(project: Project) -> SourceTable:
    """The `[[source]]` entries of citepoll.toml."""
    return SourceTable((rule.domain, rule.class_, rule.reason) for rule in project.sources)
