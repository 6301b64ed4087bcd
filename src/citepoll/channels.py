"""Who is told of alerts, and where: what the table [alerts] of a project says. Secrets stand in it by name only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias
from urllib.parse import urlsplit

from citepoll.errors import InputError

SMTP_PASSWORD: Final = "CITEPOLL_SMTP_PASSWORD"
ALLOWED_HOSTS: Final = "CITEPOLL_ALLOW_HOSTS"
"""The operator's list of inner hosts that webhooks may lead to, with commas between them."""

Security: TypeAlias = Literal["starttls", "tls", "none"]
PORTS: Final[dict[Security, int]] = {"starttls": 587, "tls": 465, "none": 25}
EMAIL: Final = "email"
"""The name of the channel that sends mail."""

_ADDRESS = re.compile(r"[!#-'*+\-/-9=?A-Z^-~.]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?", re.ASCII)
_REFERENCE = re.compile(r"env:(CITEPOLL_[A-Z0-9_]+)", re.ASCII)
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Mail:
    """Mail to every address of `to`. The password is `SMTP_PASSWORD`, asked for where there is a `user`."""

    to: tuple[str, ...]
    sender: str
    host: str
    port: int
    security: Security = "starttls"
    user: str | None = None
    name: str = EMAIL


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook. Of `url` and `variable`, the name of a secret that holds the address, one is set.

    `secret` is the name of the secret that signs the body, None for no signature.
    """

    name: str
    form: Literal["slack", "json"]
    url: str | None = None
    variable: str | None = None
    secret: str | None = None


@dataclass(frozen=True, slots=True)
class Alerts:
    """`watch` holds texts of queries whose lost citations are told. `digest`: alerts wait for the next day or week."""

    watch: tuple[str, ...] = ()
    digest: Literal["daily", "weekly"] | None = None
    mail: Mail | None = None
    hooks: tuple[Hook, ...] = ()

    @property
    def channels(self) -> tuple[Mail | Hook, ...]:
        return (*([self.mail] if self.mail else []), *self.hooks)


def mail(to: tuple[str, ...], sender: str, host: str, port: int | None, security: Security, user: str | None) -> Mail:
    """Raises `InputError` for what is no address: a line break in one would write headers of its own."""
    for address in (*to, sender):
        if not _ADDRESS.fullmatch(address) or len(address) > 254:
            raise InputError(
                f"{address[:60]!r} is not a mail address.", "Write it like anna@example.org, without a name."
            )
    if not re.fullmatch(r"[A-Za-z0-9.:-]{1,253}", host):
        raise InputError(f"{host[:60]!r} is not the name of a mail server.", "Write it like smtp.example.org.")
    return Mail(to, sender, host, port or PORTS[security], security, user)


def hook(name: str, form: Literal["slack", "json"], url: str, secret: str | None) -> Hook:
    """Raises `InputError` for a name or an address that cannot be used; what is refused is not shown whole."""
    if not _NAME.fullmatch(name) or name == EMAIL:
        raise InputError(
            f"{name[:40]!r} cannot name a webhook.", "Use lower-case letters, digits and hyphens, as in team."
        )
    found = _REFERENCE.fullmatch(secret) if secret is not None else None
    if secret is not None and not found:
        raise InputError(
            f"The secret of {name} stands in the file.", 'Name a variable: secret = "env:CITEPOLL_HOOK_SECRET".'
        )
    signer = found[1] if found else None
    if reference := _REFERENCE.fullmatch(url):
        return Hook(name, form, variable=reference[1], secret=signer)
    if form == "slack":
        raise InputError(
            f"The address of {name} is a secret: whoever has it can write there.",
            'Put it into the environment, and name it: url = "env:CITEPOLL_SLACK_URL".',
        )
    if not _is_https(url):
        raise InputError(
            f"The address of {name} is not one of https.", "Write https://…, or env:CITEPOLL_… to name it."
        )
    return Hook(name, form, url=url, secret=signer)


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc and url.isprintable()


def shown(channel: Mail | Hook) -> str:
    """Where a channel leads, for people: of an address no more than scheme and host."""
    if isinstance(channel, Mail):
        return f"{', '.join(channel.to)} by {channel.host}"
    if channel.variable:
        return f"the address in {channel.variable}"
    parts = urlsplit(channel.url or "")
    return f"{parts.scheme}://{parts.hostname}/…"


def secrets(channel: Mail | Hook) -> Iterator[str]:
    """The names of the secrets that a channel cannot do without."""
    if isinstance(channel, Mail):
        yield from [SMTP_PASSWORD] if channel.user else []
    else:
        yield from (name for name in (channel.variable, channel.secret) if name)
