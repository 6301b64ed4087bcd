"""The desk: what one server process shares. Made once, given to the app."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hmac import compare_digest
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from citepoll.errors import InputError
from citepoll.hashing import bytes_hash, short
from citepoll.service import sessions
from citepoll.service.accounts import NOBODY, Reader, local_reader, note
from citepoll.store.accounts import AccountFile
from citepoll.surfaces.web.rooms import Rooms
from citepoll.surfaces.web.worker import Worker

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Settings:
    """How a server is reached. `public_url` is an origin such as https://polls.example.org, or None on one's own machine."""

    host: str = "127.0.0.1"
    port: int = 8321
    public_url: str | None = None
    trusted_proxies: tuple[str, ...] = ()

    @property
    def https(self) -> bool:
        return (self.public_url or "").startswith("https://")

    @property
    def url(self) -> str:
        """The origin under which people reach the server."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"

    @property
    def hosts(self) -> frozenset[str]:
        """Names that a request may be addressed to, without a port. Any other is a name that somebody else made up."""
        public = urlsplit(self.public_url or "").hostname
        return frozenset({*LOOPBACK, self.host.lower(), *([public] if public else [])}) - {"0.0.0.0", "::"}


def public_origin(text: str | None) -> str | None:
    """The origin of a `--public-url`. Raises `InputError` unless it is http or https, a host, and nothing behind it."""
    if text is None:
        return None
    parts = urlsplit(text.strip())
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.path.strip("/")
        or parts.query
        or "@" in text
    ):
        raise InputError(f"{text!r} is not an address of a server.", "Write it like https://polls.example.org.")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def proxies(addresses: Iterable[str]) -> tuple[str, ...]:
    """The addresses of `--trusted-proxy`. Raises `InputError` for what is neither an address nor a network."""
    found = tuple(addresses)
    for text in found:
        try:
            if not ip_network(text).prefixlen:
                raise ValueError("everybody is no proxy")
        except ValueError:
            raise InputError(
                f"{text!r} is not the address of a proxy.", "Write it like 127.0.0.1 or 10.0.0.0/24."
            ) from None
    return found


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _utc() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Desk:
    """Rooms, accounts, settings, and the worker if there is one (None: polls are started with `citepoll poll`).

    `token` is the secret of a server without accounts: it stands in the printed address, which lets one browser in, and
    is a bearer token of API and MCP until the server ends or an account exists. None where there are accounts.
    """

    rooms: Rooms
    accounts: AccountFile
    settings: Settings = Settings()
    token: str | None = field(default=None, repr=False)
    worker: Worker | None = None
    clock: Callable[[], datetime] = _utc
    cookie: str = field(init=False)
    csrf_secret: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.csrf_secret = self.accounts.key("csrf", sessions.new_secret())
        # Browsers share the cookies of all ports of a host: each desk has a name of its own for its cookies.
        name = f"citepoll-{short(bytes_hash(self.csrf_secret.encode()))}"
        self.cookie = f"__Host-{name}" if self.settings.https else name
        sessions.drop_old_sessions(self.accounts, self.clock())
        if self.token is not None:
            self.accounts.add_entry(sessions.secret_hash(self.token), self.clock())

    def reader_of_cookie(self, secret: str) -> Reader:
        return sessions.session_reader(self.accounts, secret, self.clock())

    def reader_of_bearer(self, secret: str) -> Reader:
        """Who a program with this bearer token is: a user's token, or this server's own while no account exists."""
        if secret.startswith(sessions.TOKEN):
            return sessions.token_reader(self.accounts, secret, self.clock())
        ours = self.token is not None and compare_digest(secret.encode("utf-8", "replace"), self.token.encode())
        return local_reader("token") if ours and not self.accounts.any_user() else NOBODY

    def note(self, reader: Reader, what: str, about: str, address: str) -> None:
        """Enter what a reader did into the audit log. `about` names the object and holds no secret."""
        note(self.accounts, reader.name, what, about, address, self.clock())

    def close(self) -> None:
        self.rooms.close()
        self.accounts.db.dispose()


def open_desk(folders: tuple[Path, ...], home: Path, settings: Settings, *, worker: Worker | None = None) -> Desk:
    """The desk of a server that starts now; without accounts it gets a token."""
    accounts = AccountFile(home, keep=4)
    token = None if accounts.any_user() else sessions.new_secret()
    return Desk(Rooms(folders), accounts, settings, token, worker)
