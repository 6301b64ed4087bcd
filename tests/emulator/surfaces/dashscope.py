"""Qwen through the native DashScope API."""

from __future__ import annotations

import re

from tests.emulator import checks
from tests.emulator.checks import flag, list_of, object_of, one_of, word
from tests.emulator.dialects import DASHSCOPE
from tests.emulator.prices import Price
from tests.emulator.surfaces.base import Surface, common_usage, usage_of
from tests.emulator.wire import Asked, Call, Made, Refused
from tests.emulator.writing import Written


class Qwen(Surface):
    id = "qwen:dashscope"
    hosts = ("dashscope.aliyuncs.com", "dashscope-intl.aliyuncs.com", "dashscope-us.aliyuncs.com")
    path = re.compile(r"/api/v1/services/aigc/text-generation/generation")
    dialect = DASHSCOPE
    forms = frozenset({"empty", "truncated_text", "uncited"})

    _options = object_of(
        {"enable_source": one_of(True)},
        {
            "forced_search": flag,
            "enable_citation": flag,
            "citation_format": one_of("[<number>]", "[ref_<number>]"),
            "search_strategy": one_of("turbo", "max", "agent", "agent_max"),
        },
    )
    _body = staticmethod(
        object_of(
            {
                "model": word,
                "input": object_of(
                    {"messages": list_of(object_of({"role": one_of("user", "system"), "content": word}))}
                ),
                "parameters": object_of(
                    {"enable_search": one_of(True), "result_format": one_of("message"), "search_options": _options}
                ),
            }
        )
    )

    def key(self, call: Call) -> str:
        return checks.bearer(call)

    def check(self, call: Call) -> Asked:
        body = checks.document(call)
        self._body(body, "")
        self.refuse_model(body["model"])
        options = body["parameters"]["search_options"]
        if options.get("citation_format") and not options.get("enable_citation"):
            raise Refused("bad_request", "invalid", "citation_format")
        return Asked(body["input"]["messages"][-1]["content"], body["model"], options=options)

    def make(self, asked: Asked, written: Written, form: str, identity: str, price: Price) -> Made:
        del price
        usage = usage_of(asked, written, 1)
        sign = {True: "[ref_{}]", False: ""}[bool(asked.options.get("enable_citation"))]
        said = [
            f"{claim.text}{''.join(sign.format(written.number(page)) for page in claim.pages)}"
            for claim in written.claims
        ]
        results = [
            {"index": at, "site_name": page.host, "title": page.title, "url": page.url, "icon": ""}
            for at, page in enumerate(written.found, 1)
        ]
        content = "" if form == "empty" else "".join([written.opening, *said])
        choice = {
            "finish_reason": "length" if form == "truncated_text" else "stop",
            "message": {"role": "assistant", "content": content},
        }
        plugins = {"search": {"count": 1, "strategy": asked.options.get("search_strategy", "turbo")}}
        document = {
            "output": {"choices": [choice], "search_info": {"search_results": results, "extra_tool_info": []}},
            "usage": {**common_usage(usage), "plugins": plugins},
            "request_id": identity,
        }
        return Made(document, usage)
