"""The names of the interval methods, and the sentences that stand beside an estimate."""

from __future__ import annotations

METHODS: dict[str, str] = {
    "jeffreys-shrunk-fixed": "Jeffreys interval on the effective number of answers of these locked queries "
    "(within-query variance shrunk to independent runs); Clopper-Pearson bound where no answer or every answer counts.",
    "jeffreys-shrunk-category": "Jeffreys interval on the effective number of answers for questions like these "
    "(between-query variance shrunk to one answer per query, scaled from normal to Student's t).",
    "jeffreys-blend-category": "The category interval on each query's weighted mean over engines, over the queries "
    "with answers on every engine, so that the covariance between engines is included.",
    "mover-blend-fixed": "MOVER: the weighted sum of the engines' shares, its bounds from the distances between each "
    "engine's share and its own fixed-set bounds.",
    "ratio-shrunk-fixed": "Jeffreys interval on the effective number of citations of these locked queries "
    "(linearised ratio, run-to-run variance shrunk to independent answers).",
    "ratio-shrunk-category": "Jeffreys interval on the effective number of citations for questions like these "
    "(linearised ratio, between-query variance shrunk to one answer per query, scaled from normal to Student's t).",
    "overlap-shrunk-category": "The category interval on each query's mean overlap between its runs.",
    "t-category": "Student's t interval on the means of the queries, its lower bound not below zero.",
    "kaplan-meier": "The median of the Kaplan-Meier curve, with pointwise log-log bounds.",
    "value-only": "A value for which no interval is specified.",
    "none": "No estimate; the reason says why.",
}
"""One sentence for each `Estimate.method`; the documentation prints this table."""

CHECKED_LEVEL = 0.95
LEAST_LEVEL, MOST_LEVEL = 0.01, 0.9999
"""The levels that an interval is made at: further out its ends are those of the number format, not of the answers."""

NO_ANSWER = "no valid answer"
NO_INTERVAL = "no interval specified"
ONE_QUERY = "one query says nothing about questions like it: the category interval is the whole range"
UNCHECKED_LEVEL = "only intervals at confidence 0.95 were checked by simulation"
NO_SPREAD = "every query has the same mean: the interval has no width and says too little"


def wrong_level(level: float) -> tuple[str, str] | None:
    """Why an interval is not made at this level, and the fix; None where it is."""
    if LEAST_LEVEL <= level <= MOST_LEVEL:
        return None
    return f"a confidence of {level!r} is not between {LEAST_LEVEL} and {MOST_LEVEL}", f"Use {CHECKED_LEVEL}."


def left_out(missing: int, queries: int, why: str = "without a valid answer") -> str:
    """The warning that `missing` of `queries` do not count."""
    return f"{missing} of {queries} queries left out: {why}"


def differs(value: float, other: float, what: str) -> str:
    """The warning that two figures of the same thing are more than a point apart."""
    return f"{what} differ by {abs(value - other) * 100:.1f} points ({value * 100:.1f} % and {other * 100:.1f} %)"


def notices(level: float, missing: int, queries: int) -> tuple[str, ...]:
    """The warnings that every interval may carry: queries left out, a level that was not checked."""
    dropped = (left_out(missing, queries),) if missing else ()
    return dropped if level == CHECKED_LEVEL else (*dropped, UNCHECKED_LEVEL)
