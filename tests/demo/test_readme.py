"""README's first screen is what `make demo` prints."""

import re
import sqlite3
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"<!-- demo: [^\n]*-->\n```\n(.*?)```\n", re.DOTALL)
WRITTEN_WITH = "3.40.1"  # another SQLite may round BM25 otherwise, and a draw then falls otherwise


def demo_output(folder: Path) -> str:
    ran = subprocess.run(
        [sys.executable, str(ROOT / "demo" / "build.py"), "demo-project"],
        cwd=folder, capture_output=True, text=True, check=True, encoding="utf-8",
    )  # fmt: skip
    return "\n".join(line.rstrip() for line in ran.stdout.strip("\n").splitlines()) + "\n"


def shape(text: str) -> list[str]:
    """The words of the output, without numbers, bars and the questions in its last table."""
    lines = text.split("Where a competitor")[0].splitlines()
    return [" ".join(re.sub(r"[\d–.%·─━●()]+", " ", line).split()) for line in lines]


def test_readme_shows_the_output_of_make_demo(tmp_path):
    shown = BLOCK.search((ROOT / "README.md").read_text("utf-8"))[1]
    printed = demo_output(tmp_path)
    if sqlite3.sqlite_version == WRITTEN_WITH:
        assert shown == printed
    assert shape(shown) == shape(printed)


def test_a_second_call_prints_the_same_cycle(tmp_path):
    assert demo_output(tmp_path) == demo_output(tmp_path)
