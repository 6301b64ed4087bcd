"""SearchApi's Bing Copilot."""

from __future__ import annotations

import re

from tests.emulator import checks
from tests.emulator.dialects import SEARCHAPI
from tests.emulator.prices import Price
from tests.emulator.surfaces import serpapi
from tests.emulator.surfaces.base import Surface
from tests.emulator.wire import Asked, Call, Made, Refused
from tests.emulator.writing import Written


class Copilot(Surface):
    id = "copilot:ui@searchapi"
    hosts = ("www.searchapi.io",)
    path = re.compile(r"/api/v1/search")
    methods = ("GET",)
    dialect = SEARCHAPI
    forms = frozenset({"absent", "uncited"})

    def key(self, call: Call) -> str:
        return checks.bearer(call) or call.parameters.get("api_key", "")

    def check(self, call: Call) -> Asked:
        if call.parameters.get("engine") != "bing_copilot":
            raise Refused("bad_request", "invalid", "engine")
        serpapi.check_parameters(call, frozenset({"q"}))
        if not call.parameters.get("q", "").strip():
            raise Refused("bad_request", "missing", "q")
        return Asked(call.parameters["q"], options={"q": call.parameters["q"], "engine": "bing_copilot"})

    def make(self, asked: Asked, written: Written, form: str, identity: str, price: Price) -> Made:
        del price
        head = {
            "search_metadata": {"id": f"search_{identity}", "status": "Success"},
            "search_parameters": dict(asked.options),
        }
        if form == "absent":
            return Made({**head, "error": "Bing didn't return any results for this query."}, serpapi.PAID)
        links = [{name: ref[name] for name in ("index", "title", "link")} for ref in serpapi.references(written.found)]
        body = {"text_blocks": _blocks(written), "markdown": written.text, "reference_links": links}
        return Made({**head, **body}, serpapi.PAID)


def _blocks(written: Written) -> list[dict[str, object]]:
    opening, first, *rest = serpapi.blocks(written, "answer")
    lists = [{"type": "unordered_list", "items": block["list"]} for block in rest]
    return [{"type": "header", "answer": "An answer"}, opening, first, *lists]
