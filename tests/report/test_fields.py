"""Where each competitor is ahead: the leads that are worth most come first, with the weights beside them."""

from dataclasses import replace

from citepoll.report.data import Ahead
from citepoll.report.html import render
from citepoll.report.view import page

WEIGHTS = "intent weights (the default): definitional 1, versus 4; no intent 1"


def test_a_lead_on_a_weighty_question_comes_before_a_surer_one(report):
    sure, weighty, unweighed = report.queries[:3]
    cases = (
        Ahead("Globex", sure.id, 3, 0, 3, 0.99, True, weight=1.0),
        Ahead("Globex", unweighed.id, 1, 0, 3, 0.5),
        Ahead("Globex", weighty.id, 3, 1, 3, 0.92, True, weight=4.0),
    )
    shown = page(replace(report, ahead=cases, weights=WEIGHTS))
    (group,) = shown.ahead
    assert [line.query for line in group.lines] == [weighty.text, sure.text, unweighed.text]
    assert [line.evidence for line in group.lines] == [
        "confirmed, probability 92 %, worth 3.7", "confirmed, probability 99 %, worth 1.0", "candidate, probability 50 %",
    ]  # fmt: skip
    assert WEIGHTS in shown.ahead_note
    assert WEIGHTS in render(replace(report, ahead=cases, weights=WEIGHTS))


def test_without_leads_no_weights_are_shown(report):
    assert page(replace(report, ahead=(), weights=WEIGHTS)).ahead_note == ""
