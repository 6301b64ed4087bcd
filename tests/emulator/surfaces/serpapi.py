"""SerpApi: Google's AI overview (also by a second call), AI Mode, Copilot Search."""

from __future__ import annotations

import re
from typing import ClassVar
from urllib.parse import urlencode

from tests.emulator.dialects import SERPAPI
from tests.emulator.prices import Price
from tests.emulator.surfaces.base import Surface
from tests.emulator.wire import Asked, Call, Made, Refused, Usage
from tests.emulator.writing import Page, Written

TOKEN_SECONDS = 60.0
"""How long a page token can be used."""

PAID = Usage(calls=1)
_SEARCH = "/search.json"
_FETCH = re.compile(r"/searches/(?P<id>[0-9a-z]+)\.json")
_COUNTRY = re.compile(r"[a-z]{2}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,4})?")
_TESTS = {
    "gl": _COUNTRY,
    "hl": _LANGUAGE,
    "device": re.compile("desktop|mobile|tablet"),
    "no_cache": re.compile("true|false"),
    "location": re.compile(".+"),
}


class SerpApi(Surface):
    """What the three share. The id of a search begins with `mark`, so that a search is fetched from where it was made."""

    hosts = ("serpapi.com",)
    path = re.compile(f"{re.escape(_SEARCH)}|{_FETCH.pattern.replace('?P<id>', '?:')}")
    methods = ("GET",)
    dialect = SERPAPI
    forms = frozenset({"queued", "absent", "uncited"})
    mark: ClassVar[str]
    engine: ClassVar[str]
    parameters: ClassVar[frozenset[str]]
    more_engines: ClassVar[tuple[str, ...]] = ()

    def takes(self, call: Call) -> bool:
        fetched = _FETCH.fullmatch(call.path)
        if fetched:
            return super().takes(call) and fetched["id"].startswith(self.mark)
        return super().takes(call) and call.parameters.get("engine") in (self.engine, *self.more_engines)

    def key(self, call: Call) -> str:
        return call.parameters.get("api_key", "")

    def check(self, call: Call) -> Asked:
        if fetched := _FETCH.fullmatch(call.path):
            return Asked(fetched["id"], follows=fetched["id"])
        if call.parameters.get("engine") not in (self.engine, *self.more_engines):
            raise Refused("bad_request", words=f"Unsupported `{call.parameters.get('engine', '')}` search engine.")
        check_parameters(call, self.parameters)
        if not call.parameters.get("q", "").strip():
            raise Refused("bad_request", "missing", "q")
        return Asked(call.parameters["q"], options=dict(call.parameters))

    def parts(self, written: Written, form: str) -> dict[str, object]:
        """What a result page holds beside the head."""
        raise NotImplementedError

    def make(self, asked: Asked, written: Written, form: str, identity: str, price: Price) -> Made:
        del price
        name = f"{self.mark}{identity}"
        final = Made({**self.head(asked, name), **self.parts(written, form)}, PAID, name, fetched=True)
        if form != "queued":
            return final
        # the search is paid when it is taken; its result is free, as often as it is fetched
        done = Made(final.document, token=name, fetched=True)
        running = Made(self.head(asked, name, "Processing"), token=name, then=done, fetched=True)
        return Made(running.document, PAID, name, running)

    def head(self, asked: Asked, name: str, status: str = "Success") -> dict[str, object]:
        given = {key: value for key, value in asked.options.items() if key != "api_key"}
        at = "2026-11-02 09:00:00 UTC"
        endpoint = f"https://serpapi.com/searches/{name}.json"
        metadata = {"id": name, "status": status, "json_endpoint": endpoint, "created_at": at, "processed_at": at}
        return {"search_metadata": metadata, "search_parameters": given}


def check_parameters(call: Call, known: frozenset[str]) -> None:
    for name, value in call.parameters.items():
        if name not in known | {"engine", "api_key"}:
            raise Refused("bad_request", "unknown", name)
        if name in _TESTS and not _TESTS[name].fullmatch(value):
            raise Refused("bad_request", "invalid", name)


def blocks(written: Written, text_name: str = "snippet") -> list[dict[str, object]]:
    """The opening as a paragraph, the first claim as another, the rest as a list."""
    items: list[dict[str, object]] = [
        {text_name: c.text, "reference_indexes": [written.number(p) - 1 for p in c.pages]} for c in written.claims
    ]
    first: dict[str, object] = {"type": "paragraph", **items[0]}
    rest: list[dict[str, object]] = [{"type": "list", "list": items[1:]}] if items[1:] else []
    return [{"type": "paragraph", text_name: written.opening}, first, *rest]


def references(pages: tuple[Page, ...]) -> list[dict[str, object]]:
    return [
        {"index": at, "title": page.title, "link": page.url, "snippet": page.snippet, "source": page.host}
        for at, page in enumerate(pages)
    ]


class Overview(SerpApi):
    id = "google:ai-overview@serpapi"
    mark = "a1"
    engine = "google"
    more_engines = ("google_ai_overview",)
    parameters = frozenset({"q", "gl", "hl", "location", "device", "no_cache"})
    forms = SerpApi.forms | {"deferred"}

    def check(self, call: Call) -> Asked:
        if call.parameters.get("engine") != "google_ai_overview":
            return super().check(call)
        check_parameters(call, frozenset({"page_token", "no_cache"}))
        token = call.parameters.get("page_token", "")
        if not token:
            raise Refused("bad_request", "missing", "page_token")
        return Asked(token, follows=token, options=dict(call.parameters))

    def parts(self, written: Written, form: str) -> dict[str, object]:
        organic = [{"position": 1, "title": "Organic", "link": "https://organic.example/", "snippet": "…"}]
        if form == "absent":
            return {"organic_results": organic}
        return {"ai_overview": _overview(written), "organic_results": organic}

    def make(self, asked: Asked, written: Written, form: str, identity: str, price: Price) -> Made:
        if form != "deferred":
            return super().make(asked, written, form, identity, price)
        token = f"{identity}+/= &x"  # tokens hold characters that an address has to encode
        link = f"https://serpapi.com/search.json?{urlencode({'engine': 'google_ai_overview', 'page_token': token})}"
        first = {**self.head(asked, f"a1{identity}"), "ai_overview": {"page_token": token, "serpapi_link": link}}
        second = Asked(token, options={"engine": "google_ai_overview", "page_token": token})
        then = {**self.head(second, f"a1{identity}2"), "ai_overview": _overview(written)}
        return Made(first, PAID, token, Made(then, PAID), seconds=TOKEN_SECONDS)


def _overview(written: Written) -> dict[str, object]:
    return {"text_blocks": blocks(written), "references": references(written.found)}


class AiMode(SerpApi):
    id = "google:ai-mode@serpapi"
    mark = "b2"
    engine = "google_ai_mode"
    parameters = Overview.parameters
    boilerplate = Page(
        "https://blog.google/products/shopping/shopping-graph-explained/", "How the Shopping Graph works"
    )

    def parts(self, written: Written, form: str) -> dict[str, object]:
        if form == "absent":
            return {"error": "Google hasn't returned any results for this query."}
        return {"text_blocks": blocks(written), "references": references((*written.found, self.boilerplate))}


class Copilot(SerpApi):
    id = "copilot:ui@serpapi"
    mark = "c3"
    engine = "bing_copilot"
    parameters = frozenset({"q", "no_cache"})

    def parts(self, written: Written, form: str) -> dict[str, object]:
        if form == "absent":
            return {"error": "Bing Copilot hasn't returned any results for this query."}
        return {"header": "An answer", "text_blocks": blocks(written), "references": references(written.found)}
