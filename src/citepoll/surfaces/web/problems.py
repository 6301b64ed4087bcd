"""Errors on the way out: problem+json (RFC 9457) for programs, a page for people. No trace, no path, no secret."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException

from citepoll.errors import (
    CitepollError,
    EngineError,
    FetchError,
    InputError,
    LedgerError,
    ProjectError,
    QuerySetError,
    SliceError,
)
from citepoll.report.printable import printable
from citepoll.surfaces.web.rim import is_program

log = logging.getLogger("citepoll.web")

_STATUS: Mapping[type[CitepollError], int] = {
    InputError: 422,
    SliceError: 422,
    QuerySetError: 409,
    ProjectError: 503,
    LedgerError: 503,
    EngineError: 502,
    FetchError: 502,
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong, as people and programs are told. `kept` says what was not lost, `fix` what to do."""

    status: int
    type: str
    title: str
    detail: str
    fix: str = ""
    kept: str = ""
    errors: tuple[str, ...] = ()


ErrorPage = Callable[[Request[Any, Any, Any], Problem], Response[Any]]


def problem_of(wrong: Exception) -> Problem:
    """The problem that an exception is told as. One that is not ours says nothing of itself."""
    if isinstance(wrong, CitepollError):
        status = _status(wrong)
        name = "-".join(re.findall("[A-Z][a-z]+", type(wrong).__name__)).lower()
        cause, fix, kept = map(printable, (wrong.cause, wrong.fix, wrong.kept))
        return Problem(status, f"urn:citepoll:{name}", _title(status), cause, fix, kept)
    if isinstance(wrong, HTTPException) and wrong.status_code < 500:
        return _of_http(wrong)
    if isinstance(wrong, RecursionError):  # of the parsers of JSON and of `where`: nothing of ours goes that deep
        return Problem(400, "about:blank", _title(400), "This request is nested too deeply.", _FIX[400])
    return Problem(
        500, "urn:citepoll:fault", _title(500), "citepoll failed while it answered this request.",
        "Try again; if it stays, look at the server's own output.", "Nothing that was recorded is lost.",
    )  # fmt: skip


def _status(wrong: CitepollError) -> int:
    if isinstance(wrong, FetchError) and wrong.refused:  # the address that was sent is at fault
        return 422
    return next((number for kind, number in _STATUS.items() if isinstance(wrong, kind)), 500)


def _of_http(wrong: HTTPException) -> Problem:
    extra: Any = wrong.extra
    fix = extra.get("fix", "") if isinstance(extra, dict) else ""
    errors = [item for item in extra if isinstance(item, dict)] if isinstance(extra, list) else []
    told = tuple(f"{item.get('key', '')}: {item.get('message', '')}".removeprefix(": ") for item in errors)
    detail = printable(wrong.detail) or _title(wrong.status_code)
    return Problem(wrong.status_code, "about:blank", _title(wrong.status_code), detail, fix or _FIX.get(wrong.status_code, ""),
                   errors=tuple(map(printable, told)))  # fmt: skip


_FIX: Mapping[int, str] = {
    400: "Mend what is named here, and send it again.",
    401: "Log in, or send a token as `Authorization: Bearer TOKEN`.",
    403: "Ask an owner of this server.",
    404: "Check the address.",
    405: "Use a method that the header Allow names.",
    413: "Send less at once.",
    429: "Wait, then try again.",
}


def _title(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Error"


def error_handler(page: ErrorPage) -> Callable[[Request[Any, Any, Any], Exception], Response[Any]]:
    """The app's one handler of exceptions; `page` draws what people see."""

    def answer(request: Request[Any, Any, Any], wrong: Exception) -> Response[Any]:
        problem = problem_of(wrong)
        if problem.status >= 500 and not isinstance(wrong, CitepollError):
            # not the path as it was asked for: that of /enter holds a token
            log.error("%s %s failed", request.method, request.scope.get("path_template", "?"),
                      exc_info=None if isinstance(wrong, HTTPException) else wrong)  # fmt: skip
        found = as_json(problem) if is_program(request.url.path) else page(request, problem)
        for name, value in (getattr(wrong, "headers", None) or {}).items():
            found.headers.setdefault(name, value)
        if problem.status == 429:
            found.headers.setdefault("Retry-After", found.headers.get("ratelimit-reset", "60"))
        return found

    return answer


def as_json(problem: Problem) -> Response[bytes]:
    """The response for a program; empty members are left out."""
    body = {name: value for name, value in msgspec.to_builtins(problem).items() if value not in ("", ())}
    headers = {"WWW-Authenticate": 'Bearer realm="citepoll"'} if problem.status == 401 else {}
    return Response(
        msgspec.json.encode(body), status_code=problem.status, media_type="application/problem+json", headers=headers
    )
