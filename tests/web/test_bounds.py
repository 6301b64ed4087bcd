"""Requests that are made to cost the server more than they cost their sender: refused, in words, at once."""

import json
import time

import pytest

DEEP = b"[" * 200_000
JSON = {"content-type": "application/json"}


@pytest.fixture(autouse=True)
def at_once():
    """No request here may take long; the bound is generous, since the machines that run tests are shared."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < 30


@pytest.fixture
def asking(people, browser):
    made = browser("anna")
    made.get("/p/acme/queries/edit")
    return made


@pytest.mark.parametrize("body", [DEEP, b'{"where":' * 100_000, b'{"metrics":[' * 50_000])
def test_json_without_a_bottom(asking, body):
    found = asking.client.post(
        "/api/v1/measures?project=acme", content=body, headers={**JSON, "x-csrf-token": asking.form}
    )
    assert found.status_code == 400
    assert "nested too deeply" in found.json()["detail"]


def test_json_without_a_bottom_in_mcp(people, app, browser, token):
    headers = {**JSON, "accept": "application/json, text/event-stream", "authorization": f"Bearer {token('anna')}"}
    with browser().client as client:
        assert client.post("/mcp", content=DEEP, headers=headers).status_code == 400


@pytest.mark.parametrize(
    "where", ["(" * 20_000, "not " * 5_000, "brand = 'x' and " * 5_000, "brand = '" + "\\" * 50_000]
)
def test_a_filter_without_an_end(asking, where):
    headers = {**JSON, "x-csrf-token": asking.form}
    found = asking.client.post("/api/v1/measures?project=acme", content=json.dumps({"where": where}), headers=headers)
    assert found.status_code == 422


@pytest.mark.parametrize(
    "asked", [{"runs": 10**9}, {"queries": 10**12}, {"runs": 10**400}, {"detect": 1e-12}, {"power": 2}, {"share": 0}]
)
def test_a_plan_without_bounds(people, app, browser, token, asked):
    headers = {
        **JSON, "accept": "application/json, text/event-stream", "authorization": f"Bearer {token('viktor')}",
        "mcp-protocol-version": "2025-06-18",
    }  # fmt: skip
    call = {"name": "plan", "arguments": {"project": "acme", **asked}}
    with browser().client as client:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call})
        found = client.post("/mcp", content=body, headers=headers)
    assert found.json()["result"]["isError"]


@pytest.mark.parametrize(
    "form",
    [{"runs": "9" * 5_000}, {"runs": "²"}, {"over": "9" * 400 + "h"}, {"over": "99999999999w"}, {"stop_at": "1e999"}],
)
def test_numbers_without_an_end(asking, form):
    assert asking.post("/p/acme/cycles/new", form).status_code == 422
    assert asking.get("/p/acme/cycles/new", params=form).status_code == 422


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("q.toml", b"a." * 200_000 + b"b=1", 422),
        ("q.toml", b'"\\"".' * 100_000 + b"b=1", 422),
        ("q.toml", b"a=" + DEEP, 422),
        ("q.toml", b"[[query]]\n" * 50_000, 422),
        ("q.jsonl", DEEP, 422),
        ("q.csv", b'text\n"' + b"a" * 900_000, 422),
        ("q.csv", b"text\n" + b"a" * 3_000_000, 413),
        ("q.csv", b"\xff\xfe\x00", 422),
        ("q.exe", b"MZ", 422),
    ],
)
def test_a_file_of_queries_that_is_a_trap(asking, name, content, status):
    sent = {"_csrf_token": asking.form, "version": "", "mode": "add"}
    found = asking.client.post(
        "/p/acme/queries/import", data=sent, files={"file": (name, content)}, follow_redirects=False
    )
    assert found.status_code == status


def test_a_name_of_a_file_is_never_a_path(asking, desk, tmp_path):
    before = {path for path in tmp_path.rglob("*") if path.suffix == ".csv"}
    sent = {"_csrf_token": asking.form, "version": "", "mode": "replace"}
    asking.client.post(
        "/p/acme/queries/import",
        data=sent,
        files={"file": ("../../../x.csv", b"text\nwhich fork\n")},
        follow_redirects=False,
    )
    assert {path for path in tmp_path.rglob("*") if path.suffix == ".csv"} == before


@pytest.mark.parametrize(
    ("headers", "content"),
    [
        (JSON, b'{"_csrf_token": "TOKEN"}'),
        ({"content-type": "text/plain"}, b'{"_csrf_token": "TOKEN"}'),
        ({"content-type": "application/x-www-form-urlencoded"}, b"_csrf_token=" + b"0" * 128),
        ({"content-type": "application/x-www-form-urlencoded", "x-http-method-override": "GET"}, b""),
    ],
)
def test_no_type_of_content_gets_around_the_token_of_a_form(asking, desk, headers, content):
    before = desk.accounts.audit(1)
    found = asking.client.post(
        "/p/acme/queries/lock", content=content.replace(b"TOKEN", asking.form.encode()), headers=headers,
        follow_redirects=False,
    )  # fmt: skip
    assert found.status_code == 403
    assert asking.client.get("/p/acme/queries/lock", headers={"x-http-method-override": "POST"}).status_code == 405
    assert desk.accounts.audit(1) == before


def test_the_token_of_another_browser_does_not_do(people, browser):
    anna, stranger = browser("anna"), browser()
    stranger.get("/login")
    assert anna.post("/projects", {"brand": "New", "domains": "new.com"}, form=stranger.form).status_code == 403
