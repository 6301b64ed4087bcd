"""Any flat table as CSV or Markdown, safe to open: text that a spreadsheet would run gets an apostrophe."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from citepoll.report.tables import guarded, markdown_cell, markdown_line


def csv_text(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The rows under their head, with line feeds; None is an empty cell, numbers stay as they are."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(guarded(name) for name in head)
    writer.writerows([guarded(cell) for cell in row] for row in rows)
    return out.getvalue()


def markdown_text(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The rows as a Markdown table; fractions with two decimals."""
    lines = [markdown_line(list(head)), markdown_line(["---"] * len(head))]
    return "\n".join([*lines, *(markdown_line([_text(cell) for cell in row]) for row in rows)]) + "\n"


def _text(cell: object) -> str:
    if cell is None:
        return ""
    return f"{cell:.2f}" if isinstance(cell, float) else markdown_cell(str(cell))
