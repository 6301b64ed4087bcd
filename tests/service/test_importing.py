import gzip
import json
import os
import random
import sqlite3

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citepoll.errors import InputError, LedgerError, SliceError
from citepoll.model import Slice, normal_text
from citepoll.service import exporting, importing
from citepoll.service.deriving import derive, parse
from citepoll.service.importing import import_file
from citepoll.service.measuring import chosen, measure
from citepoll.service.polling import close


@pytest.fixture
def put(project, ledger, at):
    def enter(path, cycle="c", **options):
        return import_file(project, ledger, path, cycle, at=at, **options)

    return enter


def answers(ledger, name="c"):
    cycle = ledger.cycle(name)
    return {k.run_id: parse(cycle, k) for k in ledger.kept(cycle, limit=10_000)}


def rejects(summary):
    with open(summary.rejects_file, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


# ---------------------------------------------------------------- what an import does


def test_rows_of_a_file_become_a_closed_cycle(put, ledger, row, jsonl):
    rows = [row(run=n, engine=e, status="shown", extra={"n": n}) for e in ("atlas", "beacon") for n in (1, 2, 3)]
    summary = put(jsonl(*rows))
    assert (summary.rows, summary.new, summary.known, summary.rejected, summary.further) == (6, 6, 0, 0, 0)
    assert (summary.engines, summary.queries, summary.statuses) == (("atlas", "beacon"), 1, {"answered": 6})
    cycle = ledger.cycle("c")
    assert (cycle.kind, cycle.status, cycle.set_hash) == ("recorded", "closed", ledger.current().hash)
    assert ledger.current().queries.queries[0].intent == "best-of"
    assert [json.loads(k.body) for k in ledger.kept(cycle)] == rows
    assert [e.surface for e in ledger.engines(cycle)] == ["recorded", "recorded"]


def test_the_same_file_twice_changes_nothing(put, project, ledger, row, jsonl, at):
    path = jsonl(row(), row(run=None, answer_text="a"), row(answer_text="b"), row(run=None, answer_text="c"))
    first = put(path)
    before = (ledger.revision(ledger.cycle("c")), ledger.history(), ledger.cycles())
    version = derive(project, ledger, ledger.cycle("c"), at)
    second = put(path)
    assert (first.new, second.new, second.known) == (4, 0, 4)
    assert (ledger.revision(ledger.cycle("c")), ledger.history(), ledger.cycles()) == before
    assert derive(project, ledger, ledger.cycle("c"), at) == version


def test_key_order_and_white_space_do_not_make_another_row(put, row, jsonl):
    line = json.dumps(row())
    other = json.dumps(dict(reversed(row().items())), indent=None, separators=(" ,", " : "))
    assert put(jsonl(line.encode(), other.encode())).new == 1


def test_other_content_for_the_same_run_is_a_further_run(put, ledger, row, jsonl):
    summary = put(jsonl(*(row(run=2, answer_text=t) for t in "abc"), row(run=1)))
    assert (summary.new, summary.further) == (4, 2)
    assert [(k.number, json.loads(k.body)["answer_text"][0]) for k in ledger.kept(ledger.cycle("c"))] == [
        (2, "a"), (3, "b"), (4, "c"), (1, "A"),
    ]  # fmt: skip


def test_run_numbers_do_not_depend_on_the_batch(put, ledger, row, jsonl, monkeypatch):
    draw = random.Random(5)
    path = jsonl(
        *(row(run=draw.choice([None, 1, 2, 3]), query=f"q{draw.randrange(3)}", answer_text=str(n)) for n in range(60))
    )
    put(path, "one")
    monkeypatch.setattr(importing, "BATCH", 7)
    put(path, "two")
    one, two = ([(k.number, k.body) for k in ledger.kept(ledger.cycle(name))] for name in ("one", "two"))
    assert one == two


def test_a_query_is_its_text_language_and_market(put, ledger, row, jsonl):
    path = jsonl(
        row(query=" best  garden\nfork", query_id="1"),
        row(query="best garden fork", query_id="2", run=2),
        row(query="best garden fork", language="de", run=1, query_id="2"),
        row(query="cafe\u0301", query_id="3"),
        row(query="caf\u00e9", query_id="3", run=2),
    )
    summary = put(path)
    assert {(q.text, q.language) for q in ledger.current().queries.queries} == {
        ("best garden fork", "en"), ("best garden fork", "de"), ("caf\u00e9", "en"),
    }  # fmt: skip
    assert (summary.ids.ids_with_several_texts, summary.ids.texts_with_several_ids) == (1, 1)
    assert any("query ids are not reliable" in w for w in summary.warnings)


def test_a_row_without_a_status_is_answered_whatever_its_text(put, ledger, row, jsonl):
    put(jsonl(row(answer_text="I cannot help with that."), row(answer_text="", run=2), row(status="error", run=3)))
    assert [k.status for k in ledger.kept(ledger.cycle("c"))] == ["answered", "answered", "failed"]


def test_engine_names_rows_that_name_none(put, row, jsonl):
    summary = put(jsonl(row(engine=None), row(engine="own", run=2)), engine="mine")
    assert summary.engines == ("mine", "own")
    assert any("1 rows name their engine themselves" in w for w in summary.warnings)


def test_a_cycle_with_queries_outside_the_locked_set_stands_on_its_own(put, ledger, row, jsonl):
    put(jsonl(row()), "first")
    summary = put(jsonl(row(), row(query="another question")), "second")
    assert summary.outside == 1
    assert any("not in the project's locked set" in w for w in summary.warnings)
    assert len(ledger.versions()) == 1
    assert len(ledger.query_set(ledger.cycle("second")).queries) == 2


def test_a_polled_cycle_takes_no_import(put, ledger, row, jsonl, at):
    ledger.create("polled", "polled", (), "seed", at)
    with pytest.raises(InputError, match="citepoll poll"):
        put(jsonl(row()), "polled")


def test_progress_grows_to_the_end(put, row, jsonl):
    steps = []
    put(jsonl(*(row(run=n) for n in range(1, 30))), step=lambda done, rows: steps.append((done, rows)))
    assert steps == sorted(steps)
    assert steps[-1] == (1.0, 29)


# ---------------------------------------------------------------- bad rows


BAD = (
    b'{"engine": "atlas", "query": ',
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    b"5",
    b'{"engine": "atlas", "query": "q", "run": "\xc2\xb2"}',
    b'{"engine": "atlas", "query": "q", "citations": [{"url": "u", "level": {}}]}',
    b'{"engine": "blended", "query": "q"}',
    b'{"engine": "a\\u001b[31m", "query": "q"}',
    b'{"engine": "atlas", "query": "q", "big": ' + b"9" * 5000 + b"}",
)


def test_bad_rows_go_to_the_rejects_file_with_line_and_reason(put, project, ledger, row, jsonl):
    lines = [x for n, bad in enumerate(BAD, 1) for x in (bad, row(run=n))]
    summary = put(jsonl(*lines))
    assert (summary.rows, summary.new, summary.rejected) == (2 * len(BAD), len(BAD), len(BAD))
    found = rejects(summary)
    assert [r["line"] for r in found] == list(range(1, 2 * len(BAD), 2))
    assert all(r["reason"] for r in found)
    assert found[0]["row"] == BAD[0].decode().strip()
    assert summary.rejects_file == str(project.root / "rejects" / "c-answers.jsonl.rejects.jsonl")


def test_a_line_of_fifty_megabytes_is_passed_over_in_flat_memory(put, row, jsonl):
    long = json.dumps(row(answer_text="x" * 50_000_000)).encode()
    summary = put(jsonl(row(), long, row(run=2)))
    assert (summary.new, summary.rejected) == (2, 1)
    found = rejects(summary)[0]
    assert "the line has 50,000," in found["reason"]
    assert len(found["row"]) <= 10_000


def test_a_half_written_last_line_is_named(put, ledger, row, jsonl):
    path = jsonl(row(), row(run=2))
    path.write_bytes(path.read_bytes()[:-20])
    summary = put(path)
    assert (summary.new, rejects(summary)[0]["line"]) == (1, 2)


def test_hostile_texts_are_kept_as_they_are(put, ledger, row, jsonl):
    texts = [
        "\x00\x1b]0;owned\x07",
        "\u202egnp.exe",
        "=cmd|' /C calc'!A0",
        "<script>alert(1)</script>",
        "\ufffe",
        "a" * 10**6,
    ]
    urls = [
        "javascript:alert(1)", "data:text/html,x", "http://", "http://a b/", "\\\\host\\x", "http://0x7f.1/", "https://b\u00fccher.example/",
        "https://a.example/" + "x" * 10_000, "//x", "", " ", "http://[::1", "http://a.example:99999/", "\x00", "file:///etc/passwd",
    ]  # fmt: skip
    put(
        jsonl(
            *(
                row(run=n, answer_text=t, citations=[{"url": u, "title": t} for u in urls])
                for n, t in enumerate(texts, 1)
            )
        )
    )
    found = list(answers(ledger).values())
    assert [a.text for a in found] == texts
    assert all([c.url for c in a.citations] == urls for a in found)


def test_hostile_rows_can_be_derived_and_measured(put, project, ledger, row, jsonl, at):
    put(
        jsonl(
            row(
                answer_text="Acme\x00\ud800",
                citations=["javascript:alert(1)", "http://0x7f.1/", "https://acme.com/"],
            ),
            row(run=2, citations=[{"url": "https://acme.com/", "position": True, "start": True, "end": 2**70}]),
            row(run=65535, search_queries=5, model="m", citations=[]),
            row(run=4, engine="../../x", citations=["https://a.example/"] * 1000),
            b'{"engine": "atlas", "query": "\\ud800", "answer_text": "\\udfff", "citations": ["http://\\ud800/"]}',
            b'{"engine": "atlas", "query": "q\\u0000\\u001b[31m", "answer_text": NaN, "citations": null, "x": 1e999}',
        )
    )
    found = measure(project, ledger, Slice(by=("brand", "engine", "query")), at)
    assert any(r.estimate.cited == 2 for r in found.rows)


def test_the_first_row_that_failed_is_told_where_none_could_be_read(put, ledger, jsonl):
    with pytest.raises(InputError) as caught:
        put(jsonl({"engine": "atlas"}, {"query": "q"}))
    assert "None of the 2 rows" in caught.value.cause
    assert "line 1: `query` is missing" in caught.value.cause
    assert "rejects" in caught.value.kept
    assert ledger.cycles() == ()


# ---------------------------------------------------------------- files that cannot be read to the end


def nothing_happened(ledger):
    return ledger.cycles() == () and ledger.versions() == () and ledger.history() == ()


@pytest.mark.parametrize("name", ["none.jsonl", "none.csv", "none.parquet", "."])
def test_a_file_that_is_none_leaves_no_trace(put, ledger, tmp_path, name):
    with pytest.raises(InputError) as caught:
        put(tmp_path / name)
    assert caught.value.fix
    assert "Kept" not in caught.value.kept
    assert nothing_happened(ledger)


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.jsonl.gz"])
def test_an_empty_file_leaves_no_trace(put, ledger, tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(InputError, match="holds no rows"):
        put(tmp_path / name)
    assert nothing_happened(ledger)


def test_a_half_written_gzip_keeps_what_was_read_and_the_whole_file_adds_the_rest(
    put, project, ledger, row, tmp_path, at
):
    draw = random.Random(2)
    lines = [json.dumps(row(run=n, answer_text=draw.randbytes(200).hex())) for n in range(1, 1501)]
    packed = gzip.compress("\n".join(lines).encode())
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(packed[: len(packed) * 2 // 3])
    with pytest.raises(InputError) as caught:
        put(path)
    held = ledger.revision(ledger.cycle("c"))[0]
    assert 500 < held < 1500
    assert caught.value.kept == f"Kept: {held:,} rows that were read before."
    assert measure(project, ledger, Slice(), at).rows[0].estimate.n == held
    path.write_bytes(packed)
    summary = put(path)
    assert (summary.new, summary.known) == (1500 - held, held)
    assert ledger.cycle("c").status == "closed"


def test_csv_that_breaks_in_the_middle_keeps_what_was_read(put, ledger, tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b'engine,query,run\natlas,q,1\natlas,q,\xc2\xb2\natlas,"q,3\n')
    with pytest.raises(InputError) as caught:
        put(path)
    assert "line 4: not usable CSV" in caught.value.cause
    assert caught.value.kept.startswith("Kept: 1 rows that were read before; 1 were turned away (")
    assert ledger.revision(ledger.cycle("c"))[0] == 1


def test_a_full_disk_in_the_middle_says_what_was_kept(put, project, ledger, row, jsonl, monkeypatch):
    monkeypatch.setattr(importing, "BATCH", 10)
    path = jsonl(*(row(run=n) for n in range(1, 31)))
    enter, calls = importing.imports.enter, []

    def full(*given):
        calls.append(given)
        if len(calls) == 3:
            with ledger.writing():
                raise sqlite3.OperationalError("database or disk is full")
        return enter(*given)

    monkeypatch.setattr(importing.imports, "enter", full)
    with pytest.raises(LedgerError, match="disk is full") as caught:
        put(path)
    assert caught.value.kept == "Kept: 20 rows that were read before."
    monkeypatch.setattr(importing.imports, "enter", enter)
    assert put(path).new == 10


@pytest.mark.parametrize("when", ["open", "write", "close"])
def test_a_rejects_file_that_cannot_be_written_ends_the_import_with_what_was_kept(
    put, ledger, row, jsonl, monkeypatch, when
):
    class Full:
        def write(self, data):
            if when == "write":
                raise OSError(28, os.strerror(28))

        def close(self):
            if when == "close":
                raise OSError(28, os.strerror(28))

    opened = type(jsonl()).open

    def open_(path, mode="r", *rest, **options):
        if path.parent.name != "rejects":
            return opened(path, mode, *rest, **options)
        if when == "open":
            raise OSError(30, os.strerror(30))
        return Full()

    monkeypatch.setattr("pathlib.Path.open", open_)
    with pytest.raises(InputError, match=r"rejects file .* cannot be written") as caught:
        put(jsonl(row(), b"{", row(run=2)))
    assert "Kept: " in caught.value.kept
    assert ledger.revision(ledger.cycle("c"))[0] >= 1
    assert ledger.cycle("c").status == "closed"


def test_an_import_that_was_killed_shows_no_number_until_the_file_is_imported_again(
    put, project, ledger, row, jsonl, at, monkeypatch
):
    monkeypatch.setattr(importing, "BATCH", 5)
    rows = [row(run=None, answer_text=f"answer {n}", query=f"q{n % 4}") for n in range(20)]
    put(jsonl(*rows[:4]))
    path = jsonl(*rows)

    def killed(done, seen):
        if seen == 13:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        put(path, step=killed)
    cycle = ledger.cycle("c")
    assert cycle.status == "open"
    with pytest.raises(SliceError, match="import the file again"):
        chosen(Slice(cycles=("c",)), ledger)
    with pytest.raises(InputError, match="did not come to its end"):
        close(project, ledger, "c", at)
    with pytest.raises(InputError, match="did not come to its end"):
        list(exporting.rows(ledger, cycle))
    summary = put(path)
    assert summary.new == 10
    assert sorted(k.number for k in ledger.kept(ledger.cycle("c"))) == sorted([*range(1, 6)] * 4)
    assert sum(r.estimate.n for r in measure(project, ledger, Slice(), at).rows if r.estimate.target == "category") > 0


# ---------------------------------------------------------------- tables


def test_csv_lists_come_as_json_or_as_urls(put, ledger, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(
        "engine,query,run,answer_text,citations,more\n"
        'atlas,q,1.0,hello,"[{""url"": ""https://a.example/"", ""level"": ""span""}]","{""model"": ""m""}"\n'
        "atlas,q,2,'=1+1,https://a.example/ https://b.example/,\n"
        "atlas,q,3,x,,[1]\n"
        'atlas,q,4,x,"[{",\n'
    )
    summary = put(path)
    assert rejects(summary)[0]["reason"] == "`more` is not a JSON object"
    first, second = answers(ledger).values()
    assert (first.model, first.citations[0].level, first.text) == ("m", "span", "hello")
    assert ([c.url for c in second.citations], second.text) == (["https://a.example/", "https://b.example/"], "=1+1")


def test_a_csv_row_that_is_not_utf8_is_turned_away_alone(put, tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"engine,query,run\natlas,q,1\natlas,\xff\xfe,2\natlas,q,3\n")
    summary = put(path)
    assert summary.new == 2
    assert rejects(summary) == [
        {"line": 3, "reason": "not UTF-8: byte 0xff", "row": {"engine": "atlas", "query": "\\udcff\\udcfe", "run": "2"}}
    ]


def test_parquet_keeps_its_types(put, ledger, tmp_path, at):
    frame = pl.DataFrame(
        {
            "engine": ["atlas"] * 2,
            "query": ["q"] * 2,
            "run": [1, 2],
            "asked_at": [at, None],
            "citations": [[{"url": "https://a.example/", "title": "A"}], None],
            "score": [float("nan"), 1.5],
        }
    )
    frame.write_parquet(tmp_path / "a.parquet")
    put(tmp_path / "a.parquet")
    first, second = ledger.kept(ledger.cycle("c"))
    assert (first.asked_at, second.asked_at) == (at, None)
    assert json.loads(first.body)["score"] is None
    assert [a.citations[0].title for a in answers(ledger).values() if a.citations] == ["A"]


def test_columns_without_a_meaning_here_are_turned_away_with_a_reason(put, tmp_path):
    pl.DataFrame({"engine": ["a"], "query": ["q"], "blob": [b"\xff"], "d": [None]}).write_parquet(
        tmp_path / "a.parquet"
    )
    assert put(tmp_path / "a.parquet").rows == 1


def test_a_file_whose_name_is_not_utf8(put, row, jsonl):
    path = jsonl(row(), b"{")
    odd = path.with_name(os.fsdecode(b"a\xff.jsonl"))
    path.rename(odd)
    assert put(odd).new == 1


# ---------------------------------------------------------------- the law


texts = st.text(max_size=12)
hostile = st.sampled_from(
    ["=1+1", "'=x", "\r\n", "a\rb", "\t", '"', ",", "\x00", "\u202e", "@", "-", "'", "null", "[", "{}"]
)
loose = st.one_of(texts, hostile)
links = st.lists(
    loose
    | st.fixed_dictionaries(
        {"url": loose},
        optional={"title": loose, "position": st.integers(), "level": st.sampled_from(["span", "retrieved"])},
    ),
    max_size=2,
)
rows_ = st.fixed_dictionaries(
    {"engine": st.sampled_from(["a", "=b", "../c"]), "query": loose.filter(normal_text)},
    optional={
        "query_id": loose | st.integers(0, 9), "run": st.none() | st.integers(1, 9), "answer_text": loose, "citations": links,
        "additional_sources": links, "search_queries": st.lists(loose, max_size=2), "model": loose, "more": loose | st.none(),
        "status": st.sampled_from(["ok", "error", "refused", "not shown"]), "language": st.sampled_from(["de", "en"]),
        "asked_at": st.sampled_from(["2026-11-03T09:00:00+02:00", 0]),
        "extra": st.dictionaries(loose, loose | st.floats(allow_nan=False), max_size=2),
        "surface": st.sampled_from(["simulated", "recorded"]),
    },
)  # fmt: skip


def seen(ledger, name):
    """All that an answer means, by engine, query and run."""
    cycle = ledger.cycle(name)
    queries = {q.id: q for q in ledger.query_set(cycle).queries}
    return {
        (k.engine, queries[k.query_id].text, queries[k.query_id].language, k.number): (
            k.status, k.asked_at, k.ref, k.surface, parse(cycle, k),
        )
        for k in ledger.kept(cycle)
    }  # fmt: skip


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(rows_, min_size=1, max_size=4), chosen_format=st.sampled_from(exporting.FORMATS), raw=st.booleans()
)
def test_import_of_an_export_is_the_same_and_again_changes_nothing(ledger, project, at, rows, chosen_format, raw):
    one, two = (f"{word} {len(ledger.cycles())}" for word in ("one", "two"))
    source = project.root / "rows.jsonl"
    source.write_text("\n".join(json.dumps(r) for r in rows), "utf-8")
    first = import_file(project, ledger, source, one, at=at)
    assert first.rejected == 0
    assert import_file(project, ledger, source, one, at=at).new == 0
    out = project.root / f"out.{chosen_format}"
    exporting.export(ledger, ledger.cycle(one), out, chosen_format, raw=raw and chosen_format != "csv")
    second = import_file(project, ledger, out, two, at=at)
    assert (second.new, second.rejected, second.further) == (first.new, 0, 0)
    assert seen(ledger, one) == seen(ledger, two)
    assert import_file(project, ledger, out, two, at=at).new == 0


def test_cycles_stand_in_the_order_of_their_answers_whatever_came_first(put, jsonl, row, ledger):
    for name, day in (("may", "2026-05-04T09:00:00Z"), ("march", "2026-03-02T23:30:00-05:00"), ("april", "2026-04-06")):
        put(jsonl(row(asked_at=day), row(asked_at=None, run=2), name=f"{name}.jsonl"), name)
    assert [cycle.name for cycle in ledger.cycles()] == ["march", "april", "may"]
    assert ledger.cycle("march").began_at == "2026-03-03T04:30:00.000+00:00"
    assert chosen(Slice(), ledger)[0].name == "may"


def test_a_cycle_without_dates_stands_where_it_was_imported(put, jsonl, row, ledger):
    put(jsonl(row(asked_at=None)), "undated")
    put(jsonl(row(asked_at="2026-11-02T09:00:00Z")), "dated")
    assert [cycle.name for cycle in ledger.cycles()] == ["dated", "undated"]
    assert ledger.cycle("undated").began_at is None


def test_an_older_answer_moves_its_cycle(put, jsonl, row, ledger):
    put(jsonl(row(asked_at="2026-03-02T09:00:00Z"), name="a.jsonl"), "a")
    put(jsonl(row(asked_at="2026-04-06T09:00:00Z"), name="b.jsonl"), "b")
    put(jsonl(row(asked_at="2026-02-02T09:00:00Z", run=2), name="more.jsonl"), "b")
    assert [cycle.name for cycle in ledger.cycles()] == ["b", "a"]
