"""Coming and going: /login, /logout, and /enter/TOKEN, the address that a server without accounts prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.enums import RequestEncodingType
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.params import Body, FromPath, FromQuery

from citepoll.errors import InputError
from citepoll.service import sessions
from citepoll.service.sessions import Turned
from citepoll.surfaces.dashboard.page import Page, PageNow, own_path
from citepoll.surfaces.web.asking import DeskNow


@dataclass(frozen=True, slots=True)
class Login:
    name: str
    password: str
    next: str = "/"


@get("/login", needs="public", sync_to_thread=True)
def login_page(page: PageNow, next: FromQuery[str] = "/") -> Response[Any]:
    """The form; somebody who is logged in already goes on."""
    if page.reader.via == "session":
        return page.go(next)
    if not page.desk.accounts.any_user():
        raise NotAuthorizedException
    return page.show("login.html", "Log in", error=None, name="", next=own_path(next))


@post("/login", needs="public", sync_to_thread=True)
def login(
    page: PageNow, desk: DeskNow, data: Annotated[Login, Body(media_type=RequestEncodingType.URL_ENCODED)]
) -> Response[Any]:
    """A new session, whatever session came before; or the form again with the reason."""
    found = sessions.log_in(desk.accounts, data.name, data.password, page.address, desk.clock())
    if isinstance(found, Turned):
        status = 429 if found.wait else 403
        fix = f"Try again in {found.wait // 60} minutes." if found.wait else "Mind capital letters in the password."
        shown = page.show("login.html", "Log in", status=status, error=InputError(found.reason, fix), name=data.name,
                          next=own_path(data.next))  # fmt: skip
        return _waiting(shown, found.wait)
    return _entered(page, found, data.next)


@get("/enter/{secret:str}", needs="public", sync_to_thread=True)
def enter(page: PageNow, desk: DeskNow, secret: FromPath[str]) -> Response[Any]:
    """Lets one browser in, once."""
    found = sessions.use_entry(desk.accounts, secret, page.address, desk.clock())
    if isinstance(found, Turned):
        fix = "Start `citepoll serve` again: it prints a new address, and lets in one browser."
        raise PermissionDeniedException(found.reason, extra={"fix": fix})
    return _entered(page, found, "/")


@post("/logout", needs="public", sync_to_thread=True)
def logout(page: PageNow, desk: DeskNow) -> Response[Any]:
    sessions.log_out(desk.accounts, page.reader, page.address, desk.clock())
    gone = page.go("/login")
    page.forget(gone, desk.cookie)
    gone.headers["Clear-Site-Data"] = '"cache"'  # else the browser's way back shows the pages again
    return gone


def _entered(page: Page, secret: str, path: str) -> Response[str]:
    """On to `path` with the cookie of the new session; the one before ends."""
    desk = page.desk
    if page.reader.session:
        desk.accounts.end_session(page.reader.session)
    on = page.go(path)
    # Lax: with Strict, a link in an alert's mail would lead to the login page.
    on.set_cookie(Cookie(key=desk.cookie, value=secret, path="/", httponly=True, samesite="lax", secure=desk.settings.https,
                         max_age=int(sessions.LONGEST.total_seconds())))  # fmt: skip
    return on


def _waiting(shown: Response[str], seconds: int) -> Response[str]:
    if seconds:
        shown.headers["Retry-After"] = str(seconds)
    return shown


ROUTES = [login_page, login, enter, logout]
