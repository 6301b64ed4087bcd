"""The commands: text that fits, JSON that is whole, statuses."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from citepoll.main import app
from citepoll.service import checking
from citepoll.service.planning import measured


@pytest.fixture
def run(project, ledger):
    """Runs `citepoll WORDS` on the project in 80 columns."""

    def invoke(*words):
        return CliRunner().invoke(app, [*words, "--project", str(project.root)], env={"COLUMNS": "80"})

    return invoke


def widest(text):
    return max(len(line) for line in text.splitlines())


def test_a_plan_says_what_it_presumes_and_fits_80_columns(run):
    done = run("plan", "--detect", "5%", "--stop-at", "8pp")
    assert done.exit_code == 0
    assert "To see Acme move by 5 points between two cycles, 80 % of the time" in done.stdout
    assert "No cycle tells the share: 15 % is presumed." in done.stdout
    assert "With 3 runs: 78 to 184 queries, for an ICC from .4 to .8." in done.stdout
    assert "What 12 queries see now (1 branded one left out)" in done.stdout
    assert done.stdout.count("← cheapest\n") <= 2
    assert "← cheapest with 3 runs or more" in done.stdout
    assert "sure: ± 8 points after about round" in done.stdout
    assert "below 50 queries these figures are approximate" in " ".join(done.stderr.split())
    assert widest(done.stdout) <= 80


def test_a_plan_as_json_is_whole(run):
    found = json.loads(run("plan", "--json", "--target", "category", "--share", "0.2").stdout)
    assert found["asked"]["detect"] == 0.05
    assert {line["target"] for line in found["lines"]} == {"category"}
    assert {"runs", "queries", "calls", "cost", "width", "detectable", "enough", "cheapest"} <= set(found["lines"][0])
    assert found["bases"][0]["share"] == 0.2
    assert len(found["measured"]) == 11


@pytest.mark.parametrize(
    "words", [("--detect", "5"), ("--share", "x"), ("--target", "all"), ("--power", "2"), ("--power", "0.04")]
)
def test_a_value_that_cannot_be_read_is_answered(run, words, capsys, monkeypatch):
    done = run("plan", *words)
    assert done.exit_code != 0
    assert "not" in str(done.exception) or "--" in str(done.exception)


def test_an_allocation_is_a_table_of_queries_with_runs(run, project, ledger, poll):
    poll(project, ledger, name="one")
    done = run("plan", "--allocate", "40")
    assert "40 runs an engine for the cycle after one, never for one itself" in done.stdout
    assert done.stdout.count("which fork") == 24
    assert widest(done.stdout) <= 80
    assert json.loads(run("plan", "--allocate", "40", "--json").stdout)["cycle"] == "one"


def test_an_allocation_is_polled_and_told(run, project, ledger, poll):
    poll(project, ledger, name="one")
    said = " ".join(run("poll", "--allocate", "40", "--dry-run").stderr.split())
    assert "to ask now: 96 of 96 runs" in said
    assert "runs by the answers of one; `citepoll plan --allocate N` lists them by query" in said
    assert "1 query × 8 runs" in said
    planned = json.loads(run("poll", "--allocate", "40", "--dry-run", "--json").stdout)
    assert planned["allotment"]["budget"] == 40
    assert sum(planned["allotment"]["runs"]["torn"].values()) == planned["estimates"][1]["runs"] == 48
    assert run("poll", "--allocate", "40", "--cycle", "two").exit_code == 0
    shown = " ".join(run("cycles", "show", "two").stdout.split())
    assert "runs differ by query, by the answers of one: 1 query × 8 runs" in shown
    assert "sha256" not in shown.partition("query set")[2].partition("runs allotted")[2]
    assert json.loads(run("cycles", "show", "two", "--json").stdout)["allotment"] == planned["allotment"]
    assert json.loads(run("cycles", "show", "one", "--json").stdout)["allotment"] is None


def test_a_plan_says_what_a_cycle_costs_and_takes(run, project):
    path = project.root / "citepoll.toml"
    path.write_text(path.read_text("utf-8") + '[[engine]]\nid = "openai:responses"\nruns = 3\n', "utf-8")
    done = run("plan")
    said = " ".join(done.stdout.split())
    assert "A cycle of them: 247 runs, $2.83, about 1 min 13 s" in said
    assert "openai:responses: 39 runs, about $2.83 at $0.0725 a run (price table of 2026-06-22), 1 min 13 s" in said
    assert widest(done.stdout) <= 80


def test_a_poll_tells_what_it_saved(run):
    done = run("poll", "--stop-at", "12pp", "--cycle", "one")
    assert done.exit_code == 0
    assert "ends when its share is known to ± 12 points" in done.stderr
    assert "sure ended after 3 of 8 rounds at ±" in done.stderr
    assert "calls saved" in done.stderr
    shown = json.loads(run("cycles", "show", "one", "--json").stdout)
    assert [event["what"] for event in shown["history"]] == ["stop-at set", "ended early", "ended early"]
    measured = json.loads(run("measure", "--json").stdout)
    assert measured


def test_a_dry_run_of_a_stopping_poll_changes_nothing(run, ledger):
    done = run("poll", "--stop-at", "0.12", "--dry-run", "--json")
    assert json.loads(done.stdout)["stop_at"] == 0.12
    assert ledger.cycles() == ()


def test_the_check_prints_sentences_and_ends_with_0_but_for_strict(run, project, ledger, poll, monkeypatch):
    poll(project, ledger, name="one")
    poll(project, ledger, name="two")
    done = run("check", "aa", "one", "two")
    assert done.exit_code == 0
    assert "torn (simulated): the runs look independent: nothing speaks against it" in done.stdout
    assert widest(done.stdout) <= 80
    assert json.loads(run("check", "aa", "one", "two", "--json").stdout)["independent"] is True
    assert run("check", "aa", "one", "two", "--strict").exit_code == 0
    monkeypatch.setattr(checking, "_together", lambda told: False)
    assert run("check", "aa", "one", "two").exit_code == 0
    assert run("check", "aa", "one", "two", "--strict").exit_code == 1


def test_a_cap_at_the_first_look_is_warned_of(run, project):
    path = project.root / "citepoll.toml"
    path.write_text(path.read_text("utf-8").replace("runs = 8", "runs = 3", 1), "utf-8")
    said = " ".join(run("poll", "--stop-at", "2pp", "--dry-run").stderr.split())
    assert said.count("the first look is after 3: nothing can be saved") == 1


def test_the_page_on_planning_has_the_measured_figures():
    text = (Path(__file__).parents[2] / "docs" / "planning.md").read_text("utf-8")
    said = re.findall(r"^\| (\d+) \| (\d+) % \| (\d+) points \| (\d+) % \| (\d+) % \|$", text, re.MULTILINE)
    rows = [(m.queries, m.share, m.move, m.planned, m.simulated) for m in measured()]
    known = {(str(q), *(f"{x * 100:.0f}" for x in rest)) for q, *rest in rows}
    assert len(said) == 9
    assert set(said) <= known
