"""schemathesis over the OpenAPI document: whatever it sends, no server error, and answers as the document says."""

import json
from datetime import UTC, datetime

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.python.asgi import get_client
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from citepoll.project import parse_project
from citepoll.service.importing import import_file
from citepoll.store.ledger import Ledger
from citepoll.surfaces.api import api, document
from citepoll.surfaces.web.application import assemble
from citepoll.surfaces.web.desk import Settings, open_desk
from citepoll.surfaces.web.problems import as_json

AT = datetime(2026, 11, 3, 9, tzinfo=UTC)
TOML = """
[brand]
name = "Acme"
owns = ["acme.com"]
[[competitor]]
name = "Foxglove"
owns = ["other.com"]
[[engine]]
id = "local:bm25"
runs = 3
"""
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
schema = schemathesis.openapi.from_dict(document()).exclude(path="/api/v1/report")  # seconds a time; in test_reads.py
schemathesis.serializer.alias("application/x-ndjson", "text/plain")


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """A client in this process of a desk with one measured project, which the cases read and change at will."""
    root = tmp_path_factory.mktemp("served") / "acme"
    root.mkdir()
    (root / "citepoll.toml").write_text(TOML, "utf-8")
    (root / "queries.toml").write_text('[[query]]\ntext = "best garden fork"\n', "utf-8")
    project = parse_project(TOML, root)
    ledger = Ledger(project.data / "ledger.db")
    for cycle, host in (("one", "acme.com"), ("two", "other.com")):
        rows = [
            {"engine": "atlas", "query": query, "run": run, "answer_text": "Acme.", "citations": [f"https://{host}/{run}"]}
            for query in ("best garden fork", "how to sharpen a spade")
            for run in (1, 2, 3)
        ]  # fmt: skip
        path = root.parent / f"{cycle}.jsonl"
        path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
        import_file(project, ledger, path, cycle, at=AT)
    desk = open_desk((root,), root.parent / "home", Settings())
    desk.clock = lambda: AT
    with get_client(assemble(desk, [api()], lambda request, problem: as_json(problem))) as client:
        client.headers["authorization"] = f"Bearer {desk.token}"
        yield client
    desk.close()


@schema.parametrize()
@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_no_server_error_and_answers_as_documented(case, session):
    found = case.call(base_url="http://127.0.0.1:8321", session=session)
    case.validate_response(found, checks=CHECKS)
