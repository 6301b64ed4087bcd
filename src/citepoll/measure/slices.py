"""Questions to the read side: fields, filters and what a slice may ask. `docs` and `--help` say the same as here.

Fields on answers (engine, query, topic, intent, cycle, run, language, market, branded) restrict the answers: numerator
and denominator. Fields on entities (brand, domain, url, citation_level, source_class) restrict which entities have rows
and which citations count; the denominator stays all valid answers (or all citations, where the metric divides by them).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, TypeAlias, get_args

from citepoll.errors import SliceError
from citepoll.measure.methods import wrong_level
from citepoll.measure.metrics import ENTITY_FIELDS, METRICS
from citepoll.model import CITED_LEVELS, Slice

Operator = Literal["=", "!=", "~", "in", "<", "<=", ">", ">="]
Value: TypeAlias = str | int | bool

ANSWER_FIELDS: tuple[str, ...] = (
    "cycle", "engine", "query", "topic", "intent", "language", "market", "branded", "run",
)  # fmt: skip
FIELDS: tuple[str, ...] = ("brand", "engine", "query", "topic", "intent", "domain", "url", "source_class", "cycle",
                           "citation_level", "run", "language", "market", "branded")  # fmt: skip
ORDERED: tuple[Operator, ...] = ("<", "<=", ">", ">=")
TARGETS = ("fixed_set", "category", "both")

EXAMPLE = 'Write filters as: engine = perplexity and topic in (laptops, "mobile phones") and domain ~ tech.'

_TOKEN = re.compile(
    r"""\s*(?: (?P<quoted> "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' )
             | (?P<op> != | <= | >= | [=~<>] )
             | (?P<mark> [(),] )
             | (?P<bare> [^\s(),"'=~<>!] [^\s(),"']* ) )""",
    re.VERBOSE | re.DOTALL,
)
_FIELD = re.compile(r"\s*([A-Za-z_]+)")


@dataclass(frozen=True, slots=True)
class Filter:
    """`field op values`: several values for `in`, one otherwise. run is int, branded bool, everything else text."""

    field: str
    op: Operator
    values: tuple[Value, ...]

    @property
    def names(self) -> tuple[Value, ...]:
        """The values that must be known names: those of = != and in."""
        return self.values if self.op in ("=", "!=", "in") else ()


def parse_where(text: str) -> tuple[Filter, ...]:
    """The filters of `FIELD OP VALUE and …`; all of them hold. Empty text gives none.

    OP is = != ~ (contains, whatever the case) in (a, b), and < <= > >= for run. A value is bare (no space, comma,
    parenthesis or quote in it) or quoted, with \\ before a quote. Raises `SliceError` with the position (from 1).
    """
    filters: list[Filter] = []
    at = 0
    while text[at:].strip():
        if filters:
            at = _expect_and(text, at)
        found, at = _clause(text, at)
        filters.append(found)
    return tuple(filters)


def quoted(text: str) -> str:
    """Any text as a value of a filter: `engine = ` + quoted(name)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def validate(slice: Slice) -> tuple[Filter, ...]:
    """The filters of a slice whose every word is known and fits the others; raises `SliceError` otherwise.

    Names of the project (brands, engines, cycles, topics …) are not checked here: `evaluate` knows them.
    """
    for metric in slice.metrics:
        known("metric", metric, METRICS)
    for field in slice.by:
        known("field", field, FIELDS)
    for name, values in (("metrics", slice.metrics), ("by", slice.by)):
        if len(set(values)) < len(values):
            raise SliceError(f"{name} names something twice: {', '.join(values)}", "Name each once.")
    if not slice.metrics:
        raise SliceError("no metric is asked for", f"Name one of {', '.join(METRICS)}.")
    known("target", slice.target, TARGETS)
    if wrong := wrong_level(slice.confidence):
        raise SliceError(*wrong)
    if slice.limit is not None and slice.limit < 1:
        raise SliceError(f"a limit of {slice.limit} keeps nothing", "Use 1 or more, or leave it out.")
    filters = parse_where(slice.where)
    for metric in slice.metrics:
        _check_entities(metric, slice.by, filters)
    return filters


def entities_of(metric: str, by: Sequence[str]) -> tuple[str, ...]:
    """The entity fields of this metric's rows, in the order of `by`; brand where it needs one and `by` has none."""
    if not METRICS[metric].per_brand:
        return ()
    return tuple(field for field in by if field in ENTITY_FIELDS) or ("brand",)


def known(what: str, name: str, names: Iterable[str]) -> None:
    """Raise `SliceError` unless `name` is among `names`, with the nearest one and the list of them."""
    choices = list(names)
    if name in choices:
        return
    folded = {choice.casefold(): choice for choice in choices}
    near = get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    hint = f"Did you mean {folded[near[0]]}? " if near else ""
    listed = ", ".join(choices[:20]) + (f" and {len(choices) - 20} more" if len(choices) > 20 else "")
    raise SliceError(f"unknown {what} {name!r}", f"{hint}Known: {listed or 'none'}.")


def _check_entities(metric: str, by: Sequence[str], filters: Sequence[Filter]) -> None:
    """Rows and filters by domain, url or level are for metrics that count citations one by one."""
    facts = METRICS[metric]
    wanted = [field for field in entities_of(metric, by) if field not in facts.entities]
    wanted += [f.field for f in filters if f.field in ENTITY_FIELDS and f.field not in (*facts.entities, "brand")]
    if wanted:
        able = ", ".join(name for name, other in METRICS.items() if wanted[0] in other.entities)
        raise SliceError(
            f"{metric} cannot be shown or filtered by {wanted[0]}", f"Ask for it alone, or use {able} by {wanted[0]}."
        )


# ---------------------------------------------------------------- reading filters


def _clause(text: str, at: int) -> tuple[Filter, int]:
    field, at = _field(text, at)
    op, at = _operator(text, at)
    start = at
    words, at = _list(text, at) if op == "in" else _single(text, at)
    if op in ORDERED and field != "run":
        raise _error(text, start, f"{op} needs a number, and {field} is text", "Use =, !=, ~ or in; or run.")
    if op == "~" and field in ("run", "branded"):
        raise _error(text, start, f"~ looks inside text, and {field} is none", "Use = or !=.")
    return Filter(field, op, tuple(_typed(text, start, field, word) for word in words)), at


def _field(text: str, at: int) -> tuple[str, int]:
    match = _FIELD.match(text, at)
    if not match:
        raise _error(text, at, "a field name is missing", f"Fields: {', '.join(FIELDS)}. {EXAMPLE}")
    try:
        known("field", match[1].lower(), FIELDS)
    except SliceError as error:
        raise _error(text, match.start(1), error.cause, error.fix) from None
    return match[1].lower(), match.end()


def _operator(text: str, at: int) -> tuple[Operator, int]:
    match = _TOKEN.match(text, at)
    word = match[0].strip().lower() if match else ""
    for op in get_args(Operator):
        if word == op and match:
            return op, match.end()
    raise _error(text, at, "an operator is missing", f"Use one of {' '.join(get_args(Operator))}. {EXAMPLE}")


def _single(text: str, at: int) -> tuple[list[str], int]:
    match = _TOKEN.match(text, at)
    if not match or not (match["quoted"] or match["bare"]):
        raise _error(text, at, "a value is missing", EXAMPLE)
    return [_unquoted(match)], match.end()


def _list(text: str, at: int) -> tuple[list[str], int]:
    words: list[str] = []
    at = _expect_mark(text, at, "(")
    while True:
        word, at = _single(text, at)
        words += word
        match = _TOKEN.match(text, at)
        if not match or match["mark"] != ",":
            return words, _expect_mark(text, at, ")")
        at = match.end()


def _expect_mark(text: str, at: int, mark: str) -> int:
    match = _TOKEN.match(text, at)
    if not match or match["mark"] != mark:
        raise _error(text, at, f"{mark} is missing", "Write a list as: topic in (laptops, phones).")
    return match.end()


def _expect_and(text: str, at: int) -> int:
    match = _TOKEN.match(text, at)
    if not match or (match["bare"] or "").lower() != "and":
        raise _error(text, at, "between two filters stands `and`", "Quote a value of several words. " + EXAMPLE)
    return match.end()


def _unquoted(match: re.Match[str]) -> str:
    if match["quoted"]:
        return re.sub(r"\\(.)", r"\1", match["quoted"][1:-1], flags=re.DOTALL)
    return match["bare"]


def _typed(text: str, at: int, field: str, word: str) -> Value:
    if field == "run":
        if not re.fullmatch(r"[0-9]{1,9}", word):
            raise _error(text, at, f"run is a number, not {word!r}", "Write run = 1.")
        return int(word)
    if field == "branded":
        if word.lower() not in ("true", "false"):
            raise _error(text, at, f"branded is true or false, not {word!r}", "Write branded = true.")
        return word.lower() == "true"
    if field == "domain":
        return word.lower().rstrip(".")
    if field == "citation_level" and word not in CITED_LEVELS:
        try:
            known("citation level", word, sorted(CITED_LEVELS))
        except SliceError as error:
            raise _error(text, at, error.cause, error.fix) from None
    return word


def _error(text: str, at: int, cause: str, fix: str) -> SliceError:
    at += len(text[at:]) - len(text[at:].lstrip())
    seen = text[at : at + 20]
    where = f"at character {at + 1}, before {seen!r}" if seen else f"at its end (character {at + 1})"
    return SliceError(f"the filter {text!r} cannot be read {where}: {cause}", fix)
