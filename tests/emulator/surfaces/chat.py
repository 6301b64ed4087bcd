"""The chat completions: OpenAI's search models, and any compatible server."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from tests.emulator import checks
from tests.emulator.checks import country, list_of, object_of, one_of, whole, word
from tests.emulator.dialects import OPENAI
from tests.emulator.prices import Price
from tests.emulator.surfaces.base import Surface, usage_of
from tests.emulator.surfaces.responses import MADE_AT, linked
from tests.emulator.wire import Asked, Call, Made, Refused, Usage
from tests.emulator.writing import Written

_MESSAGE = object_of({"role": one_of("user", "system", "assistant"), "content": word})


class Chat(Surface):
    """What both share."""

    path = re.compile(r"/v1/chat/completions")
    dialect = OPENAI
    forms = frozenset({"refused", "blocked", "empty", "truncated_text", "uncited"})

    def key(self, call: Call) -> str:
        return checks.bearer(call)

    def check(self, call: Call) -> Asked:
        body = checks.document(call)
        self.check_body(body)
        self.refuse_model(body["model"])
        return Asked(body["messages"][-1]["content"], body["model"], options=body)

    def check_body(self, body: Any) -> None:
        raise NotImplementedError

    def message(self, written: Written) -> dict[str, object]:
        raise NotImplementedError

    def usage(self, asked: Asked, written: Written) -> Usage:
        raise NotImplementedError

    def make(self, asked: Asked, written: Written, form: str, identity: str, price: Price) -> Made:
        del price
        usage = self.usage(asked, written)
        message = {"role": "assistant", "refusal": None, **self.message(written)}
        if form in ("empty", "blocked", "refused"):
            words = "I can't help with that." if form == "refused" else None
            message = {"role": "assistant", "content": None, "refusal": words, "annotations": []}
        reason = {"blocked": "content_filter", "truncated_text": "length"}.get(form, "stop")
        document = {
            "id": f"chatcmpl-{identity}",
            "object": "chat.completion",
            "created": MADE_AT,
            "model": asked.model,
            "choices": [{"index": 0, "message": message, "finish_reason": reason}],
            "usage": _usage(usage),
        }
        return Made(document, usage)


def _usage(usage: Usage) -> dict[str, int]:
    total = usage.input + usage.output
    return {"prompt_tokens": usage.input, "completion_tokens": usage.output, "total_tokens": total}


class ChatSearch(Chat):
    id = "openai:chat-search"
    hosts = ("api.openai.com",)

    _place = object_of(
        {"type": one_of("approximate")},
        {"approximate": object_of({}, {"country": country, "city": word, "region": word, "timezone": word})},
    )
    _body = staticmethod(
        object_of(
            {
                "model": word,
                "messages": list_of(_MESSAGE),
                "web_search_options": object_of(
                    {}, {"user_location": _place, "search_context_size": one_of("low", "medium", "high")}
                ),
            },
            {"max_completion_tokens": whole(16, 1_000_000), "store": checks.flag},
        )
    )

    def check_body(self, body: Any) -> None:
        self._body(body, "")
        if "search" not in body["model"] and not body["model"].startswith("no-such"):
            words = "Web search options not supported with this model."
            raise Refused("bad_request", field="web_search_options", words=words)

    def usage(self, asked: Asked, written: Written) -> Usage:
        """The search is paid by the call: the body says nothing of it."""
        return replace(usage_of(asked, written), searches=0, calls=1)

    def message(self, written: Written) -> dict[str, object]:
        text, notes = linked(written)
        return {"content": text, "annotations": [_nested(note) for note in notes]}


def _nested(note: dict[str, object]) -> dict[str, object]:
    inner = {name: value for name, value in note.items() if name != "type"}
    return {"type": "url_citation", "url_citation": inner}


class Compatible(Chat):
    """A server without a search: links in the text alone. It takes calls of any host but the vendors', key or none."""

    id = "openai-compatible"
    hosts = ()
    path = re.compile(r"/.*chat/completions")
    key_needed = False
    _body = staticmethod(
        object_of(
            {"model": word, "messages": list_of(_MESSAGE)},
            {"max_tokens": whole(16, 1_000_000), "stream": one_of(False)},
        )
    )

    def takes(self, call: Call) -> bool:
        return bool(self.path.fullmatch(call.path))

    def check_body(self, body: Any) -> None:
        self._body(body, "")

    def usage(self, asked: Asked, written: Written) -> Usage:
        return usage_of(asked, written, 0)

    def message(self, written: Written) -> dict[str, object]:
        said = [
            f"{claim.text} {' '.join(f'[{page.title}]({page.url})' for page in claim.pages)}".rstrip()
            for claim in written.claims
        ]
        return {"content": "\n\n".join([written.opening, *said])}
