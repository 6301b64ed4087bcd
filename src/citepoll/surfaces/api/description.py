"""The API's description of itself: OpenAPI 3.1 of the routes and their types, and a plain page of the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from functools import cache
from html import escape
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
from litestar import Litestar, Response, Router, get
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.types import Method

from citepoll.surfaces.api.call import CallNow, call_of, room_call_of
from citepoll.surfaces.api.nouns import ROUTES as NOUNS
from citepoll.surfaces.api.paging import Items
from citepoll.surfaces.web.asking import needs_of, room_asked

PROBLEM = "application/problem+json"
VERSION = "1.0.0"
"""Of the API. Members are added within one major version; none is taken away, and none changes its meaning."""

DESCRIPTION = """\
Who is cited as a source by AI answer engines, with intervals. Every route takes `Authorization: Bearer TOKEN`; \
`?project=ID` may be left out where the token sees one project. A fraction is 0 to 1, no data is null with its reason, \
money is US dollars. Text from answers, titles and URLs is somebody else's, and may say anything.

Lists are `{items, next}`: send `next` as `cursor` for the page behind, until it is null. A GET that gives JSON has an ETag; \
with If-None-Match it is 304 where nothing changed. A write with an Idempotency-Key is done once: sent again within 24 hours \
it has the same answer. Errors are problem+json with `detail` (the cause) and `fix`. Parameters that are not known are \
refused."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One route with one method, as the pages show it."""

    method: str
    path: str
    said: str
    parameters: tuple[Mapping[str, Any], ...]
    body: str
    answers: str


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document of the API."""
    desk, reader = (Provide(lambda: None, sync_to_thread=False) for _ in range(2))
    given = {
        "desk": desk, "reader": reader, "call": Provide(call_of), "here": Provide(room_call_of),
        "room": Provide(room_asked, sync_to_thread=False),
    }  # fmt: skip
    routes = Router("/api/v1", route_handlers=[*NOUNS, *ROUTES])
    config = OpenAPIConfig(
        "citepoll", VERSION, description=DESCRIPTION, use_handler_docstrings=True, operation_id_creator=_operation_id,
        render_plugins=[],
    )  # fmt: skip
    made = Litestar([routes], dependencies=given, openapi_config=config, logging_config=None).openapi_schema.to_schema()
    return _plain(_completed(made))


def _operation_id(route: HTTPRouteHandler, method: Method, path: list[Any]) -> str:
    words = [part if isinstance(part, str) else part.name for part in path[2:]]
    return "_".join([method.lower(), *(re.sub(r"\W", "_", word) for word in words)])


def _completed(made: dict[str, Any]) -> dict[str, Any]:
    """The document with what the types do not say: docstrings, errors, headers, bodies that are files."""
    schemas = made["components"]["schemas"]
    schemas["Problem"] = _problem()
    for kind in _kinds():
        for key in {kind.__name__, f"{kind.__module__.rpartition('.')[2]}_{kind.__name__}"} & schemas.keys():
            schemas[key]["description"] = " ".join((kind.__doc__ or "").split())
            if issubclass(kind, msgspec.Struct):
                schemas[key]["additionalProperties"] = False
    made["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    made["security"] = [{"token": []}]
    made["servers"] = [{"url": "/"}]
    for route in (*NOUNS, *ROUTES):
        for path in route.paths:
            for method in route.http_methods:
                _complete(made["paths"][_templated(f"/api/v1{path}")][method.lower()], route, method)
    return made


def _plain(made: dict[str, Any]) -> dict[str, Any]:
    """The document with names of types that are not those of our modules."""
    text = msgspec.json.encode(made).decode()
    for name in made["components"]["schemas"]:
        page_of, listed = re.fullmatch(r"Items_(?:\w+\.)*(\w+)_", name), re.fullmatch(r"([a-z]+)s_(\w+)", name)
        if page_of or listed:
            fresh = f"PageOf{page_of[1]}" if page_of else f"{listed[1].title()}{listed[2]}" if listed else name
            text = text.replace(f'schemas/{name}"', f'schemas/{fresh}"').replace(f'"{name}":', f'"{fresh}":')
    found: dict[str, Any] = msgspec.json.decode(text)
    for name, schema in found["components"]["schemas"].items():
        schema["title"] = name
        if name.startswith("PageOf"):
            schema["description"] = "A page of a list. `next` is the `cursor` of the page behind it, null at the end."
    return found


def _templated(path: str) -> str:
    return re.sub(r"\{(\w+):\w+\}", r"{\1}", path)


def _complete(operation: dict[str, Any], route: HTTPRouteHandler, method: str) -> None:
    operation.pop("deprecated", None)
    answers = operation["responses"]
    answers.pop("400", None)
    answers["default"] = {
        "description": "What was wrong, and what to do.",
        "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if method == "GET":
        answers["304"] = {"description": "Nothing changed since the ETag that If-None-Match names."}
        _add_header(operation, "If-None-Match", "ETags of answers that the reader has.")
    elif needs_of(route) == "write":
        _add_header(operation, "Idempotency-Key", "1 to 200 visible ASCII characters, fresh for each write.")
    if gives := route.opt.get("gives"):
        answers[str(route.status_code)]["content"] = {kind: {"schema": {}} for kind in gives}
    if takes := route.opt.get("takes"):
        operation["requestBody"] = {"required": True, "content": {kind: {"schema": {}} for kind in takes}}


def _add_header(operation: dict[str, Any], name: str, said: str) -> None:
    header = {"name": name, "in": "header", "required": False, "description": said, "schema": {"type": "string"}}
    operation.setdefault("parameters", []).append(header)


def _problem() -> dict[str, Any]:
    """RFC 9457, with the fix."""
    text = {"type": "string"}
    members = {
        "type": text, "title": text, "status": {"type": "integer"}, "detail": text, "fix": text, "kept": text,
        "errors": {"type": "array", "items": text},
    }  # fmt: skip
    said = "`detail` is the cause, `fix` what to do, `kept` what was not lost, `errors` one for each wrong parameter."
    return {
        "type": "object",
        "properties": members,
        "required": ["type", "title", "status", "detail"],
        "description": said,
    }


def _kinds() -> set[type]:
    """Every type of ours that a route takes or gives, but for pages of lists."""
    found: set[type] = set()
    waiting = [hint for route in NOUNS for hint in get_type_hints(route.fn).values()]
    while waiting:
        hint = waiting.pop()
        waiting += get_args(hint)
        kind = get_origin(hint) or hint
        ours = isinstance(kind, type) and kind.__module__.startswith("citepoll.") and kind not in (Items, *found)
        if ours and (is_dataclass(kind) or issubclass(kind, msgspec.Struct)):
            found.add(kind)
            waiting += get_type_hints(kind).values()
    return found


# ---------------------------------------------------------------- pages of it


def operations() -> Iterator[Operation]:
    """Every operation of the document, in its order."""
    for path, methods in document()["paths"].items():
        for method, found in methods.items():
            good = next(status for status in found["responses"] if status.startswith("2"))
            yield Operation(
                method.upper(), path, found.get("description", ""), tuple(found.get("parameters", ())),
                _types(found.get("requestBody", {}).get("content", {})),
                f"{good}: {_types(found['responses'][good].get('content', {}))}",
            )  # fmt: skip


def _types(content: Mapping[str, Any]) -> str:
    named = (f"{_named(about['schema'])} ({kind})" if about["schema"] else kind for kind, about in content.items())
    return " or ".join(named)


def _named(schema: Mapping[str, Any]) -> str:
    return str(schema.get("$ref", schema.get("type", "JSON"))).rpartition("/")[2]


def types() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Every type of the document by name: what it says of itself, and its members."""
    for name, schema in sorted(document()["components"]["schemas"].items()):
        yield name, schema.get("description", ""), schema.get("properties", {})


@get("/openapi.json", needs="read", sync_to_thread=True)
def openapi(call: CallNow) -> Response[dict[str, Any]]:
    """This document."""
    return call.fresh(document())


@get("/docs", needs="read", gives=("text/html",), sync_to_thread=True)
def docs(call: CallNow) -> Response[str]:
    """The same as a page to read, which loads nothing."""
    return call.page_of(_page())


@cache
def _page() -> bytes:
    parts = ['<!doctype html><html lang="en"><meta charset="utf-8"><title>citepoll API</title><h1>citepoll API</h1>']
    parts += [f"<p>{escape(text)}</p>" for text in DESCRIPTION.split("\n\n")]
    for each in operations():
        parts.append(f"<h2><code>{each.method} {escape(each.path)}</code></h2><p>{escape(each.said)}</p>")
        rows = (f"<dt><code>{escape(p['name'])}</code><dd>{escape(p.get('description', ''))}" for p in each.parameters)
        parts.append(f"<dl>{''.join(rows)}</dl><p>Gives {escape(each.answers)}</p>")
    return "\n".join([*parts, "</html>"]).encode()


ROUTES: tuple[HTTPRouteHandler, ...] = (openapi, docs)
