"""A starter set: questions about a category from templates over the seven intents, in the recommended mix."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from citepoll.errors import InputError
from citepoll.model import INTENTS, Query, normal_text
from citepoll.queryset.entries import checked_language, checked_market
from citepoll.queryset.intent import MIX
from citepoll.queryset.tables import primary, table
from citepoll.queryset.wording import near_duplicates

LANGUAGES: tuple[str, ...] = ("en", "de", "fr", "es")

_LONGEST = 80
_SLOT = re.compile(r"\{(\w+)\}")


def starter(
    category: str,
    *,
    audience: str | None = None,
    brands: Sequence[str] = (),
    language: str = "en",
    market: str = "US",
    n: int = 50,
    plural: bool | None = None,
) -> tuple[Query, ...]:
    """`n` questions about `category`, each with its intent and a topic, by intent in the order of model.INTENTS.

    `category` is a noun phrase without an article, plural or uncountable: "running shoes", "accounting software".
    `audience` is a plural noun phrase, "small teams"; its questions come first in each intent. `brands` are names that
    no question may hold. `plural` overrides the guess of the category's number, which only English needs. The same
    arguments give the same questions. No two of them are near-duplicates. Raises InputError for a language without
    templates, a brand in category or audience, an unusable phrase, and an `n` that the templates cannot fill.
    """
    if n < 1:
        raise InputError(f"A starter set of {n} questions is none.", "Ask for 1 or more.")
    tag = checked_language(language, "The starter set")
    templates = _templates(tag)
    thing = _phrase(category, "category", brands)
    people = _phrase(audience, "audience", brands) if audience is not None else None
    slots = _slots(templates, thing, people, plural)
    place = (tag, checked_market(market, "The starter set"))
    chosen: list[Query] = []
    for intent, count in quotas(n).items():
        candidates = _candidates(templates, intent, slots, place)
        chosen += _distinct(chosen, candidates, count)
    if len(chosen) < n:
        raise InputError(
            f"The templates in “{primary(tag)}” give {len(chosen)} of {n} questions about “{thing}”.",
            "Ask for fewer, and add questions of your own.",
        )
    return tuple(chosen)


def quotas(n: int) -> dict[str, int]:
    """How many of `n` queries each intent gets: the recommended mix by largest remainders, ties in INTENTS' order."""
    floors = {intent: n * MIX[intent] // 100 for intent in INTENTS}
    by_remainder = sorted(INTENTS, key=lambda intent: -(n * MIX[intent] % 100))
    for intent in by_remainder[: n - sum(floors.values())]:
        floors[intent] += 1
    return floors


def _templates(language: str) -> dict[str, Any]:
    if primary(language) not in LANGUAGES:
        raise InputError(
            f"There are no starter templates in “{language}”.",
            f"Take one of {', '.join(LANGUAGES)} and translate it, or write the set by hand.",
        )
    return table(f"starter_{primary(language)}")


def _phrase(value: str, name: str, brands: Sequence[str]) -> str:
    phrase = normal_text(value).rstrip(".?!")
    if not any(sign.isalpha() for sign in phrase) or len(phrase) > _LONGEST:
        raise InputError(
            f"The {name} is no noun phrase of at most {_LONGEST} characters: “{phrase[:_LONGEST]}”.",
            "Write it as in a headline, without an article: running shoes.",
        )
    named = [
        brand for brand in brands if re.search(rf"(?<!\w){re.escape(normal_text(brand))}(?!\w)", phrase, re.IGNORECASE)
    ]
    if named:
        raise InputError(
            f"The {name} “{phrase}” names the brand {named[0]}.",
            "Name the category without a brand: a share is measured on questions that name none.",
        )
    return phrase


def _slots(templates: Mapping[str, Any], thing: str, people: str | None, plural: bool | None) -> dict[str, str]:
    slots = {"c": thing, "C": thing[0].upper() + thing[1:] if thing.split()[0].islower() else thing}
    if people is not None:
        slots["audience"] = people
    if "grammar" in templates:
        several = _is_plural(thing, templates["grammar"]) if plural is None else plural
        slots |= templates["words"]["plural" if several else "singular"]
    return slots


def _is_plural(thing: str, grammar: Mapping[str, Any]) -> bool:
    words = thing.lower().split()
    end = next((i for i, word in enumerate(words) if i and word in grammar["prepositions"]), len(words))
    head = words[end - 1]
    return head not in grammar["singular"] and re.search(grammar["plural"], head) is not None


def _candidates(
    templates: Mapping[str, Any], intent: str, slots: Mapping[str, str], place: tuple[str, str]
) -> Iterator[Query]:
    rows = [*(templates["audience"][intent] if "audience" in slots else ()), *templates["queries"][intent]]
    for text, topic in rows:
        filled = _SLOT.sub(lambda match: slots[match[1]], text)
        yield Query(normal_text(filled), *place, intent, topic)


def _distinct(chosen: Sequence[Query], candidates: Iterator[Query], count: int) -> list[Query]:
    """The first `count` candidates that ask something else than those before them."""
    taken: list[Query] = []
    for query in candidates:
        if len(taken) < count and not near_duplicates([*chosen, *taken, query]):
            taken.append(query)
    return taken
