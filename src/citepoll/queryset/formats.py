"""Query files: TOML, CSV and JSONL, from bytes to queries and back to text."""

from __future__ import annotations

import csv
import io
import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any, Literal, get_args

import msgspec

from citepoll.errors import InputError
from citepoll.model import INTENTS, Query
from citepoll.queryset.entries import (
    FIELD_OF,
    FIELDS,
    checked_language,
    checked_market,
    fields,
    query_of,
    unknown_names,
)

Format = Literal["toml", "csv", "jsonl"]
FORMATS: tuple[Format, ...] = get_args(Format)

_HEADER = re.compile(r"\s*\[\[\s*[\"']?query[\"']?\s*\]\]")
_CHAIN = re.compile(r"""(?<![\w"'\\-])(?:(?:[\w-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){20}""")
"""A key of more than 20 parts. The parser's time grows with the square of them: a file of 1 MB would take it hours."""
_HEAD = f"""\
# A query set of citepoll. Each [[query]] is one question, put to every engine in every run.
#   text      the question as a buyer would ask it; with language and market it is the query's identity
#   intent    {", ".join(INTENTS)}
#   topic     any word of yours to group by; ref is an id of yours. Both may be left out.
# A query without language or market takes the ones below.
"""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a query file held: its queries in file order, distinct by id, and what the reader should know."""

    queries: tuple[Query, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Entry:
    where: str
    value: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _File:
    entries: Iterable[_Entry]
    language: str
    market: str


def format_of(name: str) -> Format:
    """The format that a file's name ends in. Raises InputError where it is none of toml, csv, jsonl."""
    suffix = PurePath(name).suffix.lower().lstrip(".")
    for known in FORMATS:
        if suffix == known:
            return known
    raise InputError(f"{name} is not a query file by its name.", f"Name it so that it ends in .{', .'.join(FORMATS)}.")


def parse(data: bytes, format: Format, *, language: str = "en", market: str = "US") -> tuple[Query, ...]:
    """The queries of `read`, without its warnings."""
    return read(data, format, language=language, market=market).queries


def read(data: bytes, format: Format, *, language: str = "en", market: str = "US") -> Reading:
    """Read a query file: UTF-8, with or without a byte order mark.

    The text may be called text, query or prompt. `language` and `market` stand where the file gives none. Queries of
    one id are merged: the first entry's labels win, a later one fills what is missing; each merge is a warning, so is
    each name that no field has. An empty file gives no queries. Raises InputError with the line, the cause and the fix.
    """
    text = _decoded(data)
    openers = {"toml": _toml, "csv": _csv, "jsonl": _jsonl}
    if format not in openers:
        raise InputError(f"{format} is not a format of query files.", f"Use one of {', '.join(FORMATS)}.")
    file = openers[format](text, language, market)
    return _merged(file)


def write(queries: Sequence[Query], format: Format) -> str:
    """The queries as text that `parse` reads back unchanged; TOML carries a comment on its fields."""
    if format == "toml":
        return _write_toml(queries)
    if format == "csv":
        return _write_csv(queries)
    return "".join(msgspec.json.encode(_present(query)).decode() + "\n" for query in queries)


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"Line {line} is not UTF-8 text.", "Save the file as UTF-8 (Excel: “CSV UTF-8”).") from error


def _merged(file: _File) -> Reading:
    kept: dict[str, Query] = {}
    first: dict[str, str] = {}
    warnings: list[str] = []
    unused: Counter[str] = Counter()
    for entry in file.entries:
        unused.update(unknown_names(entry.value))
        query = query_of(entry.value, entry.where, language=file.language, market=file.market)
        key = _id(query, entry.where)
        if key in kept:
            warnings.append(_merge_note(kept[key], query, entry.where, first[key]))
            query = _filled(kept[key], query)
        kept[key] = query
        first.setdefault(key, entry.where)
    warnings += [f"“{name}” is not read: no field has this name." for name in unused]
    return Reading(tuple(kept.values()), tuple(warnings))


def _id(query: Query, where: str) -> str:
    try:
        return query.id
    except UnicodeEncodeError as error:
        raise InputError(f"{where}: the text holds half a character.", "Write the text again.") from error


def _filled(query: Query, later: Query) -> Query:
    return replace(
        query,
        intent=query.intent or later.intent,
        topic=query.topic or later.topic,
        ref=query.ref or later.ref,
    )


def _merge_note(query: Query, later: Query, where: str, first: str) -> str:
    pairs = {name: (getattr(query, name), getattr(later, name)) for name in ("intent", "topic", "ref")}
    dropped = [f"{name} {a} kept, {b} dropped" for name, (a, b) in pairs.items() if a and b and a != b]
    return "; ".join((f"{where} repeats the query of {first}, merged: “{query.text}”", *dropped))


# ---------------------------------------------------------------- TOML


def _toml(text: str, language: str, market: str) -> _File:
    if found := _CHAIN.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise InputError(f"Line {line}: a name has more than 20 parts.", "Write each query under its own [[query]].")
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        place = str(error).replace("end of document", f"the end, line {text.rstrip().count(chr(10)) + 1}")
        raise InputError(f"The file is not TOML: {place}.", "Correct the line that it names.") from error
    if unknown := sorted(document.keys() - {"query", "language", "market"}):
        raise InputError(
            f"The file holds “{unknown[0]}”, which no query file has.", "Write each query under [[query]]."
        )
    shared = fields({k: v for k, v in document.items() if k != "query"}, "The head of the file")
    return _File(
        entries=_toml_entries(text, document.get("query", [])),
        language=checked_language(shared.get("language", language), "The head of the file"),
        market=checked_market(shared.get("market", market), "The head of the file"),
    )


def _toml_entries(text: str, entries: Any) -> list[_Entry]:
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InputError("“query” is not a list of tables.", "Write each query under its own [[query]].")
    lines = [number for number, line in enumerate(text.split("\n"), 1) if _HEADER.match(line)]
    # The parser keeps no line numbers; where a text holds a header of its own, only the count is certain.
    places = (
        [f"Line {n}" for n in lines] if len(lines) == len(entries) else [f"Query {n + 1}" for n in range(len(entries))]
    )
    return [_Entry(*pair) for pair in zip(places, entries, strict=True)]


def _write_toml(queries: Sequence[Query]) -> str:
    blocks = [_HEAD]
    shared: dict[str, str] = {}
    if queries:
        (language, market), _ = Counter((q.language, q.market) for q in queries).most_common(1)[0]
        shared = {"language": language, "market": market}
        blocks.append(_assignments(shared))
    for query in queries:
        present = {name: value for name, value in _present(query).items() if shared.get(name) != value}
        blocks.append("[[query]]\n" + _assignments(present))
    return "\n".join(blocks)


def _assignments(values: Mapping[str, str]) -> str:
    return "".join(f"{name} = {_toml_text(value)}\n" for name, value in values.items())


def _toml_text(value: str) -> str:
    # A JSON text is a TOML basic text, but for DEL, which TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


# ---------------------------------------------------------------- CSV


def _csv(text: str, language: str, market: str) -> _File:
    return _File(_csv_entries(text), checked_language(language, "The default"), checked_market(market, "The default"))


def _csv_entries(text: str) -> Iterator[_Entry]:
    rows = _csv_rows(text)
    where, header = next(rows, ("", []))
    if not header:
        return
    if "text" not in _csv_fields(header):
        raise InputError(
            f"{where} names no column for the text; it holds: {', '.join(header)}.",
            "Name the column of the questions “text” (or query, or prompt).",
        )
    for where, row in rows:
        if len(row) > len(header):
            raise InputError(
                f"{where} has {len(row)} cells, the header {len(header)}.",
                "Put a text that holds the separator in quotation marks.",
            )
        yield _Entry(where, dict(zip(header, row, strict=False)))


def _csv_rows(text: str) -> Iterator[tuple[str, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    while True:
        where = f"Line {reader.line_num + 1}"
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError(
                f"{where} is not CSV: {error}.", "Close its quotation mark, and double those within."
            ) from error
        if any(cell.strip() for cell in row):
            yield where, row


def _delimiter(text: str) -> str:
    """Comma, semicolon or tab: the one that finds the most known names in the header; a comma in doubt."""
    line = next((line for line in text.splitlines() if line.strip()), "")
    return max(",;\t", key=lambda mark: len(_csv_fields(cell.strip().strip('"') for cell in line.split(mark))))


def _csv_fields(names: Iterable[str]) -> set[str]:
    return {FIELD_OF[name.strip().lower()] for name in names if name.strip().lower() in FIELD_OF}


def _write_csv(queries: Sequence[Query]) -> str:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_present(query) for query in queries)
    return out.getvalue()


# ---------------------------------------------------------------- JSONL


def _jsonl(text: str, language: str, market: str) -> _File:
    return _File(_json_entries(text), checked_language(language, "The default"), checked_market(market, "The default"))


def _json_entries(text: str) -> Iterator[_Entry]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        where = f"Line {number}"
        try:
            value = msgspec.json.decode(line.strip())
        except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
            raise InputError(f"{where} is not JSON: {error}.", "Write one object a line.") from error
        if not isinstance(value, dict):
            raise InputError(f"{where} is not an object.", 'Write {"text": "…"} with its labels.')
        yield _Entry(where, value)


def _present(query: Query) -> dict[str, str]:
    values = {name: getattr(query, name) for name in FIELDS}
    return {name: value for name, value in values.items() if value is not None}
