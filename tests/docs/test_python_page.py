"""docs/python.md: its examples are run on the project that the page speaks of, its tables are those of the types."""

import json
import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

import citepoll
from citepoll.model import Estimate, Row, Slice, SliceResult
from citepoll.newproject import Start, write_project

PAGE = (Path(__file__).parents[2] / "docs/python.md").read_text("utf-8")
FORKS, SPADES = "best garden fork", "how to sharpen a spade"
CYCLES = {
    "october": {FORKS: ["globex.com"] * 3, SPADES: ["acme.com", "acme.com", None]},
    "november": {FORKS: ["acme.com"] * 3, SPADES: [None] * 3},
    "december": {FORKS: ["acme.com"] * 3, SPADES: ["acme.com"] * 3},
}


def examples():
    """Each example of the page and what it prints, in order."""
    return re.findall(r"^```python\n(.*?)^```\n\n```text\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def table_below(line):
    """Name and second cell of each row of the first table below a line."""
    part = re.split(rf"^{re.escape(line)}$", PAGE, maxsplit=1, flags=re.MULTILINE)[1]
    rows = re.search(r"(?:^\|.*\n)+", part, re.MULTILINE)[0].splitlines()[2:]
    return {cells[1].strip(" `"): cells[2].strip(" `") for cells in (re.split(r"(?<!\\)\|", row) for row in rows)}


@pytest.fixture
def acme(tmp_path):
    root = tmp_path / "acme"
    write_project(root, Start("Acme", ("acme.com",), (("Globex", "globex.com"),)))
    desk = citepoll.open(root)
    for name, asked in CYCLES.items():
        path = tmp_path / f"{name}.jsonl"
        rows = [
            {"engine": "chatgpt", "query": query, "run": run, "answer_text": "An answer.",
             "citations": [{"url": f"https://{host}/page"}] if host else []}
            for query, hosts in asked.items()
            for run, host in enumerate(hosts, 1)
        ]  # fmt: skip
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        desk.import_file(path, name)
    return tmp_path


def test_every_example_prints_what_the_page_shows(acme, monkeypatch, capsys):
    monkeypatch.chdir(acme)
    names, found = {}, examples()
    assert len(found) == PAGE.count("```python\n")
    for code, shown in found:
        exec(code, names)
        assert capsys.readouterr().out == shown


def test_the_fields_of_a_slice_stand_with_their_defaults():
    assert table_below("## What a slice holds") == {
        field.name: repr(field.default) for field in fields(Slice) if field.default is not MISSING
    }


@pytest.mark.parametrize("kind", [SliceResult, Row, Estimate])
def test_the_fields_of_the_answer_are_those_of_the_type(kind):
    assert list(table_below(f"`{kind.__name__}`:")) == [field.name for field in fields(kind)]
