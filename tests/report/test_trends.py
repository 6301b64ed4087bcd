from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from citepoll.model import Estimate
from citepoll.report.render import svg
from citepoll.report.trends import NARROW_TREND, WIDE_TREND, Line, Rule, TrendFrame, trend

CYCLES = ("2026-08", "2026-09", "2026-10", "2026-11")
GONE = Estimate(None, None, None, "fixed_set", "m", reason="0 valid answers")


def estimate(value: float) -> Estimate:
    return Estimate(value, value - 0.05, value + 0.05, "fixed_set", "m", n=30)


def lines(*values: float | None) -> list[Line]:
    ours = tuple(None if value is None else estimate(value) for value in values)
    theirs = tuple(estimate(0.1) for _ in values)
    return [Line("Acme", ours, True, (None,) * (len(ours) - 1) + ("answers-atlas",)), Line("<b>Other</b>\x00", theirs)]


def texts(drawn: str) -> list[str]:
    return ["".join(e.itertext()) for e in ElementTree.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")]


def areas(drawn: str) -> int:
    return len(
        re.findall(
            r'<path aria-hidden="true" d="[^"]*Z" fill="var\(--accent\)"[^>]*opacity="0.18"|<path[^>]*opacity="0.18"',
            drawn,
        )
    )


@pytest.mark.parametrize("frame", [WIDE_TREND, NARROW_TREND])
def test_a_trend_has_its_size_its_cycles_and_its_newest_number(frame: TrendFrame) -> None:
    drawn = svg(trend(lines(0.2, 0.25, 0.3, 0.35), CYCLES, frame=frame), label="x")
    assert ElementTree.fromstring(drawn).get("width") == str(frame.width)
    assert {"2026-11", "35 % (30–40)", "0", "40 %"} <= set(texts(drawn))


def test_each_cycle_says_its_number_and_only_the_newest_is_a_door() -> None:
    drawn = svg(trend(lines(0.2, None, 0.3, 0.35), CYCLES), label="x")
    assert 'aria-label="2026-08: Acme 20 % (15–25)"' in drawn
    assert 'aria-label="2026-09: Acme no estimate: not measured"' in drawn
    assert re.findall(r"""href=["']([^"']*)""", drawn) == ["#answers-atlas"]


@pytest.mark.parametrize(
    ("values", "rules", "pieces"),
    [
        ((0.2, 0.25, 0.3, 0.35), (), 1),
        ((0.2, 0.25, 0.3, 0.35), (Rule(2, "another query set", severs=True),), 2),
        ((0.2, 0.25, 0.3, 0.35), (Rule(2, "another model"),), 1),
        ((0.2, 0.25, None, 0.35), (), 2),
    ],
)
def test_lines_break_at_gaps_and_where_the_query_set_changed(
    values: tuple[float | None, ...], rules: tuple[Rule, ...], pieces: int
) -> None:
    drawn = svg(trend(lines(*values), CYCLES, rules), label="x")
    assert areas(drawn) == pieces
    assert all(f">{rule.word}<" in drawn for rule in rules)


def test_words_of_rules_that_would_meet_stand_in_rows() -> None:
    rules = [Rule(at, "another query set") for at in (1, 2, 3)]
    drawn = ElementTree.fromstring(svg(trend(lines(0.2, 0.25, 0.3, 0.35), CYCLES, rules, NARROW_TREND), label="x"))
    heights = {
        e.get("transform", "").partition(",")[2]
        for e in drawn.iter("{http://www.w3.org/2000/svg}text")
        if "".join(e.itertext()) == "another query set"
    }
    assert len(heights) >= 2


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_cycles_and_no_estimate_still_draw(count: int) -> None:
    some = [Line("Acme", (GONE,) * count, True), Line("Other", (None,) * count)]
    ElementTree.fromstring(svg(trend(some, CYCLES[:count]), label="x"))
    ElementTree.fromstring(svg(trend([], CYCLES[:count]), label="x"))
