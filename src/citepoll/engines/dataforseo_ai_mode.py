"""`google:ai-mode@dataforseo`: Google's AI Mode, an answer in elements with references."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from citepoll.engines import boilerplate, dataforseo, overview_elements
from citepoll.engines.base import Facts, HttpRequest
from citepoll.engines.settings import read
from citepoll.model import Answer, Query

FACTS: Final = Facts(
    id="google:ai-mode@dataforseo",
    name="Google AI Mode (DataForSEO)",
    surface="serp",
    returns_spans=True,
    returns_sources=True,
    returns_queries=False,
    docs="https://docs.dataforseo.com/v3/serp/google/ai_mode/live/advanced/",
    verified="documentation",
    key_variable=dataforseo.KEY_VARIABLE,
    price_note="a fee for each page, lower in the standard queue; the reply says what was paid (2026-11)",
    settings={
        **dataforseo.PLACE,
        "device": f"one of {', '.join(dataforseo.DEVICES)} ({dataforseo.DEVICES[0]})",
    },
    auth=dataforseo.AUTH,
    takes_country=True,
    takes_language=True,
    cited="references of an element of the answer; the span is the element",
    notes=(boilerplate.NOTE, dataforseo.KEY_NOTE),
)

_PATH: Final = "/v3/serp/google/ai_mode"


def request(query: Query, settings: Mapping[str, object]) -> HttpRequest:
    """A question to AI Mode. Raises `EngineError` for a setting that is not usable."""
    given = read(FACTS, settings)
    return dataforseo.asked(_PATH, query, given, device=given.choice("device", *dataforseo.DEVICES))


def parse(status_code: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """The answer's elements, the boilerplate reference left out and counted in `usage`. No such item is `absent`."""
    task = dataforseo.task(_PATH, status_code, headers, body)
    if isinstance(task, Answer):
        return task
    overview = overview_elements.item(task.result)
    if overview is None:
        return Answer("absent", cost=task.cost)
    answer, left_out = overview_elements.answer(overview, task.cost, boilerplate.in_ai_mode)
    return replace(answer, usage={**answer.usage, boilerplate.COUNT: left_out})
