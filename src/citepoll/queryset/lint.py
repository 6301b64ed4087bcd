"""What is to be said of a query set before it is locked, and of a plan before it is paid for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence

from citepoll.model import INTENTS, Engine, Query
from citepoll.queryset import phrasing
from citepoll.queryset.finding import Finding, counted, finding, quoted
from citepoll.queryset.intent import MIX, intent_of
from citepoll.queryset.wording import near_duplicates

FEW = 20
DIRECTIONAL = 50
DECISION = 200
"""Queries below which shares say little, and from which the two higher grades of evidence can be reached."""

MIX_TOLERANCE = 10
"""Points by which an intent's share may miss the recommended mix before it is reported."""

RUNS_LEAST = 3

_MAJOR = {
    "ChatGPT": ("chatgpt", "openai:"),
    "Perplexity": ("perplexity",),
    "Google AI Mode": ("ai-mode", "ai mode", "ai_mode"),
}


def lint(queries: Sequence[Query], is_branded: Callable[[str], tuple[str, ...]]) -> tuple[Finding, ...]:
    """All findings on a set, in a fixed order: content first, then single questions.

    `is_branded` gives the tracked and competitor brands that a text names. Size and mix are judged on the others, the
    queries of the headline. An empty set is one error.
    """
    if not queries:
        return (finding("empty", "error", (), "The set has no queries.", "Add some, or begin with a starter set."),)
    brands = {query.id: is_branded(query.text) for query in queries}
    headline = [query for query in queries if not brands[query.id]]
    return (
        *_branded([query for query in queries if brands[query.id]], brands),
        *_size(len(headline)),
        *_mix(headline),
        *_without_intent(headline),
        *_near_duplicates(queries),
        *phrasing.leading(queries),
        *phrasing.languages(queries),
        *phrasing.not_questions(queries),
    )


def plan_warnings(
    engines: Sequence[Engine], current_hash: str, previous_hash: str | None = None
) -> tuple[Finding, ...]:
    """What limits the numbers of a plan: its engines, its runs, and a set that differs from the cycle before.

    `previous_hash` is None where there was no cycle before.
    """
    return (*_engines(engines), *_runs(engines), *_changed(current_hash, previous_hash))


def _branded(queries: Sequence[Query], brands: dict[str, tuple[str, ...]]) -> Iterator[Finding]:
    if not queries:
        return
    named = Counter(brand for query in queries for brand in brands[query.id])
    names = ", ".join(f"{brand} {count}" for brand, count in named.most_common())
    yield finding(
        "branded",
        "warning",
        queries,
        f"{counted(len(queries), 'query names', 'queries name')} a brand ({names}): {quoted(queries)}. "
        "Engines cite a brand that they are asked about, so these stay out of the headline, in their own segment.",
        "Ask about the category instead, or keep them knowingly for that segment.",
    )


def _size(count: int) -> Iterator[Finding]:
    queries = counted(count, "non-branded query", "non-branded queries")
    if count < FEW:
        yield finding(
            "few",
            "warning",
            (),
            f"The set has {queries}; below {FEW} the intervals are so wide that little can be told apart.",
            f"Add {FEW - count} or more; a starter set has questions of every intent.",
        )
    if count < DIRECTIONAL:
        yield finding(
            "grade",
            "note",
            (),
            f"With {queries} the best grade of evidence is exploratory.",
            f"{DIRECTIONAL} are needed for directional, {DECISION} for decision.",
        )
    elif count < DECISION:
        yield finding(
            "grade",
            "note",
            (),
            f"With {queries} the best grade of evidence is directional.",
            f"{DECISION} are needed for decision.",
        )


def _mix(headline: Sequence[Query]) -> Iterator[Finding]:
    by_intent: dict[str, list[Query]] = defaultdict(list)
    for query in headline:
        if intent := intent_of(query):
            by_intent[intent].append(query)
    total = sum(map(len, by_intent.values()))
    for intent in INTENTS:
        count, wanted = len(by_intent[intent]), MIX[intent]
        if total and abs(100 * count - wanted * total) >= MIX_TOLERANCE * total:
            word = "Add" if 100 * count < wanted * total else "Cut"
            yield finding(
                "mix",
                "warning",
                by_intent[intent],
                f"{intent} makes up {100 * count / total:.0f} % of the set ({count} of {total}), "
                f"the recommended mix has {wanted} %.",
                f"{word} {intent} queries towards {round(wanted * total / 100)} of {total}, or correct their intents.",
            )


def _without_intent(headline: Sequence[Query]) -> Iterator[Finding]:
    unknown = [query for query in headline if intent_of(query) is None]
    if unknown:
        yield finding(
            "no-intent",
            "note",
            unknown,
            f"{counted(len(unknown), 'query has', 'queries have')} no intent, nor does a rule fit: {quoted(unknown)}.",
            f"Write one of {', '.join(INTENTS)}; until then the mix leaves them out.",
        )


def _near_duplicates(queries: Sequence[Query]) -> Iterator[Finding]:
    for group in near_duplicates(queries):
        yield finding(
            "near-duplicate",
            "warning",
            group,
            f"{len(group)} queries ask nearly the same: {quoted(group)}; together they weigh as several.",
            "Keep one of them.",
        )


def _engines(engines: Sequence[Engine]) -> Iterator[Finding]:
    if len(engines) < 2:
        number = "one engine only" if engines else "no engine"
        yield finding(
            "one-engine" if engines else "no-engine",
            "warning" if engines else "error",
            (),
            f"There is {number}, and engines cite different sources.",
            "Add an engine that your buyers use.",
        )
    names = [f"{engine.id} {engine.name}".lower() for engine in engines]
    if engines and not any(mark in name for marks in _MAJOR.values() for mark in marks for name in names):
        yield finding(
            "no-major-engine",
            "warning",
            (),
            f"None of {', '.join(_MAJOR)} is among the engines, where most buyers ask.",
            "Add one of them, or say beside the number whom it stands for.",
        )


def _runs(engines: Sequence[Engine]) -> Iterator[Finding]:
    few = [engine for engine in engines if engine.runs < RUNS_LEAST]
    if few:
        names = ", ".join(f"{engine.name} {engine.runs}" for engine in few)
        yield finding(
            "few-runs",
            "warning",
            (),
            f"Fewer than {RUNS_LEAST} runs a query ({names}): an engine's answers differ from run to run.",
            f"Set runs to {RUNS_LEAST} to 5.",
        )


def _changed(current: str, previous: str | None) -> Iterator[Finding]:
    if previous is not None and previous != current:
        yield finding(
            "changed-set",
            "warning",
            (),
            "The query set differs from that of the cycle before, so their shares are about different questions.",
            "Compare on the common queries only, or poll the former version again.",
        )
