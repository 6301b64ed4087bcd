"""What the engines cite: classes of sources, how concentrated they are, and the domains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from citepoll.measure.metrics import METRICS
from citepoll.report import charts
from citepoll.report.data import Concentration, ReportData
from citepoll.report.evidence import Doors
from citepoll.report.numbers import count, noun
from citepoll.report.pairs import Pair, engines, leading, pairs
from citepoll.report.panels import MetricTable, Panel, domain_of, largest_first, mark_of, metric_table, panel_of
from citepoll.report.printable import one_line
from citepoll.report.sentences import kinds

SOURCES_SHOWN = 20
OWNED = "owned"
CLASSES: Mapping[str, str] = {
    "owned": "owned", "competitor": "competitors", "earned_media": "earned media", "review_platform": "review platforms",
    "community": "community", "video": "video", "social": "social networks", "reference": "reference",
    "government_education": "government, education", "retail_marketplace": "retail, marketplaces",
    "vendor_blog": "companies' own sites", "other": "other",
}  # fmt: skip
"""The words for a class; one that is not here is shown as it is written."""


def shown_domains(data: ReportData) -> frozenset[str]:
    """The domains whose share stands in the report."""
    found = pairs(data.sources.rows) if data.sources else ()
    return frozenset(
        domain_of(pair) for name in leading(found, kinds(data)) for pair in _largest(found, name)[:SOURCES_SHOWN]
    )


def source_panels(data: ReportData, labels: Mapping[str, str], doors: Doors) -> tuple[Panel, ...]:
    """Domains by share, where the headline stands; at most `SOURCES_SHOWN` each."""
    found = pairs(data.sources.rows) if data.sources else ()
    made = []
    for name in leading(found, kinds(data)):
        everywhere = _largest(found, name)
        here = everywhere[:SOURCES_SHOWN]
        marks = [mark_of(pair, domain_of(pair), data, doors.domain(domain_of(pair))) for pair in here]
        title = _titled("Domains", name, labels)
        made.append(panel_of(title, marks, here, data, charts.sources, left_out=len(everywhere) - len(here)))
    return tuple(panel for panel in made if panel is not None)


def class_panels(data: ReportData, labels: Mapping[str, str]) -> tuple[Panel, ...]:
    """Classes of sources by share, where the headline stands."""
    found = pairs(data.classes.rows) if data.classes else ()
    made = []
    for name in leading(found, kinds(data)):
        here = _largest(found, name)
        marks = [
            replace(mark_of(pair, class_words(_class(pair)), data, None), tracked=_class(pair) == OWNED)
            for pair in here
        ]
        made.append(panel_of(_titled("Kinds of sources", name, labels), marks, here, data, charts.sources))
    return tuple(panel for panel in made if panel is not None)


def class_table(data: ReportData, labels: Mapping[str, str]) -> MetricTable | None:
    """Every class on every engine; None where there is one engine, which the picture shows."""
    found = pairs(data.classes.rows) if data.classes else ()
    if len(engines(found)) < 2:
        return None
    return metric_table(found[0].main.metric, found, labels, lambda pair: class_words(_class(pair)))


def class_words(name: str) -> str:
    """A class of sources in words."""
    return CLASSES.get(name) or one_line(name.replace("_", " "), 60)


def sources_definition(data: ReportData) -> str:
    """What the shares of sources are shares of; empty without sources."""
    for result in (data.classes, data.sources):
        if result and result.rows:
            metric = METRICS[result.rows[0].metric]
            return f"{metric.label}: {metric.formula}; here of each kind of source or domain in the brand's place."
    return ""


def concentration_sentence(found: Sequence[Concentration], labels: Mapping[str, str]) -> str:
    """How concentrated the citations are: `On Atlas equivalent to 14 equally cited domains (61 are cited).`"""
    said = [
        f"on {one_line(labels.get(one.engine, one.engine), 80)} equivalent to "
        f"{noun(round(one.effective), 'equally cited domain')} ({count(one.domains)} cited)"
        for one in found
    ]
    return f"Concentration: {'; '.join(said)}." if said else ""


def _titled(what: str, engine: str, labels: Mapping[str, str]) -> str:
    return f"{what}: {labels.get(engine, engine)}" if engine else what


def _largest(found: Sequence[Pair], engine: str) -> list[Pair]:
    return sorted((pair for pair in found if pair.engine == engine), key=largest_first)


def _class(pair: Pair) -> str:
    return str(pair.dimensions.get("source_class") or "")
