"""What a check of a query set or a plan has to say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from citepoll.model import Query

Severity = Literal["error", "warning", "note"]
"""error: no poll can use it; warning: it changes what a number means; note: good to know."""

_SHOWN = 3
_WIDTH = 80


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark: a stable code, the queries that it is about (none: the whole set or plan), its cause and its fix."""

    code: str
    severity: Severity
    query_ids: tuple[str, ...]
    cause: str
    fix: str

    @property
    def sentence(self) -> str:
        """Cause, then fix."""
        return f"{self.cause} {self.fix}"


def finding(code: str, severity: Severity, queries: Iterable[Query], cause: str, fix: str) -> Finding:
    """A finding about `queries`."""
    return Finding(code, severity, tuple(query.id for query in queries), cause, fix)


def quoted(queries: Sequence[Query]) -> str:
    """Up to three texts in quotation marks, long ones cut, and how many more there are."""
    shown = ", ".join(f"“{_cut(query.text)}”" for query in queries[:_SHOWN])
    more = len(queries) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def counted(number: int, singular: str, plural: str) -> str:
    """`1 query`, `3 queries`."""
    return f"{number} {singular if number == 1 else plural}"


def _cut(text: str) -> str:
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1].rstrip() + "…"
