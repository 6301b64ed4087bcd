"""What stands on the report's page, as plain values for the template: built once from ReportData."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from citepoll.hashing import short
from citepoll.measure.metrics import METRICS
from citepoll.model import STATUSES, VALID
from citepoll.report.data import Method, ReportData
from citepoll.report.evidence import Doors, EvidenceView, doors_within, evidence_view
from citepoll.report.fields import AheadGroup, HeatMap, ahead_groups, heat_map
from citepoll.report.moved import Moved, TrendPanel, Verdict, moved, trend_notes, trend_panels, verdict_of
from citepoll.report.numbers import count
from citepoll.report.pairs import Pair, engines, is_blended, leading, pairs
from citepoll.report.panels import MetricTable, Panel, competitor_panels, engine_panel, metric_tables
from citepoll.report.printable import one_line
from citepoll.report.sentences import (
    TAGGED,
    TARGETS,
    engine_labels,
    grade_sentence,
    headline,
    kind_of,
    kinds,
    like_these,
    origin_tags,
    runs_of,
    scope,
    target_explained,
)
from citepoll.report.sources import (
    class_panels,
    class_table,
    concentration_sentence,
    shown_domains,
    source_panels,
    sources_definition,
)
from citepoll.report.todos import Aim, ToDos, aims, todos


@dataclass(frozen=True, slots=True)
class Head:
    """A headline where the brand is judged: blended, or one engine. `where` is its name for people."""

    where: str
    tag: str
    sentence: str
    verdict: Verdict
    like_these: str
    grade: str
    door: str | None


@dataclass(frozen=True, slots=True)
class Exclusions:
    """The answers of one engine: how many were valid, and those left out by status."""

    engine: str
    valid: str
    counts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """All of the page. An empty tuple or None stands for a section without content; the template says so in words."""

    brand: str
    project: str
    title: str
    tags: tuple[str, ...]
    scope: str
    asked: str
    written: str
    heads: tuple[Head, ...]
    definition: str
    by_engine: Panel | None
    aims: tuple[Aim, ...]
    brands: tuple[Panel, ...]
    todos: ToDos | None
    moved: Moved | None
    trends: tuple[TrendPanel, ...]
    trend_notes: tuple[str, ...]
    ahead: tuple[AheadGroup, ...]
    ahead_note: str
    heat: HeatMap | None
    classes: tuple[Panel, ...]
    class_table: MetricTable | None
    concentration: str
    sources: tuple[Panel, ...]
    sources_definition: str
    others: tuple[MetricTable, ...]
    evidence: EvidenceView
    targets: tuple[tuple[str, str], ...]
    statuses: tuple[str, ...]
    exclusions: tuple[Exclusions, ...]
    facts: tuple[tuple[str, str], ...]
    models: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]


def page(data: ReportData, doors: Doors | None = None) -> Page:
    """The page of a report. `doors` lead to the answers behind a number; None: to those inside the page."""
    labels = engine_labels(data)
    evidence = evidence_view(data, labels, shown_domains(data))
    doors = doors or doors_within(evidence, data.method.cycle)
    ours = [pair for pair in pairs(data.shares.rows) if pair.brand == data.brand]
    heads = tuple(
        _head(pair, data, labels, doors) for name in leading(ours, kinds(data)) for pair in ours if pair.engine == name
    )
    confidence = data.shares.rows[0].estimate.confidence if data.shares.rows else 0.95
    explained = target_explained(confidence)
    return Page(
        brand=one_line(data.brand, 60),
        project=one_line(data.project or data.brand, 60),
        title=f"{one_line(data.brand, 60)}: share of citation, {one_line(data.method.cycle, 60)}",
        tags=origin_tags(data),
        scope=scope(data),
        asked=_asked(data.method),
        written=data.written_at.strftime("%Y-%m-%d %H:%M %Z").strip(),
        heads=heads,
        definition=f"{METRICS[data.metric].label}: {METRICS[data.metric].formula}.",
        by_engine=engine_panel(data, labels, doors),
        aims=aims(data, labels),
        brands=competitor_panels(data, labels, doors),
        todos=todos(data, evidence),
        moved=moved(data, labels, doors),
        trends=trend_panels(data, labels, doors),
        trend_notes=trend_notes(data),
        ahead=ahead_groups(data, labels, doors),
        ahead_note=f"The most worthwhile first: weight of the query's intent × probability; {data.weights}."
        if data.ahead and data.weights
        else "",
        heat=heat_map(data, labels, doors),
        classes=class_panels(data, labels),
        class_table=class_table(data, labels),
        concentration=concentration_sentence(data.concentration, labels),
        sources=source_panels(data, labels, doors),
        sources_definition=sources_definition(data),
        others=metric_tables(data.others, labels),
        evidence=evidence,
        targets=tuple((TARGETS[name], text) for name, text in explained.items()),
        statuses=tuple(status for status in STATUSES if status not in VALID),
        exclusions=tuple(_exclusions(pair, labels) for pair in ours if not is_blended(pair.engine)),
        facts=_facts(data),
        models=_models(data, labels),
        warnings=_warnings(data, ours, labels),
        notes=tuple(one_line(note) for note in data.method.notes),
    )


def _head(pair: Pair, data: ReportData, labels: Mapping[str, str], doors: Doors) -> Head:
    return Head(
        where=labels[pair.engine],
        tag=kind if (kind := kind_of(pair.engine, data.engines)) in TAGGED else "",
        sentence=headline(data.brand, pair.main),
        verdict=verdict_of(data, pair.engine),
        like_these=like_these(pair),
        grade=grade_sentence(pair.main),
        door=doors.engine(pair.engine),
    )


def _exclusions(pair: Pair, labels: Mapping[str, str]) -> Exclusions:
    estimate = pair.main.estimate
    left_out = tuple(count(estimate.excluded.get(status, 0)) for status in STATUSES if status not in VALID)
    return Exclusions(labels[pair.engine], count(estimate.n), left_out)


def _facts(data: ReportData) -> tuple[tuple[str, str], ...]:
    method = data.method
    version = f", version {method.query_set_version}" if method.query_set_version else ""
    facts = (
        ("Cycle", method.cycle),
        ("Answers asked", _asked(method) or "the recording does not say when"),
        ("Query set", f"{short(method.query_set_hash)}{version}"),
        ("Query set, full hash", method.query_set_hash),
        ("Queries", count(len(data.queries))),
        ("Runs per query and engine", runs_of(method) or "as recorded"),
        ("Brands compared", count(method.brands) if method.brands else ""),
        ("Extractor", method.extractor),
        ("Written by", method.product),
    )
    return tuple((name, one_line(value, 120)) for name, value in facts if value)


def _models(data: ReportData, labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (labels[note.name], ", ".join(one_line(model, 80) for model in note.models) or "not stated by the surface")
        for note in data.engines
    )


def _warnings(data: ReportData, ours: list[Pair], labels: Mapping[str, str]) -> tuple[str, ...]:
    found = [*data.warnings, *data.shares.warnings]
    for result in (data.changes, data.trend, data.classes, data.sources, data.others):
        found.extend(result.warnings if result else ())
    for name in engines(ours):
        for pair in ours:
            if pair.engine == name:
                rows = [row for row in (pair.fixed_set, pair.category) if row]
                found.extend(_about(labels[name], text) for row in rows for text in row.estimate.warnings)
    return tuple(dict.fromkeys(one_line(text) for text in found))


def _about(label: str, text: str) -> str:
    """The label before the text, without what both of them say: `Blended: equal weights: …`."""
    return f"{label.removesuffix(', ' + text.partition(':')[0])}: {text}"


def _asked(method: Method) -> str:
    if method.first is None:
        return ""
    first = method.first.strftime("%Y-%m-%d")
    last = (method.last or method.first).strftime("%Y-%m-%d")
    return first if first == last else f"{first} to {last}"
