"""What calls cost, before and after they are made, and the ceilings that no call may pass."""

from __future__ import annotations

import asyncio
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from math import floor
from typing import Any

import msgspec

from citepoll.engines.bodies import mapping, walk, whole
from citepoll.model import Answer, Engine

MILLION = 1_000_000

_ROUNDING = 1e-9
"""US dollars by which a sum of costs may be off: ten calls of 0.1 fit a ceiling of 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """US dollars: `input` and `output` per million tokens, `per_search`, `per_call` for a call that brings an answer.

    `tokens_in`, `tokens_out` and `searches` are what one call is expected to use; `expected` are dollars of a call where
    the vendor says what was paid. None is not known, never free. `date` is when the price was true.
    """

    input: float | None = None
    output: float | None = None
    per_search: float | None = None
    per_call: float | None = None
    expected: float | None = None
    tokens_in: int = 10_000
    tokens_out: int = 1_000
    searches: int = 1
    date: date | None = None

    @property
    def of_a_call(self) -> float | None:
        """What one call is expected to cost, None where nothing is known."""
        if self.expected is not None:
            return self.expected
        return self._sum(Use(self.tokens_in, self.tokens_out, self.searches), self.per_call)

    def paid(self, answer: Answer, *, fetched: bool = False) -> float | None:
        """What a call cost: the vendor's own figure, else usage × price, else None.

        A failed call without usage has none. `fetched`: an answer that was being made and is paid for per call already.
        """
        if answer.cost is not None:
            return answer.cost
        if answer.status == "failed" and not answer.usage:
            return None
        return self._sum(used(answer), None if fetched or answer.status == "failed" else self.per_call)

    def _sum(self, use: Use | None, per_call: float | None) -> float | None:
        parts = [] if per_call is None else [per_call]
        if use is not None:
            if self.input is not None and self.output is not None:
                parts.append((use.tokens_in * self.input + use.tokens_out * self.output) / MILLION)
            if self.per_search is not None:
                parts.append(use.searches * self.per_search)
        return sum(parts) if parts else None


@dataclass(frozen=True, slots=True)
class Use:
    """Tokens in and out, and web searches. Cached tokens count in full, so the cost is rather too high."""

    tokens_in: int
    tokens_out: int
    searches: int


_IN = (
    "input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "prompt_tokens", "promptTokenCount",
    "toolUsePromptTokenCount", "total_input_tokens", "total_tool_use_tokens",
)  # fmt: skip
_OUT = (
    "output_tokens", "completion_tokens", "candidatesTokenCount", "thoughtsTokenCount", "total_output_tokens",
    "total_thought_tokens",
)  # fmt: skip


def used(answer: Answer) -> Use | None:
    """What an answer says that it used, in the names of every vendor; None where it says nothing of tokens.

    Searches are the vendor's count, else the search queries that the answer names.
    """
    usage = mapping(answer.usage)
    tokens_in, tokens_out = _total(usage, _IN), _total(usage, _OUT)
    if tokens_in is None and tokens_out is None:
        return None
    counted = (
        whole(walk(usage, *path))
        for path in (("server_tool_use", "web_search_requests"), ("plugins", "search", "count"))
    )
    searches = next((n for n in counted if n is not None), len(answer.queries))
    return Use(tokens_in or 0, tokens_out or 0, searches)


def _total(usage: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    found = [n for name in names if (n := whole(usage.get(name))) is not None and n >= 0]
    return sum(found) if found else None


def price_of(engine: Engine, model: str | None, own: Mapping[str, Mapping[str, float]]) -> Price | None:
    """The price of an engine asked for `model`: the project's `own` (by name, else by id) over the table that comes along.

    A model that is not the one in the table has no price: its tokens cost something else.
    """
    entries = tomllib.loads((files("citepoll.sampling") / "prices.toml").read_text("utf-8"))["price"]
    listed = next((e for e in entries if e["engine"] == engine.id and e.get("model") in (None, model)), None)
    known = {k: v for k, v in (listed or {}).items() if k not in ("engine", "model")}
    mine = own.get(engine.name) or own.get(engine.id) or {}
    return msgspec.convert({**known, **mine}, Price) if known or mine else None


def fitting(left: float, each: float) -> int | None:
    """How many calls at `each` fit into what is `left` (US dollars), as `Budget` would let them; None for free calls."""
    return max(0, floor((left + _ROUNDING) / each)) if each > 0.0 else None


class Budget:
    """The spend of a cycle, the calls under way included, held below a ceiling for all engines and one for each.

    Amounts are US dollars. A call under way is counted with what it is expected to cost, or the dearest of its engine
    so far, also where that one ended after this one began. Each `reserve` that gave an amount is settled once.
    """

    def __init__(
        self,
        ceiling: float | None = None,
        ceilings: Mapping[str, float] | None = None,
        spent: Mapping[str, float] | None = None,
        expected: Mapping[str, float | None] | None = None,
    ) -> None:
        self._ceiling, self._ceilings = ceiling, dict(ceilings or {})
        self._spent = dict(spent or {})
        self._each = {name: cost or 0.0 for name, cost in (expected or {}).items()}
        self._flying: Counter[str] = Counter()
        self._changed = asyncio.Event()

    @property
    def spent(self) -> float:
        return sum(self._spent.values())

    async def reserve(self, engine: str, halted: Callable[[], bool]) -> float | None:
        """Set aside what a call may cost; None where a ceiling would be passed, or once `halted`.

        Waits while calls under way may turn out cheaper than what was set aside for them.
        """
        while not halted():
            each = self._each.get(engine, 0.0)
            short = self._short(engine, each)
            if not short:
                self._flying[engine] += 1
                return each
            if not any(self._under_way(name) > 0.0 for name in (self._flying if short == "all" else [engine])):
                return None
            self._changed.clear()
            await self._changed.wait()
        return None

    def settle(self, engine: str, reserved: float, cost: float | None, *, unsure: bool = False) -> None:
        """A call has ended: `cost`, or None where nobody knows. `unsure` then counts what was set aside as spent."""
        self._flying[engine] -= 1
        paid = cost if cost is not None else reserved if unsure else 0.0
        self._spent[engine] = self._spent.get(engine, 0.0) + paid
        self._each[engine] = max(self._each.get(engine, 0.0), paid)
        self._changed.set()

    def reason(self, engine: str) -> str:
        """Why the next call is not made, in words for a reader."""
        mine = self._ceilings.get(engine)
        of_engine = mine is not None and self._short(engine, self._each.get(engine, 0.0)) == engine
        ceiling, spent = (mine, self._spent.get(engine, 0.0)) if of_engine else (self._ceiling, self.spent)
        return (
            f"the next call could pass the ceiling of {ceiling or 0.0:.2f} USD{' of this engine' if of_engine else ''}: "
            f"{spent:.4f} USD are spent, and a call may cost {self._each.get(engine, 0.0):.4f} USD"
        )

    def _short(self, engine: str, each: float) -> str:
        """The engine or "all", whichever ceiling a further call would pass; "" for none. A free call passes none."""
        mine, every = self._ceilings.get(engine), self._ceiling
        if each <= 0.0:
            return ""
        if mine is not None and self._spent.get(engine, 0.0) + self._under_way(engine) + each > mine + _ROUNDING:
            return engine
        if every is not None and self.spent + sum(map(self._under_way, self._flying)) + each > every + _ROUNDING:
            return "all"
        return ""

    def _under_way(self, engine: str) -> float:
        return self._flying[engine] * self._each.get(engine, 0.0)
