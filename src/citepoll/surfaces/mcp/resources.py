"""Resources: what the numbers mean, written from the tables in the code, and each project."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError

from citepoll.errors import CitepollError
from citepoll.measure.contrasts import CONTRAST_METHODS
from citepoll.measure.found import found_page
from citepoll.measure.intervals import METHODS
from citepoll.measure.metrics import metrics_page
from citepoll.measure.verdicts import VERDICTS
from citepoll.report.glossary import Words, glossary
from citepoll.report.printable import printable
from citepoll.report.tables import markdown_line
from citepoll.surfaces.mcp.calling import Ctx, caller_of
from citepoll.surfaces.mcp.projects import described

RULES = (
    "citepoll asks AI answer engines a locked set of questions that name no brand, each several times, and counts who is "
    "cited. An engine does not answer twice in the same way, and no set of questions is the whole of what buyers ask; so a "
    "number carries an interval, for one of two targets. Say the interval and the target with every number. Failures are "
    "left out and counted by status. No data is null with its reason, never zero. Engines are not averaged in silence: a "
    "blend states its weights. Simulated answers are of the built-in local engine, and are labelled."
)


def methodology() -> str:
    """How numbers are made and what may be said of them: targets, statuses, levels, grades, methods, verdicts."""
    words = [each for each in glossary() if each.title and each.title != "Metrics"]
    tables = (
        ("Methods of an interval", METHODS),
        ("Methods of a comparison", CONTRAST_METHODS),
        ("Verdicts of a comparison", VERDICTS),
    )
    named = (f"## {title}\n\n{_table(('name', 'meaning'), texts.items())}" for title, texts in tables)
    return "\n\n".join(["# Methodology", RULES, *map(_section, words), *named]) + "\n"


def metrics() -> str:
    """Every metric: formula, unit, dimensions, interval, what stands there without data."""
    return f"{metrics_page()}\n{found_page()}"


def words() -> str:
    """Every word that numbers and tools use."""
    return "\n\n".join(["# Glossary", *map(_section, glossary())]) + "\n"


def project_shown(project: str, ctx: Ctx) -> str:
    """One project as describe_project answers it, as JSON."""
    caller = caller_of(ctx)
    room = caller.find(project)
    if room is None:
        raise ResourceNotFoundError(f"There is no project {project[:60]!r} here.")
    try:
        return described(room, caller.at()).model_dump_json()
    except CitepollError as wrong:
        raise ResourceError(printable(wrong.cause)) from wrong


PAGES = {
    "citepoll://methodology": methodology,
    "citepoll://metrics": metrics,
    "citepoll://glossary": words,
}
PROJECT = "citepoll://projects/{project}"


def _section(found: Words) -> str:
    heading = [f"## {found.title}"] if found.title else []
    lead = [found.lead] if found.lead else []
    return "\n\n".join([*heading, *lead, _table(found.columns, found.rows)])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [list(head), ["---"] * len(head), *map(list, rows)]
    return "\n".join(markdown_line([cell.replace("|", "\\|") for cell in line]) for line in lines)
