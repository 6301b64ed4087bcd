"""What passes between the server and the surfaces: calls, replies, refusals."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it arrived. `host` is the vendor's, `headers` have lower-case names, `target` is path and query."""

    method: str
    host: str
    path: str
    target: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back: a JSON document, or bytes of another kind with their `content-type` in the headers."""

    status: int
    document: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None

    @property
    def body(self) -> bytes:
        return json.dumps(self.document, ensure_ascii=False).encode() if self.raw is None else self.raw


@dataclass(frozen=True, slots=True)
class Asked:
    """A call that passed the checks.

    `follows` names an earlier reply that this call continues or fetches ("" for a first call).
    """

    question: str
    model: str = ""
    follows: str = ""
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usage:
    """What a reply uses up: tokens, searches, and searches of a plan or tasks that are paid by the call."""

    input: int = 0
    output: int = 0
    searches: int = 0
    calls: int = 0


@dataclass(frozen=True, slots=True)
class Made:
    """A reply with what it uses. `token` names what comes `then`, if anything; `fetched`: asking again is free."""

    document: object
    usage: Usage = Usage()
    token: str = ""
    then: Made | None = None
    fetched: bool = False
    seconds: float | None = None


class Refused(Exception):
    """A call that the vendor refuses. `kind` is a row of a dialect, `problem` unknown, missing or invalid, or ""."""

    def __init__(self, kind: str, problem: str = "", field: str = "", words: str = "") -> None:
        super().__init__(kind, problem, field, words)
        self.kind, self.problem, self.field, self.words = kind, problem, field, words
