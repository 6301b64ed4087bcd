"""What a surface is: the checks of a vendor, and an answer in its words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from tests.emulator.dialects import Dialect
from tests.emulator.plans import DELIVERED
from tests.emulator.prices import Price
from tests.emulator.wire import Asked, Call, Made, Refused, Usage
from tests.emulator.writing import Written, tokens

MADE_UP_PAGES_READ = 900
"""Tokens in that a searched page is taken to cost."""


class Surface:
    """One engine's surface. `path` fits the paths of its calls, `forms` are the answers it can give beside a plain one."""

    id: ClassVar[str]
    hosts: ClassVar[tuple[str, ...]]
    path: ClassVar[re.Pattern[str]]
    methods: ClassVar[tuple[str, ...]] = ("POST",)
    dialect: ClassVar[Dialect]
    forms: ClassVar[frozenset[str]] = frozenset()
    key_needed: ClassVar[bool] = True

    def takes(self, call: Call) -> bool:
        return call.host in self.hosts and bool(self.path.fullmatch(call.path))

    def key(self, call: Call) -> str:
        """The key in a call, "" where there is none."""
        raise NotImplementedError

    def check(self, call: Call) -> Asked:
        """What is asked, or `Refused` as the vendor would."""
        raise NotImplementedError

    def make(self, asked: Asked, written: Written, form: str, identity: str, price: Price) -> Made:
        """The answer as this surface words it."""
        raise NotImplementedError

    def error_in_200(self, asked: Asked) -> object:
        """An error of this vendor inside HTTP 200."""
        del asked
        return self.dialect.reply("error_in_200").document

    def possible(self) -> frozenset[str]:
        """The faults that this surface can meet."""
        named = {"rate_limited_date", "proxy_page", "echoed_error", "error_in_200"} | DELIVERED | self.forms
        return frozenset(named | set(self.dialect.errors))

    def refuse_model(self, model: str) -> None:
        if model.startswith("no-such"):
            raise Refused("no_model")


def usage_of(asked: Asked, written: Written, searches: int | None = None) -> Usage:
    searched = len(written.queries) if searches is None else searches
    pages = len(written.found) if searched else 0
    return Usage(tokens(asked.question) + MADE_UP_PAGES_READ * pages, tokens(written.text), searched)


def common_usage(usage: Usage) -> Mapping[str, object]:
    """Tokens under the names that most vendors use."""
    return {
        "input_tokens": usage.input,
        "output_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
    }
