from collections import Counter

import numpy as np
import polars as pl
import pytest

from citepoll.measure.tallies import answer_tallies, brand_tallies, excluded_tallies, source_tallies
from citepoll.model import STATUSES


def asked(**facts):
    return facts


POLL = [
    asked(query="q1", cites=[("acme.com/a", "Acme"), ("acme.com/b", "Acme"), ("news.org/x", None)], names={"Acme": 2}),
    asked(query="q1", cites=[("news.org/x", None)], names={"Acme": 1}, earned=["Acme"]),
    asked(query="q1", status="truncated", cites=[("news.org/y", None), ("bolt.io", "Bolt")]),
    asked(query="q2", status="absent"),
    asked(query="q2", status="failed", cites=[("acme.com/a", "Acme")], names={"Acme": 1}),
    asked(query="q2", status="empty"),
    asked(query="q2", cites=[("acme.com/a", "Acme", "retrieved"), (None, None)]),
]


def rows(frame):
    return {tuple(row[k] for k in ("query_id", "brand", "domain") if k in row): row for row in frame.to_dicts()}


def test_answers_are_counted_by_cell(frames):
    found = rows(answer_tallies(frames(POLL).answers))
    want = {"requests": 3, "valid": 3, "triggerable": 3, "citing": 3, "all_slots": 6, "truncated": 1, "empty": 0}
    assert {k: found[("q1",)][k] for k in want} == want
    want = {"requests": 4, "valid": 2, "triggerable": 3, "citing": 0, "all_slots": 0, "truncated": 0, "empty": 1}
    assert {k: found[("q2",)][k] for k in want} == want


def test_what_is_not_valid_is_counted_by_status(frames):
    found = {(r["query_id"], r["status"]): r["excluded"] for r in excluded_tallies(frames(POLL).answers).to_dicts()}
    assert found == {("q2", "absent"): 1, ("q2", "failed"): 1}


def test_brands_are_counted_in_valid_answers_only(frames):
    tables = frames(POLL)
    found = rows(brand_tallies(tables.answers, tables.hits))
    acme = found[("q1", "Acme")]
    assert {k: acme[k] for k in ("cited", "cited_or_earned", "mentioned", "present", "first", "slots", "mentions")} == {
        "cited": 1, "cited_or_earned": 2, "mentioned": 2, "present": 2, "first": 1, "slots": 2, "mentions": 3,
    }  # fmt: skip
    assert found[("q1", "Bolt")]["first"] == 0
    assert set(found) == {("q1", "Acme"), ("q1", "Bolt")}


def test_domains_count_an_answer_once_and_slots_every_time(frames):
    tables = frames(POLL)
    found = rows(source_tallies(tables.answers, tables.citations, ["domain"]))
    assert {key: (row["cited"], row["slots"]) for key, row in found.items()} == {
        ("q1", "acme.com"): (1, 2), ("q1", "news.org"): (3, 3), ("q1", "bolt.io"): (1, 1),
    }  # fmt: skip


@pytest.mark.parametrize(
    "sources", [["domain"], ["url"], ["brand"], ["domain_icann"], ["brand", "domain"], ["level"], []]
)
def test_flags_and_distinct_answers_agree_with_a_plain_loop(frames, sources):
    poll = random_poll(np.random.default_rng(5), 120)
    tables = frames(poll)
    want, slots = Counter(), Counter()
    for run_id, one in enumerate(poll):
        cited = (
            tables.citations.filter(pl.col("run_id") == run_id).to_dicts()
            if one.get("status") in ("answered", "empty")
            else []
        )
        keys = [
            (one["engine"], one["query"], *(c[s] for s in sources))
            for c in cited
            if c["url"] and c["level"] != "retrieved" and all(c[s] is not None for s in sources)
        ]
        want.update(set(keys))
        slots.update(keys)
    for whole in (True, False):
        found = source_tallies(tables.answers, tables.citations, sources, whole=whole)
        names = ["engine", "query_id", *sources]
        assert {tuple(r[n] for n in names): r["cited"] for r in found.to_dicts()} == dict(want)
        assert {tuple(r[n] for n in names): r["slots"] for r in found.to_dicts()} == dict(slots)


def test_lazy_frames_stay_lazy_and_give_the_same(frames):
    tables = frames(POLL)
    lazy = brand_tallies(tables.answers.lazy(), tables.hits.lazy())
    assert isinstance(lazy, pl.LazyFrame)
    keys = ["query_id", "brand"]
    eager = brand_tallies(tables.answers, tables.hits)
    assert lazy.collect().sort(keys).equals(eager.sort(keys))


def test_no_answers_give_no_rows(frames):
    empty = frames([])
    assert answer_tallies(empty.answers).is_empty()
    assert brand_tallies(empty.answers, empty.hits).is_empty()
    assert source_tallies(empty.answers, empty.citations, ["domain"]).is_empty()


def random_poll(rng, size):
    sites = [("acme.com/a", "Acme"), ("acme.com/b", "Acme"), ("bolt.io/x", "Bolt"), ("news.org", None), (None, None)]
    levels = ["span", "listed", "retrieved"]
    statuses = [s for s in STATUSES if s != "truncated"]
    return [
        asked(
            engine=rng.choice(["one", "two"]).item(),
            query=f"q{rng.integers(6)}",
            status=rng.choice(statuses, p=[0.6, *[0.4 / 6] * 6]).item(),
            cites=[(*sites[rng.integers(5)], rng.choice(levels).item()) for _ in range(rng.integers(5))],
        )
        for _ in range(size)
    ]
