"""An invented project: brands, engines, questions and answers exist nowhere; domains are under `.example`."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from citepoll.measure.changes import change
from citepoll.measure.grades import band
from citepoll.measure.intervals import share, share_of_voice
from citepoll.measure.verdicts import adjust, verdict
from citepoll.model import Estimate, Mention, Query, ResolvedCitation, Row, Slice, SliceResult, Surface
from citepoll.report.data import (
    Ahead,
    Break,
    CellNote,
    Concentration,
    EngineNote,
    Evidence,
    Method,
    ReportData,
    TargetLine,
    ToDo,
)

TRACKED = "Northwind Home"
OWNERS = {
    "northwind-home.example": TRACKED,
    "kestrelgarden.example": "Kestrel Garden",
    "foxglove.example": "Foxglove & Sons",
    "brightbarrow.example": "Bright Barrow",
}
OTHERS = ("gardenreview.example", "allotment-forum.example", "soilscience.example", "weekendgrower.example")
BRANDS = (TRACKED, "Kestrel Garden", "Foxglove & Sons", "Bright Barrow", "Unseen Tools")
PULL = {
    "northwind-home.example": 0.34, "kestrelgarden.example": 0.42, "foxglove.example": 0.16,
    "brightbarrow.example": 0.07, "gardenreview.example": 0.6, "allotment-forum.example": 0.33,
    "soilscience.example": 0.2, "weekendgrower.example": 0.1,
}  # fmt: skip
QUESTIONS = (
    ("definitional", "what is a no-dig garden bed"),
    ("definitional", "what does hardened steel mean for garden tools"),
    ("definitional", "what is a bypass pruner"),
    ("how-to", "how to sharpen secateurs at home"),
    ("how-to", "how to build a raised bed on a slope without a retaining wall"),
    ("how-to", "how to store garden tools over winter"),
    ("best-of", "best wheelbarrow for heavy clay soil"),
    ("best-of", "best garden fork under 60 dollars"),
    ("best-of", "best hose reel for a small balcony"),
    ("versus", "bypass or anvil pruners for dead wood"),
    ("versus", "steel or fibreglass handle for a digging spade"),
    ("recommendation", "which pruning saw should a beginner buy"),
    ("recommendation", "a good tool set for a first allotment"),
    ("use-case", "tools for gardening with arthritis"),
    ("use-case", "watering a roof terrace while on holiday"),
    ("troubleshooting", "why does my hose reel leak at the joint"),
)
SURFACES: dict[str, Surface] = {"atlas": "recorded", "beacon": "recorded", "cinder": "recorded"}


def queries() -> tuple[Query, ...]:
    return tuple(Query(text, intent=intent) for intent, text in QUESTIONS)


def answers(seed: int = 7, runs: int = 3) -> list[Evidence]:
    """Invented answers; cinder fails in one run of eight."""
    draw = random.Random(seed)
    made = []
    for engine in SURFACES:
        for number, query in enumerate(queries()):
            lean = draw.random() * 1.6
            for run in range(1, runs + 1):
                made.append(_answer(draw, engine, query, number, run, lean))
    return made


def _answer(draw: random.Random, engine: str, query: Query, number: int, run: int, lean: float) -> Evidence:
    key = f"{engine}-{number + 1:02d}-{run}"
    asked = datetime(2026, 11, 3, 9, tzinfo=timezone(timedelta(hours=1))) + timedelta(minutes=7 * number + run)
    if engine == "cinder" and draw.random() < 0.12:
        return Evidence(key, engine, query.id, run, "failed", "", asked_at=asked)
    cited = [domain for domain, pull in PULL.items() if draw.random() < min(0.97, pull * lean)]
    text = f"Here is what gardeners usually look at when they ask: {query.text}.\n\n"
    citations, mentions = [], []
    for place, domain in enumerate(cited, 1):
        brand = OWNERS.get(domain)
        name = brand or domain
        start = len(text)
        passage = f"{name} explains the trade-offs between weight, grip and price in some detail"
        text += f"- {passage}.\n"
        if brand:
            mentions.append(Mention(brand, name, start + 2, start + 2 + len(name), len(mentions) + 1))
        url = f"https://{domain}/guides/{query.text.replace(' ', '-')}"
        citations.append(
            ResolvedCitation(
                f"{url}?utm_source={engine}", place, "span", url=url, domain=domain, domain_icann=domain, brand=brand,
                rule=domain if brand else None, title=f"Guide: {query.text}", start=start + 2,
                end=start + 2 + len(passage),
            )
        )  # fmt: skip
    text += "\nPrices and stock change, so check before buying."
    return Evidence(
        key, engine, query.id, run, "answered", text, tuple(citations), tuple(mentions), asked, f"{engine}-2 (2026-09)"
    )


def _counts(made: list[Evidence], engine: str, cites: Callable[[Evidence], bool]) -> tuple[list[int], list[int]]:
    here = [one for one in made if one.engine == engine and one.status == "answered"]
    groups = [[one for one in here if one.query_id == query.id] for query in queries()]
    return [sum(cites(one) for one in group) for group in groups], [len(group) for group in groups]


def estimates(made: list[Evidence], brand: str, engine: str) -> list[Estimate]:
    cited, runs = _counts(made, engine, lambda one: any(c.brand == brand for c in one.citations))
    return [share(cited, runs, target="fixed_set"), share(cited, runs, target="category")]


def share_rows(made: list[Evidence]) -> tuple[Row, ...]:
    rows = []
    for engine in (*SURFACES, "blended (recorded)"):
        for brand in BRANDS:
            pooled = [one for one in made if one.status == "answered"]
            source = made if engine in SURFACES else [_as_one(one) for one in pooled]
            name = engine if engine in SURFACES else "all"
            for estimate in estimates(source, brand, name):
                failed = sum(1 for one in made if one.engine == engine and one.status == "failed")
                estimate = _with_failed(estimate, failed)
                rows.append(
                    Row(
                        "share_of_citation", {"brand": brand, "engine": engine}, estimate, grade="exploratory",
                        grade_next="34 more queries would make it directional", band=band(estimate.low, estimate.high),
                    )
                )  # fmt: skip
    return tuple(rows)


def _as_one(one: Evidence) -> Evidence:
    return Evidence(one.key, "all", one.query_id, one.run, one.status, one.text, one.citations, one.mentions)


def _with_failed(estimate: Estimate, failed: int) -> Estimate:
    values = {name: getattr(estimate, name) for name in Estimate.__dataclass_fields__}
    return Estimate(**{**values, "excluded": {"failed": failed} if failed else {}})


def source_rows(made: list[Evidence]) -> tuple[Row, ...]:
    rows = []
    valid = [one for one in made if one.status == "answered"]
    groups = [[one for one in valid if one.query_id == query.id] for query in queries()]
    for domain in PULL:
        ours = [[sum(c.domain == domain for c in one.citations) for one in group] for group in groups]
        total = [[len(one.citations) for one in group] for group in groups]
        for target in ("fixed_set", "category"):
            estimate = share_of_voice(ours, total, target=target)
            rows.append(Row("slot_share", {"domain": domain, "engine": "blended (recorded)"}, estimate))
    return tuple(rows)


def cells(made: list[Evidence]) -> tuple[CellNote, ...]:
    notes = []
    for engine in SURFACES:
        counted = {
            brand: _counts(made, engine, lambda one, b=brand: any(c.brand == b for c in one.citations))
            for brand in BRANDS
        }
        for number, query in enumerate(queries()):
            ours, valid = counted[TRACKED][0][number], counted[TRACKED][1][number]
            ahead = tuple(b for b in BRANDS[1:] if counted[b][0][number] - ours >= 2)
            notes.append(CellNote(query.id, engine, ours, valid, ahead))
    return tuple(notes)


def ahead(made: list[Evidence]) -> tuple[Ahead, ...]:
    found = []
    for query in queries():
        here = [one for one in made if one.query_id == query.id and one.status == "answered"]
        counts = {brand: sum(any(c.brand == brand for c in one.citations) for one in here) for brand in BRANDS}
        for brand in BRANDS[1:]:
            if counts[brand] >= counts[TRACKED] + 3:
                pages = tuple(dict.fromkeys(c.url for one in here for c in one.citations if c.brand == brand and c.url))
                gap = (counts[brand] - counts[TRACKED]) / len(here)
                found.append(
                    Ahead(
                        brand,
                        query.id,
                        counts[brand],
                        counts[TRACKED],
                        len(here),
                        0.7 + gap / 3.5,
                        gap > 0.6,
                        None,
                        pages,
                    )
                )
    return tuple(found)


CYCLES = {"2026-09": 3, "2026-10": 5, "2026-11": 7}
"""Each cycle and the seed of its answers."""
CLASSES = {"owned": [TRACKED], "competitor": [b for b in BRANDS if b != TRACKED], "earned_media": [None]}


def changes(before: list[Evidence], now: list[Evidence]) -> SliceResult:
    """Every brand and engine against the cycle before, judged together per target."""
    rows = list(share_rows(now))
    found = []
    for row in rows:
        brand, engine = str(row.dimensions["brand"]), str(row.dimensions["engine"])
        sides = [
            made if engine in SURFACES else [_as_one(o) for o in made if o.status == "answered"]
            for made in (before, now)
        ]
        name = engine if engine in SURFACES else "all"
        counts = [_counts(made, name, lambda one, b=brand: any(c.brand == b for c in one.citations)) for made in sides]
        found.append(change(*counts[0], *counts[1], target=row.estimate.target))
    found[0] = replace(found[0], warnings=("the model inside the engine changed: atlas-1 → atlas-2",))
    for target in ("fixed_set", "category"):
        here = [at for at, row in enumerate(rows) if row.estimate.target == target]
        for at, p in zip(here, adjust([found[at].p for at in here]), strict=True):
            said = verdict(found[at], p, len(here))
            rows[at] = replace(rows[at], change=found[at], adjusted_p=p, verdict=said)
    return SliceResult(tuple(rows), Slice(cycles=("2026-11",), compare="2026-10"), cycles=("2026-11",))


def trend() -> SliceResult:
    rows = [
        replace(row, dimensions={**row.dimensions, "cycle": cycle})
        for cycle, seed in CYCLES.items()
        for row in share_rows(answers(seed))
    ]
    return SliceResult(tuple(rows), Slice(by=("brand", "cycle", "engine")), cycles=tuple(CYCLES))


def class_rows(made: list[Evidence]) -> tuple[Row, ...]:
    valid = [one for one in made if one.status == "answered"]
    rows = []
    for engine in (*SURFACES, "blended (recorded)"):
        here = [one for one in valid if one.engine == engine or engine not in SURFACES]
        groups = [[one for one in here if one.query_id == query.id] for query in queries()]
        total = [[len(one.citations) for one in group] for group in groups]
        for name, brands in CLASSES.items():
            ours = [[sum(c.brand in brands for c in one.citations) for one in group] for group in groups]
            rows += [
                Row("slot_share", {"source_class": name, "engine": engine}, share_of_voice(ours, total, target=target))
                for target in ("fixed_set", "category")
            ]
    return tuple(rows)


def things_to_do(made: list[Evidence]) -> tuple[ToDo, ...]:
    keys = tuple(one.key for one in made[:4])
    return (
        ToDo("sha256:" + "a1" * 32, "earn-inclusion", "Be named on https://gardenreview.example/forks", "at most 6.1 points",
             "medium", "cited in 9 answers that name Kestrel Garden, and not us", "somebody else decides", 0.93, keys, 9),
        ToDo("sha256:" + "b2" * 32, "create-coverage", "No page of ours answers: best hose reel", "at most 2.0 points",
             "high", probability=0.99, answers=("gone-1", "gone-2")),
        ToDo("sha256:" + "c3" * 32, "improve-page", "Improve https://northwind-home.example/saws", "at most 1.4 points",
             "low", status="done", effect="atlas: up 20 points (4 to 36): a real change on these queries."),
        ToDo("sha256:" + "d4" * 32, "investigate-loss", "Lost: https://northwind-home.example/reels", "at most 0.9 points",
             "low", status="in-work"),
    )  # fmt: skip


def report_data() -> ReportData:
    made = answers()
    shares = SliceResult(
        share_rows(made), Slice(), cycles=("2026-11",),
        warnings=(
            "All engines are recordings: nobody here asked them.", "16 queries: 50 are needed for directional evidence.",
        ),
        labels={"blended (recorded)": "Blended (recorded), equal weights"},
    )  # fmt: skip
    return ReportData(
        brand=TRACKED,
        project="Garden tools (invented)",
        shares=shares,
        engines=tuple(
            EngineNote(name, SURFACES[name], label, models=(f"{name}-2 (2026-09)",))
            for name, label in (("atlas", "Atlas"), ("beacon", "Beacon Answers"), ("cinder", "Cinder Search"))
        ),
        queries=queries(),
        method=Method(
            "2026-11", "sha256:" + "5e" * 32, 1, 3,
            datetime(2026, 11, 3, 9, tzinfo=UTC), datetime(2026, 11, 4, 17, tzinfo=UTC),
            "extractor 1", "citepoll 0.1.0", 5,
        ),
        written_at=datetime(2026, 11, 5, 8, 30, tzinfo=UTC),
        cells=cells(made),
        ahead=ahead(made),
        sources=SliceResult(source_rows(made), Slice(("slot_share",), ("domain", "engine"))),
        owners=OWNERS,
        evidence=tuple(made),
        answers_total=len(made),
        changes=changes(answers(CYCLES["2026-10"]), made),
        trend=trend(),
        breaks=(
            Break("2026-10", "another query set", "2026-09 and 2026-10 stand on different query sets", severs=True),
            Break("2026-11", "another model", "atlas-1 → atlas-2", "atlas"),
        ),
        todo=things_to_do(made),
        todo_total=6,
        targets=(
            TargetLine("share_of_citation", 0.4, date(2027, 3, 31), "atlas", 0.003),
            TargetLine("share_of_citation", 0.4, date(2027, 3, 31), "beacon", 0.62),
            TargetLine("share_of_citation", 0.4, date(2027, 3, 31), "blended (recorded)", None, "a blend has none"),
        ),
        classes=SliceResult(class_rows(made), Slice(("slot_share",), ("source_class", "engine"))),
        concentration=(Concentration("atlas", 5.4, 8), Concentration("beacon", 5.9, 8)),
    )  # fmt: skip


@pytest.fixture(scope="session")
def report() -> ReportData:
    return report_data()
