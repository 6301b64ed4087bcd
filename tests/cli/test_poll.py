import json
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

PAGE = "# The fork\n\nWhich fork is best depends on the soil. Acme makes a fork.\n"


@pytest.fixture
def ready(citepoll, project):
    (project.root / "fork.md").write_text(PAGE)
    (project.root / "queries.toml").write_text(
        '[[query]]\ntext = "which fork is best"\n[[query]]\ntext = "how to clean a fork"\n'
    )
    assert citepoll("corpus", "add", project.root / "fork.md", "--base-url", "https://acme.com/").code == 0
    assert citepoll("queries", "lock").code == 0


def test_a_poll_tells_its_plan_and_its_end_on_standard_error(citepoll, ready):
    said = citepoll("poll")
    assert (said.code, said.out) == (0, "")
    assert "to ask now: 10 of 10 runs" in said.err
    assert "is closed: 10 runs recorded now" in said.err
    assert "simulated" in said.err
    assert "None of ChatGPT, Perplexity, Google AI Mode" in said.err


def test_a_dry_run_asks_nothing(citepoll, ready):
    assert json.loads(citepoll("poll", "--dry-run", "--json").out)["todo"] == 10
    assert json.loads(citepoll("cycles", "list", "--json").out) == []


@pytest.mark.parametrize(
    ("arguments", "code", "cause"),
    [(("--over", "soon"), 4, "span of time"), (("--cycle", "a\nb"), 4, "cannot name a cycle")],
)
def test_what_cannot_be_polled_says_why(citepoll, ready, arguments, code, cause):
    said = citepoll("poll", *arguments)
    assert (said.code, cause in said.err) == (code, True)


def test_without_a_set_or_documents(citepoll, project):
    assert citepoll("poll").code == 5
    (project.root / "queries.toml").write_text('[[query]]\ntext = "which fork is best"\n')
    citepoll("queries", "lock")
    said = citepoll("poll")
    assert said.code == 9
    assert "corpus add" in said.err


def test_control_c_keeps_what_was_recorded_and_the_next_poll_goes_on(ready, citepoll, project):
    command = [sys.executable, "-m", "citepoll.main", "poll", "--cycle", "c", "--over", "1h"]
    poll = subprocess.Popen(command, cwd=project.root, stderr=subprocess.PIPE)
    end = time.monotonic() + 30
    while recorded(project) < 4 and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(0.2)
    poll.send_signal(signal.SIGINT)
    said = poll.communicate(timeout=10)[1].decode()
    assert poll.returncode == 130
    assert "`citepoll poll` goes on from here." in said
    assert "Traceback" not in said
    with sqlite3.connect(project.data / "ledger.db") as link:
        link.execute("update cycles set over_seconds = null")
    link.close()
    assert "6 runs recorded now" in citepoll("poll").err


def recorded(project):
    with sqlite3.connect(project.data / "ledger.db", timeout=30) as link:
        found = link.execute("select count(*) from attempts").fetchone()[0]
    link.close()
    return found


@pytest.fixture
def paid(ready, project):
    """The project with an engine that needs a key."""
    file = project.root / "citepoll.toml"
    file.write_text(file.read_text("utf-8") + '[[engine]]\nid = "openai:responses"\nruns = 3\n', "utf-8")
    return file


def test_a_dry_run_names_missing_keys_and_a_poll_is_refused_before_anything_is_made(citepoll, paid):
    said = citepoll("poll", "--dry-run")
    assert (said.code, "no key for openai:responses (OPENAI_API_KEY)" in said.err) == (0, True)
    assert json.loads(citepoll("poll", "--dry-run", "--json").out)["missing_keys"] == {
        "openai:responses": "OPENAI_API_KEY"
    }
    said = citepoll("poll")
    assert (said.code, "OPENAI_API_KEY" in said.err) == (8, True)
    assert json.loads(citepoll("cycles", "list", "--json").out) == []


def test_a_dry_run_says_where_cost_and_time_are_from(citepoll, paid):
    said = citepoll("poll", "--dry-run").err
    assert (
        "openai:responses: 6 runs, about $0.43 at $0.0725 a run (price table of 2026-06-22), 11 s at 15 s a run" in said
    )
    local, chat = json.loads(citepoll("poll", "--dry-run", "--json").out)["estimates"][::2]
    assert (local["usd"], local["cost_from"]) == (0, "simulated")
    assert (chat["cost_from"], chat["dated"]) == ("price table of 2026-06-22", "2026-06-22")
    assert (chat["latency_from"], chat["seconds"]) == (None, pytest.approx(6 * 15 / 8))


def test_a_dry_run_says_what_paid_engines_may_cost(citepoll, paid, monkeypatch):
    file = paid
    monkeypatch.setenv("OPENAI_API_KEY", "canary-key")
    file.write_text(
        file.read_text("utf-8") + '[prices."openai:responses"]\nexpected = 0.5\n[budget]\nper_cycle_usd = 2.0\n',
        "utf-8",
    )
    said = citepoll("poll", "--dry-run")
    assert "to ask now: 16 of 16 runs; about $3.00, at most $2.00 a cycle" in said.err
    assert "canary-key" not in said.err + said.out
