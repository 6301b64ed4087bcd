"""A SliceResult as JSON rows, CSV and Markdown: a row per estimate, one per target, in the order of the result."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping

import msgspec

from citepoll.model import STATUSES, VALID, Row, SliceResult
from citepoll.report.numbers import count, part, unit_of, words
from citepoll.report.pairs import column_names, dimension_names, dimension_values, with_texts
from citepoll.report.printable import one_line, printable

EXCLUDED = tuple(status for status in STATUSES if status not in VALID)
_MEASURES = (
    "value", "low", "high", "confidence", "target", "method", "cited", "n", "pooled", "n_queries", "n_effective",
)  # fmt: skip
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_TARGET_WORDS = {"fixed_set": "these queries", "category": "questions like these"}


def json_rows(result: SliceResult) -> list[dict[str, object]]:
    """One mapping per estimate: metric, dimensions, estimate; fractions 0–1, None where there is no estimate."""
    names = dimension_names(result)
    return [_json_row(row, dimension_values(row, names, result)) for row in result.rows]


def json_text(result: SliceResult) -> str:
    """`json_rows` as a JSON list, indented, with a line feed at the end."""
    return msgspec.json.format(msgspec.json.encode(json_rows(result)), indent=2).decode() + "\n"


def csv_text(result: SliceResult, *, raw: bool = False) -> str:
    """The rows as CSV with a header, line feeds, an empty cell for no data and a column for each excluded status.

    Text that a spreadsheet would run as a formula gets a leading apostrophe, unless `raw`. Numbers stay as they are.
    """
    names = dimension_names(result)
    guard: Callable[[object], object] = _plain if raw else _guarded
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    excluded = [f"excluded_{status}" for status in EXCLUDED]
    writer.writerow(["metric", *column_names(names), *_MEASURES, *excluded, "reason", "grade", "band", "simulated", "warnings"])
    for row in result.rows:
        writer.writerow([guard(cell) for cell in _csv_cells(row, dimension_values(row, names, result))])
    return out.getvalue()


def markdown_text(result: SliceResult) -> str:
    """The rows as a Markdown table for people, with the warnings below it."""
    result = with_texts(result)
    names = dimension_names(result)
    header = ["metric", *names, "estimate", "target", "cited of answers", "queries", "excluded", "grade", "band"]
    lines = [_markdown_line(header), _markdown_line(["---"] * len(header))]
    for row in result.rows:
        lines.append(_markdown_line([_cell(text) for text in _markdown_cells(row, names)]))
    notes = [f"- {_cell(warning)}" for warning in result.warnings]
    return "\n".join([*lines, *([""] if notes else []), *notes]) + "\n"


def excluded_words(excluded: dict[str, int]) -> str:
    """`failed 4, absent 2`; empty where nothing was left out."""
    return ", ".join(f"{status} {count(number)}" for status, number in excluded.items() if number)


def _json_row(row: Row, values: Mapping[str, object]) -> dict[str, object]:
    estimate = row.estimate
    return {
        "metric": row.metric,
        **{name: _plain(value) for name, value in values.items()},
        **{name: getattr(estimate, name) for name in _MEASURES},
        "excluded": dict(estimate.excluded),
        "reason": estimate.reason,
        "grade": row.grade,
        "grade_next": row.grade_next,
        "band": row.band,
        "simulated": row.simulated,
        "warnings": list(estimate.warnings),
    }


def _csv_cells(row: Row, values: Mapping[str, object]) -> list[object]:
    estimate = row.estimate
    return [
        row.metric,
        *values.values(),
        *(getattr(estimate, name) for name in _MEASURES),
        *(estimate.excluded.get(status, 0) for status in EXCLUDED),
        estimate.reason,
        row.grade,
        row.band,
        row.simulated,
        " | ".join(estimate.warnings),
    ]


def _markdown_cells(row: Row, names: tuple[str, ...]) -> list[str]:
    estimate = row.estimate
    mark = " (simulated)" if row.simulated else ""
    return [
        row.metric,
        *("" if row.dimensions.get(name) is None else str(row.dimensions[name]) for name in names),
        words(estimate, unit_of(row.metric)) + mark,
        _TARGET_WORDS[estimate.target],
        part(estimate.cited, estimate.n),
        count(estimate.n_queries),
        excluded_words(dict(estimate.excluded)),
        row.grade or "",
        row.band or "",
    ]


def _plain(value: object) -> object:
    return printable(value) if isinstance(value, str) else value


def _guarded(value: object) -> object:
    if not isinstance(value, str):
        return value
    safe = printable(value)
    return f"'{safe}" if safe.startswith(_FORMULA_STARTS) or value.startswith(_FORMULA_STARTS) else safe


def _cell(text: str) -> str:
    safe = one_line(text).replace("\\", "\\\\").replace("|", "\\|")
    return safe.replace("<", "&lt;").replace("[", "\\[").replace("`", "\\`").replace("*", "\\*")


def _markdown_line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
