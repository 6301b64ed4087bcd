"""The Responses surfaces: OpenAI, Perplexity's Agent API, xAI's Grok."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.emulator import checks
from tests.emulator.checks import country, list_of, object_of, one_of, whole, word
from tests.emulator.dialects import OPENAI, PERPLEXITY, XAI
from tests.emulator.prices import TICKS, Price
from tests.emulator.surfaces.base import Surface, common_usage, usage_of
from tests.emulator.wire import Asked, Call, Made, Refused, Usage
from tests.emulator.writing import Written

MADE_AT = 1_795_600_000
SILENT = ("empty", "refused", "blocked")
"""Forms whose body shows no search: a vendor that charges for searches charges none that it does not show."""

_SIZES = one_of("low", "medium", "high")
_PLACE = {"country": country, "city": word, "region": word, "timezone": word}
_APPROXIMATE = object_of({"type": one_of("approximate")}, _PLACE)


class Responses(Surface):
    """What the three share: the path, retrieval by id, the envelope of a response."""

    path = re.compile(r"/v1/responses(?:/(?P<id>resp_[0-9a-f]+))?")
    methods = ("POST", "GET")
    forms = frozenset({"queued", "uncited", "empty", "truncated_text"})

    def key(self, call: Call) -> str:
        return checks.bearer(call)

    def check(self, call: Call) -> Asked:
        named = self.path.fullmatch(call.path)
        follows = (named["id"] if named else "") or ""
        if follows and call.method == "GET":
            return Asked(follows, follows=follows)
        if follows or call.method == "GET":
            raise Refused("bad_method")
        body = checks.document(call)
        self.check_body(body)
        self.refuse_model(body["model"])
        return Asked(question_of(body["input"]), body["model"], options=body)

    def check_body(self, body: Any) -> None:
        raise NotImplementedError

    def output(self, asked: Asked, written: Written) -> list[dict[str, object]]:
        raise NotImplementedError

    def usage(self, usage: Usage, price: Price) -> dict[str, object]:
        del price
        return dict(common_usage(usage))

    def make(self, asked: Asked, written: Written, form: str, identity: str, price: Price) -> Made:
        usage = usage_of(asked, written, 0 if form in SILENT else None)
        name = f"resp_{identity}"
        head: dict[str, object] = {"id": name, "object": "response", "created_at": MADE_AT, "model": asked.model}
        state = "incomplete" if form == "truncated_text" else "completed"
        cut = {"reason": "max_output_tokens"} if form == "truncated_text" else None
        output = [] if form == "empty" else self.output(asked, written)
        final = Made(
            {
                **head,
                "status": state,
                "error": None,
                "incomplete_details": cut,
                "output": output,
                "usage": self.usage(usage, price),
            },
            usage,
            token=name,
            fetched=True,
        )
        if form != "queued":
            return final
        waiting = [{**head, "status": said, "error": None, "output": []} for said in ("queued", "in_progress")]
        return Made(waiting[0], token=name, then=Made(waiting[1], token=name, then=final, fetched=True))

    def error_in_200(self, asked: Asked) -> object:
        code = {"code": "server_error", "message": "The model failed to generate a response."}
        head = {"id": "resp_0", "object": "response", "created_at": MADE_AT, "model": asked.model}
        return {**head, "status": "failed", "error": code, "output": []}


def question_of(given: Any) -> str:
    """The text of an input: a string, or the last message of a list."""
    return given if isinstance(given, str) else str(given[-1]["content"])


def _message(identity: str, text: str, annotations: list[dict[str, object]]) -> dict[str, object]:
    part = {"type": "output_text", "text": text, "annotations": annotations, "logprobs": []}
    return {"id": identity, "type": "message", "status": "completed", "role": "assistant", "content": [part]}


_MESSAGES = list_of(object_of({"role": one_of("user", "system", "assistant"), "content": word}))


class OpenAI(Responses):
    id = "openai:responses"
    hosts = ("api.openai.com",)
    dialect = OPENAI
    forms = Responses.forms | {"refused", "blocked"}

    _tool = object_of(
        {"type": one_of("web_search")},
        {
            "user_location": _APPROXIMATE,
            "search_context_size": _SIZES,
            "filters": object_of({}, {"allowed_domains": list_of(word, 100)}),
            "external_web_access": checks.flag,
        },
    )
    _body = staticmethod(
        object_of(
            {"model": word, "input": checks.any_of(word, _MESSAGES), "tools": list_of(_tool)},
            {
                "include": list_of(one_of("web_search_call.action.sources")),
                "tool_choice": checks.any_of(one_of("auto", "required"), object_of({"type": one_of("web_search")})),
                "reasoning": object_of(
                    {}, {"effort": one_of("none", "minimal", "low", "medium", "high", "xhigh"), "summary": word}
                ),
                "max_output_tokens": whole(16, 1_000_000),
                "background": checks.flag,
                "store": checks.flag,
                "metadata": checks.anything,
            },
        )
    )

    def check_body(self, body: Any) -> None:
        self._body(body, "")
        checks.tool(body["tools"], "web_search")

    def make(self, asked: Asked, written: Written, form: str, identity: str, price: Price) -> Made:
        made = super().make(asked, written, form, identity, price)
        if form not in ("refused", "blocked"):
            return made
        refusal = {"type": "refusal", "refusal": "I can't help with that."}
        said = [{"id": "msg_0", "type": "message", "role": "assistant", "content": [refusal]}]
        changed = (
            {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}} if form == "blocked" else {}
        )
        document = {**made.document, "output": said if form == "refused" else [], **changed}  # type: ignore[dict-item]
        return Made(document, made.usage)

    def output(self, asked: Asked, written: Written) -> list[dict[str, object]]:
        shown = "web_search_call.action.sources" in asked.options.get("include", ())  # type: ignore[operator]
        sources = {"sources": [{"type": "url", "url": page.url} for page in written.found]} if shown else {}
        calls: list[dict[str, object]] = [
            {
                "type": "web_search_call",
                "id": f"ws_{at}",
                "status": "completed",
                "action": {"type": "search", "query": query, "queries": [query], **(sources if at == 0 else {})},
            }
            for at, query in enumerate(written.queries)
        ]
        text, notes = linked(written)
        return [{"id": "rs_0", "type": "reasoning", "summary": []}, *calls, _message("msg_0", text, notes)]


def linked(written: Written, mark: str = "utm_source=openai") -> tuple[str, list[dict[str, object]]]:
    """The text with a link after each claim, and annotations whose indexes hold the link, in code points."""
    text, notes = written.opening, list[dict[str, object]]()
    for claim in written.claims:
        text += f" {claim.text}"
        for page in claim.pages:
            url = marked(page.url, mark)
            link = f" ([{page.host}]({url}))"
            start = len(text) + 1
            text += link
            note = {
                "type": "url_citation",
                "start_index": start,
                "end_index": len(text),
                "url": url,
                "title": page.title,
            }
            notes.append(note)
    return text, notes


def marked(url: str, mark: str) -> str:
    """The URL with a query parameter that the vendor adds, before the fragment."""
    page, hash_sign, fragment = url.partition("#")
    return f"{page}{'&' if '?' in page else '?'}{mark}{hash_sign}{fragment}"


class Perplexity(Responses):
    id = "perplexity:agent"
    hosts = ("api.perplexity.ai",)
    dialect = PERPLEXITY

    _place = object_of({}, {"country": country, "city": word, "region": word})
    _body = staticmethod(
        object_of(
            {
                "model": word,
                "input": checks.any_of(word, _MESSAGES),
                "tools": list_of(
                    object_of({"type": one_of("web_search")}, {"user_location": _place, "search_context_size": _SIZES})
                ),
            },
            {"language_preference": word, "max_output_tokens": whole(16, 1_000_000)},
        )
    )

    def check_body(self, body: Any) -> None:
        self._body(body, "")
        checks.tool(body["tools"], "web_search")
        if "/" not in body["model"]:
            raise Refused("no_model")

    def output(self, asked: Asked, written: Written) -> list[dict[str, object]]:
        del asked
        results = [
            {"id": at, "url": page.url, "title": page.title, "snippet": page.snippet, "source": "web"}
            for at, page in enumerate(written.found, 1)
        ]
        search: dict[str, object] = {"type": "search_results", "queries": list(written.queries), "results": results}
        said = [f"{c.text}{''.join(f'[{written.number(page)}]' for page in c.pages)}" for c in written.claims]
        return [search, _message("msg_0", " ".join([written.opening, *said]), [])]

    def usage(self, usage: Usage, price: Price) -> dict[str, object]:
        cost = {"currency": "USD", "total_cost": price.ticks(usage) / TICKS}
        details = {"search_web": {"invocation": usage.searches}}
        return {**common_usage(usage), "cost": cost, "tool_calls_details": details}


class Grok(Responses):
    id = "xai:grok"
    hosts = ("api.x.ai",)
    dialect = XAI

    _web = object_of({"type": one_of("web_search")}, {"user_location": _APPROXIMATE, "filters": checks.anything})
    _x = object_of({"type": one_of("x_search")}, {"from_date": word, "to_date": word})
    _body = staticmethod(
        object_of(
            {"model": word, "input": _MESSAGES, "tools": list_of(checks.any_of(_web, _x))},
            {"max_output_tokens": whole(16, 1_000_000), "include": list_of(word)},
        )
    )

    def check_body(self, body: Any) -> None:
        if isinstance(body, dict) and "search_parameters" in body:
            raise Refused("gone")
        self._body(body, "")
        checks.tool(body["tools"], "web_search")

    def output(self, asked: Asked, written: Written) -> list[dict[str, object]]:
        arguments = json.dumps({"query": written.queries[0], "num_results": 5})
        call: dict[str, object] = {
            "type": "web_search_call",
            "id": "ws_0",
            "status": "completed",
            "action": {
                "type": "search",
                "query": written.queries[0],
                "sources": [{"type": "url", "url": page.url} for page in written.found],
            },
        }
        calls = [call]
        if any(tool["type"] == "x_search" for tool in asked.options["tools"]):  # type: ignore[attr-defined]
            calls.append({"type": "custom_tool_call", "id": "ctc_0", "name": "x_keyword_search", "input": arguments})
        inline = len(asked.question) % 2 == 0  # both forms occur in the wild; a question always gets the same
        text, notes = self._inline(written) if inline else self._listed(written)
        return [*calls, _message("msg_0", text, notes)]

    def _inline(self, written: Written) -> tuple[str, list[dict[str, object]]]:
        text, notes = written.opening, list[dict[str, object]]()
        for claim in written.claims:
            text += f" {claim.text}"
            for page in claim.pages:
                number, start = str(written.number(page)), len(text)
                text += f"[[{number}]]({page.url})"
                where = {"start_index": start, "end_index": len(text)}
                notes.append({"type": "url_citation", "url": page.url, "title": number, **where})
        return text, notes

    def _listed(self, written: Written) -> tuple[str, list[dict[str, object]]]:
        return written.text, [{"type": "url_citation", "url": page.url} for page in written.cited]

    def usage(self, usage: Usage, price: Price) -> dict[str, object]:
        used = {"num_server_side_tools_used": usage.searches, "cost_in_usd_ticks": price.ticks(usage)}
        return {**common_usage(usage), **used}
