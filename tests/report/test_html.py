from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from typing import Any

import pytest

from citepoll.model import Change, Estimate, Mention, Query, ResolvedCitation, Row, Slice, SliceResult
from citepoll.report.data import (
    Ahead,
    Break,
    CellNote,
    Concentration,
    EngineNote,
    Evidence,
    ReportData,
    TargetLine,
    ToDo,
)
from citepoll.report.html import render
from citepoll.report.printable import printable

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\x00\x1b[31m\ud800\u202e{{ 7*7 }}"


INLINE = {"span", "strong", "mark", "a"}


class Reader(HTMLParser):
    """Tags, attributes and visible text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.words.append(" " if tag not in INLINE else "")
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_endtag(self, tag: str) -> None:
        self.words.append(" " if tag not in INLINE else "")

    def values(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


@pytest.fixture(scope="module")
def page(report: ReportData) -> str:
    return render(report)


@pytest.fixture(scope="module")
def reader(page: str) -> Reader:
    return Reader(page)


def test_the_file_stands_alone(page: str, reader: Reader) -> None:
    assert not {"script", "link", "img", "iframe", "object", "form"} & set(reader.tags)
    assert reader.tags.count("style") == 1
    assert not any(name.startswith("on") or name in {"style", "src", "xlink:href"} for _, name, _ in reader.attributes)
    assert "url(" not in page
    assert "@import" not in page


def test_the_policy_allows_its_own_style_only(page: str) -> None:
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in page


def test_every_door_leads_somewhere_and_ids_are_unique(reader: Reader) -> None:
    ids = reader.values("id")
    assert len(ids) == len(set(ids))
    doors = [value[1:] for value in reader.values("href") if value.startswith("#")]
    assert len(doors) > 100
    assert set(doors) <= set(ids)


def test_links_to_outside_are_web_links_without_referrer(page: str) -> None:
    for link in re.findall(r"<a [^>]*>", page):
        if 'href="#' not in link:
            assert 'href="https://' in link
            assert 'rel="noopener noreferrer nofollow"' in link


def test_the_headline_has_the_number_the_interval_and_the_evidence(reader: Reader) -> None:
    text = reader.text.replace("\xa0", " ")
    assert "Northwind Home is cited as a source in 29 % of answers (22–37), between competitive and" in text
    assert "If these queries are a sample of what buyers ask, the share over all such questions is 29 %" in text
    assert "Evidence: exploratory. 34 more queries would make it directional." in text
    assert "0 %, at most 2.7 %" in text


def test_engines_that_were_not_asked_wear_their_label(report: ReportData) -> None:
    rows = tuple(replace(row, simulated=True) for row in report.shares.rows)
    notes = tuple(replace(note, surface="simulated") for note in report.engines)
    text = Reader(render(replace(report, engines=notes, shares=replace(report.shares, rows=rows)))).text
    assert text.count("simulated") >= 15


def test_method_tells_targets_exclusions_and_origin(reader: Reader) -> None:
    for words in ("These queries", "Questions like these", "5e5e5e5e5e5e", "2026-11-03 to 2026-11-04", "extractor 1"):
        assert words in reader.text
    assert "Cinder Search (recorded) 39 0 0 0 0 9" in reader.text


def test_an_answer_shows_why_each_url_counts(reader: Reader) -> None:
    assert "northwind-home.example belongs to Northwind Home" in reader.text
    assert "no brand of the project owns it" in reader.text


def hostile(report: ReportData) -> ReportData:
    query = Query(printable(HOSTILE), intent=HOSTILE)
    citations = (
        ResolvedCitation("javascript:alert(1)", 1, "listed", problem=HOSTILE, title=HOSTILE),
        ResolvedCitation(
            HOSTILE, 2, "listed", url=HOSTILE, domain=HOSTILE, brand=HOSTILE, rule=HOSTILE, unwrapped=HOSTILE
        ),
        ResolvedCitation("https://ok.example/a", 3, "retrieved", url="https://ok.example/a", domain="ok.example"),
    )
    place = {"brand": HOSTILE, "engine": HOSTILE}
    known = Estimate(0.5, 0.4, 0.6, "fixed_set", "m", n=4, n_queries=1, cited=2, warnings=(HOSTILE,))
    rows = (Row("share_of_citation", place, known, grade=HOSTILE, grade_next=HOSTILE, band=HOSTILE),)
    answer = Evidence(
        HOSTILE,
        HOSTILE,
        query.id,
        1,
        "answered",
        HOSTILE * 3,
        citations,
        (Mention(HOSTILE, "x", 0, 8, 1),),
        model=HOSTILE,
    )
    return replace(
        report, brand=HOSTILE, project=HOSTILE, warnings=(HOSTILE,), queries=(query,),
        engines=(EngineNote(HOSTILE, "api", HOSTILE, (HOSTILE,)),),
        shares=SliceResult(rows, Slice(), warnings=(HOSTILE,), labels={HOSTILE: HOSTILE}),
        sources=SliceResult((Row("slot_share", {"domain": HOSTILE, "engine": HOSTILE}, known),), Slice(by=("domain",))),
        cells=(CellNote(query.id, HOSTILE, 1, 2, (HOSTILE,)),),
        ahead=(Ahead(HOSTILE, query.id, 2, 1, 3, 0.9, True, HOSTILE, ("javascript:alert(1)", HOSTILE)),),
        method=replace(report.method, cycle=HOSTILE, query_set_hash=HOSTILE, extractor=HOSTILE, notes=(HOSTILE,)),
        owners={HOSTILE: HOSTILE}, evidence=(answer,), **hostile_extras(known),
    )  # fmt: skip


def hostile_extras(known: Estimate) -> dict[str, Any]:
    """The parts that a second cycle and a list of things to do bring."""
    place = {"brand": HOSTILE, "engine": HOSTILE}
    change = Change(
        value=0.1, low=0.01, high=0.2, p=0.01, target="fixed_set", before=known, after=known, warnings=(HOSTILE,)
    )
    row = Row("share_of_citation", place, known, change=change, adjusted_p=0.01, verdict=HOSTILE)
    cycles = (f"1{HOSTILE}", f"2{HOSTILE}")
    trend = tuple(Row("share_of_citation", {**place, "cycle": cycle}, known) for cycle in cycles)
    todo = ToDo(
        HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, 0.5, (HOSTILE, "gone"), 3, HOSTILE, HOSTILE
    )
    classes = (Row("slot_share", {"source_class": HOSTILE, "engine": HOSTILE}, known),)
    return {
        "changes": SliceResult((row,), Slice(compare=HOSTILE), warnings=(HOSTILE,)),
        "trend": SliceResult(trend, Slice(), cycles=cycles, warnings=(HOSTILE,)),
        "breaks": (Break(cycles[1], HOSTILE, HOSTILE), Break(cycles[1], HOSTILE, HOSTILE, HOSTILE, True)),
        "todo": (todo,),
        "targets": (TargetLine("presence_rate", 0.5, date(2027, 1, 1), HOSTILE, None, HOSTILE),
                    TargetLine("share_of_citation", 0.5, date(2027, 1, 1), HOSTILE, 0.5)),
        "classes": SliceResult(classes, Slice(by=("source_class",))),
        "concentration": (Concentration(HOSTILE, 2.0, 3),),
    }  # fmt: skip


def test_hostile_text_stays_text(report: ReportData) -> None:
    page = render(hostile(report))
    page.encode("utf-8")
    reader = Reader(page)
    assert not {"script", "img"} & set(reader.tags)
    assert not any(name.startswith("on") for _, name, _ in reader.attributes)
    assert not any(sign in page for sign in "\x00\x1b\u202e")
    assert "{{ 7*7 }}" in reader.text
    assert all(value.startswith(("#", "https://")) for value in reader.values("href"))
    ids = reader.values("id")
    assert len(ids) == len(set(ids))
    assert {value[1:] for value in reader.values("href") if value.startswith("#")} <= set(ids)


def test_a_report_without_answers_says_so_in_words(report: ReportData) -> None:
    bare = replace(
        report, shares=SliceResult((), Slice()), engines=(), queries=(), cells=(), ahead=(), sources=None, evidence=(),
        answers_total=None, changes=None, trend=None, breaks=(), todo=(), todo_total=None, targets=(), classes=None,
        concentration=(),
    )  # fmt: skip
    text = Reader(render(bare)).text
    assert "no share in this report, for it holds no answers" in text
    assert "will stand here" in text
    assert "This file holds no answers; they are in the project." in text
    assert "First cycle: nothing to compare with yet." in text
    assert "No list of things to do was made for this report." in text


def test_no_estimate_is_said_in_the_headline(report: ReportData) -> None:
    gone = Estimate(None, None, None, "fixed_set", "m", reason="0 valid answers")
    rows = (Row("share_of_citation", {"brand": report.brand, "engine": "atlas"}, gone),)
    text = Reader(render(replace(report, shares=SliceResult(rows, Slice()), evidence=()))).text
    assert "Northwind Home: no estimate: 0 valid answers." in text


def test_fewer_answers_than_the_cycle_holds_are_announced(report: ReportData) -> None:
    text = Reader(render(replace(report, evidence=report.evidence[:3]))).text
    assert "3 of 144 answers stand in this file" in text


def test_the_first_screen_says_where_did_it_move_against_whom_and_what_to_do(reader: Reader) -> None:
    said = ["is cited as a source in", "since 2026-10;", "Evidence: exploratory", "by engine", "All brands:",
            "Three things to do", "What moved"]  # fmt: skip
    at = 0
    for words in said:
        at = reader.text.index(words, at)


def test_the_same_data_give_the_same_file(report: ReportData, page: str) -> None:
    assert render(report) == page


def test_a_blend_states_its_weights(report: ReportData) -> None:
    notes = tuple(replace(n, weight=w) for n, w in zip(report.engines, (5.0, 3.0, 2.0), strict=True))
    assert "Blended (recorded), weights .5/.3/.2" in Reader(render(replace(report, engines=notes))).text


def test_an_engine_outside_the_blend_has_a_headline_of_its_own(report: ReportData) -> None:
    notes = tuple(replace(n, surface="api") if n.name == "cinder" else n for n in report.engines)
    reader = Reader(render(replace(report, engines=notes)))
    assert reader.text.count("is cited as a source in") == 2
    assert "All brands: Cinder Search (API)" in reader.text


def test_a_mixed_report_does_not_call_all_of_it_simulated(report: ReportData) -> None:
    notes = tuple(replace(n, surface="simulated" if n.name == "cinder" else "api") for n in report.engines)
    assert "Queries × engines partly simulated" in Reader(render(replace(report, engines=notes))).text
