"""What the emulated vendors charge. Figures of a plausible size, made up: no vendor's price list."""

from __future__ import annotations

from dataclasses import dataclass

from tests.emulator.wire import Usage

TICKS = 10_000_000_000
"""Ticks in a US dollar: sums of whole ticks are exact."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars: for a million tokens in and out, for a search of the model, for a call or task."""

    input: float = 0.0
    output: float = 0.0
    search: float = 0.0
    call: float = 0.0

    def ticks(self, usage: Usage) -> int:
        per_token = (usage.input * self.input + usage.output * self.output) / 1_000_000
        return round((per_token + usage.searches * self.search + usage.calls * self.call) * TICKS)


PRICES: dict[str, Price] = {
    "openai:responses": Price(2.5, 15.0, 0.010),
    "openai:chat-search": Price(2.5, 15.0, call=0.010),
    "anthropic:messages": Price(3.0, 15.0, 0.010),
    "deepseek:messages": Price(0.3, 0.5, 0.0007),
    "google:gemini": Price(0.5, 3.0, 0.014),
    "perplexity:agent": Price(0.25, 2.5, 0.0025),
    "xai:grok": Price(1.25, 2.5, 0.005),
    "qwen:dashscope": Price(0.11, 0.28, 0.0007),
    "openai-compatible": Price(),
    "google:ai-overview@serpapi": Price(call=0.015),
    "google:ai-mode@serpapi": Price(call=0.015),
    "copilot:ui@serpapi": Price(call=0.015),
    "copilot:ui@searchapi": Price(call=0.004),
    "google:ai-overview@dataforseo": Price(call=0.004),
    "google:ai-mode@dataforseo": Price(call=0.004),
    "chatgpt:ui@dataforseo": Price(call=0.004),
}
