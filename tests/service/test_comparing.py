"""A report's view of the cycles before: one engine, two questions; a third cycle asks another question too."""

from datetime import timedelta

import pytest

from citepoll.project import parse_project
from citepoll.service.comparing import comparable, past
from citepoll.service.importing import import_file
from citepoll.service.reporting import report_data

TOML = """
[brand]
name = "Acme"
owns = ["acme.com"]
[[competitor]]
name = "Globex"
owns = ["globex.com"]
[[target]]
metric = "share_of_citation"
value = 0.3
by = 2027-03-31
"""
FORKS, SPADES, RAKES = "best garden fork", "how to sharpen a spade", "is a bamboo rake any good"


def answered(query, run, url, model="atlas-1"):
    return {
        "engine": "atlas", "query": query, "run": run, "answer_text": "Look there.", "citations": [{"url": url}],
        "model": model,
    }  # fmt: skip


def rows(queries, url, model="atlas-1"):
    return [answered(query, run, url, model) for query in queries for run in (1, 2, 3)]


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "project"
    root.mkdir()
    (root / "citepoll.toml").write_text(TOML, "utf-8")
    return parse_project(TOML, root)


@pytest.fixture
def three(project, ledger, at, jsonl):
    cycles = {
        "one": rows((FORKS, SPADES), "https://acme.com/a"),
        "two": rows((FORKS, SPADES), "https://globex.com/a", "atlas-2"),
        "three": rows((FORKS, SPADES, RAKES), "https://globex.com/a", "atlas-2"),
    }
    for days, (name, answers) in enumerate(cycles.items()):
        file = jsonl(*answers, name=f"{name}.jsonl")
        import_file(project, ledger, file, name, at=at + timedelta(days=days))


def test_a_first_cycle_has_no_past(project, ledger, at, three):
    found = past(project, ledger, ledger.cycle("one"), at)
    assert (found.changes, found.trend, found.breaks) == (None, None, ())


def test_a_cycle_is_compared_with_the_newest_before_it_over_all_of_them(project, ledger, at, three):
    found = past(project, ledger, ledger.cycle("three"), at)
    assert found.changes.slice.compare == "two"
    assert found.trend.cycles == ("one", "two", "three")
    assert {row.dimensions["brand"] for row in found.trend.rows} == {"Acme", "Globex"}


def test_another_model_and_another_query_set_break_the_trend(project, ledger, at, three):
    model, queries = past(project, ledger, ledger.cycle("three"), at).breaks
    assert (model.cycle, model.word, model.engine, model.severs) == ("two", "another model", "atlas", False)
    assert "atlas-1 → atlas-2" in model.sentence
    assert (queries.cycle, queries.word, queries.engine, queries.severs) == ("three", "another query set", None, True)
    assert RAKES in queries.sentence


def test_only_cycles_with_an_engine_and_a_query_in_common_are_compared(project, ledger, at, three, jsonl):
    import_file(project, ledger, jsonl(answered("what is a hoe", 1, "https://acme.com/h"), name="x"), "odd", at=at)
    assert comparable(ledger, ledger.cycle("odd")) == ()


def test_a_report_holds_what_moved_what_to_do_targets_and_classes(project, ledger, at, three):
    data = report_data(project, ledger, "two", at)
    assert data.changes.slice.compare == "one"
    ours = next(row for row in data.changes.rows if row.dimensions["brand"] == "Acme")
    assert (ours.change.value1, ours.change.value2) == (1, 0)
    assert [todo.kind for todo in data.todo if "acme.com/a" in todo.sentence] == ["investigate-loss"]
    assert data.todo_total == len(data.todo)
    shown = {one.key for one in data.evidence}
    assert all(key in shown for todo in data.todo[:3] if todo.kind == "create-coverage" for key in todo.answers)
    assert [(one.engine, one.value) for one in data.targets] == [("atlas", 0.3)]
    assert data.targets[0].chance < 0.1
    assert {row.dimensions["source_class"] for row in data.classes.rows} >= {"competitor"}
    assert [(one.engine, one.effective, one.domains) for one in data.concentration] == [("atlas", 1.0, 1)]
