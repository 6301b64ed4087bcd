"""A real poll of ten engines whose calls go to the emulator: the project, the way there, a clock that runs faster.

As a program it polls a project and writes a line for every run that is durable, so that it can be killed and compared:

    python -m tests.emulator.polling http://127.0.0.1:8080 PROJECT CYCLE [SPEED]
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar
from unittest.mock import patch

from tests.emulator.pages import guard_to
from tests.emulator.prices import PRICES
from tests.emulator.routing import reroute

from citepoll.engines import load
from citepoll.engines.base import HttpRequest, HttpResponse
from citepoll.sampling.http import HttpTransport
from citepoll.sampling.sampler import Event
from citepoll.service import polling, resolving
from citepoll.service.opened import open_project
from citepoll.service.queries import lock_file

TEN = (
    "openai:responses", "perplexity:agent", "google:ai-overview@serpapi", "google:ai-mode@dataforseo", "google:gemini",
    "anthropic:messages", "xai:grok", "deepseek:messages", "qwen:dashscope", "copilot:ui@searchapi",
)  # fmt: skip
"""ChatGPT, Perplexity, AI Overviews, AI Mode, Gemini, Claude, Grok, DeepSeek, Qwen, Copilot."""

KEY = "login:canary-7d20c4b1"
AT_ONCE = 12


def write_project(root: Path, queries: int, runs: int, more: str = "", expected: float | None = None) -> None:
    """A project of the ten with the emulator's prices, and its query set, locked.

    `expected` are the dollars that a call is estimated at, None: by the price of the tokens that are usual.
    """
    root.mkdir(parents=True, exist_ok=True)
    engines = "".join(_engine(engine, runs, expected) for engine in TEN)
    (root / "citepoll.toml").write_text(f'[brand]\nname = "Acme"\nowns = ["acme.com"]\n{engines}{more}', "utf-8")
    texts = [f'[[query]]\ntext = "Which fork 🌱 is best for job {at}"\n' for at in range(queries)]
    (root / "queries.toml").write_text("".join(texts), "utf-8")
    desk = open_project(root)
    lock_file(desk.project, desk.ledger, datetime.now(UTC))


def _engine(engine: str, runs: int, expected: float | None) -> str:
    price = PRICES[engine]
    estimate = "" if expected is None else f"expected = {expected}\n"
    return (
        f'[[engine]]\nid = "{engine}"\nruns = {runs}\n[limits."{engine}"]\nat_once = {AT_ONCE}\n'
        f'[prices."{engine}"]\ninput = {price.input}\noutput = {price.output}\n'
        f"per_search = {price.search}\nper_call = {price.call}\n{estimate}"
    )


def keys() -> Mapping[str, str]:
    """A key in every variable that the ten read."""
    return {variable: KEY for engine in TEN if (variable := load(engine).FACTS.key_variable)}


@dataclass(frozen=True, slots=True)
class FastClock:
    """A clock that goes `speed` times as fast as the machine's, its waits included."""

    speed: float
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    at: float = field(default_factory=time.monotonic)

    def now(self) -> datetime:
        return self.began + timedelta(seconds=(time.monotonic() - self.at) * self.speed)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.speed)


class _Rerouted(HttpTransport):
    url: ClassVar[str]

    async def send(self, request: HttpRequest) -> HttpResponse:
        return await super().send(reroute(request, self.url))


@contextmanager
def reaching(url: str, speed: float = 1.0) -> Iterator[None]:
    """Polls reach the emulator at `url` in place of every vendor, with a key for each, on a clock of this speed."""
    with ExitStack() as patched:
        patched.enter_context(patch.object(polling, "HttpTransport", type("_Here", (_Rerouted,), {"url": url})))
        patched.enter_context(patch.object(resolving, "Guard", lambda: guard_to(url)))
        patched.enter_context(patch.object(polling, "SystemClock", lambda: FastClock(speed)))
        patched.enter_context(patch.dict(os.environ, keys()))
        yield


def poll(root: Path, cycle: str, tell: Callable[[Event], None] = lambda event: None) -> polling.Polled:
    """Poll the cycle, or go on with it where a poll before left it."""
    desk, at = open_project(root), datetime.now(UTC)
    planned = polling.plan(desk.project, desk.ledger, name=cycle, over=None, retry=False, at=at)
    return polling.poll(desk.project, desk.ledger, planned, at=at, tell=tell)


def _say(event: Event) -> None:
    """One line for a run that is durable: engine, round, status."""
    if event.what == "recorded":
        os.write(1, f"{event.engine} {event.round} {event.status}\n".encode())


def main() -> None:
    url, root, cycle, *speed = sys.argv[1:]
    with reaching(url, float(speed[0]) if speed else 1.0):
        poll(Path(root), cycle, _say)


if __name__ == "__main__":
    main()
