from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from citepoll.report.data import ReportData, TargetLine, ToDo
from citepoll.report.evidence import evidence_view
from citepoll.report.html import render
from citepoll.report.sentences import engine_labels
from citepoll.report.todos import ToDos, aims, todos


def listed(report: ReportData) -> ToDos:
    found = todos(report, evidence_view(report, engine_labels(report), ()))
    assert found is not None
    return found


def test_the_first_are_those_that_wait_for_somebody(report: ReportData) -> None:
    found = listed(report)
    assert found.heading == "Three things to do"
    assert [one.kind for one in found.first] == ["Earn inclusion", "Create coverage", "Investigate a loss"]
    assert [one.status for one in found.every] == ["", "", "done", "in work"]
    assert (found.total, found.left_out) == (6, 2)


def test_each_leads_to_the_answers_that_the_file_holds_and_counts_the_others(report: ReportData) -> None:
    first, second, third, _ = listed(report).every
    assert first.answers is not None
    assert (len(first.answers.answers), first.answers.left_out) == (4, 5)
    assert (second.answers, second.elsewhere) == (None, "2 answers: in the project, not in this file")
    assert (third.answers, third.elsewhere) == (None, "")


def test_size_effort_and_chance_are_words(report: ReportData) -> None:
    first, second, *_ = listed(report).every
    assert (first.gain, first.chance) == ("at most 6.1 points, effort medium", "probability 93 %")
    assert second.chance == "probability 99 %"
    assert first.sentence == "Be named on gardenreview.example/forks"
    assert first.key == "a1a1a1a1a1a1"


@pytest.mark.parametrize(
    ("count", "heading"), [(1, "One thing to do"), (2, "Two things to do"), (5, "Three things to do")]
)
def test_the_heading_counts(report: ReportData, count: int, heading: str) -> None:
    some = tuple(ToDo(str(at), "improve-page", "x", "at most 1 point", "low") for at in range(count))
    assert listed(replace(report, todo=some, todo_total=None)).heading == heading


def test_the_first_screen_links_into_the_list_and_the_list_to_answers(report: ReportData) -> None:
    page = render(report)
    for one in listed(report).first:
        assert page.count(f'href="#{one.id}"') == 1
        assert page.count(f'<li id="{one.id}">') == 1
    assert "Up 20 points" in page.replace("atlas: up", "Up")


def test_an_empty_list_and_no_list_are_told_apart(report: ReportData) -> None:
    assert "Nothing to do was found in this cycle." in render(replace(report, todo=(), todo_total=0))
    assert "No list of things to do was made" in render(replace(report, todo=(), todo_total=None))


def test_a_target_says_what_by_when_and_the_chance(report: ReportData) -> None:
    (one,) = aims(report, engine_labels(report))
    assert one.sentence == "Target: share of citation of at least 40 % by 2027-03-31, 146 days left."
    assert one.chances == "Chance of having been met: Atlas under 1 %, Beacon Answers 62 %."
    assert ">target 40 %<" in render(report)


def test_a_target_without_a_chance_says_why_and_a_past_one_how_long_ago(report: ReportData) -> None:
    lines = tuple(
        TargetLine("presence_rate", 0.5, date(2026, 11, 4), name, None, "0 valid answers")
        for name in ("atlas", "cinder")
    )
    (one,) = aims(replace(report, targets=lines), {})
    assert one.sentence.startswith("Target: presence rate of at least 50 % by 2026-11-04, 1 day ago")
    assert one.chances == "No chance is stated: 0 valid answers."
    assert ">target" not in render(replace(report, targets=lines))
