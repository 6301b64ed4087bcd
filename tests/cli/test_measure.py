import json

import pytest

from citepoll.surfaces.cli import terminal


def test_data_goes_to_standard_output_and_all_else_to_standard_error(citepoll, imported):
    said = citepoll("measure", "--json")
    rows = json.loads(said.out)
    assert said.code == 0
    assert {r["brand"] for r in rows} == {"Acme", "Foxglove"}
    assert {"atlas", "beacon"} < {r["engine"] for r in rows}
    assert {r["target"] for r in rows} == {"fixed_set", "category"}
    assert not any(r["value"] is not None and not 0 <= r["value"] <= 1 for r in rows)


@pytest.mark.parametrize("flag", ["--csv", "--md"])
def test_tables_for_others(citepoll, imported, flag):
    said = citepoll("measure", flag)
    assert said.code == 0
    assert "Acme" in said.out


@pytest.mark.parametrize("columns", [30, 40, 60, 100, 200])
def test_a_table_fits_the_terminal_and_keeps_the_number(citepoll, imported, monkeypatch, columns):
    monkeypatch.setattr(terminal.out, "width", columns)
    said = citepoll("measure", "--where", "engine = atlas and brand = Acme")
    assert said.code == 0
    assert max(map(len, said.out.splitlines())) <= columns
    assert "%" in said.out
    assert "\x1b" not in said.out


@pytest.mark.parametrize(
    "environment",
    [{"LC_ALL": "C", "PYTHONUTF8": "0"}, {"LANG": "C", "NO_COLOR": "1", "TERM": "dumb", "PYTHONIOENCODING": "ascii"}],
)
def test_any_locale_will_do(process, citepoll, row, jsonl, environment):
    citepoll("import", jsonl(row(query="wozu taugt eine Schaufel → oder ein Spaten für Ü", engine="é")), "--cycle", "c")
    said = process("answers", environment=environment)
    assert (said.code, "Traceback" in said.err) == (0, False)
    assert "wozu taugt" in said.out


@pytest.mark.parametrize(
    ("arguments", "code", "cause"),
    [
        (("--metric", "citation_rate"), 6, "citation_rate"),
        (("--by", "colour"), 6, "colour"),
        (("--where", "engine ="), 6, "engine ="),
        (("--cycle", "none"), 6, "There is no cycle 'none'"),
        (("--private-suffixes", "maybe"), 6, "maybe"),
        (("--target", "all"), 6, "all"),
        (("--limit", "x"), 2, "--limit"),
        (("--nonsense",), 2, "nonsense"),
    ],
)
def test_a_question_that_cannot_be_answered_says_why(citepoll, imported, arguments, code, cause):
    said = citepoll("measure", *arguments)
    assert (said.code, said.out) == (code, "")
    assert cause in said.err


def test_no_cycle_and_no_project(citepoll, tmp_path):
    assert "no measured cycle" in citepoll("measure").err
    said = citepoll("measure", "--project", tmp_path / "nowhere")
    assert said.code == 3
    assert "citepoll init" in said.err


def test_a_damaged_ledger_and_one_of_a_later_version(citepoll, project, imported):
    path = project.data / "ledger.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:60] + (9).to_bytes(4, "big") + whole[64:])
    said = citepoll("measure")
    assert (said.code, "later citepoll" in said.err, "Upgrade" in said.err) == (7, True, True)
    for name in ("ledger.db-wal", "ledger.db-shm"):
        (project.data / name).unlink(missing_ok=True)
    path.write_bytes(b"\xa5" * len(whole))
    said = citepoll("measure")
    assert (said.code, "damaged" in said.err, "backup" in said.err) == (7, True, True)
    assert path.read_bytes() == b"\xa5" * len(whole)


def test_sources_rank_what_engines_cite(citepoll, imported):
    rows = json.loads(citepoll("sources", "--json").out)
    assert {"acme.com", "other.com", "x.com"} <= set(str(rows).replace("'", " ").split())
    assert citepoll("sources", "--by", "brand").code == 6


@pytest.mark.parametrize(
    "metric", ["citation_gap", "velocity", "half_life", "prompt_coverage", "opportunity", "target"]
)
def test_what_was_found_is_printed_as_a_table_as_json_and_as_csv(citepoll, imported, metric):
    rows = json.loads(citepoll("measure", "--metric", metric, "--json").out)
    assert all(row["evidence"]["words"] for row in rows)
    head, *lines = citepoll("measure", "--metric", metric, "--csv").out.splitlines()
    assert head.endswith("warnings,words,evidence")
    assert len(lines) >= len(rows)
    said = citepoll("measure", "--metric", metric)
    assert said.code == 0
    assert "--json has the evidence" in said.err
    assert ("Nothing was found" in said.err) == (not rows)


def test_decay_and_its_sisters_end_alike_without_a_cycle(citepoll):
    for words in (("decay",), ("movement",), ("velocity",)):
        said = citepoll(*words)
        assert (said.code, said.out) == (6, ""), words


def test_a_warning_is_printed_once(citepoll, project, imported):
    with (project.root / "citepoll.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[target]]\nmetric = "share_of_citation"\nvalue = 0.5\nby = 2027-01-01\n')
    said = " ".join(citepoll("measure", "--metric", "target", "--confidence", "0.9").err.split())
    assert said.count("only intervals at confidence 0.95 were checked by simulation") == 1


def test_velocity_counts_the_queries_that_it_leaves_out(citepoll, row, jsonl):
    for cycle, queries in (("a", "xyz"), ("b", "xy"), ("c", "xy")):
        rows = [row(engine="atlas", query=f"best {q}", run=1, citations=[]) for q in queries]
        citepoll("import", jsonl(*rows, name=f"{cycle}.jsonl"), "--cycle", cycle)
    assert "atlas: 1 query left out, without an answer in every cycle" in " ".join(citepoll("velocity").err.split())


def test_found_metrics_of_two_kinds_are_refused(citepoll, imported):
    said = citepoll("measure", "--metric", "velocity,share_of_citation")
    assert (said.code, said.out) == (6, "")
    assert "a slice of its own" in said.err


def test_slots_stand_beside_the_citations_that_they_are_a_part_of(citepoll, imported):
    rows = json.loads(citepoll("measure", "--metric", "slot_share", "--where", "engine = atlas", "--json").out)
    assert {(row["brand"], row["cited"], row["of"], row["n"]) for row in rows if row["engine"] == "atlas"} == {
        ("Acme", 1, 3, 3), ("Foxglove", 1, 3, 3),
    }  # fmt: skip


def test_a_comparison_says_its_verdict_in_a_word_and_once_what_it_means(citepoll, imported, row, jsonl):
    later = [
        row(engine="atlas", query=q, run=n, citations=[]) for n, q in enumerate(("best fork", "what is a spade"), 1)
    ]
    citepoll("import", jsonl(*later, name="d.jsonl"), "--cycle", "d")
    said = citepoll("compare", "c", "d")
    assert said.code == 0
    assert said.out.count("none seen") == 2
    assert said.out.count("no evidence of change") == 0
    assert said.err.count("no evidence of change") == 1
    rows = json.loads(citepoll("compare", "c", "d", "--json").out)
    assert {row["change"]["verdict"].split(";")[0] for row in rows if row["engine"] == "atlas"} >= {
        "no evidence of change"
    }


def test_a_comparison_names_the_engine_inside_which_the_model_changed(citepoll, row, jsonl):
    for cycle, model in (("one", "m1"), ("two", "m2")):
        rows = [row(engine=engine, run=n) for engine in ("atlas", "beacon") for n in (1, 2, 3)]
        rows = [each | {"model": model if each["engine"] == "beacon" else "same"} for each in rows]
        citepoll("import", jsonl(*rows, name=f"{cycle}.jsonl"), "--cycle", cycle)
    said = " ".join(citepoll("compare", "one", "two").err.split())
    assert "warning: beacon: the model inside the engine changed: m1 → m2" in said
