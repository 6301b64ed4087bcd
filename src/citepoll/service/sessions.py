"""Entering: login with throttling, one-time addresses, sessions, tokens. Secrets have 256 bits and are kept as hashes."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import get_args

from citepoll.errors import InputError
from citepoll.service import passwords
from citepoll.service.accounts import NOBODY, Reader, bearer_of, local_reader, note, reader_of
from citepoll.store.accounts import AccountFile, Scope, Session, Token, User

IDLE = timedelta(days=7)
LONGEST = timedelta(days=30)
"""A session ends after so long without a request, and after so long in any case."""

WINDOW = timedelta(minutes=15)
PER_NAME_AND_ADDRESS, PER_ADDRESS, PER_NAME = 5, 20, 100
"""Failed logins in a window. The limit of a name alone is high, so that a stranger can hardly lock anybody out."""

TOKEN = "cpt_"
"""What API tokens begin with, so that scanners for leaked secrets find them."""

_COARSE = timedelta(minutes=1)
"""How exactly `seen` and `used` are kept: a read is seldom a write."""


@dataclass(frozen=True, slots=True)
class Turned:
    """A login that was turned away: why, and in how many seconds another may be tried (0: now)."""

    reason: str
    wait: int = 0


def new_secret() -> str:
    """256 random bits in 43 characters that may stand in an address."""
    return secrets.token_urlsafe(32)


def secret_hash(secret: str) -> str:
    """What is kept of a secret. It is random, so a fast hash is enough."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


# ---------------------------------------------------------------- sessions


def log_in(accounts: AccountFile, name: str, password: str, address: str, at: datetime) -> str | Turned:
    """The secret of a new session, or why there is none. The same work is done for a name that nobody has."""
    plain = name.strip().casefold()
    both, place, alone = (secret_hash(f"{kind}") for kind in (f"b:{plain}\n{address}", f"a:{address}", f"n:{plain}"))
    limits = {both: PER_NAME_AND_ADDRESS, place: PER_ADDRESS, alone: PER_NAME}
    user = accounts.user(plain)
    who = user.name if user else "unknown name"
    if not accounts.enter_try(limits, at - WINDOW, at):
        note(accounts, who, "login throttled", "", address, at)
        return Turned("Too many logins failed.", int(WINDOW.total_seconds()))
    kept = accounts.password(user) if user else None
    if not passwords.fits(kept, password) or user is None or kept is None:
        note(accounts, who, "login failed", "", address, at)
        return Turned("Name and password do not fit.")
    accounts.forgive(both, (place, alone), at)
    if passwords.outdated(kept):
        accounts.change_user(user, end=False, password=passwords.rehashed(password))
    note(accounts, who, "login", "", address, at)
    return _session(accounts, user, at)


def use_entry(accounts: AccountFile, secret: str, address: str, at: datetime) -> str | Turned:
    """The secret of a new session for the printed address, which then is used up; or why there is none."""
    state = "unknown" if accounts.any_user() else accounts.use_entry(secret_hash(secret), at)
    if state != "fresh":
        note(accounts, "nobody", "entry refused", state, address, at)
        return Turned("This address was used already." if state == "used" else "This address is not known here.")
    note(accounts, "local", "entered", "", address, at)
    return _session(accounts, None, at)


def _session(accounts: AccountFile, user: User | None, at: datetime) -> str:
    secret = new_secret()
    accounts.add_session(secret_hash(secret), user, at)
    return secret


def log_out(accounts: AccountFile, reader: Reader, address: str, at: datetime) -> None:
    """End the reader's session."""
    if reader.session:
        accounts.end_session(reader.session)
        note(accounts, reader.name, "logout", "", address, at)


def drop_old_sessions(accounts: AccountFile, at: datetime) -> None:
    """What a server does as it starts: sessions that are over end, and all that an earlier printed address set."""
    accounts.end_sessions(created_before=at - LONGEST, seen_before=at - IDLE)


def session_reader(accounts: AccountFile, secret: str, at: datetime) -> Reader:
    """Who the browser with this cookie is; `NOBODY` where the session is over or unknown."""
    session = accounts.session(secret_hash(secret))
    if session is None or _over(session, at):
        return NOBODY
    if session.user is None and accounts.any_user():
        return NOBODY
    if at - datetime.fromisoformat(session.seen_at) > _COARSE:
        accounts.see_session(session, at)
    return reader_of(session.user, session=session.hash) if session.user else local_reader("session", session.hash)


def _over(session: Session, at: datetime) -> bool:
    created, seen = (datetime.fromisoformat(text) for text in (session.created_at, session.seen_at))
    return at - created > LONGEST or at - seen > IDLE


# ---------------------------------------------------------------- tokens


def make_token(
    accounts: AccountFile, user: User, name: str, scope: str, project: str | None, at: datetime
) -> tuple[Token, str]:
    """A new token and its secret, which is shown once and not kept. Raises `InputError` for an unknown scope."""
    if scope not in get_args(Scope):
        raise InputError(f"{scope!r} is not a scope.", f"Scopes are {', '.join(get_args(Scope))}.")
    if not re.fullmatch(r"[^\x00-\x1f\x7f]{1,80}", name):
        raise InputError("A token needs a name of 1 to 80 characters.", "Name what it is for, as --name nightly.")
    secret = TOKEN + new_secret()
    made = accounts.add_token(secret_hash(secret), user, name, "write" if scope == "write" else "read", project, at)
    note(
        accounts,
        user.name,
        "token made",
        f"{made.id}, {name}, {scope}, {project or 'all projects'}",
        "this machine",
        at,
    )
    return made, secret


def revoke_token(accounts: AccountFile, number: int, at: datetime) -> Token:
    """End a token. Raises `InputError` where there is none of that number."""
    found = accounts.tokens(number=number)
    if not found:
        raise InputError(f"There is no token {number}.", "`citepoll token list` shows them.")
    accounts.mark_token(found[0], "revoked_at", at)
    note(accounts, found[0].user.name, "token revoked", f"{number}, {found[0].name}", "this machine", at)
    return accounts.tokens(number=number)[0]


def token_reader(accounts: AccountFile, secret: str, at: datetime) -> Reader:
    """Who the bearer of this token is; `NOBODY` where it is revoked or unknown."""
    found = accounts.tokens(secret_hash=secret_hash(secret))
    if not found or found[0].revoked_at is not None:
        return NOBODY
    used = found[0].used_at
    if used is None or at - datetime.fromisoformat(used) > _COARSE:
        accounts.mark_token(found[0], "used_at", at)
    return bearer_of(found[0])
