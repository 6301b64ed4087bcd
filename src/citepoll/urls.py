"""Canonical URL and registrable domain: the WHATWG parse of a browser, then a policy of our own.

Lower-case host as A-label, no default port, credentials or fragment, percent-encoding normalised, tracking parameters
dropped, redirect wrappers opened where the target stands in the URL. All else is kept as the server had it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from urllib.parse import unquote

from publicsuffixlist import PublicSuffixList
from upa_url import URL

TRACKING: Mapping[str, str] = {
    "gclid": "Google Ads click",
    "gclsrc": "Google Ads click, its origin",
    "gbraid": "Google Ads click from an app",
    "wbraid": "Google Ads click to an app",
    "dclid": "Google Display click",
    "gad_source": "Google Ads, where the advertisement stood",
    "gad_campaignid": "Google Ads campaign",
    "srsltid": "Google Merchant Center, added to organic results",
    "_ga": "Google Analytics, client id across domains",
    "_gl": "Google Analytics, linker across domains",
    "fbclid": "Facebook click",
    "igshid": "Instagram share",
    "igsh": "Instagram share",
    "msclkid": "Microsoft Advertising click",
    "yclid": "Yandex Direct click",
    "ysclid": "Yandex search click",
    "twclid": "X click",
    "ttclid": "TikTok click",
    "li_fat_id": "LinkedIn click",
    "epik": "Pinterest click",
    "irclickid": "impact.com affiliate click",
    "mc_cid": "Mailchimp campaign",
    "mc_eid": "Mailchimp recipient",
    "mkt_tok": "Marketo recipient",
    "_hsenc": "HubSpot recipient",
    "_hsmi": "HubSpot message",
    "hsctatracking": "HubSpot button",
    "vero_id": "Vero recipient",
    "oly_enc_id": "Omeda recipient",
    "oly_anon_id": "Omeda recipient",
    "ref_src": "X embed, the page that led here",
    "ref_url": "X embed, the page that led here",
    "guccounter": "Yahoo consent round trip",
    "guce_referrer": "Yahoo consent round trip",
    "guce_referrer_sig": "Yahoo consent round trip",
}
"""Query parameters that say how a reader came, not what is shown, with the reason. Compared in lower case."""

TRACKING_PREFIXES: Mapping[str, str] = {"utm_": "campaign tags; engines add utm_source themselves"}

DEEPEST = 5
"""Wrappers within wrappers that are opened; more is a problem, as a browser would stop as well."""

LONGEST_KEPT = 4096
"""Raw URLs above this length, in code points, are worked out each time, so that the cache stays small."""


@dataclass(frozen=True, slots=True)
class Canonical:
    """A URL that a browser would open, in canonical form.

    `domain` is the registrable domain with the private section of the Public Suffix List honoured, `domain_icann`
    without; both are the host itself where it is an IP address or a suffix. `unwrapped` names the wrappers that were
    opened, outermost first. `unresolved`: an opaque redirect, whose page and owner are unknown from the URL alone.
    """

    url: str
    host: str
    path: str
    domain: str
    domain_icann: str
    unwrapped: str | None = None
    unresolved: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a text is no URL, in words."""

    reason: str


def canonical(raw: str) -> Canonical | Problem:
    """Read `raw` as a browser's address bar does. Never raises; a recurring URL is worked out once.

    `canonical(canonical(raw).url).url == canonical(raw).url` for every URL.
    """
    return _kept(raw) if len(raw) <= LONGEST_KEPT else _canonical(raw)


def _canonical(raw: str) -> Canonical | Problem:
    found = _parsed(raw)
    opened: list[str] = []
    while isinstance(found, Canonical) and (inner := _opened(found)):
        name, found = inner
        opened.append(name)
        if len(opened) > DEEPEST:
            return Problem(f"more than {DEEPEST} redirect wrappers within each other")
    if isinstance(found, Canonical) and opened:
        return replace(found, unwrapped=", ".join(opened))
    return found


_kept = lru_cache(maxsize=1 << 16)(_canonical)


# ---------------------------------------------------------------- one URL

_EDGE = "".join(map(chr, range(0x21)))
"""C0 controls and space, which the WHATWG parser strips at both ends."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_HOST_AND_PORT = re.compile(r"(?:[^/?#\\@:\s]*\.[^/?#\\@:\s]*|localhost):[0-9]{1,5}(?=[/?#\\]|$)")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_PLAIN_IPV4 = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")


def _parsed(raw: str) -> Canonical | Problem:
    text = raw.strip(_EDGE)
    if not text.isascii():
        text = _LONE_SURROGATE.sub("\ufffd", text)
    if not text:
        return Problem("empty")
    # The parser drops tabs and line feeds, so the scheme is looked for without them.
    bare = re.sub("[\t\n\r]", "", text)
    scheme = None if _HOST_AND_PORT.match(bare) else _SCHEME.match(bare)
    if scheme is None:
        return _without_scheme(text)
    if scheme[1].lower() not in ("http", "https"):
        return Problem(f"the scheme {scheme[1][:20].lower()}: is no web page")
    return _read(text)


def _without_scheme(text: str) -> Canonical | Problem:
    if any(map(str.isspace, text)):
        return Problem("text with spaces and no scheme")
    if text[0] in "/\\" and text[1:2] not in ("/", "\\"):
        return Problem("a path without a host")
    authority = re.split(r"[/?#\\]", text.lstrip("/\\"), maxsplit=1)[0]
    if "@" in authority:
        return Problem("an e-mail address or credentials without a scheme")
    found = _read("https://" + text.lstrip("/\\"))
    if isinstance(found, Problem):
        return found
    if _ip(found.host):
        written = authority.partition(":")[0]
        return found if _PLAIN_IPV4.fullmatch(written) else Problem("no host")
    if found.host != "localhost" and ("." not in found.host or not known_suffix(found.host)):
        return Problem("no host: the last part is no known top-level domain")
    return found


def _read(text: str) -> Canonical | Problem:
    try:
        url = URL(text)
    except RuntimeError:
        return Problem("no valid address")
    host = url.hostname.removesuffix(".")
    if not host or host.startswith(".") or ".." in host or host.endswith("."):
        return Problem("no host")
    port = f":{url.port}" if url.port else ""
    path = _normal_escapes(url.pathname)
    query = _without_tracking(_normal_escapes(url.search[1:]))
    whole = f"{url.protocol}//{host}{port}{path}" + (f"?{query}" if query else "")
    unresolved = host == _OPAQUE_HOST and path.startswith(_OPAQUE_PATH)
    return Canonical(whole, host, path, registrable(host), registrable(host, private=False), unresolved=unresolved)


_ESCAPE = re.compile("%([0-9A-Fa-f]{2})?")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def _normal_escapes(text: str) -> str:
    """Escapes of unreserved characters opened (RFC 3986, 6.2.2.2), hex in capitals, a lone `%` as `%25`."""
    return _ESCAPE.sub(_normal_escape, text) if "%" in text else text


def _normal_escape(escape: re.Match[str]) -> str:
    if escape[1] is None:
        return "%25"
    char = chr(int(escape[1], 16))
    return char if char in _UNRESERVED else escape[0].upper()


def _without_tracking(query: str) -> str:
    if not query:
        return ""
    return "&".join(part for part in query.split("&") if not is_tracking(part.partition("=")[0]))


def is_tracking(name: str) -> bool:
    """Whether a query parameter of this name says only how the reader came."""
    name = name.lower()
    return name in TRACKING or name.startswith(tuple(TRACKING_PREFIXES))


# ---------------------------------------------------------------- registrable domain


def registrable(host: str, *, private: bool = True) -> str:
    """The registrable domain of a canonical host; the host itself where it is an IP address or a public suffix."""
    if _ip(host):
        return host
    return _suffixes(private).privatesuffix(host) or host


def known_suffix(host: str) -> bool:
    """Whether `host` ends in a suffix that the Public Suffix List names."""
    return _suffixes(True).publicsuffix(host, accept_unknown=False) is not None


def is_suffix(host: str) -> bool:
    """Whether `host` is a public suffix itself, as co.uk: nobody's own. Those of the private section belong to somebody."""
    return not _ip(host) and _suffixes(False).privatesuffix(host) is None


@cache
def _suffixes(private: bool) -> PublicSuffixList:
    return PublicSuffixList(only_icann=not private)


def _ip(host: str) -> bool:
    # A host that the parser let through and whose last label is a number is an IPv4 address.
    return host.startswith("[") or host.rpartition(".")[2].isdigit()


# ---------------------------------------------------------------- redirect wrappers

_OPAQUE_HOST = "vertexaisearch.cloud.google.com"
_OPAQUE_PATH = "/grounding-api-redirect/"


def _opened(outer: Canonical) -> tuple[str, Canonical] | None:
    """The wrapper's name and what it holds, where `outer` is one and holds a web address."""
    for name, host, path, target in _WRAPPERS:
        if host.fullmatch(outer.host) and path.match(outer.path):
            inner = _parsed(target(outer))
            if isinstance(inner, Canonical) and inner.url != outer.url:
                return name, inner
    return None


def _parameter(*names: str) -> Callable[[Canonical], str]:
    def target(outer: Canonical) -> str:
        value = _value(outer, names)
        return value if value.lower().startswith(("http://", "https://")) else ""

    return target


def _value(outer: Canonical, names: tuple[str, ...]) -> str:
    given = dict(reversed([part.partition("=")[::2] for part in outer.url.partition("?")[2].split("&")]))
    return next((unquote(given[name]) for name in names if given.get(name)), "")


def _bing_target(outer: Canonical) -> str:
    value = _value(outer, ("u",)).removeprefix("a1")
    try:
        target = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode()
    except (binascii.Error, ValueError):
        return ""
    return target if target.lower().startswith(("http://", "https://")) else ""


def _amp_target(outer: Canonical) -> str:
    """`/c/s/example.com/page` of a cache or `/amp/s/example.com/page` of the viewer; without `s/` it is http."""
    rest = outer.url.split("/", 3)[3].partition("/")[2]
    return f"https://{rest[2:]}" if rest.startswith("s/") else f"http://{rest}"


def _translated_target(outer: Canonical) -> str:
    label = outer.host.partition(".")[0]
    host = label.replace("--", "\0").replace("-", ".").replace("\0", "-")
    query = "&".join(p for p in outer.url.partition("?")[2].split("&") if not p.startswith("_x_tr_"))
    scheme = _value(outer, ("_x_tr_sch",)) or "https"
    return f"{scheme}://{host}{outer.path}" + (f"?{query}" if query else "")


def _wrapper(
    name: str, host: str, path: str, target: Callable[[Canonical], str]
) -> tuple[str, re.Pattern[str], re.Pattern[str], Callable[[Canonical], str]]:
    return name, re.compile(host), re.compile(path), target


_GOOGLE = r"(?:www\.)?google(?:\.[a-z]{2,3}){1,2}"

_WRAPPERS = (
    _wrapper("google", _GOOGLE, "/url$", _parameter("q", "url")),
    _wrapper("google amp", _GOOGLE, "/amp/", _amp_target),
    _wrapper("amp cache", r"(?:.+\.)?cdn\.ampproject\.org", "/(?:c|v|wp)/", _amp_target),
    _wrapper("google translate", r"[^.]+\.translate\.goog", "/", _translated_target),
    _wrapper("google translate", r"translate\.google(?:\.[a-z]{2,3}){1,2}", "/translate$", _parameter("u")),
    _wrapper("facebook", r"lm?\.facebook\.com|(?:www\.)?facebook\.com", r"/l\.php$", _parameter("u")),
    _wrapper("instagram", r"l\.instagram\.com", "/$", _parameter("u")),
    _wrapper("duckduckgo", r"(?:www\.)?duckduckgo\.com", "/l/?$", _parameter("uddg")),
    _wrapper("bing", r"(?:www\.)?bing\.com", "/ck/a$", _bing_target),
    _wrapper("youtube", r"(?:www\.)?youtube\.com", "/redirect$", _parameter("q")),
)
"""Name, host, path, and how the target is read. What holds its target elsewhere than in the URL is not here."""
