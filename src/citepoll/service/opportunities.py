"""The list of things to do: found in a cycle, with the status that people gave them, and what came of those done."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import msgspec
import polars as pl

from citepoll.errors import InputError
from citepoll.explain.opportunities import STATUSES, Earlier, Ground, Opportunity, Seen, find
from citepoll.hashing import short
from citepoll.measure.compare import adjust, change, verdict
from citepoll.measure.found import plain
from citepoll.model import Change, Row, Slice, SliceResult
from citepoll.project import Project
from citepoll.service.cells import Cells, Counts, count, newest, read_cells
from citepoll.service.gaps import query_gaps, weights_of
from citepoll.service.measuring import measurable
from citepoll.service.naming import naming
from citepoll.store.actions import Mark, marks, set_mark
from citepoll.store.actions import take_back as undo
from citepoll.store.ledger import Cycle, Ledger, stamp

NO_CYCLE_SINCE = "no cycle was measured since it was marked done in {}"
CYCLE_GONE = "the cycle {} in which it was marked done is gone"
GONE = "this cycle no longer shows it"
NO_CYCLE_BEFORE = "losses are not looked for: they need a cycle before this one with queries in common"


@dataclass(frozen=True, slots=True)
class Effect:
    """The change of the share on an opportunity's queries on one engine since the cycle in which it was marked done.

    `p` is that of `change` after Benjamini–Hochberg over all effects in the list. The move is what happened on these
    queries, not proof that the work caused it: `citepoll experiment` has controls.
    """

    engine: str
    since: str
    until: str
    change: Change
    p: float | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Todo:
    """An opportunity with its status. `found` is None where the cycle no longer shows it; `mark` where nobody set one.

    `texts` are the questions it is about, by id."""

    id: str
    kind: str
    title: str
    status: str
    found: Opportunity | None
    mark: Mark | None
    effects: tuple[Effect, ...] = ()
    no_effect: str | None = None
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TodoList:
    """What to do after a cycle, by size × probability; then what was marked and is no longer found."""

    cycle: str
    before: str | None
    todos: tuple[Todo, ...]
    warnings: tuple[str, ...]


def list_todos(
    project: Project, ledger: Ledger, at: datetime, *, cycle: str | None = None, status: str | None = None
) -> TodoList:
    """The opportunities of a cycle (default: the newest measurable one), of one status or of all.

    Raises `InputError` for an unknown status, `SliceError` for an unknown cycle.
    """
    if status is not None:
        _check_status(status)
    here = newest(ledger, cycle)
    cells = read_cells(project, ledger, here, at)
    earlier = _before(project, ledger, here, cells, at)
    found = find(ground(project, ledger, cells, earlier)) if cells.counts else ()
    kept = marks(ledger)
    known = {one.id for one in found}
    todos = [_todo(one, kept.get(one.id)) for one in found]
    todos += [Todo(m.id, m.kind, m.title, m.status, None, m) for m in kept.values() if m.id not in known]
    asked = _texts(ledger)
    todos = [_with_texts(todo, asked) for todo in _with_effects(project, ledger, here, todos, at)]
    shown = tuple(todo for todo in todos if status in (None, todo.status))
    warnings = () if earlier else (NO_CYCLE_BEFORE,)
    return TodoList(here.name, earlier.cycle.name if earlier else None, shown, warnings)


def read_opportunities(project: Project, ledger: Ledger, slice: Slice, at: datetime) -> SliceResult:
    """The rows of `opportunity`, by size × probability; `labels` holds the title of each id."""
    found = list_todos(project, ledger, at, cycle=slice.cycles[0] if slice.cycles else None)
    return SliceResult(
        rows=tuple(_row(todo) for todo in found.todos),
        slice=replace(slice, cycles=(found.cycle,)),
        cycles=(found.cycle,),
        warnings=found.warnings,
        labels={todo.id: todo.title for todo in found.todos},
    )


def _row(todo: Todo) -> Row:
    one = todo.found
    facts = ("why", "probability", "measure", "formula", "engines", "competitors", "pages", "answers", "n_answers",
             "effort_reason")  # fmt: skip
    evidence = {
        "words": f"{todo.title}: {one.why}" if one else f"{todo.title}: {GONE}",
        "title": todo.title,
        "queries": list(todo.texts.values()),
        **{name: msgspec.to_builtins(getattr(one, name)) for name in facts if one},
        **{name: msgspec.to_builtins(getattr(todo, name)) for name in ("mark", "effects", "no_effect")},
    }
    place = {"opportunity": todo.id, "kind": todo.kind, "effort": one.effort if one else None, "status": todo.status}
    if one is None:
        return Row("opportunity", place, plain(None, reason=GONE), evidence=evidence)
    return Row("opportunity", place, plain(one.size, n=one.n_answers, n_queries=len(one.queries)), evidence=evidence)


def show_todo(project: Project, ledger: Ledger, key: str, at: datetime, *, cycle: str | None = None) -> Todo:
    """The opportunity whose id begins with `key`. Raises `InputError` where none or several do."""
    return _named(list_todos(project, ledger, at, cycle=cycle).todos, key)


def set_status(
    project: Project, ledger: Ledger, key: str, status: str, note: str, at: datetime, *, cycle: str | None = None,
    owner: str | None = None,
) -> Todo:  # fmt: skip
    """Give an opportunity a status, a note and an owner (None: as before); `take_back` undoes the last change.

    The cycle of `done` is where its effect begins: it stays when only words change. Raises `InputError` for an unknown
    id or status.
    """
    _check_status(status)
    todos = list_todos(project, ledger, at, cycle=cycle)
    todo = _named(todos.todos, key)
    one, old = todo.found, todo.mark
    subject, queries = (one.subject, one.queries) if one else (old.subject, old.queries) if old else ("", ())
    since = (todos.cycle, stamp(at))
    if old and old.status == status:
        since, queries = (old.cycle, old.at), old.queries
    who = owner if owner is not None else old.owner if old else ""
    set_mark(ledger, Mark(todo.id, todo.kind, subject, todo.title, queries, status, note, *since, who), at)
    return show_todo(project, ledger, todo.id, at, cycle=cycle)


def take_back(ledger: Ledger, id: str, at: datetime) -> Mark | None:
    """Undo the last change of an opportunity, once. Raises `InputError` where there is none to undo."""
    return undo(ledger, id, at)


def _check_status(status: str) -> None:
    if status not in STATUSES:
        raise InputError(f"{status!r} is not a status of an opportunity.", f"Say {', '.join(STATUSES)}.")


def _named(todos: Sequence[Todo], key: str) -> Todo:
    wanted = key.removeprefix("sha256:")
    found = [todo for todo in todos if wanted and todo.id.removeprefix("sha256:").startswith(wanted)]
    if len(found) == 1:
        return found[0]
    fix = "`citepoll opportunities` lists them with their ids."
    if found:
        raise InputError(f"{key!r} begins {len(found)} ids: {', '.join(short(t.id) for t in found[:5])}.", fix)
    raise InputError(f"There is no opportunity {key!r}.", fix)


def _todo(one: Opportunity, mark: Mark | None) -> Todo:
    return Todo(one.id, one.kind, one.title, mark.status if mark else "open", one, mark)


def _texts(ledger: Ledger) -> dict[str, str]:
    """The text of every question that a cycle asked, by id."""
    sets = dict.fromkeys(cycle.set_hash for cycle in ledger.cycles() if cycle.set_hash)
    return {query.id: query.text for key in sets for query in ledger.version(key).queries.queries}


def _with_texts(todo: Todo, asked: Mapping[str, str]) -> Todo:
    keys = todo.found.queries if todo.found else todo.mark.queries if todo.mark else ()
    return replace(todo, texts={key: asked[key] for key in keys if key in asked})


# ---------------------------------------------------------------- what opportunities are found in


def ground(project: Project, ledger: Ledger, cells: Cells, earlier: Cells | None) -> Ground:
    """A cycle's counts, gaps and pages, as `explain.opportunities` wants them."""
    brand = project.tracked.name
    named = naming(project, ledger, cells)
    return Ground(
        brand=brand,
        cells=cells.counts,
        gaps={gap.query.id: gap for gap in query_gaps(project, cells, weights_of(project))},
        cited=_pages(cells, _cited()),
        retrieved=_pages(cells, _ours(brand)),
        unused=_pages(cells, _ours(brand) & ~_cited(), without=brand),
        lower=_lower(cells, brand),
        naming=named.pages,
        basis=named.basis,
        before=Earlier(earlier.cycle.name, earlier.counts, _pages(earlier, _ours(brand) & _cited())) if earlier else None,
    )  # fmt: skip


def _before(project: Project, ledger: Ledger, cycle: Cycle, cells: Cells, at: datetime) -> Cells | None:
    """The newest measurable cycle before this one that has a cell in common with it."""
    for other in reversed([c for c in measurable(ledger) if c.place < cycle.place]):
        earlier = read_cells(project, ledger, other, at)
        if set(earlier.counts) & set(cells.counts):
            return earlier
    return None


def _cited() -> pl.Expr:
    return pl.col("url").is_not_null() & (pl.col("level").cast(pl.String) != "retrieved")


def _ours(brand: str) -> pl.Expr:
    return pl.col("url").is_not_null() & (pl.col("brand").cast(pl.String) == brand)


def _pages(cells: Cells, which: pl.Expr, *, without: str | None = None) -> tuple[Seen, ...]:
    """The pages of brands that fit, by engine and query; `without`: in answers that do not cite this brand."""
    answers = cells.answers
    if without is not None:
        ours = cells.built.table("hits").filter((pl.col("brand").cast(pl.String) == without) & (pl.col("slots") > 0))
        answers = answers.join(ours, on="run_id", how="anti")
    pages = cells.built.table("citations").filter(which & pl.col("brand").is_not_null())
    return _seen(answers.join(pages.select("run_id", pl.col("url", "brand").cast(pl.String)), on="run_id"))


def _lower(cells: Cells, brand: str) -> tuple[Seen, ...]:
    """Our first page in answers that cite a competitor before it, with that competitor."""
    cited = cells.built.table("citations").filter(_cited() & pl.col("brand").is_not_null())
    cited = cited.select("run_id", "position", pl.col("url", "brand").cast(pl.String))
    first = cited.sort("position").group_by("run_id", maintain_order=True).first()
    ours = cited.filter(pl.col("brand") == brand).sort("position").group_by("run_id", maintain_order=True).first()
    behind = ours.select("run_id", "url").join(
        first.filter(pl.col("brand") != brand).select("run_id", "brand"), on="run_id"
    )
    return _seen(cells.answers.join(behind, on="run_id"))


def _seen(rows: pl.LazyFrame) -> tuple[Seen, ...]:
    found = (
        rows.group_by("url", "engine", "query_id")
        .agg(pl.col("run_id").unique().sort(), pl.col("brand").unique().sort())
        .sort("url", "engine", "query_id")
        .collect()
    )
    return tuple(Seen(url, e, q, tuple(ids), tuple(brands)) for url, e, q, ids, brands in found.iter_rows())


# ---------------------------------------------------------------- what came of it


def _with_effects(project: Project, ledger: Ledger, until: Cycle, todos: Sequence[Todo], at: datetime) -> list[Todo]:
    """The list with the effects of what is done, their p values adjusted together."""
    done = {todo.id: todo.mark for todo in todos if todo.status == "done" and todo.mark}
    known = {cycle.name: cycle for cycle in measurable(ledger)}
    raw: dict[str, list[Effect]] = {}
    cache: dict[tuple[str, bool], Counts] = {}

    def counts(name: str, earned: bool) -> Counts:
        if (name, earned) not in cache:
            cells = read_cells(project, ledger, known[name], at)
            cache[name, earned] = count(cells.answers, cells.built, earned=True) if earned else cells.counts
        return cache[name, earned]

    for key, mark in done.items():
        if mark.cycle in known and known[mark.cycle].place < until.place:
            earned = mark.kind == "earn-inclusion"
            pair = counts(mark.cycle, earned), counts(until.name, earned)
            raw[key] = list(_effects(mark, until.name, project.tracked.name, *pair))
    adjusted = _adjusted(raw)
    return [_with_effect(todo, adjusted.get(todo.id), known) for todo in todos]


def _with_effect(todo: Todo, effects: tuple[Effect, ...] | None, known: Collection[str]) -> Todo:
    if todo.status != "done" or todo.mark is None:
        return todo
    if not effects:
        why = NO_CYCLE_SINCE if todo.mark.cycle in known else CYCLE_GONE
        return replace(todo, no_effect=why.format(todo.mark.cycle))
    return replace(todo, effects=effects)


def _effects(mark: Mark, until: str, brand: str, before: Counts, after: Counts) -> Iterable[Effect]:
    for engine in dict.fromkeys(engine for engine, _ in before if any(engine == other for other, _ in after)):
        arms = [_arm(counts, engine, mark.queries, brand) for counts in (before, after)]
        found = change(*arms[0], *arms[1], target="fixed_set")
        yield Effect(engine, mark.cycle, until, found, found.p, "")


def _arm(counts: Counts, engine: str, queries: Sequence[str], brand: str) -> tuple[list[int], list[int]]:
    cells = [counts.get((engine, key), (0, {})) for key in queries]
    return [brands.get(brand, 0) for _, brands in cells], [n for n, _ in cells]


def _adjusted(raw: Mapping[str, Sequence[Effect]]) -> dict[str, tuple[Effect, ...]]:
    every = [(key, effect) for key, effects in raw.items() for effect in effects]
    found: dict[str, list[Effect]] = {}
    for (key, effect), p in zip(every, adjust([effect.p for _, effect in every]), strict=True):
        said = verdict(effect.change, p, len(every))
        found.setdefault(key, []).append(replace(effect, p=p, sentence=said))
    return {key: tuple(effects) for key, effects in found.items()}
