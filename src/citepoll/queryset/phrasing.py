"""Checks of single questions: leading ones, what is no question, and texts in another language than declared."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import cache

from citepoll.model import Query
from citepoll.queryset.finding import Finding, counted, finding, quoted
from citepoll.queryset.tables import primary, table
from citepoll.queryset.wording import stop_words, tokens

WORDS_MOST = 40
CHARACTERS_MOST = 250
"""Longer texts are briefs, not what a buyer types; the characters bound scripts without spaces."""

_READ = 400
_MARGIN = 2
_FOREIGN_SIGNS = 0.3


def leading(queries: Sequence[Query]) -> Iterator[Finding]:
    """Questions that presuppose their answer, one finding for each rule that matched."""
    for reason, group in _grouped(queries, leading_reason):
        yield finding(
            "leading",
            "warning",
            group,
            f"{counted(len(group), 'query leads', 'queries lead')} the engine ({reason}): {quoted(group)}.",
            "Ask it openly: “which … is best for …” instead of “why is … the best”.",
        )


def not_questions(queries: Sequence[Query]) -> Iterator[Finding]:
    """Texts that are neither a question nor a search phrase, one finding for each reason."""
    for reason, group in _grouped(queries, not_a_question):
        yield finding(
            "not-a-question",
            "warning",
            group,
            f"{counted(len(group), 'query is', 'queries are')} not what a buyer would ask ({reason}): {quoted(group)}.",
            "Write one question or search phrase, in a buyer's words.",
        )


def languages(queries: Sequence[Query]) -> Iterator[Finding]:
    """Several declared languages, and texts that look like another language than declared."""
    declared = Counter(primary(query.language) for query in queries)
    if len(declared) > 1:
        counts = ", ".join(f"{language} {count}" for language, count in declared.most_common())
        yield finding(
            "mixed-languages",
            "warning",
            (),
            f"The set mixes languages ({counts}), and engines answer them from different sources.",
            "Read the shares by language, or keep a set for each language.",
        )
    for pair, group in _grouped(queries, _other_language):
        yield finding(
            "language-mismatch",
            "warning",
            group,
            f"{counted(len(group), 'query looks', 'queries look')} {pair}: {quoted(group)}.",
            "Correct the language of the query, or translate its text.",
        )


def leading_reason(query: Query) -> str | None:
    """Why a question is a leading one, or None; None too for a language without rules."""
    plain = query.text[:_READ].replace("’", "'")
    return next(
        (reason for pattern, reason in _rules("leading", primary(query.language)) if pattern.search(plain)), None
    )


def not_a_question(query: Query) -> str | None:
    """Why a text is neither a question nor a search phrase, or None."""
    text = query.text
    if len(text.split()) > WORDS_MOST or len(text) > CHARACTERS_MOST:
        return f"longer than {WORDS_MOST} words or {CHARACTERS_MOST} characters"
    return next((reason for pattern, reason in _rules("not_a_question", "any") if pattern.search(text)), None)


def guess_language(text: str) -> str | None:
    """The language by its script, or by words of grammar where one language has two more than any other, or None."""
    if script := _script(text):
        return script
    ranked = Counter(_grammar(text)).most_common(2)
    if not ranked:
        return None
    second = ranked[1][1] if len(ranked) > 1 else 0
    return ranked[0][0] if ranked[0][1] - second >= _MARGIN else None


def _other_language(query: Query) -> str | None:
    declared, seen = primary(query.language), _seen(query)
    return f"like {seen}, declared {declared}" if seen else None


def _seen(query: Query) -> str | None:
    """The language a text looks like, where that contradicts the declared one."""
    declared, guess = primary(query.language), guess_language(query.text)
    if guess is None or guess == declared or declared in _SAME_SCRIPT.get(guess, ()):
        return None
    if guess in table("wording")["script_of"].values():
        return guess
    if declared in table("wording")["script_of"].values():
        return guess
    # Two languages of Latin script: only where we have the words of both, and the declared one is clearly behind.
    scores = _grammar(query.text)
    return guess if stop_words(declared) and scores[guess] - scores.get(declared, 0) >= _MARGIN else None


_SAME_SCRIPT = {
    "zh": ("ja", "yue"),
    "ru": ("uk", "be", "bg", "sr", "mk", "kk", "mn"),
    "ar": ("fa", "ur", "ps"),
    "hi": ("mr", "ne", "sa"),
    "he": ("yi",),
}


def _script(text: str) -> str | None:
    """The language of a script other than Latin that writes three letters of ten and more."""
    letters = [sign for sign in text[:_READ] if sign.isalpha()]
    names = table("wording")["script_of"]
    found = Counter(names.get(unicodedata.name(sign, "").split(" ")[0].split("-")[0]) for sign in letters)
    foreign = {language: count for language, count in found.items() if language}
    if sum(foreign.values()) < _FOREIGN_SIGNS * len(letters) or not foreign:
        return None
    # Japanese mixes Han signs with kana; kana decide.
    return "ja" if "ja" in foreign else max(foreign, key=lambda language: foreign[language])


def _grammar(text: str) -> dict[str, int]:
    words = tokens(text[:_READ])
    counts = {language: sum(word in stop_words(language) for word in words) for language in table("wording")["stop"]}
    return {language: count for language, count in counts.items() if count}


def _grouped(queries: Sequence[Query], reason_of: Callable[[Query], str | None]) -> list[tuple[str, list[Query]]]:
    groups: dict[str, list[Query]] = defaultdict(list)
    for query in queries:
        if reason := reason_of(query):
            groups[reason].append(query)
    return list(groups.items())


@cache
def _rules(kind: str, language: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    rows = table("lint_rules")[kind].get(language, [])
    return tuple((re.compile(pattern, re.IGNORECASE), reason) for pattern, reason in rows)
