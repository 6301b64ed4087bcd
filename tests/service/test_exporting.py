import csv
import gzip
import io
import json
import os

import polars as pl
import pytest

from citepoll.errors import InputError
from citepoll.model import Query, QuerySet, RawAnswer
from citepoll.service import exporting
from citepoll.service.importing import import_file


@pytest.fixture
def imported(project, ledger, at, row, jsonl):
    """A cycle of two rows, one with unknown keys and a formula; gives it."""
    rows = (
        row(query_id="7", status="shown", asked_at="2026-11-03T09:00:00Z", extra={"a": [1]}, answer_text="=1+1"),
        row(run=2, prompt="x", citations=[{"url": "https://acme.com/", "level": "span", "start": 0, "end": 1}]),
    )
    import_file(project, ledger, jsonl(*rows), "c", at=at)
    return ledger.cycle("c")


def exported(ledger, cycle, path, **options):
    count = exporting.export(ledger, cycle, path, exporting.format_of(path, None), **options)
    return count, path.read_bytes()


def test_jsonl_holds_what_was_recorded_and_what_is_known_of_it(ledger, imported, tmp_path):
    count, data = exported(ledger, imported, tmp_path / "out.jsonl")
    first, second = map(json.loads, data.splitlines())
    assert count == 2
    assert first == {
        "engine": "atlas", "query": "best garden fork", "query_id": "7", "run": 1, "status": "answered",
        "answer_text": "=1+1", "citations": [{"url": "https://www.acme.com/forks"}], "extra": {"a": [1]},
        "asked_at": "2026-11-03T09:00:00.000+00:00", "language": "en", "market": "US", "surface": "recorded",
    }  # fmt: skip
    assert "query_id" not in second
    assert second["prompt"] == "x"


def test_an_export_of_an_import_of_an_export_is_the_export(project, ledger, imported, tmp_path, at):
    _, data = exported(ledger, imported, tmp_path / "out.jsonl")
    import_file(project, ledger, tmp_path / "out.jsonl", "again", at=at)
    assert exported(ledger, ledger.cycle("again"), tmp_path / "again.jsonl")[1] == data


def test_csv_keeps_further_keys_and_guards_formulae(ledger, imported, tmp_path):
    first, second = csv.DictReader(io.StringIO(exported(ledger, imported, tmp_path / "a.csv")[1].decode()))
    assert list(first) == [*exporting.FIRST, "more"]
    assert (first["answer_text"], json.loads(first["more"])) == ("'=1+1", {"extra": {"a": [1]}})
    assert json.loads(second["citations"])[0]["level"] == "span"
    raw = exported(ledger, imported, tmp_path / "b.csv", raw=True)[1].decode()
    assert next(csv.DictReader(io.StringIO(raw)))["answer_text"] == "=1+1"


def test_parquet_has_the_columns_of_csv(ledger, imported, tmp_path):
    exported(ledger, imported, tmp_path / "a.parquet")
    frame = pl.read_parquet(tmp_path / "a.parquet")
    assert frame.columns == [*exporting.FIRST, "more"]
    assert frame["run"].to_list() == [1, 2]
    assert frame["answer_text"][0] == "=1+1"


def test_gzip_by_the_name(ledger, imported, tmp_path):
    plain = exported(ledger, imported, tmp_path / "a.csv")[1]
    assert gzip.decompress(exported(ledger, imported, tmp_path / "a.csv.gz")[1]) == plain


@pytest.mark.parametrize(
    ("name", "chosen", "format_"),
    [
        ("a.csv", None, "csv"),
        ("a.PARQUET", None, "parquet"),
        ("a.jsonl.gz", None, "jsonl"),
        ("a.txt", "csv", "csv"),
        (None, None, "jsonl"),
    ],
)
def test_the_format_is_named_or_by_the_ending(tmp_path, name, chosen, format_):
    assert exporting.format_of(tmp_path / name if name else None, chosen) == format_


def test_an_unknown_format_is_refused():
    with pytest.raises(InputError, match="'xml' is not a format"):
        exporting.format_of(None, "xml")


def test_a_polled_cycle_comes_out_as_recorded_answers(project, ledger, at, tmp_path):
    queries = QuerySet((Query("best fork", ref="q1"),))
    ledger.lock(queries, "queries.toml", at)
    cycle = ledger.create("p", "polled", project.engines[:1], "s", at, set_hash=queries.hash)
    ledger.plan(cycle, [("narrow", queries.queries[0].id, n) for n in (1, 2, 3)])
    claims = ledger.claim(cycle, 1, 1, at) + ledger.claim(cycle, 2, 1, at)
    body = {
        "answer": "Acme [1]",
        "sources": [{"url": "https://acme.com/", "n": 1, "title": "A"}],
        "retrieved": [{"url": "https://b.com/"}],
    }
    ledger.record(claims[0], RawAnswer("answered", json.dumps(body).encode(), at, 200))
    ledger.record(claims[1], RawAnswer("failed", b"", at, message="reset"))
    count, data = exported(ledger, cycle, tmp_path / "p.jsonl")
    first, second = map(json.loads, data.splitlines())
    assert count == 2
    assert first["citations"] == [
        {"url": "https://acme.com/", "title": "A", "position": 1, "level": "marker", "start": 5, "end": 8}
    ]
    assert first["additional_sources"] == [{"url": "https://b.com/", "position": 1}]
    assert (first["query_id"], first["surface"], second["status"]) == ("q1", "simulated", "failed")
    summary = import_file(project, ledger, tmp_path / "p.jsonl", "copy", at=at)
    assert summary.statuses == {"answered": 1, "failed": 1}
    assert [e.surface for e in ledger.engines(ledger.cycle("copy"))] == ["simulated"]


def test_steps_end_at_the_number_of_rows(ledger, imported, tmp_path):
    steps = []
    exported(ledger, imported, tmp_path / "a.jsonl", step=lambda done, total: steps.append((done, total)))
    assert steps[-1] == (2, 2)


# ---------------------------------------------------------------- what goes wrong


def test_a_place_that_cannot_be_written_to_leaves_the_file_before(ledger, imported, tmp_path, monkeypatch):
    target = tmp_path / "a.jsonl"
    target.write_text("before")
    monkeypatch.setattr("pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(OSError(28, os.strerror(28))))
    with pytest.raises(InputError, match="No space left"):
        exported(ledger, imported, target)
    assert target.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


@pytest.mark.parametrize("name", ["no/such/folder.jsonl", "folder", "answers.jsonl/below.jsonl"])
def test_a_folder_in_the_way_or_missing_is_said(ledger, imported, tmp_path, name):
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        exporting.export(ledger, imported, tmp_path / name, "jsonl")


@pytest.mark.parametrize("format_", exporting.FORMATS)
def test_a_disk_that_fills_up_is_said(ledger, imported, tmp_path, monkeypatch, format_):
    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(28, os.strerror(28))

    monkeypatch.setattr(exporting, "_opened", lambda path, gz: Full())
    with pytest.raises(InputError, match="No space left"):
        exporting.export(ledger, imported, tmp_path / "a", format_)


@pytest.mark.parametrize("chosen", ["jsonl", "csv"])
@pytest.mark.parametrize("raw", [True, False])
def test_a_stream_is_the_file_in_pieces(ledger, imported, tmp_path, monkeypatch, chosen, raw):
    monkeypatch.setattr(exporting, "PIECE", 1)
    _, data = exported(ledger, imported, tmp_path / f"out.{chosen}", raw=raw)
    cycle = ledger.cycle("c")
    pieces = list(exporting.pieces(exporting.rows(ledger, cycle), chosen, raw=raw))
    assert b"".join(pieces) == data
    assert len(pieces) > 2


def test_parquet_in_parts_is_one_table(ledger, imported, tmp_path, monkeypatch):
    exported(ledger, imported, tmp_path / "whole.parquet")
    monkeypatch.setattr(exporting, "PART", 1)
    pieces = exporting.pieces(exporting.rows(ledger, ledger.cycle("c")), "parquet")
    (tmp_path / "parts.parquet").write_bytes(b"".join(pieces))
    whole, parts = (pl.read_parquet(tmp_path / f"{name}.parquet") for name in ("whole", "parts"))
    assert whole.equals(parts)


def test_no_row_is_a_parquet_file_too():
    found = b"".join(exporting.pieces(iter(()), "parquet"))
    assert pl.read_parquet(io.BytesIO(found)).height == 0
