from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from citepoll.model import Estimate
from citepoll.report.charts import NARROW, WIDE, Frame, Mark, competitors, shares_by_engine, sources
from citepoll.report.heatmap import Cell, heatmap
from citepoll.report.palette import TOKENS, fixed, heat
from citepoll.report.render import svg

HOSTILE = "<b onclick='x'>\x00\x1b\u202e&\"]]>"


def estimate(value: float, low: float, high: float, target: str = "fixed_set") -> Estimate:
    return Estimate(value, low, high, target, "m", n=30, n_queries=10)  # type: ignore[arg-type]


def marks() -> list[Mark]:
    return [
        Mark("Atlas", estimate(0.3, 0.2, 0.4), estimate(0.3, 0.1, 0.5, "category"), "api", door="answers-atlas"),
        Mark("Beacon", estimate(0.5, 0.4, 0.6), None, "simulated", tracked=False, note="simulated"),
        Mark("Cinder", Estimate(None, None, None, "fixed_set", "m"), None, "recorded"),
        Mark(HOSTILE, estimate(0.1, 0.0, 0.2), None, "mixed", apart=True),
    ]


@pytest.mark.parametrize("frame", [WIDE, NARROW])
@pytest.mark.parametrize("picture", [shares_by_engine, competitors, sources])
def test_a_picture_is_valid_svg_of_its_size_with_its_numbers(picture: type, frame: Frame) -> None:
    drawn = svg(picture(marks(), frame), label=HOSTILE)
    root = ElementTree.fromstring(drawn)
    assert root.get("width") == str(frame.width)
    texts = {"".join(element.itertext()) for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"Atlas", "30 % (20–40)", "no estimate: 0 valid answers"} <= texts
    assert "onclick=" not in re.sub(r'aria-label="[^"]*"|>[^<]*<', "", drawn)


def test_marks_link_into_the_page_only() -> None:
    drawn = svg(shares_by_engine(marks()), label="x")
    assert re.findall(r"""href=["']([^"']*)""", drawn) == ["#answers-atlas"]
    assert "door.invalid" not in drawn
    assert "href" not in svg(shares_by_engine(marks()), label="x", doors=False)


def test_a_row_says_its_number_once_to_a_screen_reader() -> None:
    drawn = svg(shares_by_engine(marks()), label="x")
    assert drawn.count('aria-label="Atlas: 30 % (20–40); on questions like these 10–50 %"') == 1


def test_colours_follow_the_page_or_stand_alone() -> None:
    page, alone = (svg(shares_by_engine(marks()), label="x", palette=p) for p in (None, fixed("dark")))
    assert "var(--accent)" in page
    assert "var(" not in alone
    assert not any(token.placeholder in drawn for token in TOKENS for drawn in (page, alone))


def test_each_interval_is_drawn_from_low_to_high() -> None:
    drawn = svg(shares_by_engine(marks()[:1]), label="x")
    plot = WIDE.width - WIDE.label - WIDE.number
    lines = re.findall(r'<line transform="translate\(([\d.]+),[\d.]+\)" x2="([\d.]+)"[^>]*stroke-width="(\d)', drawn)
    found = {width: (float(start), float(start) + float(length)) for start, length, width in lines if width in "26"}
    assert found["6"] == pytest.approx((WIDE.label + 0.2 * plot, WIDE.label + 0.4 * plot), abs=0.6)
    assert found["2"] == pytest.approx((WIDE.label + 0.1 * plot, WIDE.label + 0.5 * plot), abs=0.6)


def test_brands_stand_from_the_largest_share() -> None:
    drawn = svg(competitors(marks()), label="x")
    assert drawn.index(">Beacon<") < drawn.index(">Atlas<") < drawn.index(">Cinder<")


def test_the_axis_of_sources_starts_at_zero_and_holds_the_highest_bound() -> None:
    drawn = svg(sources([Mark("a.example", estimate(0.1, 0.05, 0.2))]), label="x")
    assert ">20 %<" in drawn
    assert ">0<" in drawn
    assert ">60 %<" in svg(sources(marks()), label="x")


def test_a_target_is_a_line_with_its_words() -> None:
    plain, aimed = (svg(shares_by_engine(marks(), targets=at), label="x") for at in ((), (0.3, 0.02)))
    assert {">target 30 %<", ">target 2 %<"} <= set(re.findall(r">target [^<]*<", aimed))
    assert "target" not in plain
    assert aimed.count("stroke-dasharray") == 2


def test_no_marks_draw_an_empty_picture() -> None:
    ElementTree.fromstring(svg(shares_by_engine([]), label="x"))
    ElementTree.fromstring(svg(heatmap([]), label="x"))


def test_the_heat_map_says_cited_of_valid_and_rings_where_a_competitor_is_ahead() -> None:
    cells = [
        Cell("which fork", "Atlas", 2, 3, group="best-of", door="cell-1"),
        Cell("which fork", "Beacon", 0, 3, ahead=True, group="best-of"),
        Cell("what is a fork", "Atlas", 0, 0, group="definitional"),
    ]
    drawn = svg(heatmap(cells), label="x")
    assert all(f">{text}<" in drawn for text in ("2/3", "0/3", "none", "best-of", "which fork"))
    assert "Beacon: cited in 0 of 3 valid answers, a competitor is ahead" in drawn.replace("fork, Beacon", "Beacon")
    assert 'href="#cell-1"' in drawn
    assert drawn.count("var(--ring)") == 1


def test_heat_has_four_steps() -> None:
    assert [heat(k, 3) for k in range(4)] == ["heat-0", "heat-1", "heat-2", "heat-3"]
    assert heat(0, 0) == "heat-0"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_colours_keep_their_contrast(scheme: str) -> None:
    colours = {token.name: getattr(token, scheme) for token in TOKENS}
    for ink, grounds in {
        "ink": ("page", "panel", "heat-0", "heat-1", "heat-2", "heat-3", "mark"),
        "quiet": ("page", "panel"),
        "accent": ("page", "panel"),
    }.items():
        for ground in grounds:
            assert _contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    for mark in ("accent", "other", "ring"):
        assert _contrast(colours[mark], colours["page"]) >= 3


def _contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
