"""DataForSEO: Google's AI overview and AI Mode, and ChatGPT's consumer surface; live or through the standard queue."""

from __future__ import annotations

import base64
import re
from typing import Any, ClassVar
from urllib.parse import unquote

from tests.emulator import checks
from tests.emulator.checks import flag, list_of, object_of, one_of, whole, word
from tests.emulator.dialects import DATAFORSEO
from tests.emulator.prices import TICKS, Price
from tests.emulator.surfaces.base import Surface
from tests.emulator.surfaces.responses import marked
from tests.emulator.wire import Asked, Call, Made, Refused, Usage
from tests.emulator.writing import Page, Written

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PAID = Usage(calls=1)


def _methods(root: str) -> re.Pattern[str]:
    return re.compile(rf"{root}/(?:(?P<live>live/advanced)|task_post|task_get/advanced/(?P<id>[0-9a-f-]+))")


class DataForSeo(Surface):
    """What the three share. The queue hands a task over first, says once that it waits, and then has the result."""

    hosts = ("api.dataforseo.com",)
    methods = ("POST", "GET")
    dialect = DATAFORSEO
    forms = frozenset({"absent", "uncited"})
    more: ClassVar[dict[str, checks.Test]]

    def key(self, call: Call) -> str:
        scheme, _, encoded = call.headers.get("authorization", "").partition(" ")
        try:
            key = base64.b64decode(encoded, validate=True).decode() if scheme == "Basic" else ""
        except ValueError:
            return ""
        return key if ":" in key else ""

    def check(self, call: Call) -> Asked:
        named = self.path.fullmatch(call.path)
        follows = (named["id"] if named else "") or ""
        if (call.method == "GET") != bool(follows):
            raise Refused("bad_method")
        if follows:
            return Asked(follows, follows=follows)
        body = checks.document(call)
        list_of(self._task, 1 if named and named["live"] else 100)(body, "tasks")
        task = body[0]
        if "location_code" not in task and "location_name" not in task:
            raise Refused("bad_request", "missing", "location_name")
        if _BAD_ESCAPE.search(task["keyword"]):
            raise Refused("bad_request", "invalid", "keyword")
        # the vendor decodes the field as an address: + is a space there
        question = unquote(task["keyword"].replace("+", " "))
        return Asked(question, options={**task, "queue": not (named and named["live"])})

    def _task(self, task: Any, field: str) -> None:
        place = {"location_code": whole(1, 2**31 - 1), "location_name": word}
        try:
            object_of({"keyword": word, "language_code": word}, {**place, **self.more})(task, field)
        except Refused as refused:
            raise Refused("bad_request", refused.problem, refused.field.rpartition(".")[2]) from None

    def result(self, written: Written, form: str) -> dict[str, object]:
        raise NotImplementedError

    def make(self, asked: Asked, written: Written, form: str, identity: str, price: Price) -> Made:
        name = _task_id(identity)
        cost = price.ticks(_PAID) / TICKS
        result = {
            "keyword": asked.question,
            "language_code": asked.options["language_code"],
            **self.result(written, form),
        }
        if not asked.options["queue"]:
            return Made(_reply(name, 20000, "Ok.", cost, [result]), _PAID, name)
        # the task is paid when it is set; its result is free, as often as it is fetched
        done = Made(_reply(name, 20000, "Ok.", 0, [result]), token=name, fetched=True)
        waiting = Made(_reply(name, 40602, "Task In Queue.", 0, None), token=name, then=done, fetched=True)
        return Made(_reply(name, 20100, "Task Created.", cost, None), _PAID, name, waiting)


def _task_id(identity: str) -> str:
    return "-".join((identity[:8], identity[8:12], identity[12:16], "0000", f"{identity[16:24]}0000"))


def _reply(name: str, code: int, words: str, cost: float, result: list[Any] | None) -> dict[str, object]:
    failed = 0 if code in (20000, 20100) else 1
    task = {"id": name, "status_code": code, "status_message": words, "time": "1 sec.", "cost": cost, "result": result}
    head = {"version": "0.1.20261010", "status_code": 20000, "status_message": "Ok.", "time": "1 sec.", "cost": cost}
    return {**head, "tasks_count": 1, "tasks_error": failed, "tasks": [task]}


def _references(pages: tuple[Page, ...]) -> list[dict[str, object]]:
    return [
        {
            "type": "ai_overview_reference",
            "source": p.host,
            "domain": p.host,
            "url": p.url,
            "title": p.title,
            "text": p.snippet,
        }
        for p in pages
    ]


def _overview(written: Written, more: tuple[Page, ...] = ()) -> dict[str, object]:
    opening = {"type": "ai_overview_element", "title": None, "text": written.opening, "references": None}
    elements = [
        {"type": "ai_overview_element", "title": None, "text": claim.text, "references": _references(claim.pages)}
        for claim in written.claims
    ]
    every = _references((*written.found, *more))
    return {"type": "ai_overview", "markdown": written.text, "items": [opening, *elements], "references": every}


class Overview(DataForSeo):
    id = "google:ai-overview@dataforseo"
    path = _methods("/v3/serp/google/organic")
    more: ClassVar[dict[str, checks.Test]] = {"device": one_of("desktop", "mobile"), "load_async_ai_overview": flag}

    def result(self, written: Written, form: str) -> dict[str, object]:
        organic = {"type": "organic", "rank_absolute": 2, "url": "https://organic.example/", "title": "Organic"}
        return {"type": "organic", "items": [organic] if form == "absent" else [_overview(written), organic]}


class AiMode(DataForSeo):
    id = "google:ai-mode@dataforseo"
    path = _methods("/v3/serp/google/ai_mode")
    more: ClassVar[dict[str, checks.Test]] = {"device": one_of("desktop", "mobile")}
    boilerplate = Page(
        "https://blog.google/products/shopping/shopping-graph-explained/", "How the Shopping Graph works"
    )

    def result(self, written: Written, form: str) -> dict[str, object]:
        return {"type": "ai_mode", "items": [] if form == "absent" else [_overview(written, (self.boilerplate,))]}


class ChatGpt(DataForSeo):
    id = "chatgpt:ui@dataforseo"
    path = _methods("/v3/ai_optimization/chat_gpt/llm_scraper")
    forms = frozenset({"empty", "uncited"})
    more: ClassVar[dict[str, checks.Test]] = {"force_web_search": flag}

    def result(self, written: Written, form: str) -> dict[str, object]:
        sources = [
            {
                "type": "chat_gpt_source",
                "title": p.title,
                "domain": p.host,
                "url": marked(p.url, "utm_source=chatgpt.com"),
            }
            for p in written.cited
        ]
        found = [{"type": "chatgpt_search_result", "url": p.url, "title": p.title} for p in written.found]
        if form == "empty":
            return {"model": "gpt-5-3", "markdown": "", "items": []}
        return {
            "model": "gpt-5-3",
            "markdown": written.text,
            "sources": sources,
            "search_results": found,
            "fan_out_queries": list(written.queries),
            "items": [{"type": "chat_gpt_text", "markdown": written.text, "sources": sources}],
        }
