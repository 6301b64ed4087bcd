"""Laws of the read side on random polls, and its counts against a plain loop."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citepoll.measure.context import EngineFacts
from citepoll.measure.evaluate import evaluate
from citepoll.measure.intervals import blended
from citepoll.measure.metrics import METRICS
from citepoll.model import STATUSES, VALID, Slice

SITES = [("acme.com/a", "Acme"), ("acme.com/b", "Acme"), ("bolt.io/x", "Bolt"), ("news.org/x", None), (None, None)]
LEVELS = ["span", "listed", "retrieved"]
few = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 2**32 - 1)


def random_poll(seed, size=60):
    rng = np.random.default_rng(seed)
    return [
        {
            "engine": ["one", "two", "three"][rng.integers(3)],
            "query": f"q{rng.integers(5)}",
            "status": STATUSES[rng.choice(8, p=[0.51, *[0.07] * 7])],
            "cites": [(*SITES[rng.integers(5)], LEVELS[rng.integers(3)]) for _ in range(rng.integers(5))],
            "names": {"Acme": int(rng.integers(1, 3))} if rng.random() < 0.3 else {},
            "spans": bool(rng.random() < 0.7),
        }
        for _ in range(int(rng.integers(size + 1)))
    ]


@given(seeds)
@few
def test_what_counts_and_what_is_excluded_make_all_requests(frames, project, seed):
    poll = random_poll(seed)
    shares = tuple(name for name, metric in METRICS.items() if metric.estimator in ("share", "ratio"))
    result = evaluate(frames(poll), Slice(metrics=shares), project("one", "two", "three"))
    for row in result.rows:
        if row.dimensions["engine"] != "blended":
            requests = sum(p["engine"] == row.dimensions["engine"] for p in poll)
            assert row.estimate.n + sum(row.estimate.excluded.values()) == requests


@given(seeds, st.sampled_from([("brand",), ("domain",), ("url", "brand"), ("query",), ("citation_level",), ("run",)]))
@few
def test_a_share_lies_in_its_interval_and_both_in_zero_to_one(frames, project, seed, by):
    names = ["share_of_citation", "slot_share", "share_over_all_requests"]
    result = evaluate(frames(random_poll(seed)), Slice(metrics=tuple(names), by=by), project("one", "two", "three"))
    for row in result.rows:
        e = row.estimate
        assert (e.value is None) == (e.low is None) == (e.high is None) == (e.reason is not None)
        assert e.value is None or 0 <= e.low <= e.value <= e.high <= 1


@given(seeds, st.permutations(["engine in (one, two)", "query != q1", "run <= 2", "domain ~ C", "brand = Acme"]))
@few
def test_filters_commute(frames, project, seed, clauses):
    tables, context = frames(random_poll(seed)), project("one", "two", "three")
    one = evaluate(tables, Slice(where=" and ".join(clauses)), context)
    other = evaluate(tables, Slice(where=" and ".join(reversed(clauses))), context)
    assert one.rows == other.rows
    assert one.warnings == other.warnings


@given(seeds, st.sampled_from(["brand", "domain", "url", "citation_level"]))
@few
def test_counts_equal_a_plain_loop(frames, project, seed, field):
    poll = random_poll(seed)
    result = evaluate(frames(poll), Slice(by=("engine", field)), project("one", "two", "three"))
    found = {(r.dimensions["engine"], r.dimensions[field]): r.estimate for r in result.rows}
    for (engine, name), estimate in found.items():
        if engine != "blended" and estimate.value is not None:
            answers = [p for p in poll if p["engine"] == engine and p["status"] in VALID]
            hits = sum(any(name == value_of(c, field) for c in counted(p)) for p in answers)
            assert (estimate.cited, estimate.n, estimate.pooled) == (
                hits,
                len(answers),
                pytest.approx(hits / len(answers)),
            )
    seen = {(p["engine"], value_of(c, field)) for p in poll if p["status"] in VALID for c in counted(p)}
    assert {key for key in seen if key[1] is not None} <= set(found)


def counted(asked):
    return [c for c in asked["cites"] if c[0] is not None and c[2] != "retrieved"]


def value_of(cite, field):
    return {"brand": cite[1], "domain": cite[0].split("/")[0], "url": cite[0], "citation_level": cite[2]}[field]


@given(seeds)
@few
def test_blended_rows_equal_the_public_function(frames, project, seed):
    poll, engines = random_poll(seed, 120), ("one", "two", "three")
    facts = {"one": EngineFacts("api", 5.0), "two": EngineFacts("api", 3.0), "three": EngineFacts("api", 2.0)}
    result = evaluate(frames(poll), Slice(by=("domain",)), project(*engines, **facts))
    valid = [p for p in poll if p["status"] in VALID]
    cells = {e: [[p for p in valid if (p["engine"], p["query"]) == (e, f"q{q}")] for q in range(5)] for e in engines}
    runs = {e: [len(cell) for cell in row] for e, row in cells.items()}
    for row in result.rows:
        if row.dimensions["engine"] == "blended" and row.dimensions["domain"] is not None:
            name = row.dimensions["domain"]
            cited = {
                e: [sum(any(value_of(c, "domain") == name for c in counted(p)) for p in cell) for cell in cells[e]]
                for e in engines
            }
            want = blended(cited, runs, {"one": 0.5, "two": 0.3, "three": 0.2}, target=row.estimate.target)
            numbers = ("value", "low", "high", "n", "n_queries", "cited", "n_effective")
            for field in numbers:
                assert getattr(row.estimate, field) == pytest.approx(getattr(want, field)), field
            assert (row.estimate.method, row.estimate.reason) == (want.method, want.reason)


@given(seeds)
@few
def test_lazy_tables_give_the_same(frames, project, seed):
    tables, context = frames(random_poll(seed)), project("one", "two", "three")
    lazy = type(tables)(*(getattr(tables, name).lazy() for name in ("answers", "citations", "hits", "queries")))
    asked_for = Slice(metrics=("share_of_citation", "slot_share"), by=("domain",))
    assert evaluate(lazy, asked_for, context) == evaluate(tables, asked_for, context)
