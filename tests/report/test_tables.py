from __future__ import annotations

import csv
import io
import json

import pytest

from citepoll.model import Estimate, Row, Slice, SliceResult
from citepoll.report.data import ReportData
from citepoll.report.pairs import engines, leading, pairs
from citepoll.report.tables import csv_text, json_rows, json_text, markdown_text

KNOWN = Estimate(
    0.3403, 0.2889, 0.3969, "fixed_set", "m", n=144, n_queries=48, cited=49, pooled=0.3403, excluded={"failed": 4},
    of=144,
)  # fmt: skip
GONE = Estimate(None, None, None, "category", "m", reason="0 valid answers", warnings=("one", "two"))


def result(brand: str = "Acme", *, simulated: bool = False) -> SliceResult:
    place = {"brand": brand, "engine": "atlas"}
    rows = (
        Row("share_of_citation", place, KNOWN, grade="exploratory", band="category authority", simulated=simulated),
        Row("share_of_citation", place, GONE, simulated=simulated),
    )
    return SliceResult(rows, Slice(), warnings=("one engine only",))


def test_json_is_a_list_of_rows_with_fractions_and_nulls() -> None:
    first, second = json.loads(json_text(result()))
    assert first | {"warnings": []} == {
        "metric": "share_of_citation", "brand": "Acme", "engine": "atlas", "value": 0.3403, "low": 0.2889,
        "high": 0.3969, "confidence": 0.95, "target": "fixed_set", "method": "m", "cited": 49, "n": 144,
        "pooled": 0.3403, "n_queries": 48, "n_effective": None, "of": 144, "excluded": {"failed": 4}, "reason": None,
        "grade": "exploratory", "grade_next": None, "band": "category authority", "simulated": False, "warnings": [],
    }  # fmt: skip
    assert second["value"] is None
    assert second["low"] is None
    assert second["reason"] == "0 valid answers"
    assert second["warnings"] == ["one", "two"]


def test_no_rows_are_an_empty_list_and_a_bare_header() -> None:
    empty = SliceResult((), Slice())
    assert json_rows(empty) == []
    assert csv_text(empty).startswith("metric,brand,engine,value,")
    assert csv_text(empty).count("\n") == 1


def test_csv_has_a_column_for_each_excluded_status_and_empty_cells_for_no_data() -> None:
    first, second = csv.DictReader(io.StringIO(csv_text(result())))
    assert (first["value"], first["excluded_failed"], first["excluded_absent"]) == ("0.3403", "4", "0")
    assert (second["value"], second["reason"], second["warnings"]) == ("", "0 valid answers", "one | two")


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\x00=1+1"])
def test_csv_text_that_a_spreadsheet_would_run_is_escaped(start: str) -> None:
    brand = next(csv.DictReader(io.StringIO(csv_text(result(start)))))["brand"]
    assert brand.startswith("'")
    raw = next(csv.DictReader(io.StringIO(csv_text(result(start), raw=True))))["brand"]
    assert not raw.startswith("'")


def test_csv_numbers_are_not_text() -> None:
    row = Row("share_of_citation", {"brand": "A", "engine": "e"}, Estimate(-0.1, -0.2, 0.1, "fixed_set", "m"))
    assert ",-0.1," in csv_text(SliceResult((row,), Slice()))


def test_markdown_keeps_its_columns_whatever_a_name_holds() -> None:
    text = markdown_text(result("A|c\nme <b>*x*", simulated=True))
    header, rule, first, second, blank, warning = text.splitlines()
    assert "A\\|c me &lt;b>\\*x\\*" in first
    assert "34 % (29–40) (simulated)" in first
    assert "49 of 144" in first
    assert "no estimate: 0 valid answers" in second
    assert first.replace("\\|", "").count("|") == header.count("|") == rule.count("|")
    assert (blank, warning) == ("", "- one engine only")


def test_both_targets_of_a_place_are_one_pair(report: ReportData) -> None:
    found = pairs(report.shares.rows)
    assert 2 * len(found) == len(report.shares.rows)
    assert all(pair.fixed_set and pair.category for pair in found)
    assert engines(found)[-1] == "blended (recorded)"
    kinds = {note.name: note.surface for note in report.engines}
    assert leading(found, kinds) == ("blended (recorded)",)
    assert leading(found, kinds | {"cinder": "api"}) == ("blended (recorded)", "cinder")


def test_without_a_blend_every_engine_leads() -> None:
    rows = [Row("share_of_citation", {"engine": name}, KNOWN) for name in ("b", "a")]
    assert leading(pairs(rows), {}) == ("b", "a")
