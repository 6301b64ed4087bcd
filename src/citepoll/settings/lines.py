"""Where in citepoll.toml a mistake stands."""

from __future__ import annotations

import re

from citepoll.errors import ProjectError
from citepoll.settings.tables import FILE, known_at


def located(message: str, text: str) -> ProjectError:
    """The error that a message of msgspec on `text` is told as, with its line."""
    cause, _, where = message.partition(" - at `$")
    steps: list[str | int] = []
    for name, at in re.findall(r"\.([A-Za-z_]+)|\[(\d+|\.\.\.)\]", where.rstrip("`")):
        steps.append(name or (int(at) if at.isdigit() else 0))
    unknown = re.search(r"unknown field `(\w+)`", cause)
    missing = re.search(r"missing required field `(\w+)`", cause)
    if unknown:
        steps.append(unknown[1])
        cause, fix = f"`{unknown[1]}` is not a setting here.", f"Known here: {', '.join(known_at(steps[:-1]))}."
    elif missing:
        cause, fix = f"`{missing[1]}` is missing.", f"Add a line `{missing[1]} = …`."
    else:
        path = ".".join(str(s) for s in steps if isinstance(s, str))
        cause, fix = (
            f"{path}: {cause[:1].lower()}{cause[1:]}.",
            "Mend the value; docs/project-file.md shows every setting.",
        )
    return ProjectError(f"{FILE}, line {line_of(text, steps)}: {cause}", fix)


def line_of(text: str, steps: list[str | int]) -> int:
    """The line (from 1) of the setting that `steps` leads to, or of the closest table that holds it."""
    table = ".".join(str(s) for s in steps[:2])
    if len(steps) > 1 and re.search(rf"^\s*\[+\s*{re.escape(table)}\s*\]", text, re.MULTILINE):
        steps = [table, *steps[2:]]
    table = str(steps[0]) if steps else ""
    index = next((s for s in steps if isinstance(s, int)), 0)
    keys = [s for s in steps[1:] if isinstance(s, str)]
    lines = text.splitlines() or [""]
    header = re.compile(rf"\s*\[+\s*{re.escape(table)}\s*(?:\.[^\]]*)?\]+")
    starts = [at for at, line in enumerate(lines, 1) if header.match(line)]
    if not starts:
        alone = re.compile(rf"\s*{re.escape(table)}\s*=")
        return next((at for at, line in enumerate(lines, 1) if alone.match(line)), 1)
    start = starts[min(index, len(starts) - 1)] if lines[starts[0] - 1].lstrip().startswith("[[") else starts[0]
    for at in range(start, len(lines)):
        if lines[at].lstrip().startswith("["):
            break
        if keys and re.match(rf"\s*{re.escape(keys[0])}\s*=", lines[at]):
            return at + 1
    return start
