"""The intent of a question, suggested by rules that anyone can read in intent_rules.toml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from citepoll.model import Query, normal_text
from citepoll.queryset.tables import primary, table

MIX: Mapping[str, int] = {
    "definitional": 15,
    "how-to": 20,
    "best-of": 18,
    "versus": 12,
    "recommendation": 12,
    "use-case": 13,
    "troubleshooting": 10,
}
"""The recommended share of each intent in a set, in percent; best-of includes comparisons."""

# Rules look at the beginning of a text only, so that a pasted page cannot make them slow.
_READ = 400


def suggest(text: str, language: str) -> tuple[str | None, str]:
    """The intent that the first matching rule of the language gives, and that rule's reason.

    (None, reason) where no rule matches or the language has no rules.
    """
    rules = _rules(primary(language))
    if not rules:
        return None, f"there are no rules for “{language}”; the languages with rules are {', '.join(languages())}"
    plain = normal_text(text[:_READ]).replace("’", "'")
    for pattern, intent, reason in rules:
        if pattern.search(plain):
            return intent, reason
    return None, "no rule matches"


def intent_of(query: Query) -> str | None:
    """The query's own intent, or else the suggested one, or None."""
    return query.intent or suggest(query.text, query.language)[0]


def languages() -> tuple[str, ...]:
    """The languages that have rules."""
    return tuple(table("intent_rules"))


@cache
def _rules(language: str) -> tuple[tuple[re.Pattern[str], str, str], ...]:
    rows = table("intent_rules").get(language, [])
    return tuple((re.compile(pattern, re.IGNORECASE), intent, reason) for pattern, intent, reason in rows)
