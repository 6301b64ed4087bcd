"""What programs change: once, noted, and never over somebody else's change."""

import gzip
import json
import threading
from datetime import UTC, datetime
from tempfile import gettempdir

import pytest

from citepoll.service import uploads
from citepoll.service.background import Standing
from citepoll.service.importing import import_file
from citepoll.store.ledger import Ledger

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
NDJSON = {"content-type": "application/x-ndjson"}


@pytest.fixture
def todo(api, measured, row, jsonl):
    """The id of a thing to do: a competitor is ahead."""
    rows = [row(run=run, citations=["https://other.com"]) for run in range(1, 8)]
    import_file(measured, Ledger(measured.data / "ledger.db"), jsonl(*rows), "december", at=AT)
    return api.get("/opportunities").json()["items"][0]["id"]


def noted(desk):
    return [(entry.what, entry.object) for entry in desk.accounts.audit()]


def test_a_status_is_set_once_and_noted_once(api, desk, todo):
    key = {"idempotency-key": "one"}
    first = api.patch(f"/opportunities/{todo}", json={"status": "done", "note": "n", "owner": "o"}, headers=key)
    again = api.patch(f"/opportunities/{todo}", json={"status": "done", "note": "n", "owner": "o"}, headers=key)
    assert first.json() == again.json()
    assert (first.json()["status"], first.json()["mark"]["note"]) == ("done", "n")
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert noted(desk).count(("opportunity done", f"project: {todo}")) == 1


def test_a_key_stands_for_one_request(api, todo):
    key = {"idempotency-key": "one"}
    api.patch(f"/opportunities/{todo}", json={"status": "done"}, headers=key)
    found = api.patch(f"/opportunities/{todo}", json={"status": "open"}, headers=key)
    assert (found.status_code, found.json()["detail"]) == (422, "This Idempotency-Key was used for another request.")
    assert api.get(f"/opportunities/{todo}").json()["status"] == "done"


def test_a_request_that_failed_may_be_sent_again(api):
    key = {"idempotency-key": "one"}
    asked = {"change": "c", "treat": "topic = x", "control": "topic = y"}
    assert api.post("/experiments", json=asked, headers=key).status_code == 422
    assert api.post("/experiments", json=asked, headers=key).status_code == 422
    good = {"change": "c", "treat": 'query ~ "fork"', "control": 'query ~ "spade"'}
    assert api.post("/experiments", json=good, headers=key).status_code == 201


def test_an_experiment_begins_and_ends(api, desk):
    made = api.post("/experiments", json={"change": "c", "treat": "query ~ fork", "control": "query ~ spade"}).json()
    number = made["experiment"]["id"]
    assert api.get(f"/experiments/{number}").json()["reason"]
    assert api.post(f"/experiments/{number}/end").json()["ended_at"]
    assert api.post(f"/experiments/{number}/end").status_code == 422
    assert [what for what, _ in noted(desk)] == ["experiment ended", "experiment started"]


def test_a_filter_is_never_read_as_the_name_of_a_file(api, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret", "utf-8")
    found = api.post("/experiments", json={"change": "c", "treat": str(secret), "control": "query ~ spade"})
    assert found.status_code == 422
    assert "the secret" not in found.text


def test_a_draft_is_written_over_the_version_that_was_read_only(api, measured, desk):
    read = api.get("/query-sets/draft")
    entries = {"queries": [{"text": " which  fork for clay ", "topic": "forks"}]}
    assert api.put("/query-sets/draft", json=entries).status_code == 428
    first = api.put("/query-sets/draft", json=entries, headers={"if-match": read.headers["etag"]})
    late = api.put("/query-sets/draft", json={"queries": []}, headers={"if-match": read.headers["etag"]})
    assert (first.status_code, late.status_code) == (200, 412)
    assert [q["text"] for q in first.json()["queries"]] == ["which fork for clay"]
    assert 'text = "which fork for clay"' in (measured.root / "queries.toml").read_text("utf-8")
    now = api.get("/query-sets/draft").headers["etag"]
    assert now == first.headers["etag"]
    assert api.post("/query-sets", headers={"if-match": read.headers["etag"]}).status_code == 412
    locked = api.post("/query-sets", headers={"if-match": now})
    assert (locked.status_code, locked.json()["number"], locked.json()["queries"]) == (201, 2, 1)
    moved = api.get("/query-sets/diff?before=1&after=2").json()
    assert (len(moved["added"]), len(moved["removed"])) == (1, 2)
    assert [what for what, _ in noted(desk)] == ["query set locked", "draft saved"]


def test_a_draft_that_is_not_there_is_empty_and_not_locked(api, measured):
    (measured.root / "queries.toml").unlink()
    assert api.get("/query-sets/draft").json()["queries"] == []
    found = api.post("/query-sets")
    assert (found.status_code, str(measured.root) in found.text) == (409, False)


@pytest.mark.parametrize("query", [{"text": ""}, {"text": "q", "intent": "guess"}, {"text": "q", "colour": "red"}, {}])
def test_a_query_that_is_none_is_refused_and_the_file_stays(api, measured, query):
    before = (measured.root / "queries.toml").read_bytes()
    tag = api.get("/query-sets/draft").headers["etag"]
    found = api.put("/query-sets/draft", json={"queries": [query]}, headers={"if-match": tag})
    assert found.status_code in (400, 422)
    assert (measured.root / "queries.toml").read_bytes() == before


def test_answers_are_imported_from_bytes(api, desk, row):
    lines = b"\n".join(json.dumps(row(run=run)).encode() for run in (1, 2))
    path = "/imports?cycle=december&name=../../etc/passwd"
    found = api.post(path, content=gzip.compress(lines), headers=NDJSON).json()
    assert (found["new"], found["file"]) == (2, "passwd.jsonl")
    assert api.get("/measures").json()["cycles"] == ["december"]
    assert noted(desk)[0] == ("answers imported", "project: december")
    csv = b"engine,query,run,answer_text,citations\natlas,q,1,a,https://acme.com\n"
    assert api.post("/imports?cycle=c", content=csv, headers={"content-type": "text/csv"}).json()["new"] == 1


def test_an_import_is_bounded_as_sent_and_expanded(api, monkeypatch):
    monkeypatch.setattr(uploads, "EXPANDED", 2**20)
    found = api.post("/imports?cycle=x", content=gzip.compress(b" " * 2**22), headers=NDJSON)
    assert (found.status_code, found.json()["detail"]) == (422, "The upload expands to more than 1,048,576 bytes.")
    assert api.post("/imports?cycle=x", content=b" " * (uploads.SENT + 1), headers=NDJSON).status_code == 413


def test_no_path_of_the_server_is_told(api, measured, row, tmp_path):
    bad = json.dumps(row()).encode() + b"\nnonsense"
    cut = gzip.compress(json.dumps(row(run=9)).encode() * 50)[:-12]
    told = [api.post("/imports?cycle=x", content=body, headers=NDJSON).text for body in (bad, b"nonsense", cut)]
    assert all(str(tmp_path) not in text and gettempdir() not in text for text in told)


class Hand:
    """A worker that does as it is told, and remembers it."""

    def __init__(self):
        self.told = []
        self.now = Standing("idle")

    def start(self, project, order):
        self.told.append(("start", project, order.cycle, order.over))
        self.now = Standing("running", "november")
        return self.now

    def standing(self, project):
        return self.now

    def __getattr__(self, name):
        def tell(project):
            self.told.append((name, project))
            self.now = Standing({"pause": "paused", "resume": "running", "stop": "stopping"}[name], "november")
            return self.now

        return tell


def test_polls_are_started_and_steered_through_the_worker(api, desk):
    assert api.post("/cycles", json={}).json()["detail"] == "This server does not poll by itself."
    desk.worker = hand = Hand()
    key = {"idempotency-key": "one"}
    assert api.post("/cycles/november/pause").status_code == 409
    begun = [api.post("/cycles", json={"cycle": "november", "over": "2h"}, headers=key) for _ in range(2)]
    assert [(one.status_code, one.json()["state"]) for one in begun] == [(202, "running")] * 2
    assert api.get("/cycles/november/progress").json()["work"]["state"] == "running"
    assert api.post("/cycles/november/close").status_code == 409
    for what in ("pause", "resume", "stop"):
        assert api.post(f"/cycles/november/{what}").status_code == 200
        assert api.post(f"/cycles/october/{what}").status_code == 409
    assert hand.told == [
        ("start", "project", "november", "2h"), ("pause", "project"), ("resume", "project"), ("stop", "project"),
    ]  # fmt: skip
    assert [what for what, _ in noted(desk)] == ["poll stopped", "poll resumed", "poll paused", "poll started"]


def test_two_at_once_under_one_key_are_done_once(api, desk):
    desk.worker = hand = Hand()
    go, met = threading.Event(), threading.Event()
    found = []

    def slow(project, order):
        met.set()
        go.wait(10)
        hand.told.append("start")
        return Standing("running", "november")

    hand.start = slow
    key = {"idempotency-key": "one"}
    first = threading.Thread(target=lambda: found.append(api.post("/cycles", json={}, headers=key)))
    first.start()
    assert met.wait(10)
    second = api.post("/cycles", json={}, headers=key)
    go.set()
    first.join(10)
    assert (second.status_code, found[0].status_code) == (409, 202)
    assert api.post("/cycles", json={}, headers=key).json() == found[0].json()
    assert hand.told == ["start"]
