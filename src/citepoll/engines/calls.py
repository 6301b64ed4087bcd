"""A run of several calls as one body, and the one answer that it gives.

A run that took one call keeps the vendor's body as it came. One that took more keeps an envelope: a JSON object whose only
field `citepoll_calls` lists the replies in order, each with `http_status`, the `headers` of the allow-list, and its body as
`text`, or as `base64` where it is no UTF-8. So a later parser can read every reply again.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

import msgspec

from citepoll.engines import bodies
from citepoll.engines.base import EngineModule, HttpResponse
from citepoll.engines.bodies import Page
from citepoll.model import Answer, Citation

START: Final = b'{"citepoll_calls":['


class _Call(msgspec.Struct, omit_defaults=True):
    http_status: int
    headers: dict[str, str] = {}
    text: str | None = None
    base64: str | None = None


class _Envelope(msgspec.Struct):
    citepoll_calls: list[_Call]


def together(replies: Iterable[HttpResponse]) -> bytes:
    """The body of a run: that of its only reply, else the envelope of all."""
    calls = list(replies)
    if len(calls) == 1:
        return calls[0].body
    return msgspec.json.encode(_Envelope([_packed(call) for call in calls]))


def apart(body: bytes) -> tuple[HttpResponse, ...] | None:
    """The replies in an envelope, None for a body that is none."""
    if not body.startswith(START):
        return None
    try:
        found = msgspec.json.decode(body, type=_Envelope).citepoll_calls
    except msgspec.DecodeError:
        return None
    return tuple(HttpResponse(call.http_status, call.headers, _unpacked(call)) for call in found)


def read(module: EngineModule, status_code: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """The answer of a run, whether its body is that of one call or an envelope.

    A reply that goes on where the one before paused (`append` in `follow_up`) is joined to it; any other stands in its
    place, as the result of a search does for the reply that it was queued.
    """
    replies = apart(body)
    if not replies:
        return module.parse(status_code, headers, body)
    whole: Answer | None = None
    for reply in replies:
        answer = module.parse(reply.status_code, reply.headers, reply.body)
        paused = whole is not None and "append" in (whole.follow_up or {})
        whole = joined(whole, answer) if whole is not None and paused else answer
    return whole or module.parse(status_code, headers, body)


def joined(first: Answer, second: Answer) -> Answer:
    """One answer of a turn that paused and what followed it. Status, model and follow-up are those of the second."""
    text = bodies.Text()
    text.add(first.text)
    text.add(second.text, apart=True)
    start = len(str(text)) - len(second.text)
    citations = bodies.numbered([*first.citations, *(_moved(c, start) for c in second.citations)])
    pages: list[Page] = [(s.url, s.title or "", s.level) for s in (*first.sources, *second.sources)]
    costs = [cost for cost in (first.cost, second.cost) if cost is not None]
    return replace(
        second,
        status="answered" if second.status == "empty" and first.text.strip() else second.status,
        text=str(text),
        citations=citations,
        sources=bodies.uncited(pages, citations),
        queries=bodies.texts(*first.queries, *second.queries),
        model=second.model or first.model,
        usage=_summed(first.usage, second.usage),
        message=second.message or first.message,
        spans=first.spans and second.spans,
        cost=sum(costs) if costs else None,
    )


def _moved(citation: Citation, by: int) -> Citation:
    if citation.start is None or citation.end is None:
        return citation
    return replace(citation, start=citation.start + by, end=citation.end + by)


def _summed(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers added up, objects within too; of anything else the second one's."""
    found = dict(first)
    for name, value in second.items():
        before = found.get(name)
        if isinstance(value, dict) and isinstance(before, dict):
            found[name] = _summed(before, value)
        elif _number(value) and _number(before):
            found[name] = before + value
        else:
            found[name] = value
    return found


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _packed(reply: HttpResponse) -> _Call:
    try:
        return _Call(reply.status_code, dict(reply.headers), text=reply.body.decode())
    except UnicodeDecodeError:
        return _Call(reply.status_code, dict(reply.headers), base64=base64.b64encode(reply.body).decode())


def _unpacked(call: _Call) -> bytes:
    return base64.b64decode(call.base64) if call.base64 is not None else (call.text or "").encode()
