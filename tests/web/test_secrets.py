"""Secrets of the operator and paths of the machine, looked for in everything that is served, logged and kept."""

import json
import logging

import pytest

from citepoll.service.engines import list_engines
from citepoll.service.importing import import_file
from citepoll.surfaces.mcp.server import READS

from .crawl import pages
from .test_who_may import SAMPLE, cases

CANARY = "canary-7f3a91"
ALERTS = """
[[engine]]
id = "openai:responses"
[alerts]
email = ["anna@example.org"]
[alerts.smtp]
host = "smtp.invalid"
from = "citepoll@example.org"
user = "citepoll"
[[alerts.webhook]]
name = "team"
form = "slack"
url = "env:CITEPOLL_TEAM_URL"
[[alerts.webhook]]
name = "flow"
url = "https://flow.invalid/hooks/canary-7f3a91"
secret = "env:CITEPOLL_FLOW_SECRET"
"""


@pytest.fixture(autouse=True)
def keys(monkeypatch):
    names = {engine.key_variable for engine in list_engines() if engine.key_variable}
    for name in (*names, "CITEPOLL_SMTP_PASSWORD", "CITEPOLL_FLOW_SECRET"):
        monkeypatch.setenv(name, f"{CANARY}-{name}")
    monkeypatch.setenv("CITEPOLL_TEAM_URL", f"https://127.0.0.1/{CANARY}")
    return names


@pytest.fixture
def measured(desk, row, jsonl, at):
    room = desk.rooms.find("acme")
    path = room.root / "citepoll.toml"
    path.write_text(path.read_text("utf-8") + ALERTS, "utf-8")
    for cycle in ("one", "two"):
        import_file(room.project, room.ledger, jsonl(*(row(run=run) for run in (1, 2, 3))), cycle, at=at)
    return room


@pytest.fixture
def served(app, desk, people, browser, token, measured, tmp_path, caplog):
    """Every body and header that a desk sent to its owner, page by page, of the API and of MCP's tools that read."""
    caplog.set_level(logging.DEBUG)
    sent = []
    owner = browser("olga")
    for url, answer in pages(owner):
        sent.append((url, answer.text + str(answer.headers)))
    bearer = {"authorization": f"Bearer {token('olga', 'write')}"}
    with owner.client as program:
        for case in cases(app):
            path = "/".join(
                SAMPLE.get(p[1:].split(":")[0], "1") if p.startswith("{") else p for p in case.path.split("/")
            )
            if case.method == "GET" and path.startswith("/api/"):
                answer = program.get(path, params={"project": "acme"}, headers=bearer)
                sent.append((path, answer.text + str(answer.headers)))
        for number, tool in enumerate(READS):
            call = {"name": tool.__name__, "arguments": {"project": "acme"} if tool.__name__ != "list_projects" else {}}
            body = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": call}
            accept = {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2025-06-18"}
            answer = program.post(
                "/mcp", content=json.dumps(body), headers={**bearer, **accept, "content-type": "application/json"}
            )
            sent.append((tool.__name__, answer.text))
    for path, form in (("/alerts/test", {"channel": "team"}), ("/alerts/test", {"channel": "email"})):
        sent.append((path, owner.post(f"/p/acme{path}", form).text))
    return sent


def test_no_secret_is_served_logged_or_kept(served, desk, measured, caplog):
    assert len(served) > 60
    assert [name for name, text in served if CANARY in text] == []
    assert CANARY not in caplog.text
    kept = [path for folder in (desk.accounts.path.parent, measured.project.data) for path in folder.rglob("*")]
    assert [path.name for path in kept if path.is_file() and CANARY.encode() in path.read_bytes()] == []
    assert CANARY not in str(desk.accounts.audit())


def test_no_path_of_the_machine_is_served(served, tmp_path):
    assert [name for name, text in served if str(tmp_path) in text] == []


@pytest.mark.parametrize("damage", ["[brand", 'seed = "x"\n', "\x00"])
def test_a_project_that_cannot_be_read_names_no_path(people, browser, token, desk, tmp_path, damage):
    (desk.rooms.find("acme").root / "citepoll.toml").write_text(damage, "utf-8")
    viewer = browser("viktor")
    for path in ("/", "/p/acme/", "/p/acme/queries", "/api/v1/projects", "/api/v1/brands?project=acme"):
        answer = viewer.get(path)
        assert answer.status_code in (200, 503), path
        assert str(tmp_path) not in answer.text, path


def test_a_fault_says_nothing_of_itself_and_logs_no_token(people, desk, browser, monkeypatch, caplog):
    monkeypatch.setattr(desk.accounts, "any_user", lambda: 1 // 0)
    answer = browser().get(f"/enter/{CANARY}")
    assert answer.status_code == 500
    assert "ZeroDivision" not in answer.text
    assert "/enter/{secret" in caplog.text
    assert CANARY not in caplog.text
