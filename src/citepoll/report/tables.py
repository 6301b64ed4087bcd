"""A SliceResult as JSON rows, CSV and Markdown: a row per estimate, one per target, in the order of the result."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping

import msgspec

from citepoll.measure.found import FOUND
from citepoll.model import STATUSES, VALID, Row, SliceResult
from citepoll.report.numbers import count, counted, unit_of, words
from citepoll.report.pairs import column_names, dimension_names, dimension_values, with_texts
from citepoll.report.printable import one_line, printable

EXCLUDED = tuple(status for status in STATUSES if status not in VALID)
_MEASURES = (
    "value", "low", "high", "confidence", "target", "method", "cited", "n", "pooled", "n_queries", "n_effective", "of",
)  # fmt: skip
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_TARGET_WORDS = {"fixed_set": "these queries", "category": "questions like these"}


def json_rows(result: SliceResult) -> list[dict[str, object]]:
    """One mapping per estimate: metric, dimensions, estimate; fractions 0–1, None where there is no estimate."""
    names = dimension_names(result)
    cycle = {"cycle": result.cycles[0]} if len(result.cycles) == 1 and "cycle" not in names else {}
    return [_json_row(row, dimension_values(row, names, result), cycle) for row in result.rows]


def json_text(result: SliceResult) -> str:
    """`json_rows` as a JSON list, indented, with a line feed at the end."""
    return msgspec.json.format(msgspec.json.encode(json_rows(result)), indent=2).decode() + "\n"


def json_value(result: SliceResult) -> dict[str, object]:
    """All of a result, fit for JSON: `rows` as `json_rows`, and the slice as it was resolved, the cycles, the warnings of
    all rows, whether any is simulated, and `labels`: names for readers of blends, queries and ids."""
    return {
        "slice": msgspec.to_builtins(result.slice),
        "cycles": list(result.cycles),
        "simulated": result.simulated,
        "warnings": [_plain(text) for text in result.warnings],
        "labels": _plain(result.labels),
        "rows": json_rows(result),
    }


def csv_text(result: SliceResult, *, raw: bool = False) -> str:
    """The rows as CSV with a header, line feeds, an empty cell for no data and a column for each excluded status.

    Text that a spreadsheet would run as a formula gets a leading apostrophe, unless `raw`. Numbers stay as they are.
    """
    names = dimension_names(result)
    guard: Callable[[object], object] = _plain if raw else guarded
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    excluded = [f"excluded_{status}" for status in EXCLUDED]
    changes = [f"change_{name}" for name in CSV_CHANGE] if any(row.change for row in result.rows) else []
    head = ["metric", *column_names(names), *_MEASURES, *excluded, "reason", "grade", "band", "simulated", "warnings"]
    evidence = ["words", "evidence"] if is_found(result) else []
    writer.writerow([*head, *changes, *evidence])
    for row in result.rows:
        cells = (*_csv_cells(row, dimension_values(row, names, result)), *_csv_change(row), *_csv_evidence(row))
        writer.writerow([guard(cell) for cell in cells])
    return out.getvalue()


def markdown_text(result: SliceResult) -> str:
    """The rows as a Markdown table for people, with the warnings below it."""
    result = with_texts(result)
    names = dimension_names(result)
    header = ["metric", *names, "estimate", "target", "cited of answers", "queries", "excluded", "grade", "band"]
    header += ["change"] if any(row.change for row in result.rows) else []
    header += ["evidence"] if is_found(result) else []
    lines = [markdown_line(header), markdown_line(["---"] * len(header))]
    for row in result.rows:
        lines.append(markdown_line([markdown_cell(text) for text in _markdown_cells(row, names)]))
    notes = [f"- {markdown_cell(warning)}" for warning in result.warnings]
    return "\n".join([*lines, *([""] if notes else []), *notes]) + "\n"


def excluded_words(excluded: dict[str, int]) -> str:
    """`failed 4, absent 2`; empty where nothing was left out."""
    return ", ".join(f"{status} {count(number)}" for status, number in excluded.items() if number)


def is_found(result: SliceResult) -> bool:
    """True where a slice asked for found metrics, whose rows have evidence."""
    return any(metric in FOUND for metric in result.slice.metrics)


def words_behind(row: Row) -> str:
    """The evidence of a row of a found metric in one line."""
    return str((row.evidence or {}).get("words") or "")


def _json_row(row: Row, values: Mapping[str, object], cycle: Mapping[str, str]) -> dict[str, object]:
    estimate = row.estimate
    return {
        "metric": row.metric,
        **{name: _plain(value) for name, value in values.items()},
        **cycle,
        **{name: getattr(estimate, name) for name in _MEASURES},
        "excluded": dict(estimate.excluded),
        "reason": estimate.reason,
        "grade": row.grade,
        "grade_next": row.grade_next,
        "band": row.band,
        "simulated": row.simulated,
        "warnings": list(estimate.warnings),
        **({"change": _json_change(row)} if row.change is not None else {}),
        **({"evidence": _plain(row.evidence)} if row.evidence is not None else {}),
    }


CHANGED = ("value", "low", "high", "p", "p_second", "second", "method", "n_queries", "dropped", "detectable", "reason")


def _json_change(row: Row) -> dict[str, object]:
    """The change of a row: before and after are the shares of the paired queries, with their bounds."""
    change = row.change
    assert change is not None
    ends = {
        name: {key: getattr(end, key) for key in ("value", "low", "high", "cited", "n")}
        for name, end in (("before", change.before), ("after", change.after))
    }
    return {
        "verdict": row.verdict,
        **{name: getattr(change, name) for name in CHANGED},
        "adjusted_p": row.adjusted_p,
        **ends,
        "warnings": list(change.warnings),
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


CSV_CHANGE = ("value", "low", "high", "p", "adjusted_p", "before", "after", "n_queries", "verdict")


def _csv_change(row: Row) -> list[object]:
    change = row.change
    if change is None:
        return []
    return [
        change.value, change.low, change.high, change.p, row.adjusted_p, change.before.value, change.after.value,
        change.n_queries, row.verdict,
    ]  # fmt: skip


def _csv_evidence(row: Row) -> list[object]:
    """The evidence in one line for people, and all of it as JSON."""
    if row.evidence is None:
        return []
    return [words_behind(row), msgspec.json.encode(_plain(row.evidence)).decode()]


def _markdown_cells(row: Row, names: tuple[str, ...]) -> list[str]:
    estimate = row.estimate
    mark = " (simulated)" if row.simulated else ""
    return [
        row.metric,
        *("" if row.dimensions.get(name) is None else str(row.dimensions[name]) for name in names),
        words(estimate, unit_of(row.metric)) + mark,
        _TARGET_WORDS[estimate.target],
        counted(estimate),
        count(estimate.n_queries),
        excluded_words(dict(estimate.excluded)),
        row.grade or "",
        row.band or "",
        *([row.verdict or ""] if row.change is not None else []),
        *([words_behind(row)] if row.evidence is not None else []),
    ]


def _plain(value: object) -> object:
    """Text without control characters, also inside lists and mappings; everything else as it is."""
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return printable(value) if isinstance(value, str) else value


def guarded(value: object) -> object:
    """A cell of a CSV: printable, with a leading apostrophe where a spreadsheet would run it."""
    if not isinstance(value, str):
        return value
    safe = printable(value)
    return f"'{safe}" if safe.startswith(_FORMULA_STARTS) or value.startswith(_FORMULA_STARTS) else safe


def markdown_cell(text: str) -> str:
    """Untrusted text as a cell of a Markdown table."""
    safe = one_line(text).replace("\\", "\\\\").replace("|", "\\|")
    return safe.replace("<", "&lt;").replace("[", "\\[").replace("`", "\\`").replace("*", "\\*")


def markdown_line(cells: list[str]) -> str:
    """Cells as a line of a Markdown table."""
    return "| " + " | ".join(cells) + " |"
