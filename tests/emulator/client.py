"""A client for tests: engines' requests over the standard library's HTTP, on a connection for each call."""

import http.client
import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from tests.emulator import (
    SURFACES,
    Settings,
    reroute,
)

from citepoll import engines
from citepoll.engines.base import continued, with_key
from citepoll.model import Query

ROOT = Path(__file__).parents[2]
IDS = tuple(SURFACES)
QUESTION = Query("Welche Spatengabel – für Größe 5 – ist leicht? 🌱", "de", "DE")
NEEDED = {"openai-compatible": {"model": "local-8b", "base_url": "http://127.0.0.1:8080/v1/"}}

OF_VENDOR = {"google:ai-overview@dataforseo", "google:ai-mode@dataforseo", "chatgpt:ui@dataforseo"}
"""DataForSEO tells a rate limit inside HTTP 200."""

KEY = "login:canary-4f1b"
QUICK = Settings(retry_after=0.25, slow=0.05, stall=0.3, huge=200_000, endless=2_000_000, max_seconds=120)


def asked(engine_id, query=QUESTION, **given):
    engine = engines.load(engine_id)
    return engine.request(query, {**NEEDED.get(engine_id, {}), **given})


def keyed(engine_id, request, key=KEY):
    return with_key(request, engines.load(engine_id).FACTS.auth, key)


def sent(emulator, request, timeout=5.0, headers=None):
    """Status, headers (lower case) and body of a request on a connection of its own."""
    parts = urlsplit(reroute(request, emulator.url).url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    try:
        write(connection, request, parts, headers)
        return read(connection)
    finally:
        connection.close()


def write(connection, request, parts, headers=None):
    body = None if request.json is None else json.dumps(request.json).encode()
    where = parts.path + (f"?{parts.query}" if parts.query else "")
    connection.request(request.method, where, body, {**request.headers, **(headers or {})})


def read(connection):
    response = connection.getresponse()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()


def answered(emulator, engine_id, request, **how):
    return engines.load(engine_id).parse(*sent(emulator, keyed(engine_id, request), **how))


def followed(emulator, engine_id, request, most=5):
    """The answer at the end of its continuations, and the number of calls."""
    answer = answered(emulator, engine_id, request)
    for calls in range(1, most):
        if answer.follow_up is None:
            return answer, calls
        request = continued(request, answer.follow_up)
        answer = answered(emulator, engine_id, request)
    return answer, most


def counted(emulator, engine_id):
    return emulator.desk.state()["engines"].get(engine_id, {})


def cases(names):
    return [(i, name) for i in IDS for name in names if name in SURFACES[i].possible()]


def changed(request, change):
    """The request with a change of its JSON (the first task of DataForSEO), or of its query string."""
    if request.json is None:
        return replace(request, url=f"{request.url}&{change}")
    if isinstance(request.json, list):
        return replace(request, json=[{**request.json[0], **change}])
    return replace(request, json={**request.json, **change})
