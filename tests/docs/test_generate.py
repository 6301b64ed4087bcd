import sys
from importlib import import_module
from pathlib import Path

import pytest

from citepoll.errors import CitepollError
from citepoll.measure.metrics import METRICS
from citepoll.report import glossary

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def generate():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "docs")
        yield import_module("generate")
    sys.modules.pop("generate", None)


def test_the_pages_are_what_the_code_says(generate):
    assert generate.stale(ROOT / "docs") == []


def test_check_names_what_differs_and_writes_nothing(generate, tmp_path, capsys):
    generate.main([], tmp_path)
    (tmp_path / "metrics.md").write_text("old", "utf-8")
    assert generate.main(["--check"], tmp_path) == 1
    said = capsys.readouterr().err
    assert "docs/metrics.md" in said
    assert "docs/cli.md" not in said
    assert (tmp_path / "metrics.md").read_text("utf-8") == "old"
    assert generate.main([], tmp_path) == 0
    assert generate.main(["--check"], tmp_path) == 0


def test_an_unknown_option_is_answered(generate, tmp_path):
    assert generate.main(["--chekc"], tmp_path) == 2
    assert list(tmp_path.iterdir()) == []


def test_the_help_does_not_depend_on_the_terminal(generate, monkeypatch):
    before = generate.help_of(("measure",))
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert generate.help_of(("measure",)) == before


def test_every_error_has_a_status_of_its_own(generate):
    kinds = CitepollError.__subclasses__()
    assert len({kind.exit_code for kind in kinds} | {0, 1, 2, 9, 130}) == len(kinds) + 5
    assert set(generate.exit_statuses()) == {kind.exit_code for kind in kinds} | {0, 1, 2, 9, 130}


def test_the_glossary_has_every_metric(generate):
    said = generate.glossary_page()
    assert all(f"`{name}`" in said for name in METRICS)


def test_names_that_the_code_does_not_have_are_refused():
    with pytest.raises(KeyError, match="lost"):
        list(glossary._named(("span",), {"span": "", "lost": ""}))
