from __future__ import annotations

from dataclasses import replace

from citepoll.model import SliceResult
from citepoll.report.data import Concentration, ReportData
from citepoll.report.html import render
from citepoll.report.sentences import engine_labels
from citepoll.report.sources import class_panels, class_table, class_words, concentration_sentence


def test_classes_are_words_with_shares_where_the_headline_stands(report: ReportData) -> None:
    (panel,) = class_panels(report, engine_labels(report))
    assert {row.label for row in panel.rows} == {"owned", "competitors", "earned media"}
    assert [row.label for row in panel.rows if row.tracked] == ["owned"]
    assert all("(" in row.fixed_set and "(" in row.category for row in panel.rows)


def test_classes_have_a_column_per_engine(report: ReportData) -> None:
    table = class_table(report, engine_labels(report))
    assert table is not None
    assert len(table.engines) == 4
    assert all(len(cells) == 4 and all(cells) for _, cells in table.rows)
    assert report.classes is not None
    one = tuple(row for row in report.classes.rows if row.dimensions["engine"] == "atlas")
    assert class_table(replace(report, classes=SliceResult(one, report.classes.slice)), {}) is None


def test_an_unknown_class_is_shown_as_it_is_written() -> None:
    assert class_words("government_education") == "government, education"
    assert class_words("rented_hosting") == "rented hosting"


def test_concentration_is_a_sentence() -> None:
    found = (Concentration("atlas", 14.2, 61), Concentration("b", 1.0, 1))
    assert concentration_sentence(found, {"atlas": "Atlas"}) == (
        "Concentration: on Atlas equivalent to 14 equally cited domains (61 cited); "
        "on b equivalent to 1 equally cited domain (1 cited)."
    )
    assert concentration_sentence((), {}) == ""


def test_classes_stand_above_domains(report: ReportData) -> None:
    page = render(report)
    assert page.index("Kinds of sources: Blended") < page.index("Domains: Blended")
    bare = render(replace(report, sources=None, classes=None, concentration=()))
    assert "The domains that the engines cite will stand here" in bare
