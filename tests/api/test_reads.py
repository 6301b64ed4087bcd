"""What programs read: every list, every shape, and what is said where nothing fits."""

import csv
import io
import json

import msgspec
import polars as pl
import pytest

from citepoll.surfaces.api import slices

READS = (
    "/version", "/projects", "/brands", "/topics", "/engines", "/metrics", "/health", "/measures", "/changes", "/gaps",
    "/citations?by=query", "/sources?by=url", "/targets", "/views", "/query-sets", "/query-sets/1", "/query-sets/draft",
    "/query-sets/diff?before=1&after=draft", "/queries", "/cycles", "/cycles/november", "/cycles/november/progress",
    "/answers", "/answers/1", "/answers/1/payload", "/opportunities", "/experiments", "/openapi.json", "/docs",
)  # fmt: skip


@pytest.mark.parametrize("path", READS)
def test_a_read_has_an_etag_and_is_not_sent_twice(api, path):
    first = api.get(path)
    assert first.status_code == 200
    again = api.get(path, headers={"if-none-match": f'W/"x", {first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"


def test_an_etag_changes_with_the_project(api, measured):
    before = api.get("/brands").headers["etag"]
    toml = measured.root / "citepoll.toml"
    toml.write_text(toml.read_text("utf-8").replace("Foxglove", "Thimble"), "utf-8")
    now = api.get("/brands", headers={"if-none-match": before})
    assert now.status_code == 200
    assert [brand["name"] for brand in now.json()["items"]] == ["Acme", "Thimble"]


def test_an_etag_is_that_of_its_question(api):
    tag = api.get("/measures").headers["etag"]
    assert api.get("/measures?metrics=slot_share", headers={"if-none-match": tag}).status_code == 200
    assert api.get("/gaps", headers={"if-none-match": tag}).status_code == 200


def test_lists_go_on_where_they_stopped(api):
    seen, path = [], "/answers?limit=5"
    while path:
        page = api.get(path).json()
        seen += [item["id"] for item in page["items"]]
        path = page["next"] and f"/answers?limit=5&cursor={page['next']}"
    assert len(seen) == len(set(seen)) == page["total"] == 12
    names = api.get("/metrics?limit=200").json()["items"]
    first = api.get("/metrics?limit=3").json()
    second = api.get(f"/metrics?limit=200&cursor={first['next']}").json()
    assert [*first["items"], *second["items"]] == names
    assert second["next"] is None


def test_a_list_goes_on_in_its_cycle(api, measured, desk, row):
    first = api.get("/answers?limit=5").json()
    line = json.dumps(row(citations=[]))
    sent = api.post("/imports?cycle=december", content=line, headers={"content-type": "application/x-ndjson"})
    assert sent.status_code == 201
    second = api.get(f"/answers?limit=5&cursor={first['next']}").json()
    assert (first["cycle"], second["cycle"]) == ("november", "november")
    assert api.get("/answers").json()["cycle"] == "december"


@pytest.mark.parametrize("cursor", ["x", "é", "AAAA", "eyJhZnRlciI6LTF9", "eyJhZnRlciI6MWUzMDB9", "W10"])
def test_a_cursor_of_somebody_else_is_refused(api, cursor):
    found = api.get("/brands", params={"cursor": cursor})
    assert (found.status_code, found.json()["fix"]) == (400, "Take `next` of the page before, as it is.")


def test_answers_are_found_by_what_they_cite_and_say(api):
    def count(**wanted):
        return len(api.get("/answers", params=wanted).json()["items"])

    assert count(cites="Acme") == 6
    assert count(cites="Acme", cycle="october") == 3
    assert count(engine="beacon", domain="blog.com") == 3
    assert count(url="https://blog.com/1") == 2
    assert count(query="SPADE", run=2) == 2
    assert count(mentions="Acme", status="valid") == 12
    assert count(q="acme") == 12
    assert count(q="nothing of the kind") == 0
    assert count(branded=True) == 0


def test_an_answer_has_its_text_its_reasons_and_its_payload(api):
    item = api.get("/answers?cites=Acme&limit=1").json()["items"][0]
    shown = api.get(f"/answers/{item['id']}").json()
    assert (shown["text"], shown["query"]["text"], shown["surface"]) == ("=Acme", "best garden fork", "recorded")
    assert [(c["brand"], c["rule"]) for c in shown["citations"]] == [("Acme", "acme.com")]
    payload = api.get(f"/answers/{item['id']}/payload")
    assert payload.headers["content-disposition"].startswith("attachment")
    assert json.loads(payload.content)["answer_text"] == "=Acme"


@pytest.mark.parametrize(
    "path", ["/answers/999", "/answers/999/payload", "/cycles/july", "/cycles/@9", "/query-sets/7", "/experiments/3",
             "/opportunities/zz", "/measures?project=july", "/nothing"],
)  # fmt: skip
def test_what_is_not_there_is_told_as_absent(api, path):
    found = api.get(path)
    assert (found.status_code, found.headers["content-type"]) == (404, "application/problem+json")
    assert found.json()["detail"]
    assert found.json()["fix"]


def test_a_cycle_is_found_by_its_number_where_its_name_cannot_stand_in_an_address(api, row):
    line = json.dumps(row())
    api.post("/imports?cycle=a/b", content=line, headers={"content-type": "application/x-ndjson"})
    line = api.get("/cycles").json()["items"][-1]
    assert api.get(f"/cycles/@{line['id']}").json()["cycle"]["name"] == "a/b"


def test_the_four_shapes(api):
    asked = "/measures?target=fixed_set&where=brand=Acme&shape="
    summary = api.get(asked + "summary").json()
    assert [(r["engine"], r["value"]) for r in summary["rows"] if r["engine"] != "blended (recorded)"][:2] == [
        ("atlas", 0.5), ("beacon", 0.5),
    ]  # fmt: skip
    trend = api.get(asked + "trend").json()
    assert trend["cycles"] == ["october", "november"]
    beacon = next(s for s in trend["series"] if s["engine"] == "beacon")
    assert [point["value"] for point in beacon["points"]] == [0.0, 0.5]
    ranking = api.get(
        "/measures?shape=ranking&target=fixed_set&metrics=slot_share&by=domain,engine&cycles=october"
    ).json()
    atlas = next(found for found in ranking["lists"] if found["engine"] == "atlas")
    assert [(r["rank"], r["domain"]) for r in atlas["rows"]] == [(1, "acme.com"), (1, "blog.com")]
    assert atlas["rows"][0]["overlaps"] == ["blog.com"]
    matrix = api.get("/measures?shape=matrix&target=fixed_set&by=query,engine&where=brand=Acme").json()["matrices"][0]
    texts = api.get("/measures?by=query,engine").json()["labels"]
    assert sorted(texts[row] for row in matrix["rows"]) == ["best garden fork", "how to sharpen a spade"]
    assert len(matrix["cells"]) == 2
    assert {len(cells) for cells in matrix["cells"]} == {len(matrix["columns"])}


def test_a_slice_as_json_is_the_same_slice(api):
    by_address = api.get("/measures?metrics=slot_share,mention_rate&by=brand&by=engine&target=category&shape=ranking")
    asked = {"metrics": ["slot_share", "mention_rate"], "target": "category", "shape": "ranking"}
    assert api.post("/measures", json=asked).json() == by_address.json()


def test_too_many_rows_are_refused_with_the_way_out(api, monkeypatch):
    monkeypatch.setattr(slices, "MOST_ROWS", 3)
    found = api.get("/measures")
    assert found.status_code == 422
    assert "/exports/measures" in found.json()["fix"]


@pytest.mark.parametrize(
    ("query", "cause"),
    [
        ("metrics=nonsense", "unknown metric"),
        ("shape=trend&compare=october", "A trend has every cycle"),
        ("shape=trend&metrics=citation_gap", "not specified"),
        ("shape=matrix&by=brand", "rows and columns"),
        ("where=nonsense", "cannot be read"),
        ("cycles=july", "no cycle"),
    ],
)
def test_a_question_that_cannot_be_answered_says_why(api, query, cause):
    found = api.get(f"/measures?{query}")
    assert found.status_code == 422
    assert cause in found.json()["detail"]
    assert found.json()["fix"]


def test_no_number_is_null_and_never_nan(api):
    text = api.get("/measures?metrics=share_of_citation_earned").text
    assert "NaN" not in text
    assert all("value" in row for row in json.loads(text)["rows"])


def test_exports_are_files_that_come_back(api):
    lines = api.get("/exports/answers?cycle=october").content.splitlines()
    assert len(lines) == 12
    again = api.post(
        "/imports?cycle=again", content=b"\n".join(lines), headers={"content-type": "application/x-ndjson"}
    )
    assert again.json()["new"] == 12
    frame = pl.read_parquet(api.get("/exports/answers?format=parquet").content)
    assert frame.height == 12


def test_cells_that_a_spreadsheet_would_run_are_guarded_unless_raw(api):
    def texts(query):
        found = api.get(f"/exports/answers?format=csv{query}")
        return {line["answer_text"] for line in csv.DictReader(io.StringIO(found.text))}

    assert texts("") == {"'=Acme"}
    assert texts("&raw=true") == {"=Acme"}


def test_measures_as_a_file(api):
    found = api.get("/exports/measures?metrics=slot_share&by=domain,engine")
    assert found.headers["content-disposition"] == 'attachment; filename="project-measures.csv"'
    assert "blog.com" in found.text
    asked = api.get("/exports/measures?format=json").json()
    assert asked == api.get("/measures").json()["rows"]


def test_the_report_is_a_file_and_never_a_page_of_this_server(api):
    found = api.get("/report?cycle=october")
    assert found.headers["content-disposition"] == 'attachment; filename="project-october.html"'
    assert b"Acme" in found.content
    assert api.get("/report?format=pdf").content.startswith(b"%PDF")


def test_what_stands_in_half_a_character_is_sent_all_the_same(api, jsonl, row):
    line = json.dumps(row(answer_text="half \ud83d a face", query="q"))
    sent = api.post("/imports?cycle=halves", content=line, headers={"content-type": "application/x-ndjson"})
    assert sent.status_code == 201
    number = api.get("/answers").json()["items"][0]["id"]
    assert msgspec.json.decode(api.get(f"/answers/{number}").content)["text"].startswith("half")
