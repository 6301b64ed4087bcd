"""Tests of a request's shape, put together as the documents of a vendor describe it; what does not fit is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.emulator.wire import Call, Refused

Test = Callable[[Any, str], None]
"""Raises `Refused` for a value that does not fit; the text is the field's path."""


def document(call: Call) -> Any:
    """The JSON of a body. Refused without the content type, or where it is none."""
    if call.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused("bad_request", words="The content type has to be application/json.")
    try:
        return json.loads(call.body)
    except ValueError:
        raise Refused("bad_request", words="We could not parse the JSON body of your request.") from None


def bearer(call: Call) -> str:
    scheme, _, key = call.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme == "Bearer" else ""


def anything(value: Any, field: str) -> None:
    del value, field


def word(value: Any, field: str) -> None:
    _must(isinstance(value, str) and bool(value.strip()), field)


def flag(value: Any, field: str) -> None:
    _must(isinstance(value, bool), field)


def country(value: Any, field: str) -> None:
    _must(isinstance(value, str) and len(value) == 2 and value.isascii() and value.isupper(), field)


def whole(low: int, high: int) -> Test:
    return lambda value, field: _must(
        isinstance(value, int) and not isinstance(value, bool) and low <= value <= high, field
    )


def one_of(*allowed: Any) -> Test:
    return lambda value, field: _must(any(value == a and type(value) is type(a) for a in allowed), field)


def list_of(test: Test, most: int = 1_000) -> Test:
    def check(value: Any, field: str) -> None:
        _must(isinstance(value, list) and 0 < len(value) <= most, field)
        for at, item in enumerate(value):
            test(item, f"{field}[{at}]")

    return check


def object_of(required: Mapping[str, Test], optional: Mapping[str, Test] | None = None) -> Test:
    """An object with all of `required`, and nothing beside these but `optional`."""
    known = {**required, **(optional or {})}

    def check(value: Any, field: str) -> None:
        _must(isinstance(value, dict), field)
        for name in required:
            if name not in value:
                raise Refused("bad_request", "missing", _inside(field, name))
        for name, inner in value.items():
            if name not in known:
                raise Refused("bad_request", "unknown", _inside(field, name))
            known[name](inner, _inside(field, name))

    return check


def any_of(*tests: Test) -> Test:
    """The value fits one of them; else it is refused as the last one does."""

    def check(value: Any, field: str) -> None:
        for test in tests[:-1]:
            try:
                return test(value, field)
            except Refused:
                continue
        return tests[-1](value, field)

    return check


def tool(tools: Sequence[Mapping[str, Any]], kind: str) -> None:
    """Refused where no tool is of this kind: a vendor would answer without a search, and nobody would notice."""
    if not any(each.get("type") == kind for each in tools):
        raise Refused("bad_request", "missing", "tools")


def _inside(field: str, name: str) -> str:
    return f"{field}.{name}" if field else name


def _must(fits: bool, field: str) -> None:
    if not fits:
        raise Refused("bad_request", "invalid", field or "body")
