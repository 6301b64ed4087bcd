from __future__ import annotations

import io

import pytest
from rich.console import Console

from citepoll.model import Estimate, Row, Slice, SliceResult
from citepoll.report.data import ReportData
from citepoll.report.terminal import ASCII, axis, bar, table


def printed(result: SliceResult, width: int, *, ascii_only: bool = False, kinds: dict[str, str] | None = None) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, color_system=None, force_terminal=False)
    console.print(table(result, width=width, ascii_only=ascii_only, kinds=kinds, tracked="Northwind Home"))
    return out.getvalue()


@pytest.mark.parametrize("width", [60, 72, 80, 100, 120, 160, 200])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_the_table_fits_and_says_every_number(report: ReportData, width: int, ascii_only: bool) -> None:
    text = printed(report.shares, width, ascii_only=ascii_only)
    assert max(len(line) for line in text.splitlines()) <= width
    assert "29 % (22-37)" in text if ascii_only else "29 % (22–37)" in text
    assert text.isascii() == ascii_only


def test_wide_terminals_show_the_category_interval_counts_and_grade(report: ReportData) -> None:
    assert "cited of answers" in printed(report.shares, 160)
    assert "exploratory" in printed(report.shares, 160)
    assert "cited of answers" not in printed(report.shares, 72)


def test_recorded_and_simulated_engines_are_labelled() -> None:
    known = Estimate(0.5, 0.4, 0.6, "fixed_set", "m", n=10, cited=5)
    rows = (
        Row("share_of_citation", {"engine": "local"}, known, simulated=True),
        Row("share_of_citation", {"engine": "atlas"}, known),
        Row("share_of_citation", {"engine": "blended (recorded)"}, known),
    )
    text = printed(SliceResult(rows, Slice(by=("engine",))), 90, kinds={"atlas": "recorded"})
    assert "local (simulated)" in text
    assert "atlas (recorded)" in text
    assert "(recorded) (recorded)" not in text


def test_no_rows_print_an_empty_table() -> None:
    assert printed(SliceResult((), Slice()), 80).strip() == ""


def test_markup_in_a_name_stays_text() -> None:
    row = Row("share_of_citation", {"brand": "[red]x\x1b[31m", "engine": "e"}, Estimate(0.1, 0, 0.2, "fixed_set", "m"))
    text = printed(SliceResult((row,), Slice()), 90)
    assert "[red]x" in text
    assert "\x1b" not in text


def test_the_bar_is_thick_for_the_fixed_set_and_thin_for_the_category() -> None:
    fixed_set = Estimate(0.5, 0.4, 0.6, "fixed_set", "m")
    category = Estimate(0.5, 0.2, 0.8, "category", "m")
    assert bar(fixed_set, category, 11, ASCII) == "..--=o=--.."
    assert bar(fixed_set, None, 11, ASCII) == "....=o=...."
    assert bar(None, category, 11, ASCII) == "..---o---.."
    assert bar(Estimate(None, None, None, "fixed_set", "m"), None, 11) == " " * 11
    assert len(axis(24)) == 24
