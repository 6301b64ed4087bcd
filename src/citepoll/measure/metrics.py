"""The metrics, in one table: formula, unit, what it counts and over what, where it is defined. The docs print it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["share", "citations", "difference", "most", "cycles", "sources"]
Estimator = Literal["share", "ratio", "mean", "overlap"]
FrameName = Literal["answers", "citations", "hits"]

ENTITY_FIELDS: tuple[str, ...] = ("brand", "domain", "url", "citation_level", "source_class")
"""The fields that say what was cited; all others say which answers are looked at."""

CITED_FIELDS = ENTITY_FIELDS
SOURCE_FIELDS = ("domain", "url", "citation_level", "source_class")
BRAND_ONLY = ("brand",)

NO_ANSWER = "no estimate: there is no valid answer"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `numerator` and `denominator` name columns of the tallies (see `tallies`).

    `estimator`: share (answers ÷ answers), ratio (counts ÷ counts), mean (count per answer) or overlap.
    `entities` are the entity fields whose filters it obeys; where `per_brand`, also those it can be broken down by.
    A metric that is not `per_brand` describes the engine and has none of the entity fields in its rows.
    `graded`: a grade of evidence and a band stand beside it.
    """

    name: str
    label: str
    formula: str
    unit: Unit
    numerator: str
    denominator: str
    empty: str
    source: str
    needs: tuple[FrameName, ...]
    per_brand: bool = True
    estimator: Estimator = "share"
    entities: tuple[str, ...] = BRAND_ONLY
    graded: bool = False


_ALL = (
    Metric(
        "share_of_citation", "Share of citation",
        "valid answers that cite a page of the brand's own ÷ valid answers",
        "share", "cited", "valid", NO_ANSWER, "STATISTICS section 1",
        ("answers", "citations", "hits"), entities=CITED_FIELDS, graded=True,
    ),
    Metric(
        "share_of_citation_earned", "Share of citation, owned or earned",
        "valid answers that cite a page of the brand's own, or a third party's page in a passage that names the brand "
        "÷ valid answers",
        "share", "cited_or_earned", "valid",
        "no estimate: there is no valid answer, or no answer that cites says which passage carries which citation",
        "STATISTICS section 1", ("answers", "hits"), graded=True,
    ),
    Metric(
        "slot_share", "Slot share",
        "citations of the brand ÷ all citations, duplicates included, each averaged over the runs of a query first",
        "share", "slots", "all_slots", "no estimate: no valid answer has a citation",
        "STATISTICS sections 3 and 3.1", ("answers", "citations", "hits"), estimator="ratio", entities=CITED_FIELDS,
    ),
    Metric(
        "share_of_voice", "Share of voice",
        "citations of the brand ÷ citations of all the project's brands, each averaged over the runs of a query first; "
        "sums to 100 % over the brands",
        "share", "slots", "brand_slots", "no estimate: no valid answer cites a brand of the project",
        "STATISTICS section 3", ("answers", "hits"), estimator="ratio",
    ),
    Metric(
        "mention_rate", "Mention rate",
        "valid answers that name the brand, linked or not ÷ valid answers; a name that is only denied does not count",
        "share", "mentioned", "valid", NO_ANSWER, "STATISTICS section 1", ("answers", "hits"),
    ),
    Metric(
        "mention_share_of_voice", "Share of voice in mentions",
        "mentions of the brand ÷ mentions of all the project's brands, each averaged over the runs of a query first",
        "share", "mentions", "brand_mentions", "no estimate: no valid answer names a brand of the project",
        "STATISTICS section 3", ("answers", "hits"), estimator="ratio",
    ),
    Metric(
        "presence_rate", "Presence rate",
        "valid answers that cite or name the brand ÷ valid answers",
        "share", "present", "valid", NO_ANSWER, "STATISTICS section 1", ("answers", "hits"),
    ),
    Metric(
        "first_position_rate", "First position rate",
        "valid answers whose first citation is of the brand ÷ valid answers, those without a citation included",
        "share", "first", "valid", NO_ANSWER, "STATISTICS section 1", ("answers", "hits"),
    ),
    Metric(
        "share_over_all_requests", "Share over all requests",
        "valid answers that cite a page of the brand's own ÷ all requests, whatever came back",
        "share", "cited", "requests", "no estimate: nothing was asked", "STATISTICS section 1",
        ("answers", "citations", "hits"), entities=CITED_FIELDS,
    ),
    Metric(
        "mean_citations_per_answer", "Mean citations per answer",
        "citations, duplicates included ÷ valid answers, as the mean of the queries' means",
        "citations", "slots", "valid", NO_ANSWER, "STATISTICS section 3.1",
        ("answers", "citations"), per_brand=False, estimator="mean", entities=SOURCE_FIELDS,
    ),
    Metric(
        "citing_answer_rate", "Rate of citing answers",
        "valid answers with at least one citation ÷ valid answers",
        "share", "cited", "valid", NO_ANSWER, "STATISTICS section 1",
        ("answers", "citations"), per_brand=False, entities=SOURCE_FIELDS,
    ),
    Metric(
        "trigger_rate", "Trigger rate",
        "valid answers ÷ (valid answers + requests to which the surface showed no AI answer); refused, blocked, "
        "deferred and failed requests are left out and counted",
        "share", "valid", "triggerable", "no estimate: no request ended in an answer or in its absence",
        "STATISTICS section 1", ("answers",), per_brand=False, entities=(),
    ),
    Metric(
        "run_overlap", "Run-to-run overlap",
        "URLs that two runs of a query both cite ÷ URLs of the run that cites fewer, as the mean over pairs of runs, "
        "then over queries; pairs with a run that cites nothing are left out",
        "share", "urls", "urls", "no estimate: no query has two valid answers that cite a URL",
        "STATISTICS section 3.1", ("answers", "citations"), per_brand=False, estimator="overlap",
        entities=SOURCE_FIELDS,
    ),
)  # fmt: skip

METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}

INTERVALS: dict[Estimator, str] = {
    "share": "Jeffreys on an effective number of answers, for these queries and for questions like these",
    "ratio": "Jeffreys on an effective number of citations, for these queries and for questions like these",
    "mean": "Student's t over the queries for questions like these; none for these queries",
    "overlap": "Jeffreys over the queries for questions like these; none for these queries",
}
"""What stands beside a number; blended rows and the measured coverage are in the methodology."""

_INTRODUCTION = """# Metrics

Generated from `citepoll.measure.metrics`. Only valid answers count (answered, truncated, empty); what is left out is \
counted by status beside each number. Shares are fractions from 0 to 1. Where there is nothing to divide by, the \
number is absent with its reason, never zero. Filters on brand, domain, url, citation_level and source_class choose \
what is shown or counted above the line; filters on all other fields choose the answers below it.
"""


def metrics_page() -> str:
    """docs/metrics.md: an introduction, then a section for each metric, in the order of the table."""
    return "\n".join([_INTRODUCTION, *(_section(metric) for metric in METRICS.values())])


def _section(metric: Metric) -> str:
    lines = (
        f"## {metric.label} (`{metric.name}`)",
        "",
        f"{metric.formula[0].upper()}{metric.formula[1:]}.",
        "",
        f"- Unit: {'citations per answer' if metric.unit == 'citations' else 'fraction, 0 to 1'}",
        f"- Counts: `{metric.numerator}` over `{metric.denominator}`{_in_rows(metric)}",
        f"- Without data: {metric.empty}",
        f"- Broken down by: {_breakdown(metric)}",
        f"- Computed from: {', '.join(metric.needs)}",
        f"- Interval: {INTERVALS[metric.estimator]}",
        "",
    )
    return "\n".join(lines)


def _in_rows(metric: Metric) -> str:
    """Where a row has the two: `n` stands beside them and is always answers."""
    return "" if metric.estimator == "overlap" else "; in a row `cited` of `of`"


def _breakdown(metric: Metric) -> str:
    fields = ", ".join(metric.entities) if metric.per_brand else "no entity, it describes the engine"
    return f"{fields}; and every field of the question and the run"
