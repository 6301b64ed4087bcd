"""gaps, sources, opportunities, targets, views and experiment as a user runs them: text in 80 columns, and JSON."""

import json

import pytest
from typer.testing import CliRunner

from citepoll.main import app
from citepoll.project import read_project
from citepoll.service.importing import import_file
from citepoll.store.ledger import Ledger
from citepoll.surfaces.cli import terminal

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
LONG = "https://someblog.com/" + "a-long-path/" * 8


@pytest.fixture
def folder(tmp_path, at, monkeypatch):
    (tmp_path / "citepoll.toml").write_text(TOML, "utf-8")
    rows = [
        {"engine": engine, "query": f"best garden fork for soil of kind {q}", "run": run, "answer_text": "Globex.",
         "citations": [{"url": "https://globex.com/forks"}, {"url": LONG}]}
        for engine in ("atlas", "borealis") for q in range(3) for run in (1, 2, 3)
    ]  # fmt: skip
    (tmp_path / "rows.jsonl").write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    project = read_project(tmp_path)
    import_file(project, Ledger(project.data / "ledger.db"), tmp_path / "rows.jsonl", "one", at=at)
    for console in (terminal.out, terminal.err):
        monkeypatch.setattr(console, "_width", 80)
    return tmp_path


def run(folder, *words):
    result = CliRunner().invoke(app, [*words, "--project", str(folder)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


COMMANDS = [
    ("gaps",), ("gaps", "--by", "intent"), ("sources",), ("sources", "--by", "url"), ("sources", "--by", "class"),
    ("sources", "--by", "engine"), ("sources", "--names"), ("opportunities",), ("opportunities", "list"), ("targets",),
    ("views",), ("experiment", "list"),
]  # fmt: skip


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_commands_print_json_and_text_within_80_columns(folder, words):
    assert json.loads(run(folder, *words, "--json").stdout) is not None
    assert max((len(line) for line in run(folder, *words).output.splitlines()), default=0) <= 80


def test_an_opportunity_goes_from_the_list_to_done_and_back(folder):
    todos = json.loads(run(folder, "opportunities", "--json").stdout)["todos"]
    key = todos[0]["id"].removeprefix("sha256:")[:12]
    run(folder, "opportunities", "set", key, "done", "--note", "shipped")
    assert "shipped" in run(folder, "opportunities", "show", key).output
    run(folder, "opportunities", "set", key, "open")
    assert json.loads(run(folder, "opportunities", "show", key, "--json").stdout)["status"] == "open"


def test_an_experiment_is_started_shown_and_ended(folder):
    arms = ("--treat", 'query ~ "kind 0"', "--control", 'query ~ "kind 1"')
    assert "seen four times in five" in run(folder, "experiment", "start", *arms, "--change", "new page").output
    assert "not checked" in run(folder, "experiment", "show", "1").output
    assert json.loads(run(folder, "experiment", "end", "1", "--json").stdout)["last_cycle"] == "one"


def test_an_effect_is_shown_with_its_interval_even_where_it_proves_nothing(folder, at):
    arms = ("--treat", 'query ~ "kind 0"', "--control", 'query ~ "kind 1"')
    run(folder, "experiment", "start", *arms, "--change", "new page")
    project = read_project(folder)
    import_file(project, Ledger(project.data / "ledger.db"), folder / "rows.jsonl", "two", at=at)
    said = " ".join(run(folder, "experiment", "show", "1").output.split())
    assert "atlas, one to two, these queries: +0.0 points (-" in said
    assert "adjusted p 1.000; treated against control: no evidence of change" in said


def test_gaps_as_csv_and_markdown(folder):
    head, first, *_ = run(folder, "gaps", "--csv").stdout.splitlines()
    assert head.startswith("query,intent,topic,verdict,probability,weight,worth,ours,answers,ahead")
    assert ",confirmed," in first
    assert "intent weights (published conversion signal" in run(folder, "gaps", "--md").stdout
