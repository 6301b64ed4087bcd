"""`google:ai-overview@dataforseo`: the AI overview above Google's results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from citepoll.engines import dataforseo, overview_elements
from citepoll.engines.base import Facts, HttpRequest
from citepoll.engines.settings import read
from citepoll.model import Answer, Query

FACTS: Final = Facts(
    id="google:ai-overview@dataforseo",
    name="Google AI Overviews (DataForSEO)",
    surface="serp",
    returns_spans=True,
    returns_sources=True,
    returns_queries=False,
    docs="https://docs.dataforseo.com/v3/serp/google/organic/live/advanced/",
    verified="documentation",
    key_variable=dataforseo.KEY_VARIABLE,
    price_note="a fee for each page, lower in the standard queue, and another where the overview had to be loaded; the "
    "reply says what was paid (2026-11)",
    settings={
        **dataforseo.PLACE,
        "device": f"one of {', '.join(dataforseo.DEVICES)} ({dataforseo.DEVICES[0]})",
    },
    auth=dataforseo.AUTH,
    takes_country=True,
    takes_language=True,
    cited="references of an element of the overview; the span is the element",
    notes=("Many searches show no overview: they are absent, and trigger_rate counts them.", dataforseo.KEY_NOTE),
)

_PATH: Final = "/v3/serp/google/organic"


def request(query: Query, settings: Mapping[str, object]) -> HttpRequest:
    """A Google search whose overview is waited for. Raises `EngineError` for a setting that is not usable."""
    given = read(FACTS, settings)
    device = given.choice("device", *dataforseo.DEVICES)
    return dataforseo.asked(_PATH, query, given, device=device, load_async_ai_overview=True)


def parse(status_code: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """The page's overview. No such item is `absent`; one that the vendor did not load is `deferred`."""
    task = dataforseo.task(_PATH, status_code, headers, body)
    if isinstance(task, Answer):
        return task
    overview = overview_elements.item(task.result)
    if overview is None:
        return Answer("absent", cost=task.cost)
    answer, _ = overview_elements.answer(overview, task.cost)
    if answer.status == "empty" and not answer.sources and overview.get("asynchronous_ai_overview") is True:
        return Answer("deferred", cost=task.cost)
    return answer
