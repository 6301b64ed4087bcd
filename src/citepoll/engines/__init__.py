"""The registry of engines: one literal dict, one door."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from citepoll.engines.base import EngineModule
from citepoll.errors import EngineError

REGISTRY: Mapping[str, str] = {
    "local:bm25": "citepoll.engines.local",
    "recorded": "citepoll.engines.recorded",
    "openai:responses": "citepoll.engines.openai_responses",
    "openai:chat-search": "citepoll.engines.openai_chat_search",
    "anthropic:messages": "citepoll.engines.anthropic_messages",
    "google:gemini": "citepoll.engines.google_gemini",
    "perplexity:agent": "citepoll.engines.perplexity_agent",
    "xai:grok": "citepoll.engines.xai_grok",
    "deepseek:messages": "citepoll.engines.deepseek_messages",
    "openai-compatible": "citepoll.engines.openai_compatible",
    "qwen:dashscope": "citepoll.engines.qwen_dashscope",
    "google:ai-overview@serpapi": "citepoll.engines.serpapi_overview",
    "google:ai-mode@serpapi": "citepoll.engines.serpapi_ai_mode",
    "google:ai-overview@dataforseo": "citepoll.engines.dataforseo_overview",
    "google:ai-mode@dataforseo": "citepoll.engines.dataforseo_ai_mode",
    "chatgpt:ui@dataforseo": "citepoll.engines.dataforseo_chatgpt",
    "copilot:ui@serpapi": "citepoll.engines.serpapi_copilot",
    "copilot:ui@searchapi": "citepoll.engines.searchapi_copilot",
}
"""Engine id → module. Engines of others join by entry points of the group `citepoll.engines`, named by their id."""

GROUP = "citepoll.engines"


def known() -> tuple[str, ...]:
    """The ids that `load` takes: the built-in ones in the registry's order, then those of other distributions."""
    return (*REGISTRY, *sorted(set(_others()) - set(REGISTRY)))


def load(engine_id: str) -> EngineModule:
    """The engine's module. A built-in id cannot be taken over by another distribution.

    Raises `EngineError` for an unknown id, naming the known ones, and for a module that is no engine.
    """
    if engine_id in REGISTRY:
        return _checked(engine_id, import_module(REGISTRY[engine_id]))
    others = _others()
    if engine_id not in others:
        raise EngineError(
            f"There is no engine {engine_id!r}.",
            f"Use one of {', '.join(known())}, or install the distribution that brings it.",
        )
    try:
        module = others[engine_id].load()
    except Exception as wrong:
        raise EngineError(
            f"The engine {engine_id!r} ({others[engine_id].value}) cannot be loaded: {wrong}",
            "Update or remove the distribution that brings it.",
        ) from wrong
    return _checked(engine_id, module)


def _others() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _checked(engine_id: str, module: object) -> EngineModule:
    missing = [name for name in ("FACTS", "request", "parse") if not hasattr(module, name)]
    if missing:
        raise EngineError(
            f"The engine {engine_id!r} lacks {', '.join(missing)}.",
            "An engine is a module with FACTS, request and parse (citepoll.engines.base).",
        )
    engine = cast(EngineModule, module)
    if engine.FACTS.id != engine_id:
        raise EngineError(
            f"The engine registered as {engine_id!r} calls itself {engine.FACTS.id!r}.",
            "Register it under its own id.",
        )
    return engine
