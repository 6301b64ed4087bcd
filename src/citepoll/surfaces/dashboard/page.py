"""What every page is drawn with: templates, navigation, who reads it, the word after a form was sent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote, unquote

from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader, StrictUndefined
from litestar import MediaType, Response
from litestar.connection import Request
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.template.base import csrf_token
from markupsafe import Markup, escape

from citepoll.errors import CitepollError
from citepoll.report import numbers
from citepoll.report.html import drawn, firm
from citepoll.report.printable import href, one_line, printable, web_link
from citepoll.service.accounts import NOBODY, Reader
from citepoll.surfaces.dashboard.assets import asset
from citepoll.surfaces.web.asking import DeskNow, seen_rooms
from citepoll.surfaces.web.desk import Desk
from citepoll.surfaces.web.rooms import Room

ORDER = ("Overview", "Queries", "Answers", "Sources", "Gaps", "To do", "Cycles")
"""Of the navigation. A route with `nav="…"` in its declaration stands there; names not listed here fold into "More"."""


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    href: str
    here: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """A room by the name of its brand."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What base.html shows around a page."""

    path: str
    csrf: str
    user: str
    said: str
    room_id: str = ""
    room_name: str = ""
    rooms: tuple[Named, ...] = ()
    nav: tuple[Link, ...] = ()
    more: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A page being answered. Handlers ask for `page`, and return what `show`, `part` or `go` gives."""

    request: Request[Any, Any, Any]
    desk: Desk
    reader: Reader
    project: str | None

    def show(self, template: str, title: str, *, status: int = 200, **values: Any) -> Response[str]:
        """A whole page: the template with `title`, `page` (a `Frame`) and `values`."""
        frame = self._frame()
        text = environment().get_template(template).render(title=title, page=frame, reader=self.reader, **values)
        shown = Response(text, status_code=status, media_type=MediaType.HTML)
        if frame.said:
            self.forget(shown, self._said)
        return shown

    def forget(self, response: Response[Any], cookie: str) -> None:
        """Have the browser drop a cookie of ours: one called `__Host-…` it only drops for a `Secure` one."""
        response.set_cookie(Cookie(key=cookie, value="", path="/", max_age=0, httponly=True, samesite="lax",
                                   secure=self.desk.settings.https))  # fmt: skip

    def part(self, template: str, **values: Any) -> Response[str]:
        """A piece of a page, for htmx to put in place; `page` is there for its forms."""
        text = environment().get_template(template).render(page=self._frame(), reader=self.reader, **values)
        return Response(text, media_type=MediaType.HTML, headers={"Vary": "HX-Request"})

    def go(self, path: str, said: str = "") -> Response[str]:
        """After a form was sent: on to a page of ours, which shows `said` once."""
        cookies = [Cookie(key=self._said, value=quote(said[:300]), path="/", max_age=60, httponly=True, samesite="lax",
                          secure=self.desk.settings.https)] if said else []  # fmt: skip
        return Response(
            "", status_code=303, media_type=MediaType.TEXT, headers={"Location": own_path(path)}, cookies=cookies
        )

    @property
    def address(self) -> str:
        """Where the request came from, for the audit log."""
        return address_of(self.request)

    @property
    def _said(self) -> str:
        return f"{self.desk.cookie}-said"

    def _frame(self) -> Frame:
        path = self.request.url.path
        around = Frame(
            path=path,
            csrf=csrf_token({"request": self.request}),
            user=self.reader.name if self.reader.via == "session" else "",
            said=one_line(unquote(self.request.cookies.get(self._said, ""))),
        )
        if self.project is None or self.reader is NOBODY:
            return around
        rooms = tuple(Named(room.id, room_name(room)) for room in seen_rooms(self.desk, self.reader))
        name = next((room.name for room in rooms if room.id == self.project), self.project)
        nav = _nav(self.request.app.state.nav, self.project, path)
        more = tuple(link for link in nav if link.label not in ORDER)
        nav = tuple(link for link in nav if link.label in ORDER)
        return Frame(path, around.csrf, around.user, around.said, self.project, name, rooms, nav, more)


def page_of(request: Request[Any, Any, Any], desk: DeskNow) -> Page:
    """The dependency `page`."""
    reader = request.scope.get("user")
    return Page(request, desk, reader if isinstance(reader, Reader) else NOBODY, request.path_params.get("project"))


PageNow = NamedDependency[Page]
"""How a handler asks for it: `def overview(page: PageNow, room: RoomNow)`."""


def address_of(request: Request[Any, Any, Any]) -> str:
    return request.client.host if request.client else "nowhere"


def own_path(path: str) -> str:
    """`path` if it is one of ours (`/…`, never `//…` or with a backslash), else `/`: no redirect leads away."""
    return path if re.fullmatch(r"/(?![/\\])[!-\[\]-~]*", path) else "/"


def room_name(room: Room) -> str:
    """The tracked brand's name; the room's id where citepoll.toml cannot be read."""
    try:
        return one_line(room.project.tracked.name, 60)
    except CitepollError:
        return room.id


def nav_paths(routes: Sequence[Any]) -> dict[str, str]:
    """Label → path, of the routes that say `nav`, in the order of the navigation."""
    found = {
        str(route.opt["nav"]): next(iter(sorted(route.paths)))
        for route in routes
        if isinstance(route, HTTPRouteHandler) and "nav" in route.opt
    }
    return dict(sorted(found.items(), key=lambda item: ORDER.index(item[0]) if item[0] in ORDER else len(ORDER)))


def _nav(paths: dict[str, str], project: str, path: str) -> tuple[Link, ...]:
    links = [(label, where.replace("{project:str}", project)) for label, where in paths.items()]
    links = [(label, f"{where.rstrip('/')}/" if label == "Overview" else where) for label, where in links]
    here = max((where for label, where in links if _stands(path, where, label)), key=len, default="")
    return tuple(Link(label, where, where == here) for label, where in links)


def _stands(path: str, where: str, label: str) -> bool:
    """Whether a page stands under a link of the navigation; every page of a project stands below its overview."""
    return path.rstrip("/") == where.rstrip("/") if label == "Overview" else path.startswith(where)


# ---------------------------------------------------------------- templates


@cache
def environment() -> Environment:
    """Jinja with escaping on; text loses its control characters; an unknown name is an error.

    The macros for pictures and their tables are the report's: `{% from "report/panels.html" import legend, … %}`.
    """
    made = Environment(
        loader=ChoiceLoader(
            [PackageLoader("citepoll.surfaces.dashboard"), PrefixLoader({"report": PackageLoader("citepoll.report")})]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: value if isinstance(value, Markup) or not isinstance(value, str) else printable(value),
    )
    made.globals.update(asset=asset, csrf_field=_csrf_field, picture=drawn)
    made.filters.update(
        firm=firm, coded=_coded, count=numbers.count, noun=numbers.noun, one_line=one_line, web_link=web_link, href=href
    )
    return made


def _csrf_field(page: Frame) -> Markup:
    """What stands in every form."""
    return Markup('<input type="hidden" name="_csrf_token" value="{}">').format(page.csrf)


def _coded(text: str) -> Markup:
    """Names in backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(printable(text)))))
