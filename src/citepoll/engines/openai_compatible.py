"""`openai-compatible`: any server that speaks chat completions (a model on this machine, a gateway). Links in the text only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from citepoll.engines import bodies, completions, settings
from citepoll.engines.base import Auth, Facts, HttpRequest
from citepoll.engines.bodies import Page
from citepoll.engines.failures import Failed, opened
from citepoll.engines.links import links
from citepoll.errors import EngineError
from citepoll.model import Answer, Query

FACTS = Facts(
    id="openai-compatible",
    name="Any OpenAI-compatible server",
    surface="api",
    returns_spans=True,
    returns_sources=False,
    returns_queries=False,
    docs="https://developers.openai.com/api/reference/chat-completions",
    verified="recording",
    key_variable="OPENAI_COMPATIBLE_API_KEY",
    price_note="what the server charges; nothing for a model on this machine",
    settings={
        "base_url": "the address before /chat/completions, as http://127.0.0.1:8080/v1 (needed)",
        "max_tokens": "16 to 1000000 (the server's)",
    },
    auth=Auth("header", "Authorization", "Bearer {key}"),
    key_optional=True,
    cited="Markdown links and URLs in the text (level span), each with its place",
    notes=(
        "Nothing says whether the server searched: a link may come from the model's memory, and may lead nowhere.",
        "Annotations that a gateway adds beside the text are sources (listed).",
        "No country and no language: only the question's words carry them.",
    ),
    replays="chat completions of any vendor, those of DeepSeek and Qwen among them: the links in their text",
)

_CHAT: Final = "/chat/completions"


def request(query: Query, values: Mapping[str, object]) -> HttpRequest:
    """One question. Raises `EngineError` where the model or the address is missing or not usable."""
    given = settings.read(FACTS, values)
    body: dict[str, object] = {"model": given.model(), "messages": [{"role": "user", "content": query.text}]}
    if tokens := given.whole("max_tokens", 16, 1_000_000):
        body["max_tokens"] = tokens
    return HttpRequest("POST", _address(given.text("base_url")), {"content-type": "application/json"}, body)


def _address(base: str | None) -> str:
    if base is None:
        raise EngineError(
            "openai-compatible needs the address of a server.",
            'Add settings = { base_url = "http://127.0.0.1:8080/v1" } to the [[engine]] in citepoll.toml.',
        )
    try:
        parts = urlsplit(base)
        usable = parts.scheme in ("http", "https") and parts.hostname and not (parts.username or parts.password)
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment:
        raise EngineError(
            f"The base_url {base.rpartition('@')[2]!r} of openai-compatible is not usable.",
            "Give http:// or https://, a host and a path; a key belongs in OPENAI_COMPATIBLE_API_KEY.",
        )
    return base.rstrip("/").removesuffix(_CHAT) + _CHAT


def parse(status_code: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """The answer in a chat completion: each link of the text is a citation, whether or not the server searched."""
    document = opened(status_code, headers, body, "choices")
    if isinstance(document, Failed):
        return document
    text = completions.content(document)
    status = completions.status_of(document, text)
    model, usage = completions.facts_of(document)
    citations = bodies.numbered(
        bodies.cite(link.url, "span", link.title, (link.start, link.end)) for link in links(text)
    )
    return Answer(
        status,
        text,
        citations,
        bodies.uncited(_beside(document), citations),
        model=model,
        usage=usage,
        message=completions.message_of(document, status),
        spans=True,
        cost=bodies.dollars(usage.get("cost")),
    )


def _beside(document: dict[str, Any]) -> Iterator[Page]:
    """Pages that the body names outside the text: annotations (OpenRouter), a list of URLs (Perplexity and others)."""
    for note in bodies.mappings(completions.message(document).get("annotations")):
        inner = bodies.mapping(note.get("url_citation")) or note
        yield bodies.text(inner.get("url")), bodies.text(inner.get("title")), "listed"
    for url in bodies.values(document.get("citations")):
        yield bodies.text(url), "", "listed"
