"""Users of a desk: roles, what each may do, and the audit log."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from citepoll.errors import InputError
from citepoll.service import passwords
from citepoll.store.accounts import AccountFile, Entry, Role, Token, User
from citepoll.store.ledger import stamp

Right = Literal["read", "write", "own"]

RIGHTS: Mapping[Role, frozenset[Right]] = {
    "viewer": frozenset({"read"}),
    "analyst": frozenset({"read", "write"}),
    "owner": frozenset({"read", "write", "own"}),
}
"""read: look at the projects that one sees. write: change them, poll, spend. own: accounts, deletion of answers."""

HERE = "this machine"
"""Where a change came from that the command line made."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks, and what they may do. `projects` None: all. `session` is the hash of the browser's session, if it is one.

    `via` is how they came: the session's cookie, a token as bearer, or not at all.
    """

    name: str
    rights: frozenset[Right]
    via: Literal["session", "token", "nobody"]
    projects: frozenset[str] | None = None
    user: User | None = None
    session: str | None = None

    def may(self, right: Right) -> bool:
        return right in self.rights

    def sees(self, project: str) -> bool:
        return self.projects is None or project in self.projects


NOBODY = Reader("nobody", frozenset(), "nobody", frozenset())


def local_reader(via: Literal["session", "token"], session: str | None = None) -> Reader:
    """The one who started a server without accounts. The bearer of the token may not do what only owners may."""
    return Reader("local", RIGHTS["owner" if via == "session" else "analyst"], via, session=session)


def reader_of(user: User, *, session: str) -> Reader:
    """A user who logged in with a browser."""
    seen = None if user.projects is None else frozenset(user.projects)
    return Reader(user.name, RIGHTS[user.role], "session", seen, user, session)


def bearer_of(token: Token) -> Reader:
    """A program with a token: never more than its user may, nor than its scope says, and nothing of owners."""
    allowed = RIGHTS["viewer" if token.scope == "read" else "analyst"]
    seen = None if token.user.projects is None else frozenset(token.user.projects)
    if token.project is not None:
        seen = frozenset({token.project}) & (seen if seen is not None else {token.project})
    rights = RIGHTS[token.user.role] & allowed
    return Reader(f"{token.user.name} (token {token.id})", rights, "token", seen, token.user)


# ---------------------------------------------------------------- users


def user_named(accounts: AccountFile, name: str) -> User:
    """The user of that name, however its letters are cased. Raises `InputError` naming those there are."""
    found = accounts.user(name.strip().casefold())
    if found is None:
        known = ", ".join(user.name for user in accounts.users()) or "none yet"
        raise InputError(f"There is no user {name!r}.", f"Users here: {known}.")
    return found


def add_user(
    accounts: AccountFile, name: str, password: str, role: str, projects: Sequence[str] | None, at: datetime,
    *, by: str = HERE, address: str = HERE,
) -> User:  # fmt: skip
    """Enter a user. Raises `InputError` for a name, a role or a password that will not do."""
    plain = name.strip().casefold()
    if not _NAME.fullmatch(plain):
        raise InputError(f"{name[:40]!r} cannot be a user's name.", "Use letters, digits and . _ @ + -, up to 64.")
    kept = passwords.hashed(password, plain)
    made = accounts.add_user(plain, kept, role_named(role), projects, at)
    note(accounts, by, "user added", f"{plain}, {role}", address, at)
    return made


def role_named(role: str) -> Role:
    """The role as typed. Raises `InputError` naming the three."""
    for known in get_args(Role):
        if known == role:
            return known  # type: ignore[no-any-return]
    raise InputError(f"{role!r} is not a role.", f"Roles are {', '.join(get_args(Role))}.")


def set_password(
    accounts: AccountFile, user: User, password: str, at: datetime, *, keep: str | None = None, by: str = HERE,
    address: str = HERE,
) -> None:  # fmt: skip
    """Change a password, and end the user's sessions but for `keep`. Tokens stay."""
    accounts.change_user(user, without=keep, password=passwords.hashed(password, user.name))
    note(accounts, by, "password changed", user.name, address, at)


def set_role(
    accounts: AccountFile, user: User, role: str, projects: Sequence[str] | None, at: datetime, *, by: str = HERE,
    address: str = HERE,
) -> None:  # fmt: skip
    """Change a role and the projects seen (None: all), and end the user's sessions: they log in again."""
    if role != "owner":
        _another_owner(accounts, user)
    accounts.set_rights(user, role_named(role), projects)
    note(accounts, by, "role changed", f"{user.name}, {role}", address, at)


def remove_user(accounts: AccountFile, user: User, at: datetime, *, by: str = HERE, address: str = HERE) -> None:
    """Delete a user with sessions and tokens; the log keeps the name."""
    _another_owner(accounts, user)
    accounts.remove_user(user)
    note(accounts, by, "user removed", user.name, address, at)


def _another_owner(accounts: AccountFile, user: User) -> None:
    if user.role == "owner" and not any(u.role == "owner" and u.id != user.id for u in accounts.users()):
        raise InputError(f"{user.name} is the only owner.", "Make another owner first.")


def note(accounts: AccountFile, who: str, what: str, about: str, address: str, at: datetime) -> None:
    """Enter a line into the audit log. `about` names the object, and holds no secret."""
    accounts.note(Entry(stamp(at), who, what, about[:300], address))
