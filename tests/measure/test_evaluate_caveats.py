from dataclasses import replace

from citepoll.measure.context import CycleFacts
from citepoll.measure.evaluate import evaluate
from citepoll.model import Slice

ACME = ("acme.com/a", "Acme")


def asked(query, status="answered", **facts):
    return {"query": query, "status": status, "cites": [ACME], **facts}


def poll(*statuses):
    return [asked(f"q{i}", status) for i, status in enumerate(statuses)]


def warnings(tables, slice=None, context=None):
    return evaluate(tables, slice or Slice(), context).warnings


BRANDED = {"q0": {"branded": True}, "q1": {"branded": True}}


def test_branded_queries_are_kept_out_of_brand_metrics_and_counted(frames, project):
    tables = frames(poll("answered", "answered", "answered"), BRANDED)
    result = evaluate(tables, Slice(), project("one"))
    assert result.rows[0].estimate.n == 1
    assert result.warnings == ("2 branded queries are kept out; the filter branded = true shows them",)


def test_branded_queries_are_shown_where_they_are_named(frames, project):
    tables = frames(poll("answered", "answered", "answered"), BRANDED)
    only = evaluate(tables, Slice(where="branded = true"), project("one"))
    assert (only.rows[0].estimate.n, only.warnings) == (2, ())
    both = evaluate(tables, Slice(by=("branded",), where="brand = Acme"), project("one"))
    assert {r.dimensions["branded"]: r.estimate.n for r in both.rows} == {False: 1, True: 2}


def test_domains_and_metrics_of_the_engine_keep_all_queries(frames, project):
    tables = frames(poll("answered", "answered", "answered"), BRANDED)
    domains = evaluate(tables, Slice(by=("domain",)), project("one"))
    assert (domains.rows[0].estimate.n, domains.warnings) == (3, ())
    engine = evaluate(tables, Slice(metrics=("citing_answer_rate", "share_of_citation")), project("one"))
    assert {r.metric: r.estimate.n for r in engine.rows} == {"citing_answer_rate": 3, "share_of_citation": 1}


def test_queries_without_a_valid_answer_are_counted(frames, project):
    tables = frames(poll("answered", "refused"), {"q2": {}, "q3": {"topic": "x"}})
    context = project("one", queries=("q0", "q1", "q2", "q3"))
    assert warnings(tables, context=context) == ("one: 3 of 4 queries have no valid answer",)
    assert warnings(tables, Slice(where="topic != x"), context) == ("one: 2 of 3 queries have no valid answer",)


def test_more_than_a_tenth_failed_is_said(frames, project):
    nine, ten = ["answered"] * 9, ["answered"] * 10
    assert warnings(frames(poll(*nine, "failed")), context=project("one")) == ()
    found = warnings(frames(poll(*ten, "failed", "deferred")), context=project("one"))
    assert found == ("one: 2 of 12 planned runs failed or were not completed (17 %)",)


def test_runs_that_were_never_made_count_as_failed(frames, project):
    context = project("one", queries=("q0", "q1"))
    planned = replace(context.cycles["c1"], planned={"one": {"q0": 2, "q1": 4}})
    context = replace(context, cycles={"c1": planned})
    found = warnings(frames(poll("answered", "answered")), context=context)
    assert found == ("one: 4 of 6 planned runs failed or were not completed (67 %)",)
    assert warnings(frames(poll("answered", "answered")), Slice(where="run = 1"), context) == ()


def test_cut_and_empty_answers_are_said(frames, project):
    found = warnings(frames(poll(*["answered"] * 18, "truncated", "truncated", "empty")), context=project("one"))
    assert found == ("one: 2 of 21 valid answers cut by length", "one: 1 of 21 valid answers without text")
    assert warnings(frames(poll(*["answered"] * 19, "truncated")), context=project("one")) == ()


def test_cycles_on_different_query_sets_are_said(frames, project):
    context = project("one", cycles=("c1", "c2"))
    changed = replace(context, cycles={**context.cycles, "c2": CycleFacts("sha256:2")})
    tables = frames([asked("q0"), asked("q0", cycle="c2")])
    assert warnings(tables, Slice(by=("cycle",)), context) == ()
    assert "different query sets" in warnings(tables, Slice(by=("cycle",)), changed)[0]


def test_warnings_name_the_cycle_where_there_are_several(frames, project):
    context = project("one", cycles=("c1", "c2"))
    found = warnings(frames([asked("q0"), asked("q0", "empty", cycle="c2")]), Slice(by=("cycle",)), context)
    assert found == ("one, c2: 1 of 1 valid answer without text",)
