"""The words of citepoll as a user reads them, from glossary.toml and the tables in the code; for docs and dashboard."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, get_args

from citepoll.measure.grades import BANDS, DECISION, DIRECTIONAL, Requirement
from citepoll.measure.metrics import METRICS
from citepoll.model import FINAL, STATUSES, VALID, CitationLevel, Surface, Target


@dataclass(frozen=True, slots=True)
class Words:
    """One table of the glossary: `lead` says what to read it as; the cells of `rows` are text, names of code in backticks."""

    title: str
    lead: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@cache
def glossary() -> tuple[Words, ...]:
    """The words first, under an empty title; then statuses, levels, surfaces, targets, metrics, bands and grades."""
    data = _data()
    return (
        Words("", "", ("word", "meaning", "not to be taken for"), tuple(_words(data["word"]))),
        Words(
            "Statuses of a run",
            "Valid answers are counted; the others are excluded, and counted by status beside every number. A final "
            "status is never asked again; the others may be, by `citepoll poll --retry-failed`.",
            ("status", "valid", "final", "when"),
            tuple(_statuses(data["status"])),
        ),
        Words("Levels of a citation", "", ("level", "meaning"), tuple(_named(get_args(CitationLevel), data["level"]))),
        Words("Surfaces of an engine", "", ("surface", "meaning"), tuple(_named(get_args(Surface), data["surface"]))),
        Words(
            "Targets of an interval",
            "",
            ("target", "question that it answers"),
            tuple(_named(get_args(Target), data["target"])),
        ),
        Words(
            "Metrics",
            "",
            ("name", "metric", "formula"),
            tuple((f"`{m.name}`", m.label, m.formula) for m in METRICS.values()),
        ),
        Words(
            "Bands of a share",
            "A band is named for the interval, not for the value: one that reaches over two bands is between them.",
            ("share", "band"),
            tuple(_bands()),
        ),
        Words(
            "Grades of evidence",
            "How far a share may be used, never whether it is good. A grade holds where every line of it does.",
            ("grade", "queries with data", "runs per query", "category interval", "failed runs", "and"),
            tuple(_grades()),
        ),
    )


def meaning(table: str, name: str) -> str:
    """What a `status`, a `level` of citations, a `surface` or a `target` means, in a sentence. Raises `KeyError`."""
    return str(_data()[table][name])


@cache
def _data() -> Mapping[str, Any]:
    return tomllib.loads((files("citepoll.report") / "glossary.toml").read_text("utf-8"))


def _words(words: Iterable[Mapping[str, str]]) -> Iterator[tuple[str, ...]]:
    for word in sorted(words, key=lambda word: word["name"].casefold()):
        yield word["name"], word["meaning"], word.get("not", "")


def _statuses(when: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    for status, text in _named(STATUSES, when):
        name = status.strip("`")
        yield status, "yes" if name in VALID else "no", "yes" if name in FINAL else "no", text


def _named(names: Sequence[str], meanings: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Name and meaning of each; a KeyError where the file and the code do not name the same."""
    if set(names) != set(meanings):
        raise KeyError(f"glossary.toml has {sorted(meanings)}, the code {sorted(names)}")
    for name in names:
        yield f"`{name}`", meanings[name]


def _bands() -> Iterator[tuple[str, str]]:
    starts = [start for start, _ in BANDS]
    for (start, name), end in zip(BANDS, [*starts[1:], None], strict=True):
        yield f"{start * 100:.0f} % and more" if end is None else f"{start * 100:.0f} to {end * 100:.0f} %", name


def _grades() -> Iterator[tuple[str, ...]]:
    yield "exploratory", "any", "any", "any", "any", ""
    for need in (DIRECTIONAL, DECISION):
        yield (
            need.grade,
            f"{need.queries} and more",
            f"{need.runs} and more",
            f"± {need.half_width * 100:.0f} points at most, as planned",
            f"{need.failed * 100:.0f} % at most",
            _further(need),
        )


def _further(need: Requirement) -> str:
    days = f"runs on {need.days} days or more" if need.days > 1 else ""
    return "; ".join(part for part in (days, "the query set of the cycle before" if need.same_set else "") if part)
