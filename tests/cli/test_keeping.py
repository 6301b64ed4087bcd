"""backup, restore, delete, health, and the report as PDF, as commands."""

import json

from citepoll.surfaces.cli import terminal


def test_backup_and_restore(citepoll, imported, project, tmp_path):
    said = citepoll("backup", tmp_path / "b.tar.zst")
    assert said.code == 0
    assert "it was read back and is whole" in said.err
    assert citepoll("backup", tmp_path / "b.tar.zst").code == 4
    said = citepoll("restore", tmp_path / "b.tar.zst", tmp_path / "new")
    assert "1 cycle, 6 answers" in said.err
    assert json.loads(citepoll("measure", "--json", "--project", tmp_path / "new").out)
    assert "overwritten" in citepoll("restore", tmp_path / "b.tar.zst", project.root).err


def test_a_backup_gets_a_name_of_its_own(citepoll, imported, project):
    found = json.loads(citepoll("backup", "--json").out)
    assert found["file"].startswith("project-")
    assert (project.root / found["file"]).stat().st_size == found["bytes"]
    assert [i["path"] for i in found["manifest"]["items"]][-1] == "citepoll.toml"


def test_a_deletion_tells_what_goes_and_asks_for_the_name(citepoll, imported, monkeypatch):
    said = citepoll("delete", "cycle", "c")
    assert (said.code, "--yes" in said.err) == (4, True)
    assert "cannot be undone" in said.err
    assert "6 runs, 6 recorded answers" in said.err
    for typed, code in (("d", 4), ("c", 0)):
        monkeypatch.setattr(terminal.sys.stdin, "isatty", lambda: True, raising=False)
        monkeypatch.setattr(terminal.typer, "prompt", lambda *_, typed=typed, **__: typed)
        assert citepoll("delete", "cycle", "c").code == code
    assert citepoll("cycles", "show", "c").code == 6


def test_a_project_is_deleted_in_a_script(citepoll, imported):
    found = json.loads(citepoll("delete", "project", "--yes", "--json").out)
    assert [cycle["cycle"] for cycle in found["cycles"]] == ["c"]
    assert json.loads(citepoll("cycles", "list", "--json").out) == []


def test_health_for_people_and_programs(citepoll, imported):
    said = citepoll("health")
    assert said.code == 0
    assert "newest cycle  c, closed" in said.out
    assert "warning: There is no backup yet" in said.err
    assert json.loads(citepoll("health", "--json").out)["runs"] == 6


def test_a_report_as_pdf(citepoll, imported, project):
    found = json.loads(citepoll("report", "--pdf", "--paper", "letter", "--json").out)
    assert found["without_glyph"] == ""
    pdf = (project.root / "report.pdf").read_bytes()
    assert (pdf[:5], len(pdf)) == (b"%PDF-", found["bytes"])
    assert citepoll("report", "--pdf", "--output", project.root / "no" / "x.pdf").code == 4
