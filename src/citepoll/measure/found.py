"""The found metrics, in one table: what a use case finds rather than counts, as rows of a slice. The docs print it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from citepoll.errors import SliceError
from citepoll.measure.definitions import DEFINITIONS
from citepoll.measure.methods import wrong_level
from citepoll.measure.metrics import METRICS, NO_ANSWER, Unit
from citepoll.measure.slices import TARGETS, known
from citepoll.model import Estimate, Slice

Kind = Literal[
    "velocity", "citation_gap", "half_life", "movement", "effective_sources", "engine_overlap", "naming_page",
    "opportunity", "target", "experiment", "view",
]  # fmt: skip
Cycles = Literal["one", "all", "pair"]

NO_INTERVAL = "none: no interval is specified"
VELOCITY_OF = "velocity_of_"
ITS_OWN = Slice().by
"""A slice that leaves `by` as it is asks for a found metric's own dimensions."""


@dataclass(frozen=True, slots=True)
class FoundMetric:
    """One found metric. `kind` is the use case that finds it: one slice asks for one kind.

    `dimensions` are those of its rows; `by` may name one of `groups` in the first one's stead. `evidence` are the keys of
    `Row.evidence`; `words` among them is one line for people. `counts` says what `Estimate.n` counts. `of` is the counted
    metric that a velocity is of. `filters`: it obeys `where`; `both`: it has both targets, else fixed_set alone.
    """

    name: str
    label: str
    formula: str
    unit: Unit
    kind: Kind
    dimensions: tuple[str, ...]
    evidence: tuple[str, ...]
    counts: str
    interval: str
    empty: str
    source: str
    groups: tuple[str, ...] = ()
    cycles: Cycles = "one"
    of: str | None = None
    filters: bool = True
    both: bool = False


def _velocity(name: str, of: str) -> FoundMetric:
    return FoundMetric(
        name, f"Velocity of {METRICS[of].label[0].lower()}{METRICS[of].label[1:]}",
        "the least-squares slope of the share over the cycles: its change per cycle, on the queries that have answers in "
        "every one; never a forecast",
        "difference", "velocity", (), ("words", "of", "cycles", "now", "p", "dropped"),
        "valid answers of the newest cycle",
        "MOVER for these queries, the pseudo-query t for questions like these",
        "no estimate: there are fewer than three cycles, or no query has answers in all of them",
        "STATISTICS section 3", cycles="all", of=of, both=True,
    )  # fmt: skip


_ALL = (
    _velocity("velocity", "share_of_citation"),
    *(
        _velocity(f"{VELOCITY_OF}{name}", name)
        for name, metric in METRICS.items()
        if metric.estimator == "share" and name != "share_of_citation"
    ),
    FoundMetric(
        "citation_gap", "Citation gap",
        "a competitor's lead: answers that cite the competitor ÷ valid answers − answers that cite the brand ÷ valid answers, "
        "over all engines; by topic or intent the mean of the queries' leads. Rows are the competitors ahead, worth most "
        "first",
        "difference", "citation_gap", ("query", "competitor"),
        ("words", "verdict", "probability", "weight", "worth", "theirs", "ours", "queries", "on", "confirmed", "expected",
         "pages", "engines"),
        "valid answers of all engines", f"{NO_INTERVAL}; the probability of a lead of more than 10 points stands in the evidence",
        "no estimate: there is no valid answer, or no competitor is ahead",
        "STATISTICS section 3", groups=("query", "topic", "intent"),
    ),
    FoundMetric(
        "half_life", "Half-life of a citation",
        "the median number of cycles that a newly cited URL stays cited by an engine on a query (Kaplan–Meier, stays that go "
        "on are censored); brand null is every page, else the brand's own",
        "cycles", "half_life", ("brand",), ("words", "cycles", "ended", "absent", "curve"),
        "stays that began after the first cycle", "log-log bounds of the curve; null where the curve does not come down to it",
        "no estimate: no URL was first cited after the first cycle, or more than half are still cited",
        "STATISTICS section 3", cycles="all",
    ),
    FoundMetric(
        "movement", "Citations won and lost",
        "answers of the later cycle that cite the URL ÷ its valid answers − the same of the earlier cycle, for every query, "
        "engine and URL that only one of the two cites; `compare` names the earlier cycle, else it is the one before",
        "difference", "movement", ("query", "engine", "url", "brand"),
        ("words", "what", "sure", "before", "before_of", "after", "after_of"),
        "valid answers of both cycles", f"{NO_INTERVAL}; `sure` says that every run agrees", "no row: nothing moved",
        "STATISTICS section 3", cycles="pair",
    ),
    FoundMetric(
        "effective_sources", "Effective number of sources",
        "1 ÷ the sum of the squared shares of the domains (HHI): as many domains of equal share would be as concentrated",
        "sources", "effective_sources", ("engine",), ("words", "hhi", "domains", "run_overlap", "run_overlap_queries"),
        "citations", NO_INTERVAL, "no estimate: no valid answer has a citation", "STATISTICS section 3.1",
    ),
    FoundMetric(
        "engine_overlap", "Overlap of two engines",
        "URLs that two answers to a query both cite, one of each engine ÷ URLs of the one that cites fewer, as the mean over "
        "pairs of answers, then over queries",
        "share", "engine_overlap", ("engine", "other_engine"), ("words",), "nothing; `n_queries` counts",
        NO_INTERVAL, "no estimate: there is no query on which both cite", "STATISTICS section 3.1",
    ),
    FoundMetric(
        "naming_page", "Pages that name competitors",
        "valid answers that cite a third party's page beside a competitor's name, and neither name the brand there nor cite "
        "it ÷ valid answers",
        "share", "naming_page", ("url",),
        ("words", "source_class", "reason", "basis", "competitors", "engines", "queries", "answers"),
        "valid answers of all engines", NO_INTERVAL, "no row: there is no such page", "STATISTICS section 3",
    ),
    FoundMetric(
        "opportunity", "Opportunity",
        "the most that the share over all queries would rise: the formula of its kind stands in the evidence. Rows stand by "
        "size × probability; sizes overlap and do not add up",
        "most", "opportunity", ("opportunity", "kind", "effort", "status"),
        ("words", "title", "why", "probability", "measure", "formula", "queries", "engines", "competitors", "pages", "answers",
         "n_answers", "effort_reason", "mark", "effects", "no_effect"),
        "answers that show it", f"{NO_INTERVAL}: the size is an upper bound",
        "no estimate: somebody marked it, and this cycle no longer shows it", "STATISTICS section 3", filters=False,
    ),
    FoundMetric(
        "target", "Standing of a target",
        "the metric that the target is for, with the chance that it is at the target in the cycle that was measured",
        "share", "target", ("goal", "aims_at", "engine"), ("words", "value", "due", "chance", "reason", "days_left"),
        "as the metric that it is for", "that of the metric it is for", NO_ANSWER,
        "STATISTICS section 1", filters=False,
    ),
    FoundMetric(
        "experiment", "Effect of an experiment",
        "(share of the treated queries after − before) − (share of the control queries after − before)",
        "difference", "experiment", ("experiment", "engine", "cycle"),
        ("words", "change", "before", "p", "adjusted_p", "detectable", "dropped", "treated", "control", "pre_trend"),
        "valid answers of both arms after the change",
        "MOVER for these queries, Welch's t on pseudo-queries for questions like these",
        "no estimate: no cycle was measured since the start, or an arm has no answers in both cycles",
        "STATISTICS section 3.1", cycles="all", filters=False, both=True,
    ),
    *(
        FoundMetric(
            d.metric, f"Elsewhere: {d.name.replace('_', ' ')}",
            f"{d.numerator} ÷ {d.denominator}; beside our {d.ours}: {d.differs}",
            "share", "view", ("brand", "engine"), ("words", "numerator", "denominator", "ours", "differs"),
            "what stands below the line", "none: other tools print plain ratios", "no estimate: there is nothing to divide by",
            "the tools that print it",
        )
        for d in DEFINITIONS
    ),
)  # fmt: skip

FOUND: dict[str, FoundMetric] = {metric.name: metric for metric in _ALL}

_CYCLES: dict[Cycles, str] = {
    "one": "one, the latest unless named",
    "all": "every measured one, or those named",
    "pair": "one and an earlier one (`compare`; else the one before)",
}
_UNITS: dict[Unit, str] = {
    "share": "fraction, 0 to 1",
    "citations": "citations per answer",
    "difference": "difference of fractions, -1 to 1: .024 is 2.4 points",
    "most": "fraction, 0 to 1, an upper bound: .033 is at most 3.3 points",
    "cycles": "cycles",
    "sources": "domains",
}
_INTRODUCTION = """# Found metrics

What a use case finds rather than counts: asked for in the same way, and answered by the same rows. A slice asks for found \
metrics of one kind at a time. Left as it is, `by` means the dimensions named here. `evidence` holds what stands behind a \
row, `words` among it in one line; a key that has nothing to say is left out. All of them leave out queries that name a \
brand, but for half-life and movement.
"""


def found_page() -> str:
    """The second part of docs/metrics.md: a section for each found metric; velocities differ by their share alone."""
    kin = [f"`{name}`" for name in FOUND if name.startswith(VELOCITY_OF)]
    shown = (metric for name, metric in FOUND.items() if f"`{name}`" not in kin)
    return "\n".join([_INTRODUCTION, *(_section(metric, kin if metric.kind == "velocity" else []) for metric in shown)])


def _section(metric: FoundMetric, kin: Sequence[str]) -> str:
    groups = f"; `by` may name {', '.join(metric.groups[1:])} in the first one's stead" if metric.groups else ""
    lines = (
        f"## {metric.label} (`{metric.name}`)",
        "",
        f"{metric.formula[0].upper()}{metric.formula[1:]}.",
        "",
        *([f"- Of other shares: {', '.join(kin)}"] if kin else []),
        f"- Unit: {_UNITS[metric.unit]}",
        f"- Rows: {', '.join(metric.dimensions) or 'as of the share, by any of its dimensions'}{groups}",
        f"- Cycles: {_CYCLES[metric.cycles]}",
        f"- Targets: {'fixed_set and category' if metric.both else 'fixed_set'}",
        f"- Filters: {'yes' if metric.filters else 'none'}",
        f"- `n` counts: {metric.counts}",
        f"- Interval: {metric.interval}",
        f"- Without data: {metric.empty}",
        f"- Evidence: {', '.join(f'`{key}`' for key in metric.evidence)}",
        "",
    )
    return "\n".join(lines)


def unit_of(metric: str) -> Unit:
    """The unit of a counted or a found metric; a KeyError for another name."""
    return METRICS[metric].unit if metric in METRICS else FOUND[metric].unit


def kind_of(slice: Slice) -> Kind | None:
    """What kind of found metric a slice asks for; None for counted ones. Raises `SliceError` for an unknown name, and
    where it asks for two kinds."""
    for name in slice.metrics:
        _check_velocity(name)
        known("metric", name, (*METRICS, *FOUND))
    kinds = {name: FOUND[name].kind if name in FOUND else None for name in slice.metrics}
    other = [name for name in slice.metrics[1:] if kinds[name] != kinds[slice.metrics[0]]]
    if other:
        raise SliceError(
            f"{slice.metrics[0]} and {other[0]} cannot stand in one slice.", "Ask for each in a slice of its own."
        )
    return next(iter(kinds.values()), None)


def _check_velocity(name: str) -> None:
    """Refuse the velocity of a metric that has none, with those that have one."""
    of = name.removeprefix(VELOCITY_OF)
    if name in FOUND or of == name or of not in METRICS:
        return
    if of == FOUND["velocity"].of:
        raise SliceError(f"The velocity of {of} is called velocity.", "Ask for velocity.")
    able = (metric.name for metric in FOUND.values() if metric.kind == "velocity")
    raise SliceError(f"{of} has no velocity: it is not a share of answers.", f"Ask for {', '.join(able)}.")


def resolved(slice: Slice) -> Slice:
    """A slice of found metrics of one kind with the dimensions of its rows. Raises `SliceError` for what they do not have."""
    if len(set(slice.metrics)) < len(slice.metrics):
        raise SliceError(f"metrics names something twice: {', '.join(slice.metrics)}", "Name each once.")
    metric = FOUND[slice.metrics[0]]
    known("target", slice.target, TARGETS)
    _check(metric, slice)
    if metric.kind == "velocity" or slice.by in (ITS_OWN, metric.dimensions):
        return replace(slice, by=metric.dimensions or slice.by)
    for group in metric.groups:
        whole = (group, *metric.dimensions[1:])
        if slice.by in ((group,), whole):
            return replace(slice, by=whole)
    able = (
        f"say one of {', '.join(metric.groups)}" if metric.groups else f"its rows have {', '.join(metric.dimensions)}"
    )
    raise SliceError(f"{metric.name} cannot be shown by {', '.join(slice.by)}.", f"Leave `by` out; {able}.")


def _check(metric: FoundMetric, slice: Slice) -> None:
    if slice.target == "category" and not metric.both:
        raise SliceError(f"{metric.name} speaks of these queries only.", "Leave the target out, or say fixed_set.")
    if slice.compare is not None and metric.cycles != "pair":
        raise SliceError(
            f"A comparison of {metric.name} with an earlier cycle is not specified.", "Ask for each cycle by itself."
        )
    if slice.where.strip() and not metric.filters:
        raise SliceError(f"{metric.name} has no filters.", "Leave `where` out, and choose among the rows.")
    if len(slice.cycles) > 1 and metric.cycles != "all":
        raise SliceError(f"{metric.name} is of one cycle, not of {len(slice.cycles)}.", "Name one cycle.")
    if slice.limit is not None and slice.limit < 1:
        raise SliceError(f"a limit of {slice.limit} keeps nothing", "Use 1 or more, or leave it out.")
    if wrong := wrong_level(slice.confidence):
        raise SliceError(*wrong)


def plain(value: float | None, *, reason: str | None = None, n: int = 0, n_queries: int = 0, cited: float | None = None,
          of: float | None = None) -> Estimate:  # fmt: skip
    """A number for which no interval is specified, of these queries; without a value its reason."""
    method = "none" if value is None else "value-only"
    return Estimate(value, None, None, "fixed_set", method, n=n, n_queries=n_queries, cited=cited, reason=reason, of=of)
