from __future__ import annotations

import io
from dataclasses import replace

import pytest
from PIL import Image

from citepoll.model import Query
from citepoll.report.data import ReportData, ToDo
from citepoll.report.palette import TOKENS
from citepoll.report.pdf import missing_sentence, render_pages, render_pdf, without_glyph

HOSTILE = (
    '#panic("run") $x$ *b* _i_ \\ `raw` @ref <label> "]) //x {{ 7*7 }} \x00\x1b[31m\ud800\u202eabc\u2066 ' + "w" * 300
)
COLOURS = {token.name: tuple(bytes.fromhex(token.light[1:])) for token in TOKENS}


def pictures(data: ReportData, **options: object) -> list[Image.Image]:
    return [Image.open(io.BytesIO(png)).convert("RGB") for png in render_pages(data, **options)]  # type: ignore[arg-type]


def longest_run(picture: Image.Image, colour: tuple[int, ...]) -> int:
    """Pixels of the longest horizontal line in exactly this colour."""
    wide, rows, best = picture.width, picture.tobytes(), 0
    for y in range(picture.height):
        run = 0
        for x in range(wide):
            at = 3 * (y * wide + x)
            run = run + 1 if tuple(rows[at : at + 3]) == colour else 0
            best = max(best, run)
    return best


def bare(report: ReportData) -> ReportData:
    """The shares alone: little to draw."""
    return replace(
        report, changes=None, trend=None, cells=(), ahead=(), todo=(), sources=None, classes=None, others=None,
        evidence=(), targets=(), concentration=(),
    )  # fmt: skip


def test_the_interval_is_drawn(report: ReportData) -> None:
    first = pictures(bare(report), ppi=72)[0]
    plot = first.crop((round(first.width * 0.3), 0, round(first.width * 0.75), first.height))
    # Atlas: 29 % (18–43) on an axis of 240 of 560 px that fill 174 mm, so its thick line has 53 pixels at 72 dpi.
    assert longest_run(plot, COLOURS["accent"]) > 35
    assert longest_run(plot, COLOURS["other"]) > 25


def test_hostile_text_is_text(report: ReportData) -> None:
    rows = tuple(
        replace(row, dimensions={**row.dimensions, "brand": HOSTILE})
        for row in report.shares.rows
        if row.dimensions["brand"] == report.brand
    )
    hostile = replace(
        bare(report),
        brand=HOSTILE,
        project=HOSTILE,
        shares=replace(report.shares, rows=rows, warnings=(HOSTILE,)),
        queries=(Query(HOSTILE.replace("\ud800", "")),),
        todo=(ToDo("sha256:" + "a1" * 32, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, effect=HOSTILE),),
    )
    printed = render_pdf(hostile)
    assert printed.pdf.startswith(b"%PDF-")
    assert b"#panic(&quot;run&quot;) $x$ *b*" in printed.pdf or b'#panic("run") $x$ *b*' in printed.pdf
    assert b"JavaScript" not in printed.pdf
    assert b"\x00\x1b[31m" not in printed.pdf


def test_the_same_report_is_the_same_file_and_paper_is_a_choice(report: ReportData) -> None:
    first, again = render_pdf(bare(report)), render_pdf(bare(report))
    assert first == again
    (wide, high), (letter_wide, letter_high) = (
        pictures(bare(report), ppi=72, paper=paper)[0].size for paper in ("a4", "letter")
    )
    assert (wide, high) == pytest.approx((595, 842), abs=1)
    assert (letter_wide, letter_high) == pytest.approx((612, 792), abs=1)


def test_a_report_without_answers_says_so(report: ReportData) -> None:
    empty = replace(bare(report), shares=replace(report.shares, rows=()), engines=(), queries=())
    assert render_pdf(empty).pdf.startswith(b"%PDF-")


def test_every_section_is_set(report: ReportData) -> None:
    assert len(render_pdf(report).pdf) > len(render_pdf(bare(report)).pdf) + 50_000


def test_characters_without_a_glyph_are_counted(report: ReportData) -> None:
    nowhere = "\U0010fff0\U0010fff1"
    assert without_glyph(f"aé–{nowhere[0]} \u200b{nowhere[1]}") == nowhere
    assert without_glyph("plain") == ""
    assert render_pdf(replace(bare(report), brand=f"A{nowhere}")).missing == nowhere
    assert missing_sentence("") == ""
    assert missing_sentence(nowhere) == "2 characters had no glyph in the PDF: U+10FFF0, U+10FFF1."
