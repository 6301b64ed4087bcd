"""Query sets: the file that people edit, its lint, and the versions that are locked in the ledger."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from citepoll.errors import InputError, QuerySetError
from citepoll.model import Query, QuerySet
from citepoll.project import Project
from citepoll.queryset import formats, intent, starter
from citepoll.queryset.finding import Finding
from citepoll.queryset.formats import Reading
from citepoll.queryset.lint import lint, plan_warnings
from citepoll.queryset.lock import Diff, diff
from citepoll.service.measuring import brands_named
from citepoll.store.ledger import Ledger, Version


@dataclass(frozen=True, slots=True)
class Labelled:
    """A query with the intent it has or is given, and the rule behind a given one (None: it is the file's own)."""

    query: Query
    rule: str | None
    brands: tuple[str, ...]


def read_file(project: Project, path: Path | None = None) -> Reading:
    """The queries of a file (default: the project's). Raises `QuerySetError` where there is none, `InputError` with its line."""
    path = path or project.query_file
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        fix = "Write one, or start with `citepoll queries starter`; docs/query-sets.md says how."
        raise QuerySetError(f"There is no query file {path}.", fix) from None
    except OSError as wrong:
        raise InputError(f"{path} cannot be read: {wrong.strerror}.", "Check the path and your access.") from None
    return formats.read(data, formats.format_of(path.name), language=project.language, market=project.market)


def with_intents(queries: tuple[Query, ...]) -> tuple[Query, ...]:
    """The queries, each with its own intent or the one that the rules suggest."""
    return tuple(q if q.intent else replace(q, intent=intent.suggest(q.text, q.language)[0]) for q in queries)


def labelled(project: Project, queries: tuple[Query, ...]) -> tuple[Labelled, ...]:
    """What a person needs to judge each query: intent, why, and the brands that it names."""
    named = brands_named(project.brands)
    found = []
    for query in queries:
        suggested, rule = intent.suggest(query.text, query.language)
        own = query.intent is not None
        found.append(
            Labelled(query if own else replace(query, intent=suggested), None if own else rule, named(query.text))
        )
    return tuple(found)


def check(project: Project, ledger: Ledger, queries: tuple[Query, ...]) -> tuple[Finding, ...]:
    """All findings on a set and on the project's plan for it."""
    ours = QuerySet(with_intents(queries))
    asked = [cycle.set_hash for cycle in ledger.cycles() if cycle.set_hash]
    plan = plan_warnings(project.engines, ours.hash, asked[-1] if asked else None)
    return (*lint(ours.queries, brands_named(project.brands)), *plan)


def lock_file(project: Project, ledger: Ledger, at: datetime) -> tuple[Version, Diff | None]:
    """Freeze the project's query file, intents filled in; returns the version and what differs from the one before.

    The same content again is the same version. Raises `QuerySetError` for an empty file.
    """
    queries = QuerySet(with_intents(read_file(project).queries))
    if not queries.queries:
        raise QuerySetError("An empty query set cannot be locked.", f"Add queries to {project.query_file.name}.")
    before = ledger.current()
    if before is not None and before.hash == queries.hash:
        return before, None
    version = ledger.lock(queries, project.query_file.name, at)
    return version, diff(before.queries, queries) if before else None


def unlocked_edits(project: Project, ledger: Ledger) -> str:
    """How the query file differs from the locked set, in a few words; empty where it does not, or where one is missing."""
    current = ledger.current()
    if current is None or not project.query_file.exists():
        return ""
    queries = QuerySet(with_intents(read_file(project).queries))
    if queries.hash == current.hash:
        return ""
    found = diff(current.queries, queries)
    counts = {
        "added": found.added,
        "removed": found.removed,
        "reworded": found.reworded,
        "relabelled": found.relabelled,
    }
    return ", ".join(f"{len(items)} {word}" for word, items in counts.items() if items)


def numbered(ledger: Ledger, number: int | None) -> Version:
    """The locked version of that number (default: the newest). Raises `QuerySetError` naming those that exist."""
    versions = ledger.versions()
    found = [v for v in versions if number in (None, v.number)]
    if not found:
        known = ", ".join(str(v.number) for v in versions) or "none yet: run `citepoll queries lock`"
        raise QuerySetError(
            f"There is no locked version {number or ''}.".replace(" .", "."), f"Versions here: {known}."
        )
    return found[-1]


def start(project: Project, category: str | None, audience: str | None, count: int) -> tuple[Query, ...]:
    """A starter set for the category (default: the project's). Raises `QuerySetError` where none is known."""
    category = category or project.category
    if not category:
        raise QuerySetError(
            "No category is given.", "Say it with --category 'running shoes', or under [brand] in citepoll.toml."
        )
    return starter.starter(category, audience=audience, language=project.language, market=project.market, n=count)


def write_new(path: Path, queries: tuple[Query, ...]) -> None:
    """Write a query file that is not there yet. Raises `InputError` rather than overwrite."""
    try:
        with path.open("x", encoding="utf-8") as out:
            out.write(formats.write(queries, formats.format_of(path.name)))
    except FileExistsError:
        raise InputError(f"{path} exists already.", "Name another file with --output, or move it away.") from None
    except OSError as wrong:
        raise InputError(f"{path} cannot be written: {wrong.strerror}.", "Choose another place.") from None


def add_to_file(project: Project, more: Reading) -> int:
    """Append the queries that the project's file does not hold yet; returns how many. The file is made if absent."""
    path = project.query_file
    held = read_file(project).queries if path.exists() else ()
    known = {q.id for q in held}
    new = tuple(q for q in more.queries if q.id not in known)
    if new:
        draft = path.with_name(f".{path.name}.new")
        try:
            draft.write_text(formats.write((*held, *new), formats.format_of(path.name)), "utf-8")
            draft.replace(path)
        except OSError as wrong:
            raise InputError(
                f"{path} cannot be written: {wrong.strerror}.", "Check your access to the folder."
            ) from None
        finally:
            with suppress(OSError):
                draft.unlink()
    return len(new)
