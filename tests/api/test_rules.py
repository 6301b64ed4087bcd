"""What a request must fit, and how it is turned away."""

import json

import pytest
from litestar.testing import TestClient

from citepoll.service import sessions
from citepoll.service.accounts import add_user
from citepoll.surfaces.api import api as routes
from citepoll.surfaces.api import document
from citepoll.surfaces.web import application
from citepoll.surfaces.web.application import assemble
from citepoll.surfaces.web.problems import as_json

JSON = {"content-type": "application/json"}


def problem(found, status):
    assert found.status_code == status
    assert found.headers["content-type"] == "application/problem+json"
    body = found.json()
    assert body["status"] == status
    assert {"type", "title", "detail", "fix"} <= body.keys()
    return body


@pytest.mark.parametrize("path", ["/measures?metric=x", "/brands?by=engine", "/version?project=project", "/cycles?x"])
def test_a_parameter_that_is_not_known_is_refused(api, path):
    assert "There is no parameter" in problem(api.get(path), 400)["detail"]


def test_a_slip_is_named(api):
    assert problem(api.get("/measures?metric=slot_share"), 400)["fix"].startswith("Did you mean metrics?")


@pytest.mark.parametrize(
    "path",
    [
        "/brands?limit=0",
        "/brands?limit=ten",
        "/measures?shape=pie",
        "/measures?confidence=nan",
        "/measures?limit=0",
        "/answers?run=0",
    ],
)
def test_a_value_of_the_wrong_kind_is_named(api, path):
    name = path.partition("?")[2].partition("=")[0]
    assert problem(api.get(path), 400)["errors"][0].startswith(f"{name}: ")


def test_a_field_that_is_not_known_is_refused(api):
    assert "metricz" in problem(api.post("/measures", json={"metricz": []}), 400)["errors"][0]


def test_bodies_are_of_the_type_that_a_route_reads(api):
    problem(api.post("/measures", content=b"{}", headers={"content-type": "text/plain"}), 415)
    problem(api.post("/measures", content=b"{}"), 415)
    problem(api.post("/imports?cycle=x", content=b"{}", headers=JSON), 415)
    problem(api.post("/measures", content=b"{", headers=JSON), 400)


def test_bodies_are_bounded(api):
    large = json.dumps({"where": "x" * 3 * 2**20})
    problem(api.post("/measures", content=large, headers=JSON), 413)


def test_a_method_that_is_not_known_is_told_with_those_that_are(api):
    found = api.put("/measures")
    problem(found, 405)
    assert "GET" in found.headers["allow"]


def test_too_many_requests_say_when_to_come_back(desk, monkeypatch, at):
    monkeypatch.setattr(application, "PER_MINUTE", 2)
    user = add_user(desk.accounts, "olga", "a fork in the garden", "owner", None, at)
    client = TestClient(
        assemble(desk, [routes()], lambda request, problem: as_json(problem)), base_url="http://127.0.0.1:8321"
    )
    bearer = {"authorization": f"Bearer {sessions.make_token(desk.accounts, user, 't', 'read', None, at)[1]}"}
    found = [client.get("/api/v1/version", headers=bearer) for _ in range(3)][-1]
    problem(found, 429)
    assert 0 < int(found.headers["retry-after"]) <= 60


def test_nobody_is_told_nothing(app):
    client = TestClient(app, base_url="http://127.0.0.1:8321")
    for path in ("measures", "openapi.json", "docs", "version", "measures?project=nothing"):
        problem(client.get(f"/api/v1/{path}"), 401)
    assert "access-control-allow-origin" not in client.options("/api/v1/measures").headers


def test_a_token_of_one_project_sees_no_other(desk, app, at):
    user = add_user(desk.accounts, "olga", "a fork in the garden", "owner", None, at)
    secret = sessions.make_token(desk.accounts, user, "t", "write", "elsewhere", at)[1]
    client = TestClient(app, base_url="http://127.0.0.1:8321")
    client.headers["authorization"] = f"Bearer {secret}"
    assert client.get("/api/v1/projects").json()["items"] == []
    problem(client.get("/api/v1/brands?project=project"), 404)
    problem(client.post("/api/v1/experiments?project=project", content=b"{"), 404)
    assert "Say which project" in problem(client.get("/api/v1/brands"), 400)["detail"]


def test_a_project_that_cannot_be_read_does_not_hide_the_list(api, measured):
    (measured.root / "citepoll.toml").write_text("[brand", "utf-8")
    assert api.get("/projects").json()["items"][0]["problem"]
    problem(api.get("/measures"), 503)


def test_every_operation_says_what_it_does_and_each_id_is_its_own():
    made = document()
    found = [each for methods in made["paths"].values() for each in methods.values()]
    assert made["openapi"].startswith("3.1")
    assert len({each["operationId"] for each in found}) == len(found) >= 40
    assert all(each.get("description") for each in found)
    schemas = made["components"]["schemas"]
    silent = [name for name, each in schemas.items() if not each.get("description") and each["type"] == "object"]
    assert silent == []
