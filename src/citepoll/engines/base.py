"""The engine seam: an engine is facts and two pure functions. No client, no clock, no environment here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from citepoll.hashing import content_hash
from citepoll.model import Answer, Query, Surface

Verified = Literal["recording", "documentation", "built-in"]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an engine before it is asked. What a surface cannot return is declared, so absent is not zero.

    `returns_spans`: it says which passage carries which citation; `returns_sources`: it names pages that it retrieved
    and did not cite; `returns_queries`: it names the searches it made. `key_variable` is the environment variable of
    its key, None where it needs none. `price_note` carries its date. `verified` says what the parser was tested on.
    `settings` explains the names that `Engine.settings` may hold, beside those that every engine gets.
    """

    id: str
    name: str
    surface: Surface
    returns_spans: bool
    returns_sources: bool
    returns_queries: bool
    docs: str
    verified: Verified
    key_variable: str | None = None
    default_model: str | None = None
    price_note: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One call to an engine. `headers` never hold a key's value; `json` is the body, or None."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    json: object = None


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What came back, byte for byte. Latency in seconds."""

    status_code: int
    headers: Mapping[str, str]
    body: bytes
    latency: float | None = None


class EngineModule(Protocol):
    """What a module must hold to be an engine.

    `request` takes the engine's settings with, added by the sampler, `model`, `country`, `language` and `seed`
    (`draw_seed`). `parse` never raises for a body that the vendor may send: what it cannot read is a failed answer.
    """

    FACTS: Facts

    def request(self, query: Query, settings: Mapping[str, object]) -> HttpRequest: ...

    def parse(self, status_code: int, headers: Mapping[str, str], body: bytes) -> Answer: ...


def draw_seed(project_seed: str, cycle: str, query_id: str, run: int, engine: str) -> str:
    """The seed of one run's draw, `sha256:…`: a repeat of a cycle repeats it, a new cycle does not."""
    return content_hash([project_seed, cycle, query_id, run, engine])
