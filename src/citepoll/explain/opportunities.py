"""What to do next: opportunities, each with its evidence, its size, its probability and a stable id.

Sizes are upper bounds in points of a share over all the queries, each query weighing 1/Q, engines alike; they overlap,
so they are not to be added up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from scipy import special

from citepoll.explain.gaps import MARGIN, lead
from citepoll.explain.worth import QueryGap
from citepoll.hashing import content_hash

Kind = Literal["create-coverage", "improve-page", "earn-inclusion", "investigate-loss"]
KINDS: tuple[Kind, ...] = ("create-coverage", "improve-page", "earn-inclusion", "investigate-loss")
STATUSES = ("open", "in-work", "done", "dismissed")

LEAST_ANSWERS = 2
"""Answers that must show a page before it is worth a person's time: one may be a stray."""
LEAST_LOSS = 0.5
"""A loss is shown where a fall by more than the margin is likelier than not."""
ANSWERS_KEPT = 20
"""Answer ids that an opportunity carries; `n_answers` counts all."""
PAGES_KEPT = 3

FORMULAS: Mapping[Kind, str] = {
    "create-coverage": "mean over engines of (competitor's share on the query − ours) × query weight",
    "improve-page": "sum over its queries of query weight × mean over engines of the larger of (answers that retrieve "
    "the page and cite nothing of ours ÷ answers) and (competitor's share − ours, where we are cited less)",
    "earn-inclusion": "sum over its queries of query weight × mean over engines of (answers that cite the page beside "
    "competitors, and neither name nor cite us ÷ answers)",
    "investigate-loss": "sum over its queries of query weight × mean over engines of the smaller of (the page's share "
    "before) and (our share before − now)",
}
MEASURES: Mapping[Kind, str] = {
    "create-coverage": "share_of_citation",
    "improve-page": "share_of_citation",
    "earn-inclusion": "share_of_citation_earned",
    "investigate-loss": "share_of_citation",
}
EFFORTS: Mapping[Kind, tuple[str, str]] = {
    "create-coverage": ("high", "a page has to be written and found by the engines"),
    "improve-page": ("low", "the page is there and the engines reach it"),
    "earn-inclusion": ("medium", "nothing to write on your site, but somebody else decides"),
    "investigate-loss": ("low", "look first: moved, changed, blocked, or overtaken"),
}

Cells: TypeAlias = Mapping[tuple[str, str], tuple[int, Mapping[str, int]]]
"""(engine, query id) → valid answers, and for each brand those that cite it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A page in valid answers of one engine to one query; `brands` are its owner, or the competitors named beside it."""

    url: str
    engine: str
    query_id: str
    answers: tuple[int, ...]
    brands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Earlier:
    """The cycle before: its counts, and the tracked brand's pages that its answers cite."""

    cycle: str
    cells: Cells
    cited: tuple[Seen, ...]


@dataclass(frozen=True, slots=True)
class Ground:
    """What opportunities are found in: one cycle's counts, gaps by query id, and pages in its answers.

    `cited`: cited pages of the project's brands. `retrieved`: pages of the tracked brand in any answer that retrieves
    or cites them; `unused`: those in answers that cite nothing of ours; `lower`: our pages in answers that cite a
    competitor first. `naming`: third-party pages cited where competitors are named, in answers that neither cite us nor
    name us there; `basis` says whether "there" is a passage or the answer. `before` is None with one cycle.
    """

    brand: str
    cells: Cells
    gaps: Mapping[str, QueryGap]
    cited: tuple[Seen, ...] = ()
    retrieved: tuple[Seen, ...] = ()
    unused: tuple[Seen, ...] = ()
    lower: tuple[Seen, ...] = ()
    naming: tuple[Seen, ...] = ()
    basis: Mapping[str, str] | None = None
    before: Earlier | None = None


@dataclass(frozen=True, slots=True)
class Opportunity:
    """One thing to do. `size` is an upper bound in fractions of the share that `measure` names; ranked by size ×
    `probability`. `answers` hold up to 20 of `n_answers` ids; `pages` are the competitors' or third parties' pages."""

    id: str
    kind: Kind
    subject: str
    title: str
    why: str
    queries: tuple[str, ...]
    engines: tuple[str, ...]
    competitors: tuple[str, ...]
    pages: tuple[str, ...]
    answers: tuple[int, ...]
    n_answers: int
    size: float
    measure: str
    formula: str
    probability: float
    effort: str
    effort_reason: str

    @property
    def rank(self) -> float:
        return self.size * self.probability


def identity(kind: str, brand: str, subject: str) -> str:
    """`sha256:…` of kind, brand and subject: the same opportunity in the next cycle has the same id."""
    return content_hash([kind, brand, subject])


def find(ground: Ground) -> tuple[Opportunity, ...]:
    """Every opportunity that the ground shows, by size × probability, the largest first. No answers give none."""
    found = [*_create(ground), *_improve(ground), *_earn(ground), *_losses(ground)]
    return tuple(sorted(found, key=lambda one: (-one.rank, -one.probability, one.title)))


# ---------------------------------------------------------------- the four kinds


def _create(ground: Ground) -> Iterator[Opportunity]:
    """Queries on which a competitor is confirmed ahead and no page of ours is cited or retrieved."""
    covered = {seen.query_id for seen in ground.retrieved}
    for key, gap in ground.gaps.items():
        if gap.verdict == "confirmed" and key not in covered:
            rivals = tuple(one.competitor for one in gap.ahead if one.verdict == "confirmed")
            theirs = [s for s in ground.cited if s.query_id == key and set(s.brands) & set(rivals)]
            why = f"no page of ours is cited or retrieved; {_ahead(gap)}"
            yield _made(
                ground, "create-coverage", key, f"No page of ours answers: {gap.query.text}", why,
                queries=(key,), seen=theirs, competitors=rivals, pages=_most(theirs),
                size=_weighed(ground, {key: _leads(ground, key, rivals[0])}), probability=gap.probability,
            )  # fmt: skip


def _improve(ground: Ground) -> Iterator[Opportunity]:
    """Pages of ours that engines retrieve and do not cite, or cite less or lower than a competitor's."""
    unused, lower, less = _by_url(ground.unused), _by_url(ground.lower), _less(ground)
    for url in dict.fromkeys((*unused, *less, *lower)):
        here, below, behind = unused.get(url, []), lower.get(url, []), less.get(url, [])
        contested = any(ground.gaps[s.query_id].verdict == "confirmed" for s in here)
        if len(_answers([*here, *below])) < LEAST_ANSWERS and not behind and not contested:
            continue
        queries = tuple(dict.fromkeys([*(s.query_id for s in (*here, *below)), *behind]))
        rooms = {key: _larger(ground, key, here, behind) for key in queries}
        rivals = dict.fromkeys(one.competitor for key in behind for one in ground.gaps[key].ahead)
        rivals.update(dict.fromkeys(brand for s in below for brand in s.brands))
        theirs = [s for s in ground.cited if s.query_id in queries and set(s.brands) & set(rivals)]
        evidence = [*here, *below, *(s for s in theirs if s.query_id in behind)]
        yield _made(
            ground, "improve-page", url, f"Improve {url}", _improve_why(ground, here, below, behind),
            queries=queries, seen=evidence, competitors=tuple(rivals), pages=_most(theirs),
            size=_weighed(ground, rooms), probability=_improve_chance(ground, here, below, behind),
        )  # fmt: skip


def _earn(ground: Ground) -> Iterator[Opportunity]:
    """Third-party pages that answers cite where they name competitors and not us."""
    for url, here in _by_url(ground.naming).items():
        answers = _answers(here)
        if len(answers) < LEAST_ANSWERS:
            continue
        queries = tuple(dict.fromkeys(s.query_id for s in here))
        rivals = tuple(dict.fromkeys(brand for s in here for brand in s.brands))
        where = (ground.basis or {}).get(url, "answer")
        why = (
            f"cited in {len(answers)} answers to {_queries(len(queries))} that name {', '.join(rivals)} in the same "
            f"{where}, and neither name us there nor cite us"
        )
        yield _made(
            ground, "earn-inclusion", url, f"Be named on {url}", why,
            queries=queries, seen=here, competitors=rivals, pages=(url,),
            size=_weighed(ground, {key: _rates(ground.cells, key, here) for key in queries}),
            probability=_over(len(answers), _asked(ground.cells, queries)),
        )  # fmt: skip


def _losses(ground: Ground) -> Iterator[Opportunity]:
    """Pages of ours that the cycle before cited on a query, and this one does not.

    The probability is over all queries that cited the page before, not over those that lost it: these were picked for it.
    """
    if ground.before is None:
        return
    both = {key for _, key in ground.cells} & {key for _, key in ground.before.cells}
    for url, had in _by_url([s for s in ground.before.cited if s.query_id in both]).items():
        asked = tuple(dict.fromkeys(s.query_id for s in had))
        has = [s for s in ground.cited if s.url == url and s.query_id in asked]
        kept = {s.query_id for s in has}
        here = [s for s in had if s.query_id not in kept]
        n, m = _asked(ground.before.cells, asked), _asked(ground.cells, asked)
        sure = lead(len(_answers(had)), n, len(_answers(has)), m)
        if sure < LEAST_LOSS or len(_answers(here)) < LEAST_ANSWERS:
            continue
        queries = tuple(dict.fromkeys(s.query_id for s in here))
        rivals = [s for s in ground.cited if s.query_id in queries and ground.brand not in s.brands]
        why = (
            f"cited in {len(_answers(had))} of {n} answers to {_queries(len(asked))} in cycle {ground.before.cycle}, "
            f"in {len(_answers(has)) or 'none'} of {m} now; gone from {_queries(len(queries))}"
        )
        yield _made(
            ground, "investigate-loss", url, f"Lost: {url}", why,
            queries=queries, seen=here, competitors=tuple(dict.fromkeys(b for s in rivals for b in s.brands)),
            pages=_most(rivals), size=_weighed(ground, {key: _falls(ground, key, here) for key in queries}),
            probability=sure,
        )  # fmt: skip


# ---------------------------------------------------------------- sizes


def _weighed(ground: Ground, rooms: Mapping[str, list[float]]) -> float:
    """Sum over queries of 1/Q × the mean over engines."""
    queries = len({key for _, key in ground.cells})
    return sum(sum(by_engine) / len(by_engine) for by_engine in rooms.values() if by_engine) / queries


def _leads(ground: Ground, key: str, rival: str) -> list[float]:
    """How far a competitor is ahead on each engine."""
    here = [cell for (_, asked), cell in ground.cells.items() if asked == key]
    return [max(0.0, (brands.get(rival, 0) - brands.get(ground.brand, 0)) / n) for n, brands in here]


def _rates(cells: Cells, key: str, here: Iterable[Seen]) -> list[float]:
    """The part of the answers on each engine that show a page."""
    shown: dict[str, set[int]] = {}
    for seen in here:
        if seen.query_id == key:
            shown.setdefault(seen.engine, set()).update(seen.answers)
    return [len(shown.get(engine, ())) / n for (engine, asked), (n, _) in cells.items() if asked == key]


def _larger(ground: Ground, key: str, here: list[Seen], behind: list[str]) -> list[float]:
    rates = _rates(ground.cells, key, here)
    if key not in behind:
        return rates
    return [max(pair) for pair in zip(rates, _leads(ground, key, ground.gaps[key].ahead[0].competitor), strict=True)]


def _falls(ground: Ground, key: str, here: list[Seen]) -> list[float]:
    """On each engine asked in both cycles: what the page held before, as far as our share fell."""
    earlier = ground.before.cells if ground.before else {}
    found = []
    for (engine, asked), (n, brands) in earlier.items():
        if asked == key and (engine, key) in ground.cells:
            held = sum(len(s.answers) for s in here if (s.engine, s.query_id) == (engine, key)) / n
            m, now = ground.cells[engine, key]
            fall = brands.get(ground.brand, 0) / n - now.get(ground.brand, 0) / m
            found.append(min(held, max(0.0, fall)))
    return found


def _over(x: int, n: int) -> float:
    """Pr(rate > margin) after x of n answers, under a Jeffreys prior."""
    return float(special.betaincc(x + 0.5, n - x + 0.5, MARGIN))


def _asked(cells: Cells, queries: Iterable[str]) -> int:
    wanted = set(queries)
    return sum(n for (_, key), (n, _) in cells.items() if key in wanted)


# ---------------------------------------------------------------- evidence


def _less(ground: Ground) -> dict[str, list[str]]:
    """Our most cited page on each query where we are cited and a competitor is confirmed ahead → these queries."""
    found: dict[str, list[str]] = {}
    for key, gap in ground.gaps.items():
        if gap.verdict == "confirmed" and gap.ours:
            ours = [s for s in ground.cited if s.query_id == key and ground.brand in s.brands]
            for url in _most(ours)[:1]:
                found.setdefault(url, []).append(key)
    return found


def _improve_why(ground: Ground, here: list[Seen], below: list[Seen], behind: list[str]) -> str:
    parts = []
    if here:
        parts.append(f"retrieved in {len(_answers(here))} answers that cite nothing of ours")
    parts += [f"cited less: {_ahead(ground.gaps[key])}" for key in behind[:1]]
    if len(behind) > 1:
        parts.append(f"so on {len(behind) - 1} more queries")
    if below:
        parts.append(f"cited after a competitor in {len(_answers(below))} answers (order alone moves no share)")
    return "; ".join(parts)


def _improve_chance(ground: Ground, here: list[Seen], below: list[Seen], behind: list[str]) -> float:
    """Of what the size is made of; of the order of citations, which moves no share, where there is nothing else."""
    chances = [ground.gaps[key].probability for key in behind]
    if here or not behind:
        seen = here or below
        chances.append(_over(len(_answers(seen)), _asked(ground.cells, {s.query_id for s in seen})))
    return max(chances)


def _ahead(gap: QueryGap) -> str:
    first = gap.ahead[0]
    more = f" and {len(gap.ahead) - 1} more" if len(gap.ahead) > 1 else ""
    return f"{first.competitor}{more} ahead with {first.theirs} : {first.ours} of {first.n} answers"


def _by_url(seen: Iterable[Seen]) -> dict[str, list[Seen]]:
    found: dict[str, list[Seen]] = {}
    for one in seen:
        found.setdefault(one.url, []).append(one)
    return found


def _answers(seen: Iterable[Seen]) -> tuple[int, ...]:
    return tuple(sorted({answer for one in seen for answer in one.answers}))


def _most(seen: Iterable[Seen]) -> tuple[str, ...]:
    """The pages in most answers first."""
    counted = {url: len(_answers(here)) for url, here in _by_url(seen).items()}
    return tuple(sorted(counted, key=lambda url: (-counted[url], url)))[:PAGES_KEPT]


def _queries(number: int) -> str:
    return f"{number} {'query' if number == 1 else 'queries'}"


def _made(
    ground: Ground, kind: Kind, subject: str, title: str, why: str, *, queries: tuple[str, ...], seen: Iterable[Seen],
    competitors: tuple[str, ...], pages: tuple[str, ...], size: float, probability: float,
) -> Opportunity:  # fmt: skip
    evidence = list(seen)
    answers = _answers(evidence)
    effort, reason = EFFORTS[kind]
    return Opportunity(
        id=identity(kind, ground.brand, subject), kind=kind, subject=subject, title=title, why=why, queries=queries,
        engines=tuple(dict.fromkeys(s.engine for s in evidence)), competitors=competitors, pages=pages,
        answers=answers[:ANSWERS_KEPT], n_answers=len(answers), size=size, measure=MEASURES[kind],
        formula=FORMULAS[kind], probability=probability, effort=effort, effort_reason=reason,
    )  # fmt: skip
