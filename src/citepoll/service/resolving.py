"""Redirects that hide the cited page: found in the recorded answers of a cycle, followed, and kept beside them."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from citepoll.engines import REGISTRY, load
from citepoll.fetch.guard import Guard
from citepoll.fetch.redirects import Follower, Led
from citepoll.model import CITED_LEVELS, Engine
from citepoll.project import Project
from citepoll.service.deriving import derive, parse
from citepoll.store import redirects
from citepoll.store.ledger import Cycle, Ledger, stamp
from citepoll.store.redirects import Redirect

SECONDS: Final = 300.0
"""After which the end of a poll waits no longer; `citepoll cycles resolve` goes on."""
STEP: Final = 100
"""Redirects that are kept together: a kill loses no more."""
LONGEST: Final = 4096


@dataclass(frozen=True, slots=True)
class Resolved:
    """The redirects that a cycle's answers cite, each counted once: `cited` in all, `resolved`, `failed` (with
    `reasons`), and `left` that were not tried. `again` of the last two may come with another try."""

    cycle: str
    cited: int = 0
    resolved: int = 0
    failed: int = 0
    left: int = 0
    again: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)


def resolve(
    ledger: Ledger, cycle: Cycle, at: datetime, *, guard: Guard | None = None, seconds: float = SECONDS,
    stop: Callable[[], bool] = lambda: False, begin: Callable[[], None] = lambda: None,
) -> Resolved:  # fmt: skip
    """Follow what is not resolved yet, for at most so many seconds. What fails is counted, and breaks nothing.

    `begin` is called where there is something to follow.

    A cycle whose engines hide no page is done at once, without a look at its answers. Raises `LedgerError` only.
    """
    hiding = {e.name: found for e in ledger.engines(cycle) if (found := _hides(cycle, e))}
    if not hiding:
        return Resolved(cycle.name)
    redirects.enter(ledger, cycle, _cited(ledger, cycle, hiding), at)
    todo = [r.raw for r in redirects.redirects_of(ledger, cycle) if r.again]
    prefixes = tuple(dict.fromkeys(prefix for found in hiding.values() for prefix in found))
    if todo and not stop():
        begin()
        asyncio.run(_followed(ledger, cycle, at, guard or Guard(), prefixes, todo, seconds, stop))
        redirects.conclude(ledger, cycle, at)
    return _counted(cycle, redirects.redirects_of(ledger, cycle))


def resolve_cycle(project: Project, ledger: Ledger, name: str, at: datetime, *, guard: Guard | None = None) -> Resolved:
    """As `resolve`, without haste, for a cycle by its name; then its tables are derived anew, unless it is open."""
    cycle = ledger.cycle(name)
    found = resolve(ledger, cycle, at, guard=guard, seconds=12 * SECONDS)
    if cycle.status != "open":
        derive(project, ledger, cycle, at)
    return found


def _hides(cycle: Cycle, engine: Engine) -> tuple[str, ...]:
    """How the addresses begin that hide pages; recorded answers may be of any engine."""
    ids = REGISTRY if cycle.kind == "recorded" else (engine.id,)
    return tuple(dict.fromkeys(prefix for known in ids for prefix in load(known).FACTS.redirects))


def _cited(ledger: Ledger, cycle: Cycle, hiding: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    after = 0
    while page := ledger.kept(cycle, after=after):
        after = page[-1].run_id
        for kept in page:
            if prefixes := hiding.get(kept.engine):
                for citation in parse(cycle, kept).citations:
                    url = citation.url
                    if citation.level in CITED_LEVELS and url.startswith(prefixes) and _askable(url):
                        yield url


def _askable(url: str) -> bool:
    return len(url) <= LONGEST and url.isascii() and url.isprintable()


async def _followed(
    ledger: Ledger, cycle: Cycle, at: datetime, guard: Guard, prefixes: Sequence[str], todo: Sequence[str],
    seconds: float, stop: Callable[[], bool],
) -> None:  # fmt: skip
    follower, end = Follower(guard, prefixes), time.monotonic() + seconds
    for begin in range(0, len(todo), STEP):
        found: list[Led] = []
        left = end - time.monotonic()
        await follower.follow_all(todo[begin : begin + STEP], found.append, seconds=max(left, 0.0), stop=stop)
        redirects.settle(ledger, cycle, [Redirect(led.raw, led.url, led.reason, led.again, stamp(at)) for led in found])
        if len(found) < min(STEP, len(todo) - begin):
            return


def _counted(cycle: Cycle, found: Sequence[Redirect]) -> Resolved:
    reasons = Counter(r.reason for r in found if r.url is None and r.reason is not None)
    resolved = sum(r.url is not None for r in found)
    failed = sum(reasons.values())
    again = sum(r.again for r in found)
    return Resolved(cycle.name, len(found), resolved, failed, len(found) - resolved - failed, again, dict(reasons))
