"""What differs between two versions of a query set, and what they have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from citepoll.model import Query, QuerySet
from citepoll.queryset.wording import overlap, wording

# A reworded query keeps this share of its words; with fewer, questions of one category all look like one another.
_WORDS_KEPT = 0.7


@dataclass(frozen=True, slots=True)
class Diff:
    """What differs between two sets; pairs are (old, new).

    `relabelled`: one id with another intent or topic. `reworded`: a removed and an added query that ask alike; their
    ids differ, so a trend does not join them, and they stand in neither of added and removed. `common` counts the ids
    in both. False where nothing differs.
    """

    added: tuple[Query, ...]
    removed: tuple[Query, ...]
    relabelled: tuple[tuple[Query, Query], ...]
    reworded: tuple[tuple[Query, Query], ...]
    common: int

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.relabelled or self.reworded)


def diff(old: QuerySet, new: QuerySet) -> Diff:
    """What differs from `old` to `new`, each list in the order of its set."""
    before, after = _by_id(old.queries), _by_id(new.queries)
    removed = [query for key, query in before.items() if key not in after]
    added = [query for key, query in after.items() if key not in before]
    reworded = _reworded(removed, added)
    paired = {query.id for pair in reworded for query in pair}
    both = [(before[key], query) for key, query in after.items() if key in before]
    return Diff(
        added=tuple(query for query in added if query.id not in paired),
        removed=tuple(query for query in removed if query.id not in paired),
        relabelled=tuple((a, b) for a, b in both if (a.intent, a.topic) != (b.intent, b.topic)),
        reworded=reworded,
        common=len(both),
    )


def common(old: QuerySet, new: QuerySet) -> tuple[str, ...]:
    """The ids of the queries in both sets, in the order of `new`: what a comparison of the two may stand on."""
    before = _by_id(old.queries)
    return tuple(key for key in _by_id(new.queries) if key in before)


def render(difference: Diff) -> str:
    """The difference as lines: + added, - removed, ~ reworded, = relabelled; then what a trend stands on."""
    lines = [f"+ {query.text}" for query in difference.added]
    lines += [f"- {query.text}" for query in difference.removed]
    lines += [f"~ {old.text} → {new.text}{_place(old, new)}" for old, new in difference.reworded]
    lines += [f"= {new.text}: {_labels(old, new)}" for old, new in difference.relabelled]
    if not lines:
        return "No difference."
    return "\n".join((*lines, f"A comparison of the two stands on the queries in both: {difference.common}."))


def _by_id(queries: Iterable[Query]) -> dict[str, Query]:
    return {query.id: query for query in queries}


def _reworded(removed: Sequence[Query], added: Sequence[Query]) -> tuple[tuple[Query, Query], ...]:
    """The best pairs first, each query in one pair at most."""
    ranked = sorted(_alike(removed, added), key=lambda item: (-item[0], item[1:]))
    free_old, free_new = set(range(len(removed))), set(range(len(added)))
    pairs: list[tuple[int, int]] = []
    for _, i, j in ranked:
        if i in free_old and j in free_new:
            free_old.remove(i)
            free_new.remove(j)
            pairs.append((i, j))
    return tuple((removed[i], added[j]) for i, j in sorted(pairs))


def _alike(removed: Sequence[Query], added: Sequence[Query]) -> Iterator[tuple[float, int, int]]:
    before = [wording(query.text, query.language).content for query in removed]
    after = [wording(query.text, query.language).content for query in added]
    for (i, old), (j, new) in product(enumerate(before), enumerate(after)):
        kept = overlap(old, new)
        if kept >= _WORDS_KEPT:
            yield kept, i, j


def _place(old: Query, new: Query) -> str:
    if (old.language, old.market) == (new.language, new.market):
        return ""
    return f" ({old.language}, {old.market} → {new.language}, {new.market})"


def _labels(old: Query, new: Query) -> str:
    pairs = (("intent", old.intent, new.intent), ("topic", old.topic, new.topic))
    return ", ".join(f"{name} {a or 'none'} → {b or 'none'}" for name, a, b in pairs if a != b)
