"""One entry of a query file, as a mapping, becomes one `Query`; a bad one is an error that names its line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from citepoll.errors import InputError
from citepoll.model import INTENTS, Query, normal_text

FIELDS: tuple[str, ...] = ("text", "intent", "topic", "language", "market", "ref")

FIELD_OF: Mapping[str, str] = {
    **{name: name for name in FIELDS},
    "query": "text",
    "prompt": "text",
    "query_id": "ref",
    "id": "ref",
}
"""Accepted name (lower case) → field. Other tools call the text a prompt, and name the id in their own way."""

_INTENT_OF: Mapping[str, str] = {
    **{re.sub("[^a-z]", "", intent): intent for intent in INTENTS},
    "definition": "definitional",
    "definitions": "definitional",
    "howtos": "how-to",
    "best": "best-of",
    "comparison": "best-of",
    "comparisons": "best-of",
    "bestofcomparison": "best-of",
    "comparisonbestof": "best-of",
    "vs": "versus",
    "recommend": "recommendation",
    "recommendations": "recommendation",
    "usecases": "use-case",
    "troubleshoot": "troubleshooting",
}
_LANGUAGE = re.compile(r"[a-z]{2,3}([-_][a-z0-9]{2,8})*", re.IGNORECASE)
_MARKET = re.compile(r"[a-z]{2}|[0-9]{3}", re.IGNORECASE)


def intent_name(value: str) -> str | None:
    """The intent of model.INTENTS that `value` means, in any case and spelling of "how to", or None.

    "comparison" is read as best-of.
    """
    return _INTENT_OF.get(re.sub("[^a-z]", "", value.casefold()))


def language_name(value: str) -> str | None:
    """`value` as a language tag in its usual case (`en`, `pt-BR`, `zh-Hant`), or None where it is none."""
    if not _LANGUAGE.fullmatch(value):
        return None
    first, *rest = value.replace("_", "-").split("-")
    return "-".join((first.lower(), *(_subtag(part) for part in rest)))


def _subtag(part: str) -> str:
    if len(part) == 2:
        return part.upper()
    return part.title() if len(part) == 4 and part.isalpha() else part.lower()


def market_name(value: str) -> str | None:
    """`value` as a country code of two letters or an area code of three digits, or None where it is neither."""
    return value.upper() if _MARKET.fullmatch(value) else None


def fields(entry: Mapping[str, object], where: str) -> dict[str, str]:
    """The known fields of `entry` that hold something, as normal text. InputError on a wrong type or two texts."""
    found: dict[str, str] = {}
    for name, value in entry.items():
        field = FIELD_OF.get(name.strip().lower())
        if field is None or value is None:
            continue
        text = _text(value, name, field, where)
        if text and field in found and found[field] != text:
            raise InputError(
                f"{where}: the {field} is given twice, once as “{name}”.",
                f"Keep one of the names {', '.join(_names(field))}.",
            )
        if text:
            found[field] = text
    return found


def query_of(entry: Mapping[str, object], where: str, *, language: str, market: str) -> Query:
    """The query of an entry; `language` and `market` stand where the entry has none.

    Raises InputError, with `where` in the cause: no text, a wrong type, an unknown intent, language or market.
    """
    found = fields(entry, where)
    if "text" not in found:
        raise InputError(
            f"{where}: the query has no text.",
            f"Give the question in {' or '.join(_names('text'))}, or delete the entry.",
        )
    return Query(
        text=found["text"],
        language=checked_language(found.get("language", language), where),
        market=checked_market(found.get("market", market), where),
        intent=_checked_intent(found["intent"], where) if "intent" in found else None,
        topic=found.get("topic"),
        ref=found.get("ref"),
    )


def checked_language(value: str, where: str) -> str:
    """`language_name`, or InputError."""
    if name := language_name(value):
        return name
    raise InputError(f"{where}: “{value}” is not a language.", "Write a language tag such as en, de or pt-BR.")


def checked_market(value: str, where: str) -> str:
    """`market_name`, or InputError."""
    if name := market_name(value):
        return name
    raise InputError(f"{where}: “{value}” is not a market.", "Write a country code of two letters such as US or DE.")


def unknown_names(names: Iterable[str]) -> tuple[str, ...]:
    """The names of an entry or a header that no field has, in their order."""
    return tuple(name for name in names if name.strip() and name.strip().lower() not in FIELD_OF)


def _checked_intent(value: str, where: str) -> str:
    if name := intent_name(value):
        return name
    raise InputError(f"{where}: “{value}” is not an intent.", f"Write one of {', '.join(INTENTS)}, or leave it out.")


def _text(value: object, name: str, field: str, where: str) -> str:
    if field == "ref" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise InputError(f"{where}: {name} is a {_kind(value)}, not a text.", "Put it in quotation marks.")
    return normal_text(value)


def _kind(value: object) -> str:
    kinds = {bool: "truth value", int: "number", float: "number", list: "list", dict: "table"}
    return kinds.get(type(value), type(value).__name__)


def _names(field: str) -> list[str]:
    return [name for name, of in FIELD_OF.items() if of == field]
