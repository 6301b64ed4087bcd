"""Pages of third parties that answers cite where they name competitors, and not the tracked brand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from citepoll.explain.opportunities import Seen
from citepoll.model import CITED_LEVELS
from citepoll.project import Project
from citepoll.service.answers import Shown, seen
from citepoll.service.cells import Cells
from citepoll.store.ledger import Ledger

BATCH = 500

PASSAGE, ANSWER = "passage", "answer"


@dataclass(frozen=True, slots=True)
class Naming:
    """The pages, and for each whether competitors are named in the passage that cites it, or only in the same answer:
    an engine that does not say which passage carries which citation allows no more."""

    pages: tuple[Seen, ...]
    basis: dict[str, str]


def naming(project: Project, ledger: Ledger, cells: Cells) -> Naming:
    """Third-party pages in valid answers that name a competitor beside them, and neither name the brand there nor cite it.

    "There" is the passage where the answer has spans; these answers are read again from their raw bodies, since the
    derived tables do not hold passages. A page has basis `passage` where any of its answers does.
    """
    brand = project.tracked.name
    by_passage = _gathered([
        (url, shown.kept.engine, shown.kept.query_id, shown.id, rivals)
        for shown in _opened(project, ledger, cells)
        for url, rivals in _in_passages(shown, brand)
    ])  # fmt: skip
    by_answer = _gathered(_in_answers(cells, brand))
    basis = {s.url: ANSWER for s in by_answer} | {s.url: PASSAGE for s in by_passage}
    return Naming((*by_passage, *by_answer), basis)


_Row = tuple[str, str, str, int, tuple[str, ...]]
"""url, engine, query id, run id, competitors."""


def _gathered(rows: Sequence[_Row]) -> tuple[Seen, ...]:
    found: dict[tuple[str, str, str], tuple[list[int], dict[str, None]]] = {}
    for url, engine, query, run, rivals in rows:
        answers, names = found.setdefault((url, engine, query), ([], {}))
        answers.append(run)
        names.update(dict.fromkeys(rivals))
    return tuple(
        Seen(url, engine, query, tuple(sorted(set(answers))), tuple(names))
        for (url, engine, query), (answers, names) in found.items()
    )


def _without_us(cells: Cells, brand: str) -> pl.LazyFrame:
    """The answers that do not cite the brand and do name or cite somebody of the project."""
    ours = cells.built.table("hits").filter((pl.col("brand").cast(pl.String) == brand) & (pl.col("slots") > 0))
    return cells.answers.join(ours, on="run_id", how="anti")


def _opened(project: Project, ledger: Ledger, cells: Cells) -> Iterator[Shown]:
    """The answers with spans in which a competitor is named in a passage that cites somebody else's page."""
    brand = project.tracked.name
    earned = cells.built.table("hits").filter(pl.col("earned") & (pl.col("brand").cast(pl.String) != brand))
    found = _without_us(cells, brand).filter("spans").join(earned, on="run_id", how="semi")
    ids = found.select("run_id").collect()["run_id"].sort().to_list()
    for at in range(0, len(ids), BATCH):
        some = ledger.kept(cells.cycle, limit=BATCH, run_ids=ids[at : at + BATCH])
        yield from seen(project, ledger, cells.cycle, some)


def _in_passages(shown: Shown, brand: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    named: dict[int, dict[str, None]] = {}
    for mention in shown.mentions:
        if not mention.denied:
            for position in mention.citations:
                named.setdefault(position, {})[mention.brand] = None
    for citation in shown.citations:
        here = named.get(citation.position, {})
        if citation.url and citation.level in CITED_LEVELS and citation.brand is None and here and brand not in here:
            yield citation.url, tuple(here)


def _in_answers(cells: Cells, brand: str) -> list[_Row]:
    """For answers without spans: every third-party page of one that names a competitor and not the brand."""
    hits = cells.built.table("hits").filter(pl.col("mentions") > 0).with_columns(pl.col("brand").cast(pl.String))
    ours, theirs = hits.filter(pl.col("brand") == brand), hits.filter(pl.col("brand") != brand)
    pages = cells.built.table("citations").filter(pl.col("new_url") & pl.col("brand").is_null())
    found = (
        _without_us(cells, brand).filter(~pl.col("spans"))
        .join(ours, on="run_id", how="anti")
        .join(theirs.group_by("run_id").agg(pl.col("brand").sort()), on="run_id")
        .join(pages.select("run_id", pl.col("url").cast(pl.String)), on="run_id")
        .select("url", "engine", "query_id", "run_id", "brand").sort("run_id", "url")
        .collect()
    )  # fmt: skip
    return [(url, engine, query, run, tuple(names)) for url, engine, query, run, names in found.iter_rows()]
