import json

import pytest


def test_an_import_says_what_it_did(citepoll, row, jsonl):
    said = citepoll("import", jsonl(row(), row(answer_text="other"), b"{"), "--cycle", "c")
    assert (said.code, said.out) == (0, "")
    assert "2 new answers of 3 rows" in said.err
    assert "1 repeat an engine, query and run with other content" in said.err
    assert "1 could not be read" in said.err
    again = citepoll("import", jsonl(row(), row(answer_text="other"), b"{"), "--cycle", "c", "--json")
    summary = json.loads(again.out)
    assert (summary["new"], summary["known"], summary["rejected"]) == (0, 2, 1)


def test_a_file_that_is_none_ends_with_four_and_leaves_nothing(citepoll, tmp_path):
    said = citepoll("import", tmp_path / "none.jsonl", "--cycle", "c")
    assert (said.code, said.out) == (4, "")
    assert said.err.startswith("error: There is no file")
    assert json.loads(citepoll("cycles", "list", "--json").out) == []
    assert citepoll("queries", "show", "1").code == 5


@pytest.mark.parametrize("name", ["", "a" * 300, "a\nb"])
def test_a_cycle_name_that_cannot_be_shown_is_refused(citepoll, row, jsonl, name):
    said = citepoll("import", jsonl(row()), "--cycle", name)
    assert said.code == 4
    assert "cannot name a cycle" in said.err


def test_a_cycle_name_is_no_path(citepoll, project, row, jsonl):
    assert citepoll("import", jsonl(row(), b"{"), "--cycle", "../../x").code == 0
    assert {p.name for p in project.root.parent.iterdir()} == {"project", "answers.jsonl"}
    assert json.loads(citepoll("measure", "--cycle", "../../x", "--json").out)


def test_an_export_goes_to_standard_output_or_a_file(citepoll, imported, tmp_path):
    said = citepoll("export", "--cycle", "c")
    assert (said.code, said.err, len(said.out.splitlines())) == (0, "", 6)
    told = citepoll("export", "--cycle", "c", "--output", tmp_path / "a.csv", "--json")
    assert json.loads(told.out)["rows"] == 6
    assert (tmp_path / "a.csv").read_text().startswith("engine,query,")
    assert citepoll("export", "--cycle", "c", "--format", "xml").code == 4
    assert citepoll("export", "--cycle", "none").code == 6


def test_a_reader_that_leaves_early_is_no_traceback(process, imported):
    said = process("answers", "--limit", "0", shell="| true; exit ${PIPESTATUS[0]}")
    assert "Traceback" not in said.err
    assert said.code in (0, 1)


def test_output_that_cannot_be_written_is_said(process, imported):
    said = process("export", "--cycle", "c", shell="> /dev/full")
    assert said.code == 1
    assert said.err.startswith("error: The system refused: No space left on device.")
    assert "Traceback" not in said.err
    assert "Exception ignored" not in said.err
