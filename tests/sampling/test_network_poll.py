"""A whole poll over the loopback: the project file, the environment, the service, the ledger."""

import subprocess
import sys
import time
import types
from collections import Counter

import pytest

from citepoll.engines import load
from citepoll.engines.base import HttpRequest
from citepoll.errors import EngineError, ProjectError
from citepoll.model import Query, QuerySet
from citepoll.project import key_of, parse_project
from citepoll.service import polling
from citepoll.store.attempts import attempts_of

QUERIES = QuerySet((Query("which fork is best"), Query("which rake is best")))
KEY = "canary-0123456789abcdef"


@pytest.fixture
def poll(ledger, at):
    ledger.lock(QUERIES, "queries.toml", at)

    def run(mine, *, retry=False):
        planned = polling.plan(mine, ledger, name=None, over=None, retry=retry, at=at)
        return planned, polling.poll(mine, ledger, planned, at=at, retry=retry)

    return run


def everything(ledger, root):
    """All that was written, opened: every field of every attempt, and every file as it lies on the disk."""
    cycle = ledger.cycles()[0]
    with ledger.reading() as link:
        ids = [row[0] for row in link.exec_driver_sql("select id from runs").all()]
    attempts = [attempt for run_id in ids for attempt in attempts_of(ledger, run_id)]
    files = b"".join(path.read_bytes() for path in root.rglob("*") if path.is_file())
    return repr(attempts).encode() + repr(ledger.kept(cycle)).encode() + files


def test_a_compatible_server_is_polled_and_the_cycle_closes(server, reply, project, poll, ledger):
    server.answer = lambda request: reply(
        {"choices": [{"message": {"content": "See https://acme.com/x"}, "finish_reason": "stop"}],
         "usage": {"prompt_tokens": 1000, "completion_tokens": 0}}
    )  # fmt: skip
    mine = parse_project(
        '[brand]\nname = "Acme"\nowns = ["acme.com"]\n[[engine]]\nid = "openai-compatible"\nname = "mine"\nmodel = "m"\n'
        f'runs = 2\nsettings = {{ base_url = "{server.url}/v1" }}\n[budget]\nper_cycle_usd = 5.0\n'
        "[prices.mine]\ninput = 100.0\noutput = 0.0\nexpected = 0.2\n[limits.mine]\nat_once = 3\n",
        project.root,
    )
    planned, polled = poll(mine)
    assert [(e.engine, e.runs, e.usd) for e in planned.estimates] == [("mine", 4, pytest.approx(0.8))]
    assert (polled.status, polled.recorded, polled.simulated) == ("closed", 4, False)
    assert polled.progress[0].cost == pytest.approx(0.4)
    assert len(server.seen) == 4


def test_a_ceiling_stops_the_poll_cleanly(server, reply, project, poll):
    server.answer = lambda request: reply(
        {"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}],
         "usage": {"prompt_tokens": 1000, "completion_tokens": 0}}
    )  # fmt: skip
    mine = parse_project(
        '[brand]\nname = "Acme"\n[[engine]]\nid = "openai-compatible"\nmodel = "m"\n'
        f'settings = {{ base_url = "{server.url}/v1" }}\n[budget]\nper_engine_usd = {{ "openai-compatible" = 0.35 }}\n'
        '[prices."openai-compatible"]\ninput = 100.0\noutput = 0.0\nexpected = 0.1\n',
        project.root,
    )
    _, polled = poll(mine)
    assert polled.recorded == len(server.seen) == 3
    assert "0.35 USD of this engine" in polled.stopped["openai-compatible"]
    assert polled.status == "stopped"


AT_ONCE = 4


def test_kill_minus_nine_repeats_only_calls_in_flight(server, reply, project, ledger, at):
    texts = [f"which tool is best for job {n}" for n in range(60)]
    server.answer = lambda request: reply(
        {"choices": [{"message": {"content": request.json["messages"][0]["content"]}, "finish_reason": "stop"}]},
        first=0.05,
    )
    (project.root / "citepoll.toml").write_text(
        '[brand]\nname = "Acme"\n[[engine]]\nid = "openai-compatible"\nmodel = "m"\nruns = 1\n'
        f'settings = {{ base_url = "{server.url}/v1" }}\n[limits."openai-compatible"]\nat_once = {AT_ONCE}\n'
    )
    ledger.lock(QuerySet(tuple(Query(text) for text in texts)), "queries.toml", at)
    command = [sys.executable, "-m", "citepoll.main", "poll", "--cycle", "c", "--project", str(project.root)]
    for kill in range(1, 4):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 60
        while len(server.seen) < 15 * kill and time.monotonic() < end:
            time.sleep(0.005)
        process.kill()
        process.wait()
    recorded = {kept.run_id: kept.body for kept in ledger.kept(ledger.cycle("c"))}
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    cycle = ledger.cycle("c")
    kept = {k.run_id: k for k in ledger.kept(cycle)}
    assert all(kept[run_id].body == body for run_id, body in recorded.items())
    assert (cycle.status, len(kept), ledger.revision(cycle)[0]) == ("closed", 60, 60)
    asked = Counter(request.json["messages"][0]["content"] for request in server.seen)
    assert set(asked) == set(texts)
    assert sum(n - 1 for n in asked.values()) <= 3 * AT_ONCE


# ---------------------------------------------------------------- keys


@pytest.mark.parametrize("engine_id", ["openai:responses", "google:ai-mode@serpapi"])
def test_no_key_is_written_anywhere(server, reply, project, poll, ledger, monkeypatch, capfd, engine_id):
    module = load(engine_id)
    variable, where = module.FACTS.key_variable, module.request
    monkeypatch.setenv(variable, KEY)

    def here(query, settings):
        made = where(query, settings)
        return HttpRequest(made.method, f"{server.url}/x?q=1", made.headers, made.json)

    monkeypatch.setattr(module, "request", here)
    seen = []

    def answer(request):
        seen.append(request)
        echo = f"{request.target} {request.headers.get('authorization')}"
        if len(seen) == 1:
            return reply({"error": f"bad call {echo}"}, 500, {"x-request-id": echo})
        if len(seen) == 2:
            return reply(f"<html>proxy: {echo}</html>".encode(), 502, {"content-type": f"text/html; {echo}"})
        return reply({"error": {"message": f"wrong key {echo}"}}, 401)

    server.answer = answer
    mine = parse_project(f'[brand]\nname = "Acme"\n[[engine]]\nid = "{engine_id}"\nruns = 1\n', project.root)
    planned, polled = poll(mine)
    assert any(KEY in r.target + str(r.headers) for r in seen)
    assert polled.stopped
    told = everything(ledger, project.root) + repr((planned, polled)).encode() + "".join(capfd.readouterr()).encode()
    assert KEY.encode() not in told
    assert b"[redacted]" in told
    assert b"'redacted': ['body']" in told


def test_a_missing_key_is_said_before_anything_is_asked(project, poll, ledger, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setitem(sys.modules, "keyring", None)
    mine = parse_project('[brand]\nname = "Acme"\n[[engine]]\nid = "openai:responses"\n', project.root)
    with pytest.raises(EngineError, match="OPENAI_API_KEY") as caught:
        poll(mine)
    assert "local:bm25" in caught.value.fix
    assert ledger.cycles() == ()


def test_a_ceiling_without_a_price_is_refused(project, poll, ledger, monkeypatch):
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    mine = parse_project(
        '[brand]\nname = "Acme"\n[[engine]]\nid = "google:gemini"\n[budget]\nper_cycle_usd = 1.0\n', project.root
    )
    with pytest.raises(ProjectError, match="google:gemini is not known") as caught:
        poll(mine)
    assert "[prices" in caught.value.fix


def test_a_key_comes_from_the_environment_then_from_the_keyring(monkeypatch):
    held = types.SimpleNamespace(get_password=lambda service, name: f"{service}-{name}")
    monkeypatch.setitem(sys.modules, "keyring", held)
    monkeypatch.delenv("A_KEY", raising=False)
    assert key_of("A_KEY") == "citepoll-A_KEY"
    monkeypatch.setenv("A_KEY", " mine\n")
    assert key_of("A_KEY") == "mine"
    monkeypatch.setattr(held, "get_password", lambda *_: 1 / 0)
    monkeypatch.delenv("A_KEY")
    assert key_of("A_KEY") is None


@pytest.mark.parametrize("key", ["two words", "a\nb", "schlüssel", "a\x00b"])
def test_a_key_that_no_header_can_hold_is_refused_unseen(monkeypatch, key):
    monkeypatch.setitem(sys.modules, "keyring", types.SimpleNamespace(get_password=lambda *_: key))
    monkeypatch.delenv("A_KEY", raising=False)
    with pytest.raises(ProjectError, match="A_KEY") as caught:
        key_of("A_KEY")
    assert key not in str(caught.value)
