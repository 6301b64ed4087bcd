import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citepoll.hashing import content_hash
from citepoll.model import Engine, Query, QuerySet
from citepoll.store import imports, schema
from citepoll.store.imports import Entered, Incoming
from citepoll.store.ledger import run_key


def incoming(key, *, engine="atlas", query="q", run=1, ref=None, status="answered"):
    body = f'{{"key": "{key}"}}'.encode()
    asked = Query(query, ref=ref)
    return Incoming(Engine(engine, engine, "recorded"), asked, status, run, None, content_hash(key), body)


@pytest.fixture
def cycle(ledger, at):
    return ledger.create("2026-11", "recorded", (), "seed", at)


def close(ledger, cycle, at):
    imports.number_further(ledger, cycle)
    queries = QuerySet(imports.asked_queries(ledger, cycle))
    imports.close_import(ledger, cycle, queries, at, numbered=True, detail={"file": "a.jsonl"})
    return ledger.cycle(cycle.name)


def runs(ledger, cycle):
    return [(k.engine, k.query_id, k.number, k.body) for k in ledger.kept(cycle, limit=10_000)]


def test_rows_become_runs_in_file_order(ledger, cycle, at):
    rows = [incoming(n, run=n, query=f"q{n % 2}") for n in range(1, 6)]
    assert imports.enter(ledger, cycle, rows) == Entered(5, 0, 0)
    closed = close(ledger, cycle, at)
    assert [(k.number, k.body) for k in ledger.kept(closed)] == [(r.run, r.body) for r in rows]
    assert [q.text for q in imports.asked_queries(ledger, cycle)] == ["q1", "q0"]
    assert (closed.status, closed.set_hash) == ("closed", ledger.current().hash)


def test_a_row_that_is_there_already_stays_as_it_is(ledger, cycle):
    rows = [incoming(n, run=n) for n in (1, 2)]
    imports.enter(ledger, cycle, [*rows, rows[0]])
    assert imports.enter(ledger, cycle, [*rows, incoming(3, run=3)]) == Entered(1, 2, 0)
    assert ledger.revision(cycle)[0] == 3


def test_a_taken_run_and_one_without_a_number_become_further_runs(ledger, cycle, at):
    rows = [
        incoming("a", run=2),
        incoming("b", run=2),
        incoming("c", run=None),
        incoming("d", run=1),
        incoming("e", run=5),
    ]
    assert imports.enter(ledger, cycle, rows) == Entered(5, 0, 1)
    closed = close(ledger, cycle, at)
    numbers = {k.body[9:10]: k.number for k in ledger.kept(closed)}
    assert numbers == {b"a": 2, b"b": 6, b"c": 7, b"d": 1, b"e": 5}
    with ledger.reading() as link:
        assert set(link.execute(sa.select(schema.runs.c.key)).scalars()) == {
            run_key("2026-11", "atlas", Query("q").id, n) for n in (1, 2, 5, 6, 7)
        }


def test_cells_are_numbered_apart(ledger, cycle, at):
    rows = [incoming(f"{e}{q}{n}", engine=e, query=q, run=1) for n in (1, 2) for q in "pq" for e in ("atlas", "beacon")]
    assert imports.enter(ledger, cycle, rows).further == 4
    closed = close(ledger, cycle, at)
    assert sorted(k.number for k in ledger.kept(closed)) == [1] * 4 + [2] * 4


def test_a_cycle_with_a_part_of_a_file_is_open(ledger, cycle, at):
    imports.enter(ledger, cycle, [incoming(1)])
    close(ledger, cycle, at)
    imports.enter(ledger, cycle, [incoming(1)])
    assert ledger.cycle("2026-11").status == "closed"
    imports.enter(ledger, cycle, [incoming(2)])
    assert ledger.cycle("2026-11").status == "open"


def test_ids_of_the_file_are_kept_and_their_conflicts_counted(ledger, cycle):
    refs = [("q", "1"), ("q", "2"), ("r", "2"), ("s", "3"), ("t", None)]
    imports.enter(ledger, cycle, [incoming(n, query=q, ref=ref) for n, (q, ref) in enumerate(refs)])
    found = imports.id_conflicts(ledger, cycle)
    assert (found.ids, found.ids_with_several_texts, found.texts, found.texts_with_several_ids) == (3, 1, 3, 1)
    assert ledger.refs(cycle) == {Query("q").id: "1", Query("r").id: "2", Query("s").id: "3"}
    assert [q.ref for q in imports.asked_queries(ledger, cycle)] == ["1", "2", "3", None]


def test_no_rows_are_no_conflicts(ledger, cycle):
    assert imports.enter(ledger, cycle, []) == Entered(0, 0, 0)
    assert imports.id_conflicts(ledger, cycle) == imports.IdConflicts(0, 0, 0, 0)
    assert imports.number_further(ledger, cycle) == 0


def test_more_rows_than_a_page_of_numbering(ledger, cycle, at):
    rows = [incoming(n, run=None) for n in range(1201)]
    for start in range(0, len(rows), 500):
        imports.enter(ledger, cycle, rows[start : start + 500])
    closed = close(ledger, cycle, at)
    assert [k.number for k in ledger.kept(closed, limit=2000)] == list(range(1, 1202))


drawn = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from("pq"), st.none() | st.integers(1, 3), st.integers(0, 9)),
    max_size=12,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=drawn, size=st.integers(1, 5), other=st.integers(1, 12))
def test_run_numbers_follow_the_file_whatever_the_batch_size(ledger, at, rows, size, other):
    made = [incoming(content_hash(r), engine=r[0], query=r[1], run=r[2]) for r in rows]
    found = []
    for batch in (size, other):
        cycle = ledger.create(f"cycle {len(ledger.cycles())}", "recorded", (), "seed", at)
        for start in range(0, len(made), batch):
            imports.enter(ledger, cycle, made[start : start + batch])
        found.append(runs(ledger, close(ledger, cycle, at)))
    assert found[0] == found[1]
    numbers = [r[:3] for r in found[0]]
    assert len(set(numbers)) == len(numbers)
    assert all(n >= 1 for _, _, n in numbers)
