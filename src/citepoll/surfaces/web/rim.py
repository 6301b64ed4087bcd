"""The rim: what every request and response passes. Hosts, origins, forwarded headers, security headers, CSRF."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from litestar._parsers import parse_url_encoded_form_data
from litestar.concurrency import sync_to_thread
from litestar.config.csrf import CSRFConfig
from litestar.connection import Request
from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.exceptions import HTTPException, PermissionDeniedException
from litestar.middleware.csrf import CSRFMiddleware

if TYPE_CHECKING:
    from litestar.types import ASGIApp, BeforeMessageSendHookHandler, Message, Receive, Scope, Send

    from citepoll.surfaces.web.desk import Desk

FORWARDED = ("forwarded", "x-real-ip", "via")
CSRF_HEADER = "x-csrf-token"

POLICY = "; ".join(
    (
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'",
        "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'",
    )
)  # fmt: skip


def is_program(path: str) -> bool:
    """Whether a path belongs to programs (API, MCP): they get problem+json, and may come with a bearer token."""
    return path == "/mcp" or path.startswith(("/api/", "/mcp/"))


class Rim:
    """Refuses what was addressed to another name, sent by another origin's page, or forwarded while no account exists."""

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self.app = app
        self.desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers.from_scope(scope)
        self._check_host(headers.getall("host", []))
        self._check_origin(headers)
        forwarded = any(name in FORWARDED or name.startswith("x-forwarded-") for name in headers)
        if forwarded and not await sync_to_thread(self.desk.accounts.any_user):
            raise HTTPException(
                "This request came through a proxy, and this server has no accounts.",
                status_code=400,
                extra={
                    "fix": "Make an owner with `citepoll user add`, then serve with --public-url and --trusted-proxy."
                },
            )
        await self.app(scope, receive, send)

    def _check_host(self, hosts: list[str]) -> None:
        if len(hosts) != 1 or _hostname(hosts[0]) not in self.desk.settings.hosts:
            raise HTTPException(
                "This server does not go by that name.",
                status_code=421,
                extra={"fix": "Start it with --public-url and the address that people use."},
            )

    def _check_origin(self, headers: Headers) -> None:
        """A browser states the origin of the page that sends a form or a script's request."""
        origin, host = headers.get("origin"), headers["host"].lower()
        public = self.desk.settings.public_url
        here = public if public and _hostname(host) == urlsplit(public).hostname else f"http://{host}"
        if origin is not None and origin.lower() not in (public, here):
            raise HTTPException(
                "A page of another origin sent this request.",
                status_code=403,
                extra={"fix": "Open this server's own page, and send it from there."},
            )


def _hostname(host: str) -> str | None:
    try:
        parts = urlsplit(f"//{host}")
        return parts.hostname if not parts.path and "@" not in host else None
    except ValueError:
        return None


class Csrf:
    """Litestar's CSRF check, but for requests in which no cookie counts: a bearer's, or a program's without a session."""

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        config = CSRFConfig(
            secret=desk.csrf_secret,
            cookie_name=f"{desk.cookie}-form",
            cookie_secure=desk.settings.https,
            cookie_httponly=True,
            cookie_samesite="lax",
            header_name=CSRF_HEADER,
        )
        self.app = app
        self.checked = CSRFMiddleware(app, config)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request: Request[Any, Any, Any] = Request(scope)
        by_cookie = getattr(scope.get("user"), "via", "nobody") == "session"
        app = self.app if is_program(request.url.path) and not by_cookie else self.checked
        try:
            await app(scope, receive, send)
        except PermissionDeniedException:  # of the check: those of routes are answered further in
            raise PermissionDeniedException(
                "This form is not one that this server gave to this browser.",
                extra={"fix": "Open the page again and send it once more. Programs send the token as X-CSRF-Token."},
            ) from None


def security_headers(desk: Desk) -> dict[str, str]:
    """What every response carries. `same-origin` referrers, since with none a form's own Origin would be `null`."""
    found = {
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }
    return found | ({"Strict-Transport-Security": "max-age=31536000"} if desk.settings.https else {})


def header_writer(desk: Desk) -> BeforeMessageSendHookHandler:
    """The hook that writes them, errors included; what says nothing of caching may be kept by its reader only.

    It also empties Litestar's memory of forms: that holds 1,024 bodies, passwords among them.
    """
    fixed = security_headers(desk)

    async def write(message: Message, scope: Scope) -> None:
        if message["type"] == "http.response.start":
            parse_url_encoded_form_data.cache_clear()
            headers = MutableScopeHeaders.from_message(message)
            for name, value in fixed.items():
                headers[name] = value
            headers.setdefault("Cache-Control", "private, no-cache")

    return write
