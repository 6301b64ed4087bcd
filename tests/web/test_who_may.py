"""Every route of the app, asked by everybody: later routes are tried without a line here."""

from dataclasses import dataclass

import pytest
from litestar import Litestar, get
from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException, ImproperlyConfiguredException
from litestar.routes import HTTPRoute

from citepoll.main import build_app
from citepoll.service.accounts import NOBODY
from citepoll.surfaces.web.asking import check_needs, guard, needs_of
from citepoll.surfaces.web.rim import is_program

MAY = {
    "read": {"viewer", "analyst", "owner", "read token", "write token", "other's analyst", "other's token"},
    "write": {"analyst", "owner", "write token", "other's analyst"},
    "own": {"owner"},
}
"""The declared table; for a project that one does not see, nobody else's right counts."""

OF_NO_PROJECT = {
    "/",
    "/projects",
    "/glossary",
    *(f"/api/v1/{name}" for name in ("version", "metrics", "openapi.json", "docs")),
}
"""Routes that read or write without being about one project. They must show what the reader may see, and no more."""

EVERYBODY = ("nobody", "viewer", "analyst", "owner", "other's analyst", "read token", "write token", "other's token")
SAMPLE = {"project": "acme", "run": "1", "id": "1", "name": "x", "number": "1", "digest": "x", "secret": "x"}


@dataclass(frozen=True)
class Case:
    path: str
    method: str
    need: str
    handler: object

    def __str__(self):
        return f"{self.method} {self.path}"

    @property
    def of_project(self):
        return "{project" in self.path or takes_room(self.handler)

    def url(self):
        parts = [p if not p.startswith("{") else SAMPLE.get(p[1:].split(":")[0], "1") for p in self.path.split("/")]
        return "/".join(parts) + ("?project=acme" if is_program(self.path) else "")


def takes_room(handler):
    """Whether the handler, or what it depends on, asks for the `room` that only who sees it is given."""
    provided = handler.resolve_dependencies()
    names, seen = set(handler.parsed_fn_signature.parameters), set()
    while names - seen:
        name = (names - seen).pop()
        seen.add(name)
        if name in provided:
            names |= set(provided[name].parsed_fn_signature.parameters)
    return "room" in seen


def cases(app):
    for route in app.routes:
        handlers = route.route_handlers if isinstance(route, HTTPRoute) else [route.route_handler]
        for handler in handlers:
            need = needs_of(handler)
            for method in sorted(getattr(handler, "http_methods", {"POST"}) - {"OPTIONS"}):
                if need != "public":
                    yield Case(route.path, method, need, handler)


@pytest.fixture
def readers(browser, token, people):
    """Sends a request as somebody: a session on pages and API, a bearer on API and MCP."""
    by_session = {
        "nobody": browser(),
        "viewer": browser("viktor"),
        "analyst": browser("anna"),
        "owner": browser("olga"),
        "other's analyst": browser("ottilie"),
    }
    by_session["nobody"].get("/login")
    tokens = {
        "read token": token("anna"),
        "write token": token("anna", "write"),
        "other's token": token("ottilie", "read"),
    }

    def send(who, case):
        asking = by_session.get(who, by_session["nobody"])
        headers = {"x-csrf-token": asking.form}
        if who in tokens:
            headers["authorization"] = f"Bearer {tokens[who]}"
        return asking.client.request(case.method, case.url(), headers=headers, follow_redirects=False)

    return send


def expected(who, case):
    """401 for who is not known, 404 for a project that they do not see, 403 for a right that they lack, else None."""
    by_bearer = who.endswith("token")
    if who == "nobody" or (by_bearer and not is_program(case.path)) or (not by_bearer and case.path.startswith("/mcp")):
        return 401
    if who.startswith("other's") and case.of_project:
        return 404 if "{project" in case.path or who in MAY[case.need] else 403
    return None if who in MAY[case.need] else 403


def shown(answer):
    """The status, with the way to the login page as 401."""
    return 401 if answer.headers.get("location", "").startswith("/login") else answer.status_code


def test_every_route_refuses_whom_it_must_and_lets_in_the_others(app, readers):
    wrong = []
    for case in cases(app):
        for who in EVERYBODY:
            must = expected(who, case)
            if must is None and case.method != "GET":
                continue  # what it changes is tried elsewhere; that it is let in, below
            found = shown(readers(who, case))
            if found != must if must else found in (401, 403):
                wrong.append(f"{case} by {who}: {found}, not {must or 'let in'}")
    assert wrong == []


def test_who_may_is_let_through_by_the_guard(app, desk, people, token):
    readers = {
        "viewer": desk.reader_of_bearer(token("viktor")),
        "write token": desk.reader_of_bearer(token("anna", "write")),
    }
    for case in cases(app):
        for who, reader in readers.items():
            scope = {"type": "http", "user": reader, "path_params": {}, "app": app, "litestar_app": app}
            if "{project" in case.path:
                scope["path_params"] = {"project": "acme"}
            if who in MAY[case.need]:
                guard(ASGIConnection(scope), case.handler)
            else:
                with pytest.raises(HTTPException):
                    guard(ASGIConnection(scope), case.handler)


def test_a_route_without_a_project_is_one_of_those_known(app):
    without = {case.path for case in cases(app) if not case.of_project and not case.path.startswith("/mcp")}
    assert {path for path in without if not path.startswith("/api/v1/projects")} <= OF_NO_PROJECT


def test_a_route_that_does_not_say_what_it_needs_is_not_served():
    @get("/silent", sync_to_thread=False)
    def silent() -> str:
        return ""

    with pytest.raises(ImproperlyConfiguredException, match="silent"):
        check_needs(Litestar([silent], openapi_config=None))


def test_options_name_methods_and_no_more(app, browser):
    found = browser().client.options("/projects")
    assert found.status_code == 204
    assert found.text == ""


def test_nobody_has_no_right_and_sees_nothing():
    assert not NOBODY.rights
    assert not NOBODY.sees("acme")


def test_the_app_is_built_twice(desk):
    assert build_app(desk) is not build_app(desk)
