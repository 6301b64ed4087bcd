"""The way to the emulator for a request that is made for a vendor."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from citepoll.engines.base import HttpRequest


def reroute(request: HttpRequest, base_url: str) -> HttpRequest:
    """The request as it goes to the emulator: `https://api.x.ai/v1/y?q` becomes `<base_url>/api.x.ai/v1/y?q`.

    One that goes to `base_url` already is returned as it is.
    """
    if request.url.startswith(f"{base_url}/"):
        return request
    parts = urlsplit(request.url)
    query = f"?{parts.query}" if parts.query else ""
    return replace(request, url=f"{base_url}/{parts.netloc}{parts.path}{query}")
