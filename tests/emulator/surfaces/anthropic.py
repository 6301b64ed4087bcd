"""The Messages surfaces with web search: Anthropic's Claude, and DeepSeek's compatible one."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.emulator import checks
from tests.emulator.checks import any_of, anything, country, list_of, object_of, one_of, whole, word
from tests.emulator.dialects import ANTHROPIC, DEEPSEEK
from tests.emulator.prices import Price
from tests.emulator.surfaces.base import Surface, usage_of
from tests.emulator.wire import Asked, Call, Made, Refused, Usage
from tests.emulator.writing import Page, Written, identity

VERSION = "2023-06-01"
_PLACE = object_of(
    {"type": one_of("approximate")}, {"country": country, "city": word, "region": word, "timezone": word}
)
_TURN = object_of({"role": one_of("user", "assistant"), "content": any_of(word, list_of(anything))})
_CHOICE = object_of({"type": one_of("auto", "any", "tool")}, {"name": one_of("web_search")})
_TOOL = {"type": one_of("web_search_20250305"), "name": one_of("web_search")}


class Claude(Surface):
    id = "anthropic:messages"
    hosts = ("api.anthropic.com",)
    path = re.compile(r"/v1/messages")
    dialect = ANTHROPIC
    forms = frozenset({"paused", "refused", "empty", "truncated_text", "uncited"})

    tool = staticmethod(object_of(_TOOL, {"max_uses": whole(1, 50), "user_location": _PLACE}))

    def key(self, call: Call) -> str:
        return call.headers.get("x-api-key", "").strip()

    def check(self, call: Call) -> Asked:
        self.check_version(call)
        body = checks.document(call)
        object_of(
            {"model": word, "max_tokens": whole(1, 200_000), "messages": list_of(_TURN), "tools": list_of(self.tool)},
            {"tool_choice": _CHOICE, "container": word, "temperature": checks.anything, "system": word},
        )(body, "")
        checks.tool(body["tools"], "web_search_20250305")
        self.refuse_model(body["model"])
        first, last = body["messages"][0], body["messages"][-1]
        if first["role"] != "user" or not isinstance(first["content"], str):
            raise Refused("bad_request", "invalid", "messages[0]")
        follows = turn_token(last["content"]) if last["role"] == "assistant" else ""
        return Asked(first["content"], body["model"], follows, body)

    def check_version(self, call: Call) -> None:
        if call.headers.get("anthropic-version") != VERSION:
            raise Refused("bad_request", words="anthropic-version: header is required")

    def make(self, asked: Asked, written: Written, form: str, identity: str, price: Price) -> Made:
        del price
        if form == "refused":
            return Made(self._document(asked, identity, [], "refusal", Usage(10, 1)), Usage(10, 1))
        head = [_said("I will look that up."), *_search(0, written.queries[0], written.found[::2])]
        tail = [*_search(1, written.queries[1], written.found[1::2])[1:], *_claims(written)]
        call = _search(1, written.queries[1], ())[0]
        usage = usage_of(asked, written)
        if form == "paused":
            return self._paused(asked, identity, [*head, call], tail, usage)
        reason = "max_tokens" if form == "truncated_text" else "end_turn"
        blocks = [] if form == "empty" else [*head, call, *tail]
        return Made(self._document(asked, identity, blocks, reason, usage), usage)

    def _paused(self, asked: Asked, name: str, first: list[Any], second: list[Any], usage: Usage) -> Made:
        before = Usage(usage.input // 2, 20, 1)
        after = Usage(usage.input, usage.output, usage.searches - 1)
        container = {"container": {"id": f"container_{name}", "expires_at": "2099-01-01T00:00:00Z"}}
        paused = {**self._document(asked, name, first, "pause_turn", before), **container}
        then = Made(self._document(asked, identity(name, 2), second, "end_turn", after), after)
        return Made(paused, before, turn_token(first), then)

    def _document(self, asked: Asked, name: str, blocks: list[Any], reason: str, usage: Usage) -> dict[str, object]:
        return {
            "id": f"msg_{name}",
            "type": "message",
            "role": "assistant",
            "model": asked.model,
            "content": blocks,
            "stop_reason": reason,
            "stop_sequence": None,
            "usage": {
                "input_tokens": usage.input,
                "output_tokens": usage.output,
                "server_tool_use": {"web_search_requests": usage.searches},
            },
        }

    def error_in_200(self, asked: Asked) -> object:
        """A search that failed, no word beside it, and nothing charged."""
        failed = {"type": "web_search_tool_result_error", "error_code": "unavailable"}
        blocks = [
            _call(0, asked.question),
            {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_0", "content": failed},
        ]
        return {**self._document(asked, "0", blocks, "end_turn", Usage()), "usage": {}}


class DeepSeek(Claude):
    """No place is documented for it, so none is taken; the version header is ignored."""

    id = "deepseek:messages"
    hosts = ("api.deepseek.com",)
    path = re.compile(r"/anthropic/v1/messages")
    dialect = DEEPSEEK
    tool = staticmethod(object_of(_TOOL, {"max_uses": whole(1, 50)}))

    def check_version(self, call: Call) -> None:
        del call


def turn_token(content: Any) -> str:
    """A turn that was sent back is known by its content, which has to come back unchanged."""
    return identity(json.dumps(content, sort_keys=True))


def _said(words: str, pages: tuple[Page, ...] = ()) -> dict[str, object]:
    places = [
        {
            "type": "web_search_result_location",
            "url": page.url,
            "title": page.title,
            "cited_text": page.snippet,
            "encrypted_index": "Eo8B",
        }
        for page in pages
    ]
    return {"type": "text", "text": words, **({"citations": places} if places else {})}


def _claims(written: Written) -> list[dict[str, object]]:
    """The opening, then each claim as a block of its own with a space between, as Claude cuts its text."""
    blocks = [_said(written.opening)]
    for claim in written.claims:
        blocks += [_said(" "), _said(claim.text, claim.pages)]
    return blocks


def _call(at: int, query: str) -> dict[str, object]:
    return {"type": "server_tool_use", "id": f"srvtoolu_{at}", "name": "web_search", "input": {"query": query}}


def _search(at: int, query: str, pages: tuple[Page, ...]) -> list[dict[str, object]]:
    results = [
        {"type": "web_search_result", "url": p.url, "title": p.title, "encrypted_content": "Eqgf", "page_age": None}
        for p in pages
    ]
    found: dict[str, object] = {"type": "web_search_tool_result", "tool_use_id": f"srvtoolu_{at}", "content": results}
    return [_call(at, query), found]
