"""What a single call says of an engine: whether it works, else what is wrong and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from citepoll.engines import bodies
from citepoll.engines.base import Facts, HttpResponse
from citepoll.engines.failures import Failed, signals
from citepoll.model import Answer

Kind = Literal[
    "works", "no_key", "wrong_key", "no_quota", "rate_limited", "no_model", "no_search", "region", "blocked", "vendor",
    "request", "web_page", "unreadable", "network", "settings", "documents",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """`says` is one sentence, `fix` what to do ("" where there is nothing to do), both in our words."""

    kind: Kind
    says: str
    fix: str = ""

    @property
    def works(self) -> bool:
        return self.kind == "works"


_NO: Final = (
    r"(not|n't|never) (be )?(enabled|supported|allowed|available|permitted)|unsupported|disabled|unknown|denied"
)
_KINDS: Final[tuple[tuple[Kind, re.Pattern[str]], ...]] = (
    (
        "region",
        re.compile(
            r"unsupported_country|country,? region|(country|region|location)( is)? not supported"
            r"|not (available|supported) in your (country|region|location)"
        ),
    ),
    (
        "no_quota",
        re.compile(
            r"insufficient_(quota|balance|user_quota)|insufficient balance|credit balance|available credits|billing_"
            r"|arrearage|payment required|\w*perday\w*|(run out|used all) of .{0,40}searches|\b4020[01346]\b"
        ),
    ),
    (
        "wrong_key",
        re.compile(
            r"invalid_?api_?key|api[_ -]?key[_ ]*(is )?(not[_ ]valid|invalid|missing)|(incorrect|invalid|no) api[ -]key"
            r"|invalid x-api-key|authentication|\b40100\b"
        ),
    ),
    ("rate_limited", re.compile(r"\b4020[25]\b")),
    ("no_search", re.compile(rf"(search|grounding|\btools?\b).{{0,80}}({_NO})|({_NO}).{{0,60}}(search|grounding|\btools?\b)")),
    (
        "no_model",
        re.compile(
            r"model_not_found|invalid[ _]model|unknown model|model[ _]not[ _]exist"
            r"|model.{0,80}(not found|not exist|not known|does not support|not supported)"
        ),
    ),
)  # fmt: skip
"""What vendors' codes and words tell beyond the HTTP status, the first that fits. Numbers are DataForSEO's."""

_BY_STATUS: Final[Mapping[int, Kind]] = {401: "wrong_key", 402: "no_quota", 403: "wrong_key"}
_PAGE: Final = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|body|\?xml|title|h1)", re.IGNORECASE)


def diagnosed(facts: Facts, model: str | None, response: HttpResponse, answer: Answer) -> Diagnosis:
    """What a response says. `answer` is how the engine reads it, `model` the one that was asked for, None for none."""
    if not isinstance(answer, Failed) and answer.status != "failed":
        return _read(facts, answer)
    kind = _kind(response, answer)
    if kind == "no_model" and model is None:
        kind = "request"
    return _diagnosis(kind, facts, model, response.status_code, answer.retry_after)


def keyless(facts: Facts) -> Diagnosis:
    """The engine needs a key, and there is none."""
    return _diagnosis("no_key", facts, None, None, None)


# ---------------------------------------------------------------- an answer


def _read(facts: Facts, answer: Answer) -> Diagnosis:
    if answer.status == "blocked":
        return _diagnosis("blocked", facts, None, None, None)
    if answer.status == "deferred":
        return Diagnosis("works", "works: it took the question, and the call that fetches the answer was not made")
    if not _searched(facts, answer):
        return Diagnosis(
            "no_search",
            "it answered without a search",
            f"Choose a model that may search, and see whether the account may use the search tool: {facts.docs}",
        )
    return Diagnosis("works", f"works{_REMARKS.get(answer.status, '')}{_silence(facts, answer)}")


_REMARKS: Final[Mapping[str, str]] = {
    "absent": ": it has no AI answer for this question, which is no fault",
    "refused": ": it declined the question",
    "empty": ": the answer had no text",
}


def _searched(facts: Facts, answer: Answer) -> bool:
    """False only where the surface would name pages or queries, and named none."""
    if facts.surface != "api" or answer.status in ("refused", "empty"):
        return True
    found = bool(answer.citations or answer.sources)
    if found or not (facts.returns_sources or facts.returns_queries):
        return True
    return facts.returns_queries and bool(answer.queries) and answer.message is None


def _silence(facts: Facts, answer: Answer) -> str:
    if answer.citations or answer.sources or answer.queries or answer.status != "answered":
        return ""
    return ": it cited nothing, and does not say whether it searched" if facts.surface == "api" else ""


# ---------------------------------------------------------------- a failure


def _kind(response: HttpResponse, answer: Answer) -> Kind:
    if _PAGE.match(response.body):
        return "web_page"
    if answer.status == "blocked":
        return "blocked"
    document = _document(response.body)
    if document is None:
        return _BY_STATUS.get(response.status_code, "unreadable")
    said = " ".join((*_words(document), answer.message or "")).lower()
    if response.status_code == 402:
        return "no_quota"
    for kind, words in _KINDS:
        if words.search(said):
            return kind
    return _by_status(response.status_code, answer)


def _by_status(status_code: int, answer: Answer) -> Kind:
    hopeless = isinstance(answer, Failed) and answer.retry == "stop"
    if status_code == 429:
        return "no_quota" if hopeless else "rate_limited"
    if status_code in _BY_STATUS:
        return _BY_STATUS[status_code]
    if status_code in (404, 410):
        return "no_model"
    if status_code >= 500 or (isinstance(answer, Failed) and answer.retry == "later"):
        return "vendor" if answer.message or status_code >= 500 else "unreadable"
    return "request"


def _document(body: bytes) -> dict[str, Any] | None:
    try:
        found = bodies.decode(body)
    except ValueError:
        return None
    first = found[0] if isinstance(found, list) and found else found
    return first if isinstance(first, dict) else None


def _words(document: Mapping[str, Any]) -> Iterator[str]:
    yield from signals(document)
    for holder in (document, *bodies.mappings(document.get("tasks"))):
        for name in ("status_code", "status_message"):
            yield str(holder.get(name) or "")


# ---------------------------------------------------------------- in words

_SAID: Final[Mapping[Kind, tuple[str, str]]] = {
    "no_key": (
        "no key: {variable} is not set",
        "Set {variable} in the environment, or in the keyring under the service citepoll. The vendor's page: {docs}",
    ),
    "wrong_key": (
        "the vendor does not take the key in {variable} for this{status}",
        "Copy the key again into {variable}, and see in the vendor's console what it may do.",
    ),
    "no_quota": (
        "the account has no quota or no credit left{status}",
        "Add credit or raise the limit in the vendor's console.",
    ),
    "rate_limited": (
        "too many calls for the account's rate{status}",
        "{wait} and check again; per_minute of [limits] in citepoll.toml keeps a poll below the rate.",
    ),
    "no_model": (
        "the model {model} is not known, or not open to this account{status}",
        'Name another with model = "…" in citepoll.toml. The vendor\'s page: {docs}',
    ),
    "no_search": (
        "the search is not allowed for this model or account{status}",
        "Choose a model that may search, or have the search allowed for the account: {docs}",
    ),
    "region": (
        "the vendor does not serve the place that this machine calls from{status}",
        "Call from a place that the vendor serves, or leave this engine out.",
    ),
    "blocked": (
        "a filter of the vendor blocked a harmless question{status}",
        "Ask the vendor what its policy holds back.",
    ),
    "vendor": (
        "the vendor has a fault of its own{status}",
        "Nothing is wrong here: check again later. A poll makes such calls again by itself.",
    ),
    "web_page": (
        "a web page came in place of an answer{status}",
        "See whether a proxy (HTTPS_PROXY), a firewall or a sign-in page stands on the way, and base_url, if set.",
    ),
    "unreadable": (
        "the reply is no answer of this surface{status}",
        "See base_url, if set, and what stands on the way; if it stays, the vendor has changed its reply.",
    ),
    "request": (
        "the vendor refused the request{status}",
        "Compare model and settings of the engine in citepoll.toml with the vendor's page: {docs}",
    ),
}


def _diagnosis(kind: Kind, facts: Facts, model: str | None, status_code: int | None, wait: float | None) -> Diagnosis:
    known = {
        "variable": facts.key_variable or "no variable",
        "model": model or "",
        "docs": facts.docs,
        "status": "" if status_code is None else f" (HTTP {status_code})",
        "wait": f"Wait {wait:.0f} s" if wait else "Wait a minute",
    }
    says, fix = _SAID[kind]
    return Diagnosis(kind, says.format(**known), fix.format(**known))


# ---------------------------------------------------------------- no response at all

_UNREACHED: Final = (
    (
        re.compile(r"name or service|name resolution|nodename|getaddrinfo|no address associated", re.IGNORECASE),
        "the name {host} cannot be found",
        "See whether this machine is online and its DNS works; then the spelling of base_url, if set.",
    ),
    (
        re.compile(r"certificate|ssl|tls", re.IGNORECASE),
        "no secure connection to {host} could be made",
        "A proxy may put its own certificate in: name its file in SSL_CERT_FILE. Else see this machine's clock.",
    ),
    (
        re.compile(r"proxyerror|proxy", re.IGNORECASE),
        "the proxy on the way to {host} refused",
        "See HTTPS_PROXY and NO_PROXY in the environment.",
    ),
    (
        re.compile(r"nothing came|no whole answer|timeout", re.IGNORECASE),
        "{host} did not answer in time",
        "Check again later; if it stays, see whether a firewall holds the connection.",
    ),
    (
        re.compile(r"larger than", re.IGNORECASE),
        "the reply of {host} is too large",
        "See base_url, if set, and what stands on the way.",
    ),
    (
        re.compile(r"readerror|remoteprotocol|reset|disconnected|closed", re.IGNORECASE),
        "{host} broke the connection off",
        "Check again; if it stays, see whether a proxy or a firewall stands on the way.",
    ),
)


def unreached(host: str, reason: str) -> Diagnosis:
    """What it means that no whole response came; `reason` is the transport's."""
    for words, says, fix in _UNREACHED:
        if words.search(reason):
            return Diagnosis("network", says.format(host=host), fix)
    return Diagnosis(
        "network",
        f"no connection to {host} could be made",
        "See whether this machine is online, whether a firewall stands on the way, and base_url, if set.",
    )
