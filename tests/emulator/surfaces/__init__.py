"""The emulated surfaces: one class for each engine, in files by vendor. `SURFACES` holds one of each."""

from __future__ import annotations

from tests.emulator.surfaces import (
    anthropic,
    chat,
    dashscope,
    dataforseo,
    google,
    responses,
    searchapi,
    serpapi,
)
from tests.emulator.surfaces.base import Surface
from tests.emulator.wire import Call

SURFACES: dict[str, Surface] = {
    surface.id: surface
    for surface in (
        responses.OpenAI(), responses.Perplexity(), responses.Grok(), chat.ChatSearch(), anthropic.Claude(),
        anthropic.DeepSeek(), google.Gemini(), dashscope.Qwen(), serpapi.Overview(), serpapi.AiMode(),
        serpapi.Copilot(), searchapi.Copilot(), dataforseo.Overview(), dataforseo.AiMode(), dataforseo.ChatGpt(),
        chat.Compatible(),
    )
}  # fmt: skip
"""Engine id → surface. The one that takes any host stands last."""


def surface_for(call: Call) -> Surface | None:
    """The surface that a call is for; at a vendor's host where no path fits, the vendor's first one, to say so."""
    fitting = (surface for surface in SURFACES.values() if surface.takes(call))
    at_host = (surface for surface in SURFACES.values() if call.host in surface.hosts)
    return next(fitting, None) or next(at_host, None)
