"""The engine seam: an engine is facts and two pure functions. No client, no clock, no environment here."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol
from urllib.parse import quote

from citepoll.hashing import content_hash
from citepoll.model import Answer, Query, Surface

Verified = Literal["recording", "documentation", "built-in"]


@dataclass(frozen=True, slots=True)
class Auth:
    """Where a key goes, told without the key. The transport puts it there last of all (`with_key`).

    `form` holds `{key}`, or `{base64}` for the key in Base64 (HTTP Basic: the key is then `login:password`).
    """

    where: Literal["header", "query"]
    name: str
    form: str = "{key}"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an engine before it is asked. What a surface cannot return is declared, so absent is not zero.

    `returns_spans`: it says which passage carries which citation; `returns_sources`: it names pages that it retrieved
    and did not cite; `returns_queries`: it names the searches it made. `key_variable` is the environment variable of
    its key, None where it needs none. `price_note` says what is charged for, with its date; figures stand in the price
    table alone. `verified` says what the parser was tested on.
    `settings` explains the names that `Engine.settings` may hold, beside those that every engine gets.
    `auth` says where the key goes, None where there is none; `key_optional`: it may be asked without. `takes_country`,
    `takes_language`: the surface has a field for it; elsewhere only the question's own words carry them.
    `cited` and `notes` tell a reader what counts as cited there, and what to know before comparing it.
    `replays` names bodies of other surfaces that `parse` reads and `request` never asks for.
    `check_settings` are those with which one call costs little and still searches (`citepoll engines check`).
    `idempotency_header` is the header under which the vendor knows a repeated call again, None where there is none.
    `redirects`: how the addresses begin that hide the cited page behind a redirect of the vendor.
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
    auth: Auth | None = None
    key_optional: bool = False
    takes_country: bool = False
    takes_language: bool = False
    cited: str = ""
    notes: tuple[str, ...] = ()
    idempotency_header: str | None = None
    redirects: tuple[str, ...] = ()
    replays: str = ""
    check_settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One call to an engine. `headers` never hold a key's value; `json` is the body, or None."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    json: object = None


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What came back, byte for byte but for the key, if it was echoed: then `redacted` is True. Latency in seconds."""

    status_code: int
    headers: Mapping[str, str]
    body: bytes
    latency: float | None = None
    redacted: bool = False


class EngineModule(Protocol):
    """What a module must hold to be an engine.

    `request` takes the engine's settings with, added by the sampler, `model`, `country`, `language` and `seed`
    (`draw_seed`). `parse` never raises for a body that the vendor may send: what it cannot read is a failed answer.
    """

    FACTS: Facts

    def request(self, query: Query, settings: Mapping[str, object]) -> HttpRequest: ...

    def parse(self, status_code: int, headers: Mapping[str, str], body: bytes) -> Answer: ...


def with_key(request: HttpRequest, auth: Auth, key: str) -> HttpRequest:
    """The request as it goes out, with the key in it: for the socket alone, never to be stored, logged or shown."""
    value = auth.form.format(key=key, base64=base64.b64encode(key.encode()).decode())
    if auth.where == "header":
        return replace(request, headers={**request.headers, auth.name: value})
    joint = "&" if "?" in request.url else "?"
    return replace(request, url=f"{request.url}{joint}{quote(auth.name)}={quote(value, safe='')}")


def continued(request: HttpRequest, follow_up: Mapping[str, Any]) -> HttpRequest:
    """The second call that `Answer.follow_up` asks for; `request` is the call that was answered.

    `follow_up` holds `delay` (seconds) and either a whole request (`method`, `url`, `json`: a page token, a poll) or
    `append`, field of the body that was sent → items to put at the end of its list (a paused turn). Never a key.
    A delay above 0 fetches an answer that is being made and was paid for already; a delay of 0 is a further paid call.
    A run of several calls is stored as one body, which `engines.calls` writes and reads. An idempotency key stays behind:
    under it the vendor would send the first reply again.
    """
    request = replace(request, headers={k: v for k, v in request.headers.items() if k.lower() != "idempotency-key"})
    if "url" in follow_up:
        method, body = follow_up.get("method", "GET"), follow_up.get("json")
        return replace(request, method=method, url=follow_up["url"], json=body)
    body = dict(request.json) if isinstance(request.json, dict) else {}
    for name, more in follow_up.get("append", {}).items():
        body[name] = [*body.get(name, ()), *more]
    body.update(follow_up.get("set", {}))
    return replace(request, json=body)


def draw_seed(project_seed: str, cycle: str, query_id: str, run: int, engine: str) -> str:
    """The seed of one run's draw, `sha256:…`: a repeat of a cycle repeats it, a new cycle does not."""
    return content_hash([project_seed, cycle, query_id, run, engine])
