import json

import pytest
from tests.emulator import Emulator
from tests.emulator.client import QUICK

from citepoll import engines as registry


@pytest.fixture
def body(tmp_path):
    def write(document, name="body.json"):
        path = tmp_path / name
        path.write_text(document if isinstance(document, str) else json.dumps(document), "utf-8")
        return path

    return write


def test_every_engine_is_listed_with_its_key_told_and_not_shown(citepoll, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "canary-4711")
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    said = citepoll("engines")
    assert said.code == 0
    assert all(engine_id in said.out for engine_id in registry.REGISTRY)
    assert "OPENAI_API_KEY is set" in said.out
    assert "ANTHROPIC_API_KEY is not set" in said.out
    listed = {each["id"]: each for each in json.loads(citepoll("engines", "--json").out)}
    assert listed["openai:responses"]["key_set"] is True
    assert listed["openai:responses"]["returns"] == ["passages", "sources", "queries"]
    assert listed["anthropic:messages"]["key_set"] is False
    assert listed["local:bm25"]["key_set"] is None
    assert listed["deepseek:messages"]["verified"] == "documentation"
    assert "canary" not in said.out + json.dumps(listed)


def test_a_body_from_disk_is_read_as_its_engine_reads_it(citepoll, body):
    text = "Ä fork ([n](https://www.Nordwind.example/?utm_source=openai))."
    url = "https://www.Nordwind.example/?utm_source=openai"
    note = {"type": "url_citation", "url": url, "title": "N", "start_index": 7, "end_index": len(text) - 1}
    content = [{"type": "output_text", "text": text, "annotations": [note]}]
    call = {"type": "web_search_call", "action": {"query": "fork", "sources": [{"url": "https://b.example"}]}}
    path = body({"output": [call, {"type": "message", "content": content}], "model": "m", "usage": {"total_tokens": 3}})
    read = json.loads(citepoll("engines", "parse", "openai:responses", path, "--json").out)
    assert {name: read[name] for name in ("status", "http_status", "message", "retry_after", "text", "model")} == {
        "status": "answered", "http_status": 200, "message": None, "retry_after": None, "text": text, "model": "m",
    }  # fmt: skip
    assert read["citations"] == [
        {
            "url": url,
            "canonical_url": "https://www.nordwind.example/",
            "title": "N",
            "level": "span",
            "start": 7,
            "end": len(text) - 1,
            "position": 1,
        }
    ]
    assert [(s["url"], s["canonical_url"], s["level"]) for s in read["sources"]] == [
        ("https://b.example", "https://b.example/", "retrieved")
    ]
    assert (read["queries"], read["usage"], read["follow_up"]) == (["fork"], {"total_tokens": 3}, None)
    shown = citepoll("engines", "parse", "openai:responses", path).out
    assert "answered (HTTP 200), m" in shown
    assert "Ä fork" in shown


@pytest.mark.parametrize("headers", ['{"Retry-After": "20"}', "HTTP/2 429\r\nRetry-After: 20\r\n\r\n"])
def test_an_error_body_comes_with_its_status_and_headers(citepoll, body, headers):
    path = body({"error": {"message": "Too fast.", "code": "rate_limit_exceeded"}})
    extra = ("--http-status", 429, "--headers", body(headers, "headers"))
    read = json.loads(citepoll("engines", "parse", "xai:grok", path, *extra, "--json").out)
    assert (read["status"], read["message"], read["retry_after"], read["retry"]) == (
        "failed",
        "Too fast.",
        20.0,
        "later",
    )
    assert "Too fast." in citepoll("engines", "parse", "xai:grok", path, *extra).out


def test_what_cannot_be_read_is_told(citepoll, body, tmp_path):
    assert "no engine 'acme:chat'" in citepoll("engines", "parse", "acme:chat", body({})).err
    missing = citepoll("engines", "parse", "xai:grok", tmp_path / "none.json")
    assert missing.code == 4
    assert "cannot be read" in missing.err
    wrong = citepoll("engines", "parse", "xai:grok", body({}), "--headers", body("[1]", "headers"))
    assert wrong.code == 4


def test_an_engine_that_cannot_be_loaded_does_not_hide_the_others(citepoll, monkeypatch):
    point = registry.EntryPoint("acme:chat", "no_such_module_here", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: (point,))
    said = citepoll("engines")
    assert said.code == 0
    assert "xai:grok" in said.out
    assert "no_such_module_here" in said.err


# ---------------------------------------------------------------- check


@pytest.fixture
def served(citepoll, project, monkeypatch):
    """The project asks a server of its own on loopback, which takes no key; with scripted faults."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "OPENAI_COMPATIBLE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with Emulator(QUICK) as emulator:
        (project.root / "citepoll.toml").write_text(
            '[brand]\nname = "Acme"\n[[engine]]\nid = "openai-compatible"\nname = "mine"\nmodel = "m"\n'
            f'settings = {{ base_url = "{emulator.url}/v1" }}\n[prices.mine]\nexpected = 0.02\n',
            "utf-8",
        )
        yield emulator


def test_check_says_the_cost_before_and_what_was_found_after(citepoll, served, project):
    said = citepoll("engines", "check", "--yes")
    assert said.code == 0, said.err
    assert "1 call: about $0.02" in said.err
    assert "mine: works" in said.out
    assert " s, " in said.out
    assert not list(project.data.glob("*"))
    found = json.loads(citepoll("engines", "check", "mine", "--yes", "--json").out)
    assert [(each["engine"], each["works"], each["status"]) for each in found] == [("mine", True, "answered")]


def test_check_ends_with_its_own_status_where_an_engine_does_not_work(citepoll, served):
    served.desk.script("openai-compatible", "no_quota")
    said = citepoll("engines", "check", "--yes")
    assert said.code == 8
    assert "no quota or no credit" in said.out
    assert "You exceeded your current quota" in said.out
    assert "Add credit" in said.out


def test_check_sends_nothing_without_a_yes(citepoll, served):
    said = citepoll("engines", "check")
    assert said.code == 4
    assert "--yes" in said.err
    assert "openai-compatible" not in served.desk.state()["engines"]
