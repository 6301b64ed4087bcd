"""Checking engines: one cheap call to each, as a poll would make it, and in words what is wrong. Nothing is recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from citepoll import engines
from citepoll.engines.base import EngineModule, HttpRequest, HttpResponse
from citepoll.engines.diagnosis import Diagnosis, Kind, diagnosed, keyless, unreached
from citepoll.engines.failures import Failed
from citepoll.errors import EngineError, InputError, ProjectError
from citepoll.hashing import content_hash
from citepoll.model import Answer, Engine, Query
from citepoll.project import FILE, Project, key_of, read_project
from citepoll.report.numbers import money, noun
from citepoll.report.printable import one_line
from citepoll.sampling.budget import Price, price_of
from citepoll.sampling.http import HttpTransport, Timeouts
from citepoll.sampling.transport import Unanswered
from citepoll.store.corpus import reading

QUESTION: Final = Query("Which garden fork do reviewers recommend this year?")
"""Neutral, short, and of the kind that makes an engine search."""

TIMEOUTS: Final = Timeouts(connect=10.0, first_byte=120.0, total=180.0)
_SEED: Final = content_hash(["check"])

LONGEST_WORDS: Final = 400
"""Characters of a vendor's message that are shown."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An engine to check. `found` is what is known without a call; where it is None, `request` is the call.

    `cost` is what the call is expected to cost in US dollars, None where there is no price.
    """

    engine: Engine
    found: Diagnosis | None = None
    request: HttpRequest | None = None
    price: Price | None = None
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """How a check ended. `says` and `fix` are ours, `vendor` quotes the vendor, None where it said nothing.

    Seconds and US dollars are None where no call was made, or nobody knows. `citations` and `sources` are counts of
    what the answer names.
    """

    engine: str
    id: str
    works: bool
    kind: Kind
    says: str
    fix: str = ""
    vendor: str | None = None
    http_status: int | None = None
    status: str | None = None
    model: str | None = None
    seconds: float | None = None
    cost: float | None = None
    citations: int | None = None
    sources: int | None = None
    queries: tuple[str, ...] = ()


# ---------------------------------------------------------------- which


def project_at(root: Path) -> Project | None:
    """The project in `root`; None where `root` is the folder one stands in, and holds none. Raises `ProjectError`."""
    return read_project(root) if root != Path(".") or (root / FILE).exists() else None


def candidates(project: Project | None, name: str | None) -> tuple[Candidate, ...]:
    """The engines to check: those called `name` or of that id, in the project or else by themselves.

    Without a name: every engine of the project that can be asked; without a project, every engine whose key is set.
    Raises `EngineError` where there is none.
    """
    held = [e for e in project.engines if e.surface != "recorded"] if project else []
    if name is not None:
        chosen = [e for e in held if name in (e.name, e.id)] or [_by_itself(name)]
    else:
        chosen = held if project else list(_with_key())
    if not chosen:
        raise EngineError(
            "There is no engine to check.",
            f"Add an [[engine]] to {FILE}, set the key of one (`citepoll engines` names them), or name one.",
        )
    return tuple(_candidate(project, engine) for engine in chosen)


def _by_itself(engine_id: str) -> Engine:
    facts = engines.load(engine_id).FACTS
    if facts.surface == "recorded":
        raise InputError("Recorded answers are not asked: there is nothing to check.", "Name another engine.")
    return Engine(facts.id, facts.id, facts.surface)


def _with_key() -> Iterator[Engine]:
    for engine_id in engines.known():
        try:
            module = engines.load(engine_id)
            ready = _key_set(module)
        except EngineError:
            continue  # `citepoll engines` says why it cannot be loaded
        except ProjectError:
            ready = True  # a key that no header can hold is a finding of the check
        if ready and module.FACTS.key_variable and not module.FACTS.key_optional:
            yield Engine(engine_id, engine_id, module.FACTS.surface)


def _candidate(project: Project | None, engine: Engine) -> Candidate:
    if engine.surface == "simulated":
        return Candidate(engine, _documents(project))
    try:
        module = engines.load(engine.id)
        request = _request(module, engine)
        if not _key_set(module):
            return Candidate(engine, keyless(module.FACTS))
    except EngineError as wrong:
        return Candidate(engine, Diagnosis("settings", wrong.cause.rstrip("."), wrong.fix))
    except ProjectError as wrong:
        return Candidate(engine, Diagnosis("wrong_key", wrong.cause.rstrip("."), wrong.fix))
    price = price_of(engine, engine.model or module.FACTS.default_model, project.prices if project else {})
    return Candidate(engine, None, request, price, price.of_a_call if price else None)


def _key_set(module: EngineModule) -> bool:
    variable = module.FACTS.key_variable
    return variable is None or key_of(variable) is not None or module.FACTS.key_optional


def _request(module: EngineModule, engine: Engine) -> HttpRequest:
    """The request of a poll with the settings of a check. Raises `EngineError` for settings that a poll would refuse."""
    given = {"model": engine.model, "country": engine.country, "language": engine.language, "seed": _SEED}
    module.request(QUESTION, {**engine.settings, **given})
    return module.request(QUESTION, {**engine.settings, **module.FACTS.check_settings, **given})


def _documents(project: Project | None) -> Diagnosis:
    """The local engine works where the project's corpus holds a document."""
    add = "Add some: citepoll corpus add DIR"
    if project is None:
        return Diagnosis("documents", "it answers from the documents of a project, and there is none here", add)
    try:
        with reading(project.data / "corpus.db") as corpus:
            held = corpus.state().documents if corpus else 0
    except ProjectError as wrong:
        return Diagnosis("documents", wrong.cause.rstrip("."), wrong.fix)
    if not held:
        return Diagnosis("documents", "it has no documents to answer from", add)
    return Diagnosis("works", f"works: it answers from {held} document{'s' if held > 1 else ''} on this machine")


def expected(chosen: Iterable[Candidate]) -> tuple[int, float, tuple[str, ...]]:
    """Calls to make, what they may cost together in US dollars, and the names of the engines whose price nobody knows."""
    calls = [each for each in chosen if each.request]
    return len(calls), sum(c.cost or 0.0 for c in calls), tuple(c.engine.name for c in calls if c.cost is None)


# ---------------------------------------------------------------- the calls


def check(chosen: Iterable[Candidate]) -> tuple[Checked, ...]:
    """Check all of them at the same time, one call each at most. What is wrong is a result; nothing is raised for it."""

    async def checking() -> tuple[Checked, ...]:
        return tuple(await asyncio.gather(*(_checked(candidate) for candidate in chosen)))

    return asyncio.run(checking())


async def _checked(candidate: Candidate) -> Checked:
    engine, request = candidate.engine, candidate.request
    if candidate.found or not request:
        return _result(engine, candidate.found or Diagnosis("settings", "it has nothing to send"))
    module = engines.load(engine.id)
    key = key_of(module.FACTS.key_variable) if module.FACTS.key_variable else None
    try:
        async with HttpTransport(module.FACTS.auth, key, timeouts=TIMEOUTS) as transport:
            response = await transport.send(request)
    except Unanswered as wrong:
        host = urlsplit(request.url).hostname or "the address"
        return _result(engine, unreached(host, wrong.reason), vendor=wrong.reason)
    answer = _parsed(module, response)
    return _result(
        engine,
        diagnosed(module.FACTS, engine.model or module.FACTS.default_model, response, answer),
        vendor=answer.message or (answer.reason if isinstance(answer, Failed) else None),
        response=response,
        answer=answer,
        cost=(candidate.price or Price()).paid(answer),
    )


def _parsed(module: EngineModule, response: HttpResponse) -> Answer:
    try:
        return module.parse(response.status_code, response.headers, response.body)
    except Exception as wrong:  # another distribution's parser: its fault is a finding here
        return Failed("failed", retry="no", reason=f"the parser of {module.FACTS.id} failed: {type(wrong).__name__}")


def _result(
    engine: Engine, found: Diagnosis, *, vendor: str | None = None, response: HttpResponse | None = None,
    answer: Answer | None = None, cost: float | None = None,
) -> Checked:  # fmt: skip
    return Checked(
        engine.name,
        engine.id,
        found.works,
        found.kind,
        found.says,
        found.fix,
        vendor[:LONGEST_WORDS] if vendor else None,
        response.status_code if response else None,
        answer.status if answer else None,
        answer.model if answer else None,
        response.latency if response else None,
        cost,
        len(answer.citations) if answer else None,
        len(answer.sources) if answer else None,
        answer.queries if answer else (),
    )


def measured_words(found: Checked) -> str:
    """Model, time, cost and counts of an answer; empty where none came."""
    if found.status in (None, "failed"):
        return ""
    parts = [one_line(found.model) if found.model else "", f"{found.seconds:.1f} s" if found.seconds else ""]
    parts += [money(found.cost) if found.cost is not None else "cost not known"]
    parts += [noun(found.citations or 0, "citation"), noun(found.sources or 0, "further source")]
    return ", ".join(part for part in parts if part)
