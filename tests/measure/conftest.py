"""Derived tables made by hand, for tests of the read side."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl
import pytest

from citepoll.measure.context import Context, CycleFacts, EngineFacts, Frames

VALID = ("answered", "truncated", "empty")


@dataclass
class Asked:
    """One answer: `cites` are (url, brand) or (url, brand, level), `names` counts mentions, `earned` names brands."""

    engine: str = "one"
    query: str = "q1"
    cites: Sequence[tuple] = ()
    names: dict[str, int] = field(default_factory=dict)
    earned: Sequence[str] = ()
    status: str = "answered"
    cycle: str = "c1"
    spans: bool = True
    day: date | None = None


@pytest.fixture(scope="session")
def frames():
    return make_frames


@pytest.fixture(scope="session")
def project():
    return make_project


def make_frames(asked: Sequence[dict], queries: dict[str, dict] | None = None) -> Frames:
    """The four tables from the facts of `Asked`; run numbers count up within cycle, engine and query.

    `queries` gives attributes of queries by id, those without an answer among them.
    """
    asked = [Asked(**facts) for facts in asked]
    runs, answers, citations, hits = Counter(), [], [], []
    for run_id, one in enumerate(asked):
        cell = (one.cycle, one.engine, one.query)
        runs[cell] += 1
        cited = [(*c, "listed")[:3] for c in one.cites]
        counted = [c for c in cited if c[0] is not None and c[2] != "retrieved"]
        valid = one.status in VALID
        answers.append((run_id, *cell, runs[cell], one.status, valid, len(counted), 0, 0, one.spans, one.day))
        citations += _citations(run_id, cited)
        hits += _hits(run_id, counted, one)
    known = {one.query: {} for one in asked} | (queries or {})
    return Frames(
        _frame(answers, ANSWERS), _frame(citations, CITATIONS), _frame(hits, HITS),
        _frame([_query(key, values) for key, values in known.items()], QUERIES),
    )  # fmt: skip


def make_project(*engines: str, brands=("Acme", "Bolt"), cycles=("c1",), queries=(), **facts) -> Context:
    """A project whose engines are API ones; `facts` are EngineFacts by name, or mix_surfaces."""
    mix = facts.pop("mix_surfaces", False)
    return Context(
        brands=brands,
        tracked="Acme",
        engines={name: facts.get(name, EngineFacts("api")) for name in engines or ("one",)},
        cycles={name: CycleFacts("sha256:1", frozenset(queries)) for name in cycles},
        mix_surfaces=mix,
    )


def _citations(run_id: int, cited: Sequence[tuple]) -> list[tuple]:
    seen: set[tuple] = set()
    rows = []
    for position, (url, brand, level) in enumerate(cited, 1):
        domain = url.split("/")[0] if url else None
        icann = ".".join(domain.split(".")[-2:]) if domain else None
        counts = url is not None and level != "retrieved"
        keys = [("url", url), ("domain", domain), ("icann", icann), ("brand", brand)]
        new = [counts and key[1] is not None and key not in seen for key in keys]
        seen |= set(keys) if counts else set()
        rows.append((run_id, position, level, url, domain, icann, brand, *new))
    return rows


def _hits(run_id: int, counted: Sequence[tuple], one: Asked) -> list[tuple]:
    slots = Counter(brand for _, brand, _ in counted if brand)
    first = counted[0][1] if counted else None
    return [
        (run_id, b, slots[b], first == b, b in one.earned if one.spans else None, one.names.get(b, 0))
        for b in dict.fromkeys([*slots, *one.names, *one.earned])
    ]


def _query(key: str, values: dict) -> tuple:
    return (
        key, values.get("text", f"text of {key}"), values.get("language", "en"), values.get("market", "US"),
        values.get("intent"), values.get("topic"), values.get("branded", False),
    )  # fmt: skip


def _frame(rows: Sequence[tuple], schema: dict) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema, orient="row")


ANSWERS = {
    "run_id": pl.UInt32, "cycle": pl.String, "engine": pl.String, "query_id": pl.String, "run": pl.UInt16,
    "status": pl.String, "valid": pl.Boolean, "slots": pl.UInt16, "malformed": pl.UInt16, "unresolved": pl.UInt16,
    "spans": pl.Boolean, "day": pl.Date,
}  # fmt: skip
CITATIONS = {
    "run_id": pl.UInt32, "position": pl.UInt16, "level": pl.String, "url": pl.String, "domain": pl.String,
    "domain_icann": pl.String, "brand": pl.String, "new_url": pl.Boolean, "new_domain": pl.Boolean,
    "new_domain_icann": pl.Boolean, "new_brand": pl.Boolean,
}  # fmt: skip
HITS = {
    "run_id": pl.UInt32, "brand": pl.String, "slots": pl.UInt16, "first": pl.Boolean, "earned": pl.Boolean,
    "mentions": pl.UInt16,
}  # fmt: skip
QUERIES = {
    "query_id": pl.String, "text": pl.String, "language": pl.String, "market": pl.String, "intent": pl.String,
    "topic": pl.String, "branded": pl.Boolean,
}  # fmt: skip
