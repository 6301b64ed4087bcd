"""Every tool over stdio and HTTP, called by a client of the library; who may call what."""

import httpx2
import pytest
from mcp.shared.exceptions import MCPError
from tests.mcp.conftest import HOSTILE

from citepoll.service.accounts import Reader
from citepoll.surfaces.mcp.server import READS, WRITES

ACME = {"project": "acme"}
READING = {
    "list_projects": {},
    "describe_project": ACME,
    "list_metrics": {},
    "measure": {**ACME, "by": ["brand", "engine", "query"]},
    "compare": ACME,
    "list_gaps": ACME,
    "movement": ACME,
    "list_sources": {**ACME, "by": "url"},
    "list_experiments": ACME,
    "find_answers": ACME,
    "get_answer": {**ACME, "id": 1},
    "get_payload": {**ACME, "id": 1},
    "list_opportunities": ACME,
    "list_queries": ACME,
    "lint_queries": ACME,
    "plan": ACME,
    "list_cycles": ACME,
    "cycle_progress": ACME,
}
WRITING = {
    "lock_queries": ACME,
    "start_cycle": {**ACME, "cycle": "december"},
    "stop_cycle": ACME,
    "import_answers": {**ACME, "cycle": "more", "jsonl": '{"engine": "atlas", "query": "why", "answer_text": "so"}'},
}


async def every(client, writes=False):
    """The answers of all tools that there are."""
    found = {}

    async def call(name, arguments):
        answer = await client.call_tool(name, arguments)
        assert not answer.is_error, (name, answer.content[0].text)
        found[name] = answer.structured_content

    for name, arguments in READING.items():
        await call(name, arguments)
    one = {**ACME, "id": found["list_opportunities"]["rows"][0]["id"]}
    await call("get_opportunity", one)
    if writes:
        await call("set_opportunity_status", {**one, "status": "done"})
        for name, arguments in WRITING.items():
            await call(name, arguments)
    assert {tool.name for tool in (await client.list_tools()).tools} == set(found)
    return found


def test_every_tool_over_stdio(stdio):
    found = stdio("--allow-writes").session(lambda client: every(client, writes=True))
    assert found["set_opportunity_status"]["opportunity"]["status"] == "done"


def test_every_tool_over_http(http, desk):
    found = http("anna", "write").session(lambda client: every(client, writes=True))
    assert found["start_cycle"]["work"] == {"state": "running", "cycle": "december", "reason": ""}
    assert desk.worker.orders == [("start", "acme"), ("stop", "acme")]
    noted = {entry.what for entry in desk.accounts.audit(50)}
    assert {"poll started", "poll stopped", "query set locked", "answers imported", "opportunity done"} <= noted


def test_clients_of_the_older_protocol_are_answered_too(http):
    found = http("anna").session(every, mode="legacy")
    assert found["describe_project"]["brand"] == "Acme"


def test_what_others_wrote_stands_in_untrusted_text_alone(inside):
    found = inside().session(every)
    held = [key for name in found for key in keys_of(found[name], HOSTILE)]
    assert set(held) == {"untrusted_text"}
    assert len(held) > 5


def keys_of(value, text, key=""):
    """The names of the fields whose text holds `text`."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from keys_of(part, text, name)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from keys_of(part, text, key)
    elif isinstance(value, str) and text.casefold() in value.casefold():
        yield key


def test_without_writes_there_is_no_tool_that_writes(stdio):
    here = stdio()
    assert here.names() == {work.__name__ for work in READS}
    assert "Unknown tool" in here.refused("lock_queries", project="acme")


@pytest.mark.parametrize("of", [("anna", "read"), ("viktor", "write")])
def test_a_reader_without_the_right_to_write_has_no_tool_for_it(http, of):
    here = http(*of)
    assert here.names() == {work.__name__ for work in READS}
    assert "Unknown tool" in here.refused("start_cycle", project="acme")


def test_a_tool_that_writes_asks_for_the_right_itself(inside):
    here = inside(writes=True, may=False)
    calls = {**WRITING, "set_opportunity_status": {**ACME, "id": "beef", "status": "done"}}
    assert set(calls) == {work.__name__ for work in WRITES}
    for name, arguments in calls.items():
        assert "read-only" in here.refused(name, **arguments)


@pytest.mark.parametrize("of", [("ottilie", "read"), ("anna", "read", "other")])
def test_another_project_is_as_absent_as_none(http, of):
    here = http(*of)
    assert [row["id"] for row in here.ask("list_projects")["rows"]] == ["other"]
    for name in ("describe_project", "measure", "find_answers"):
        unseen, absent = (here.refused(name, project=id) for id in ("acme", "nowhere"))
        assert unseen.replace("acme", "nowhere") == absent

    async def read(client):
        with pytest.raises(MCPError, match="no project 'acme'"):
            await client.read_resource("citepoll://projects/acme")

    here.session(read)


def asked(url, headers=None, method="POST"):
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    sent = {"accept": "application/json, text/event-stream", **(headers or {})}
    return httpx2.request(method, url, json=body, headers=sent, timeout=20)


def test_nobody_gets_in_by_a_wrong_token_or_a_cookie(listening, desk, monkeypatch):
    monkeypatch.setattr(type(desk), "reader_of_cookie", lambda *_: Reader("x", frozenset({"read"}), "session"))
    for headers in ({}, {"authorization": "Bearer cpt_wrong"}, {"cookie": f"{desk.cookie}=x"}):
        found = asked(listening.url, headers)
        assert found.status_code == 401
        assert found.headers["www-authenticate"].startswith("Bearer")


def test_other_hosts_origins_and_methods_are_refused(listening, token):
    known = {"authorization": f"Bearer {token('anna')}"}
    assert asked(listening.url, known).status_code == 200
    assert asked(listening.url, {**known, "host": "evil.example"}).status_code == 421
    assert asked(listening.url, {**known, "origin": "https://evil.example"}).status_code == 403
    assert asked(listening.url, known, "GET").status_code == 405


def test_a_body_that_is_too_large_is_refused(listening, token):
    known = {"authorization": f"Bearer {token('anna')}", "content-type": "application/json"}
    assert httpx2.post(listening.url, content=b" " * 3_000_000, headers=known, timeout=20).status_code == 413
