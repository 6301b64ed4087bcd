"""Files that pages load, from the package: each under the hash of its content, so that a browser may keep it for ever."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from citepoll.hashing import bytes_hash, short
from citepoll.report.palette import style_rules

_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".txt": "text/plain"}
_FOR_EVER = "public, max-age=31536000, immutable"


@cache
def _held() -> dict[str, bytes]:
    """Every file of static/ by name. desk.css is one sheet: the colours, the report's, itself, those of single pages."""
    here = files("citepoll.surfaces.dashboard") / "static"
    found = {each.name: each.read_bytes() for each in here.iterdir() if each.is_file()}
    report = (files("citepoll.report") / "templates" / "report.css").read_bytes()
    pages = [found.pop(name) for name in sorted(found) if name.endswith(".css") and name != "desk.css"]
    return found | {"desk.css": b"\n".join((style_rules().encode(), report, found["desk.css"], *pages))}


@cache
def asset(name: str) -> str:
    """The address of a file of static/."""
    return f"/static/{short(bytes_hash(_held()[name]))}/{name}"


@get("/static/{digest:str}/{name:str}", needs="public", exclude_from_auth=True, sync_to_thread=False)
def static_file(digest: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """A file, if the hash is that of its content now."""
    if name not in _held() or asset(name) != f"/static/{digest}/{name}":
        raise NotFoundException("There is no such file.")
    kind = next((value for end, value in _TYPES.items() if name.endswith(end)), "application/octet-stream")
    return Response(_held()[name], media_type=kind, headers={"Cache-Control": _FOR_EVER})


ROUTES = [static_file]
