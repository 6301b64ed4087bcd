"""The sentences of a report: the headline, the two targets in plain words, names of engines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from citepoll.measure.metrics import METRICS
from citepoll.model import Row
from citepoll.report.data import EngineNote, Method, ReportData
from citepoll.report.numbers import count, noun, unit_of, words
from citepoll.report.pairs import BLENDED, Pair, blended_kinds, is_blended
from citepoll.report.printable import one_line

SURFACES: dict[str, str] = {
    "api": "API", "ui": "consumer surface", "serp": "search page", "recorded": "recorded", "simulated": "simulated",
    "mixed": "mixed surfaces",
}  # fmt: skip

TAGGED: frozenset[str] = frozenset({"simulated", "recorded"})
"""The kinds that are named wherever a number stands, since no engine was asked just now."""

HEADLINE = "share_of_citation"

TARGETS: dict[str, str] = {
    "fixed_set": "These queries",
    "category": "Questions like these",
}


def engine_labels(data: ReportData) -> dict[str, str]:
    """The name of every engine for people, its kind behind it: `Atlas (recorded)`; blended ones with their weights."""
    labels = {note.name: engine_label(note) for note in data.engines}
    for row in data.shares.rows:
        name = str(row.dimensions.get("engine") or "")
        if name not in labels:
            labels[name] = _blended_label(name, data) if is_blended(name) else one_line(name, 60)
    return labels


def label_and_note(label: str) -> tuple[str, str]:
    """A label in two lines for a picture: `Atlas` and `recorded`, `Blended` and `recorded, equal weights`."""
    if label.lower().startswith(BLENDED):
        name, _, rest = label.replace(" (", ", ", 1).partition(", ")
        return name, rest.replace(")", "", 1)
    name, _, kind = label.rpartition(" (")
    return (name, kind.rstrip(")")) if name else (label, "")


def kind_of(name: str, notes: Sequence[EngineNote]) -> str:
    """The surface of an engine, or of the engines that a blend is made of; `mixed` where they differ."""
    for note in notes:
        if note.name == name:
            return note.surface
    inner = blended_kinds(name) or tuple(dict.fromkeys(note.surface for note in notes))
    return inner[0] if len(inner) == 1 else "mixed"


def kinds(data: ReportData) -> dict[str, str]:
    """The surface of each engine by its name."""
    return {note.name: note.surface for note in data.engines}


def origin_tags(data: ReportData) -> tuple[str, ...]:
    """What numbers over several engines are labelled: `simulated`, `partly recorded`; nothing where all were asked."""
    surfaces = [note.surface for note in data.engines]
    found = [kind for kind in dict.fromkeys(surfaces) if kind in TAGGED]
    return tuple(kind if set(surfaces) == {kind} else f"partly {kind}" for kind in found)


def headline(brand: str, row: Row) -> str:
    """`Acme is cited as a source in 34 % of answers (29–40), between competitive and category authority.`

    Other metrics than share of citation stand by their name: `Acme, mention rate: 40 % (34–46).`
    """
    name = one_line(brand, 60)
    estimate = row.estimate
    if row.metric != HEADLINE:
        return f"{name}, {METRICS[row.metric].label.lower()}: {words(estimate, unit_of(row.metric))}."
    if estimate.value is None:
        return f"{name}: {words(estimate)}."
    share = words(estimate).replace(" %", " % of answers", 1)
    band = f", {row.band}" if row.band else ""
    return f"{name} is cited as a source in {share}{band}."


def like_these(pair: Pair) -> str:
    """The second target as a sentence; empty where it was not asked for."""
    row = pair.category
    if row is None or pair.fixed_set is None:
        return ""
    if row.estimate.value is None:
        return f"On questions like these: {words(row.estimate)}."
    return (
        f"If these queries are a sample of what buyers ask, the share over all such questions is {words(row.estimate)}."
    )


def grade_sentence(row: Row) -> str:
    """`Evidence: exploratory. 2 more queries would make it directional.`; empty without a grade."""
    if row.grade is None:
        return ""
    return " ".join(part for part in (f"Evidence: {row.grade}.", _sentence(row.grade_next)) if part)


def runs_of(method: Method) -> str:
    """The runs planned per query and engine: `3`, or `2 to 9` where they differ; empty for recorded answers."""
    if not method.runs:
        return ""
    least = method.least_runs or method.runs
    return count(method.runs) if least == method.runs else f"{count(least)} to {count(method.runs)}"


def scope(data: ReportData) -> str:
    """`4 engines, 48 queries × 3 runs, cycle 2026-11`; `× 2 to 9 runs` where queries were asked unequally often."""
    runs = f" × {runs_of(data.method)} {'run' if data.method.runs == 1 else 'runs'}" if data.method.runs else ""
    engines, queries = noun(len(data.engines), "engine"), noun(len(data.queries), "query", "queries")
    return f"{engines}, {queries}{runs}, cycle {one_line(data.method.cycle, 60)}"


def target_explained(confidence: float) -> Mapping[str, str]:
    """What each target says, and what it leaves open."""
    level = f"{confidence * 100:g} %"
    return {
        "fixed_set": "How often the brand is cited on exactly the locked queries of this poll. Engines answer "
        f"differently from run to run, and the interval ({level}) holds that uncertainty only. It is the headline, "
        "and the one to follow from cycle to cycle. It takes the runs of a query as independent: answers served from "
        "a cache would make the interval too narrow.",
        "category": "How often the brand would be cited on other questions of the same kind, if these queries are a "
        f"sample of them. The interval ({level}) also holds the differences between queries, so it is wider, and "
        "more runs hardly narrow it: more queries do. A list chosen by hand is not a random sample: keep the if.",
    }


def engine_label(note: EngineNote) -> str:
    """The name of an engine for people, its kind behind it: `Atlas (recorded)`."""
    name = one_line(note.label or note.name, 60)
    kind = SURFACES[note.surface]
    return name if f"({kind})" in name else f"{name} ({kind})"


def _blended_label(name: str, data: ReportData) -> str:
    """`Blended (recorded), weights .5/.3/.2` where the project gives weights, else as the rows label it."""
    inner = blended_kinds(name)
    weights = [note.weight for note in data.engines if not inner or note.surface in inner]
    given = [weight for weight in weights if weight is not None]
    if given and len(given) == len(weights) and sum(given) > 0:
        parts = "/".join(f"{weight / sum(given):.2g}".removeprefix("0") for weight in given)
        label = f"{name}, weights {parts}"
    else:
        label = one_line(data.shares.labels.get(name) or name, 120)
    spelled = " + ".join(SURFACES.get(kind, kind) for kind in inner)
    return label.replace("blended", "Blended", 1).replace(f"({' + '.join(inner)})", f"({spelled})", 1)


def _sentence(text: str | None) -> str:
    if not text:
        return ""
    started = text[0].upper() + text[1:]
    return started if started.endswith((".", "?")) else f"{started}."
