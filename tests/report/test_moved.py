from __future__ import annotations

from dataclasses import replace

import pytest

from citepoll.model import Change, Estimate, Row, Slice, SliceResult
from citepoll.report.data import ReportData
from citepoll.report.evidence import doors_within, evidence_view
from citepoll.report.html import render
from citepoll.report.moved import FIRST_CYCLE, Moved, moved, trend_notes, trend_panels, verdict_of
from citepoll.report.sentences import engine_labels

BLEND = "blended (recorded)"


def estimate(value: float) -> Estimate:
    return Estimate(value, value - 0.05, value + 0.05, "fixed_set", "m", n=30)


def row(brand: str, verdict: str, p: float, *, engine: str = "atlas", warnings: tuple[str, ...] = ()) -> Row:
    change = Change(
        value=0.1, low=0.02, high=0.18, p=p, target="fixed_set", before=estimate(0.2), after=estimate(0.3),
        warnings=warnings,
    )  # fmt: skip
    place = {"brand": brand, "engine": engine}
    return Row("share_of_citation", place, estimate(0.31), change=change, adjusted_p=p * 2, verdict=verdict)


def with_changes(report: ReportData, *rows: Row, since: str = "2026-10") -> ReportData:
    return replace(report, changes=SliceResult(rows, Slice(compare=since)))


def seen(report: ReportData) -> Moved:
    labels = engine_labels(report)
    found = moved(report, labels, doors_within(evidence_view(report, labels, ()), report.method.cycle))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("verdict", "sentence"),
    [
        ("no evidence of change; a move under 6 points could not have been seen",
         "No evidence of change since 2026-10; a move under 6 points could not have been seen."),
        ("no evidence of change", "No evidence of change since 2026-10."),
        ("up 6 points (2 to 10): a real change on these queries",
         "Up 6 points (2 to 10) since 2026-10: a real change on these queries."),
        ("no comparison: 1 query in common", "No comparison with 2026-10: 1 query in common."),
    ],
)  # fmt: skip
def test_the_verdict_of_the_headline_names_the_earlier_cycle(report: ReportData, verdict: str, sentence: str) -> None:
    data = with_changes(report, row(report.brand, verdict, 0.5, engine=BLEND, warnings=("4 of 9 runs failed",)))
    found = verdict_of(data, BLEND)
    assert (found.sentence, found.warnings, found.quiet) == (sentence, ("4 of 9 runs failed",), False)


def test_a_first_cycle_and_an_engine_that_was_not_compared_say_so_quietly(report: ReportData) -> None:
    assert verdict_of(replace(report, changes=None), BLEND).sentence == FIRST_CYCLE
    found = verdict_of(with_changes(report), BLEND)
    assert found.quiet
    assert "nothing was compared" in found.sentence


def test_the_tracked_brand_and_whatever_moved_stand_open_the_others_folded(report: ReportData) -> None:
    data = with_changes(
        report,
        row("Kestrel Garden", "no evidence of change", 0.4),
        row(report.brand, "no evidence of change", 0.6),
        row("Foxglove & Sons", "up 10 points (2 to 18): a real change on these queries", 0.01),
        row("Bright Barrow", "up 10 points (2 to 18): would count alone", 0.04),
    )
    found = seen(data)
    assert [one.brand for one in found.shown] == [report.brand, "Foxglove & Sons", "Bright Barrow"]
    assert [one.brand for one in found.rest] == ["Kestrel Garden"]
    assert (found.shown[0].before, found.shown[0].now) == ("20 % (15–25)", "30 % (25–35)")
    assert "4 comparisons with 2026-10" in found.summary
    assert "1 real change, 1 that would count alone, 2 without evidence of change" in found.summary


def test_every_brand_and_engine_is_compared_for_both_targets(report: ReportData) -> None:
    found = seen(report)
    assert len(found.shown) + len(found.rest) == len(found.category) == 5 * 4
    assert next(one.warnings for one in found.shown if one.tracked) == (
        "the model inside the engine changed: atlas-1 → atlas-2",
    )


def test_a_trend_stands_per_engine_with_a_number_for_each_brand_and_cycle(report: ReportData) -> None:
    panels = trend_panels(
        report, engine_labels(report), doors_within(evidence_view(report, {}, ()), report.method.cycle)
    )
    assert len(panels) == 4
    assert panels[-1].title.startswith("Blended")
    for panel in panels:
        assert panel.cycles == ("2026-09", "2026-10", "2026-11")
        assert panel.rows[0][:2] == (report.brand, True)
        assert {len(cells) for _, _, cells in panel.rows} == {3}
    assert [panel.notes for panel in panels] == [("atlas-1 → atlas-2.",), (), (), ()]
    assert trend_notes(report) == ("2026-09 and 2026-10 stand on different query sets.",)


def test_one_cycle_makes_no_trend_and_many_are_cut_to_the_newest(report: ReportData) -> None:
    assert report.trend is not None
    doors = doors_within(evidence_view(report, {}, ()), report.method.cycle)
    one = replace(report, trend=replace(report.trend, cycles=("2026-11",)))
    assert trend_panels(one, engine_labels(report), doors) == ()
    many = tuple(f"c{at}" for at in range(12))
    rows = tuple(
        Row("share_of_citation", {"brand": report.brand, "engine": "atlas", "cycle": c}, estimate(0.3)) for c in many
    )
    long = replace(report, trend=SliceResult(rows, Slice(), cycles=many), breaks=())
    assert trend_panels(long, engine_labels(report), doors)[0].cycles == many[-8:]
    assert trend_notes(long) == ("These are the last 8 of 12 cycles.",)


def test_the_page_tells_verdicts_warnings_and_the_folded_category(report: ReportData) -> None:
    page = render(report)
    assert "Beside it: the model inside the engine changed: atlas-1 → atlas-2" in page
    assert "On questions like these" in page
    assert ">another query set<" in page
    assert ">another model<" in page
