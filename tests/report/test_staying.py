from citepoll.report.render import svg
from citepoll.report.staying import Step, said, staying

CURVE = [Step(1, 0.6, 0.5, 0.7), Step(3, 0.4, None, None)]


def test_a_curve_says_each_step_and_links_nowhere():
    drawn = svg(staying(CURVE), label="stay")
    assert "after 3 cycles 40 % are still cited" in drawn
    assert "after 1 cycle 60 % are still cited (50–70)" in drawn
    assert "href" not in drawn
    assert "NaN" not in drawn


def test_a_step_without_an_interval_has_none():
    assert said(CURVE[1]) == "after 3 cycles 40 % are still cited"
    assert "<svg" in svg(staying([]), label="nothing")
