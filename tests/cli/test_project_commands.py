import json
import tomllib

import pytest


def test_init_writes_a_project_and_never_twice(citepoll, tmp_path):
    arguments = (
        "init",
        tmp_path / "new",
        "--brand",
        "Acme",
        "--owns",
        "acme.com",
        "acme.org",
        "--competitor",
        "Other=other.com",
    )
    said = citepoll(*arguments)
    assert (said.code, said.out) == (0, "")
    data = tomllib.loads((tmp_path / "new" / "citepoll.toml").read_text("utf-8"))
    assert data["brand"]["owns"] == ["acme.com", "acme.org"]
    assert data["competitor"] == [{"name": "Other", "owns": ["other.com"]}]
    said = citepoll(*arguments)
    assert said.code == 3
    assert "exists already" in said.err


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (("--owns", "acme.com"), "--brand NAME"),
        (("--brand", "Acme"), "--owns DOMAIN"),
        (("--brand", "Acme", "--owns", "acme.com", "--competitor", "Other"), "NAME=DOMAIN"),
        (("--brand", "Acme", "--owns", "acme.com", "--competitor", "acme=b.com"), "stands twice"),
    ],
)
def test_init_asks_nothing_in_a_script(citepoll, tmp_path, arguments, cause):
    said = citepoll("init", tmp_path / "new", *arguments)
    assert said.code == 3
    assert cause in said.err
    assert not (tmp_path / "new").exists()


def test_a_mistake_in_the_project_file_is_answered_with_its_line(citepoll, project):
    (project.root / "citepoll.toml").write_text('[brand]\nname = "Acme"\ncolour = "red"\n')
    said = citepoll("measure")
    assert said.code == 3
    assert "citepoll.toml, line 3: `colour` is not a setting here." in said.err
    assert "Known here: name" in said.err


def test_cycles_are_listed_shown_and_dropped(citepoll, imported, project):
    assert [c["cycle"]["name"] for c in json.loads(citepoll("cycles", "list", "--json").out)] == ["c"]
    assert "atlas (recorded): 3 runs; answered 3" in citepoll("cycles", "show", "c").out
    refused = citepoll("cycles", "drop", "c")
    assert refused.code == 4
    assert "--yes" in refused.err
    assert json.loads(citepoll("cycles", "drop", "c", "--yes", "--json").out) == {"dropped": "c", "runs": 6}
    assert list((project.data / "derived").iterdir()) == []
    assert citepoll("cycles", "show", "c").code == 6


def test_a_rebuild_tells_what_changed(citepoll, imported, project):
    text = (project.root / "citepoll.toml").read_text()
    (project.root / "citepoll.toml").write_text(text.replace('"acme.com"', '"acme.com", "x.com"'))
    said = citepoll("rebuild", "--diff")
    assert said.code == 0
    assert "6 answers derived; 2 differ" in said.err
    assert "what is a spade" in said.out


def test_a_report_is_one_file(citepoll, imported, project, tmp_path):
    assert json.loads(citepoll("report", "--json").out)["bytes"] > 1000
    assert "Acme" in (project.root / "report.html").read_text("utf-8")
    said = citepoll("report", "--output", tmp_path / "no" / "folder.html")
    assert said.code == 4
    assert "cannot be written" in said.err


def test_commands_without_arguments_show_help(citepoll):
    for command in ((), ("queries",), ("cycles",), ("corpus",)):
        assert "Usage:" in "".join(vars(citepoll(*command))[s] for s in ("out", "err"))
    assert citepoll("--version").out.startswith("citepoll ")
