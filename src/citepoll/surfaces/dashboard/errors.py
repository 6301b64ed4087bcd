"""What people see when something went wrong: what happened, what was kept, what to do."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from litestar import MediaType, Request, Response

from citepoll.surfaces.dashboard.page import own_path, page_of
from citepoll.surfaces.web.problems import Problem


def error_page(request: Request[Any, Any, Any], problem: Problem) -> Response[Any]:
    """The page of a problem; who is not logged in is led to the login, where there are accounts."""
    desk = request.app.state.desk
    if problem.status == 401 and desk.accounts.any_user():
        return _to_login(request)
    if problem.status == 401:
        problem = Problem(401, problem.type, problem.title, "This browser has not entered yet.",
                          "Open the address that citepoll printed as it started; it works once.")  # fmt: skip
    return page_of(request, desk).show("error.html", problem.title, status=problem.status, problem=problem)


def _to_login(request: Request[Any, Any, Any]) -> Response[str]:
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    back = own_path(asked) if request.method == "GET" else "/"
    where = f"/login?next={quote(back, safe='')}"
    if "hx-request" in request.headers:
        return Response("", media_type=MediaType.TEXT, headers={"HX-Redirect": where})
    return Response("", status_code=303, media_type=MediaType.TEXT, headers={"Location": where})
