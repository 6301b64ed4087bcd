"""The answers behind the numbers, and the doors that lead to them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from citepoll.model import ResolvedCitation
from citepoll.report.data import Evidence, ReportData
from citepoll.report.excerpt import Segment, segments
from citepoll.report.pairs import is_blended
from citepoll.report.printable import anchor, one_line, web_link

TEXT_LIMIT = 1500
URL_LIMIT = 30
LIST_LIMIT = 200


@dataclass(frozen=True, slots=True)
class CitationLine:
    """One row of an answer's table: URL → canonical → domain → owner → why."""

    position: int
    level: str
    raw: str
    link: str | None
    canonical: str
    domain: str
    owner: str
    why: str
    title: str


@dataclass(frozen=True, slots=True)
class AnswerView:
    id: str
    key: str
    engine: str
    query: str
    run: int
    status: str
    model: str
    asked: str
    brands: tuple[str, ...]
    sources: int
    text: tuple[Segment, ...]
    lines: tuple[CitationLine, ...]
    lines_left_out: int


@dataclass(frozen=True, slots=True)
class QueryAnswers:
    """The answers of one query on one engine; `id` is the door of the heat map's cell."""

    id: str
    query: str
    answers: tuple[AnswerView, ...]


@dataclass(frozen=True, slots=True)
class EngineAnswers:
    id: str
    engine: str
    queries: tuple[QueryAnswers, ...]
    count: int


@dataclass(frozen=True, slots=True)
class AnswerList:
    """Answers that cite a brand or a domain, as links."""

    id: str
    title: str
    answers: tuple[AnswerView, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """Everything under "the answers", and the ids that exist."""

    engines: tuple[EngineAnswers, ...]
    brands: tuple[AnswerList, ...]
    domains: tuple[AnswerList, ...]
    shown: int
    total: int

    def ids(self) -> frozenset[str]:
        lists = [each.id for each in (*self.brands, *self.domains)]
        cells = [query.id for each in self.engines for query in each.queries]
        return frozenset([*lists, *cells, *(each.id for each in self.engines)])

    def answers(self) -> Mapping[str, AnswerView]:
        """Every answer by the key of its evidence."""
        return {one.key: one for each in self.engines for query in each.queries for one in query.answers}


Lead = Callable[[Mapping[str, str]], str | None]
"""Answers by what they share (cycle, engine, query: its id, cites: a brand, domain) → the door to them, if there is one."""


@dataclass(frozen=True, slots=True)
class Doors:
    """The doors behind numbers: ids inside a report, or paths of the desk, as `lead` has it. None where nothing is."""

    lead: Lead

    def engine(self, name: str, cycle: str | None = None) -> str | None:
        """The answers of an engine, or of all for a blend; `cycle` None: the one that the page is about."""
        return self.lead({**_unless_blended(name), **({"cycle": cycle} if cycle else {})})

    def brand(self, name: str, engine: str = "", cycle: str | None = None) -> str | None:
        return self.lead({"cites": name, **_unless_blended(engine), **({"cycle": cycle} if cycle else {})})

    def domain(self, name: str) -> str | None:
        return self.lead({"domain": name})

    def cell(self, query_id: str, engine: str) -> str | None:
        return self.lead({"query": query_id, "engine": engine})

    def query(self, query_id: str, engines: Iterable[str]) -> str | None:
        """The first engine's answers to a query."""
        return next((door for name in engines if (door := self.cell(query_id, name))), None)


def _unless_blended(engine: str) -> dict[str, str]:
    return {} if not engine or is_blended(engine) else {"engine": engine}


def doors_within(view: EvidenceView, cycle: str) -> Doors:
    """Doors to the lists of a report on a cycle; None for a list that it does not hold, so that no link leads nowhere."""
    ids = view.ids()

    def lead(to: Mapping[str, str]) -> str | None:
        if to.get("cycle", cycle) != cycle:
            return None
        if "cites" in to or "domain" in to:
            door = anchor("citing", to["cites"]) if "cites" in to else anchor("domain", to["domain"])
        elif "query" in to:
            door = anchor("cell", to["query"], to["engine"])
        elif "engine" in to:
            door = anchor("answers", to["engine"])
        else:
            return "answers" if view.shown else None
        return door if door in ids else None

    return Doors(lead)


def evidence_view(data: ReportData, labels: Mapping[str, str], domains: Collection[str]) -> EvidenceView:
    """The evidence of a report in the order of its engines and queries.

    `labels` are the engines' names for people; `domains` those that get a list, since the page shows their number.
    """
    texts = {query.id: query.text for query in data.queries}
    order = {query.id: place for place, query in enumerate(data.queries)}
    kept = sorted(data.evidence, key=lambda one: (order.get(one.query_id, len(order)), one.query_id, one.run, one.key))
    views = [(one, _answer(one, data.brand, texts, labels)) for one in kept]
    names = dict.fromkeys([note.name for note in data.engines] + [one.engine for one in kept])
    by_engine = [_engine(name, [pair for pair in views if pair[0].engine == name], labels) for name in names]
    total = data.answers_total if data.answers_total is not None else len(views)
    return EvidenceView(
        tuple(group for group in by_engine if group.count),
        tuple(_lists(views, "citing", lambda citation: citation.brand)),
        tuple(_lists(views, "domain", lambda citation: citation.domain if citation.domain in domains else None)),
        len(views),
        max(total, len(views)),
    )


def why(citation: ResolvedCitation) -> str:
    """Why a citation counts for its owner, or for nobody."""
    opened = f"opened from a redirect of {one_line(citation.unwrapped, 60)}; " if citation.unwrapped else ""
    if citation.url is None:
        return f"not counted: {one_line(citation.problem or 'no URL', 120)}"
    if citation.level == "retrieved":
        return f"{opened}retrieved, not cited: not counted"
    if citation.brand is None:
        return f"{opened}no brand of the project owns it"
    return f"{opened}{one_line(citation.rule or citation.domain or '', 80)} belongs to {one_line(citation.brand, 60)}"


def citation_line(citation: ResolvedCitation) -> CitationLine:
    """A citation as a row of an answer's table; every text is printable and cut, `link` None unless it is a web address."""
    return CitationLine(
        position=citation.position,
        level=citation.level,
        raw=one_line(citation.raw, 400),
        link=web_link(citation.url if citation.url and citation.unwrapped else citation.raw),
        canonical=one_line(citation.url or "", 400),
        domain=one_line(citation.domain or "", 120),
        owner=one_line(citation.brand or "", 60),
        why=why(citation),
        title=one_line(citation.title or "", 160),
    )


def _answer(one: Evidence, tracked: str, texts: Mapping[str, str], labels: Mapping[str, str]) -> AnswerView:
    counted = [c for c in one.citations if c.url is not None and c.level != "retrieved"]
    lines = tuple(citation_line(citation) for citation in one.citations[:URL_LIMIT])
    return AnswerView(
        id=anchor("answer", one.key),
        key=one_line(one.key, 80),
        engine=labels.get(one.engine, one.engine),
        query=one_line(texts.get(one.query_id, one.query_id), 300),
        run=one.run,
        status=one.status,
        model=one_line(one.model or "", 80),
        asked=one.asked_at.strftime("%Y-%m-%d %H:%M %Z").strip() if one.asked_at else "",
        brands=tuple(dict.fromkeys(one_line(c.brand, 60) for c in counted if c.brand)),
        sources=len(counted),
        text=segments(one.text, one.citations, one.mentions, tracked=tracked, limit=TEXT_LIMIT),
        lines=lines,
        lines_left_out=len(one.citations) - len(lines),
    )


def _engine(name: str, views: Sequence[tuple[Evidence, AnswerView]], labels: Mapping[str, str]) -> EngineAnswers:
    groups: dict[str, list[AnswerView]] = {}
    for one, view in views:
        groups.setdefault(one.query_id, []).append(view)
    queries = tuple(
        QueryAnswers(anchor("cell", query_id, name), answers[0].query, tuple(answers))
        for query_id, answers in groups.items()
    )
    return EngineAnswers(anchor("answers", name), labels.get(name, name), queries, len(views))


def _lists(
    views: Sequence[tuple[Evidence, AnswerView]], kind: str, name_of: Callable[[ResolvedCitation], str | None]
) -> list[AnswerList]:
    found: dict[str, dict[str, AnswerView]] = {}
    for one, view in views:
        for citation in one.citations:
            name = name_of(citation)
            if name and citation.url is not None and citation.level != "retrieved":
                found.setdefault(name, {})[view.id] = view
    return [
        AnswerList(
            anchor(kind, name),
            one_line(name, 120),
            tuple(answers.values())[:LIST_LIMIT],
            max(0, len(answers) - LIST_LIMIT),
        )
        for name, answers in sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    ]
