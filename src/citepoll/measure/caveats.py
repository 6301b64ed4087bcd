"""What to warn of before any number of a scope is read: queries left out, failures, cut and empty answers."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from citepoll.measure.context import Context
from citepoll.measure.question import Question
from citepoll.measure.scope import Scope

FAILED = 0.10
TRUNCATED = 0.05
"""Above these parts of the planned runs and of the valid answers a warning is due (HOUSE, statuses)."""


def caveats(question: Question, context: Context, scope: Scope) -> tuple[str, ...]:
    """Warnings for all rows of a scope, each once, with its counts; those of an engine begin with its name."""
    found: list[str] = []
    if scope.branded_out:
        found.append(
            f"{_count(scope.branded_out, 'branded query is', 'branded queries are')} kept out; "
            "the filter branded = true shows them"
        )
    sets = {context.cycles[cycle].set_hash for cycle in question.cycles}
    if len(sets) > 1:
        found.append("the cycles stand on different query sets: their numbers are not one trend")
    for cycle in question.cycles:
        for engine in question.engines:
            name = engine if len(question.cycles) == 1 else f"{engine}, {cycle}"
            found += [f"{name}: {text}" for text in _of_engine(question, context, scope, cycle, engine)]
    return tuple(found)


def _of_engine(question: Question, context: Context, scope: Scope, cycle: str, engine: str) -> Iterator[str]:
    answers = scope.answers.filter(pl.col("cycle") == cycle, pl.col("engine") == engine)
    if answers.is_empty():
        yield "no answers in this slice"
        return
    valid = answers.filter("valid")
    asked = context.cycles[cycle].query_ids & set(scope.queries["query_id"])
    if silent := len(asked - set(valid["query"])):
        yield f"{silent} of {_count(len(asked), 'query has', 'queries have')} no valid answer"
    planned = context.cycles[cycle].planned.get(engine, {})
    yield from _failures(question, sum(planned.get(query, 0) for query in asked), answers)
    statuses = dict(valid["status"].value_counts().iter_rows())
    truncated, empty = statuses.get("truncated", 0), statuses.get("empty", 0)
    if truncated > TRUNCATED * valid.height:
        yield f"{truncated} of {_count(valid.height, 'valid answer', 'valid answers')} cut by length"
    if empty:
        yield f"{empty} of {_count(valid.height, 'valid answer', 'valid answers')} without text"
    if hidden := int(valid["unresolved"].sum()):
        of = _count(int(valid["slots"].sum()), "citation", "citations")
        yield f"{hidden:,} of {of} could not be resolved: redirects, counted for the domain that their title names, if any"


def _failures(question: Question, runs: int, answers: pl.DataFrame) -> Iterator[str]:
    """Runs that failed, were not completed or never made, against those planned (recorded: against those there are)."""
    planned = answers.height if question.names("run") else max(answers.height, runs)
    failed = int(answers["status"].is_in(["failed", "deferred"]).sum()) + planned - answers.height
    if failed > FAILED * planned:
        yield f"{failed} of {planned} planned runs failed or were not completed ({failed / planned * 100:.0f} %)"


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
