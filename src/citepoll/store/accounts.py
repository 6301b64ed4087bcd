"""Accounts on disk: users, sessions, tokens, one-time addresses, failed logins, the audit log. No rule is decided here."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from citepoll.errors import InputError
from citepoll.store import accounts_schema as schema
from citepoll.store.ledger import inserted, stamp
from citepoll.store.schema import connect, ledger_errors

FILE = "desk.db"

Role = Literal["owner", "analyst", "viewer"]
Scope = Literal["read", "write"]


@dataclass(frozen=True, slots=True)
class User:
    """A person with an account. `projects` are the ids that they see, None: all; `entered_at` is the last login."""

    id: int
    name: str
    role: Role
    projects: tuple[str, ...] | None
    created_at: str
    entered_at: str | None


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that entered. `user` is None where the printed address let it in."""

    hash: str
    user: User | None
    created_at: str
    seen_at: str


@dataclass(frozen=True, slots=True)
class Token:
    """An API token, without its secret. `project` is the one it is bound to, None: all that its user sees."""

    id: int
    user: User
    name: str
    scope: Scope
    project: str | None
    created_at: str
    used_at: str | None
    revoked_at: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the audit log."""

    at: str
    who: str
    what: str
    object: str
    address: str


class AccountFile:
    """All reads and writes of a desk's accounts. Safe in any threads. The file is readable by its owner only."""

    def __init__(self, home: Path, *, keep: int = 0) -> None:
        self.path = home / FILE
        with ledger_errors(self.path):
            home.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        self.db = connect(self.path, schema.metadata, schema.VERSION, keep=keep)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        with ledger_errors(self.path), self.db.connect() as link, link.begin():
            yield link

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        with ledger_errors(self.path), self.db.connect() as link:
            link = link.execution_options(writes=True)
            with link.begin():
                yield link

    def key(self, name: str, fresh: str) -> str:
        """The desk's own secret of that name; `fresh` becomes it where there is none."""
        table = schema.keys
        with self.writing() as link:
            found = link.execute(sa.select(table.c.value).where(table.c.name == name)).scalar()
            if found is None:
                link.execute(sa.insert(table).values(name=name, value=fresh))
        return found or fresh

    # ------------------------------------------------------------ users

    def any_user(self) -> bool:
        with self.reading() as link:
            return link.execute(sa.select(schema.users.c.id).limit(1)).first() is not None

    def users(self) -> tuple[User, ...]:
        """Everybody, in the order in which they were added."""
        with self.reading() as link:
            return tuple(_user(row) for row in link.execute(sa.select(*_USER).order_by(schema.users.c.id)))

    def user(self, name: str) -> User | None:
        with self.reading() as link:
            row = link.execute(sa.select(*_USER).where(schema.users.c.name == name)).first()
        return _user(row) if row else None

    def password(self, user: User) -> str:
        """The user's argon2 hash."""
        with self.reading() as link:
            return str(
                link.execute(sa.select(schema.users.c.password).where(schema.users.c.id == user.id)).scalar_one()
            )

    def add_user(self, name: str, password: str, role: Role, projects: Sequence[str] | None, at: datetime) -> User:
        """Enter a user. Raises `InputError` where the name is taken."""
        values = {
            "name": name,
            "password": password,
            "role": role,
            "projects": _list(projects),
            "created_at": stamp(at),
        }
        table = schema.users
        with self.writing() as link:
            if link.execute(sa.select(table.c.id).where(table.c.name == name)).first():
                raise InputError(f"There is a user {name} already.", "Choose another name.")
            made = inserted(link, table, values)
        return User(made, name, role, None if projects is None else tuple(projects), stamp(at), None)

    def change_user(self, user: User, *, without: str | None = None, end: bool = True, **values: object) -> None:
        """Write columns of a user and, with `end`, end all their sessions but the one hashed `without`."""
        with self.writing() as link:
            link.execute(sa.update(schema.users).where(schema.users.c.id == user.id).values(values))
            if end:
                table = schema.sessions
                link.execute(sa.delete(table).where(table.c.user_id == user.id, table.c.hash != (without or "")))

    def set_rights(self, user: User, role: Role, projects: Sequence[str] | None) -> None:
        self.change_user(user, role=role, projects=_list(projects))

    def remove_user(self, user: User) -> None:
        """Delete a user with all sessions and tokens."""
        with self.writing() as link:
            link.execute(sa.delete(schema.users).where(schema.users.c.id == user.id))

    # ------------------------------------------------------------ sessions

    def add_session(self, secret_hash: str, user: User | None, at: datetime) -> None:
        now = stamp(at)
        row = {"hash": secret_hash, "user_id": user and user.id, "created_at": now, "seen_at": now}
        with self.writing() as link:
            link.execute(sa.insert(schema.sessions).values(row))
            if user:
                link.execute(sa.update(schema.users).where(schema.users.c.id == user.id).values(entered_at=now))

    def session(self, secret_hash: str) -> Session | None:
        table = schema.sessions
        asked = sa.select(table, *_LABELLED).outerjoin(schema.users, schema.users.c.id == table.c.user_id)
        with self.reading() as link:
            row = link.execute(asked.where(table.c.hash == secret_hash)).first()
        if row is None:
            return None
        user = None if row.user_id is None else _joined(row)
        return Session(row.hash, user, row.created_at, row.seen_at)

    def see_session(self, session: Session, at: datetime) -> None:
        table = schema.sessions
        with self.writing() as link:
            link.execute(sa.update(table).where(table.c.hash == session.hash).values(seen_at=stamp(at)))

    def end_session(self, secret_hash: str) -> None:
        with self.writing() as link:
            link.execute(sa.delete(schema.sessions).where(schema.sessions.c.hash == secret_hash))

    def end_sessions(self, *, created_before: datetime, seen_before: datetime) -> None:
        """Delete what is too old, and all sessions that no user has."""
        table = schema.sessions
        old = sa.or_(
            table.c.user_id.is_(None), table.c.created_at < stamp(created_before), table.c.seen_at < stamp(seen_before)
        )
        with self.writing() as link:
            link.execute(sa.delete(table).where(old))

    # ------------------------------------------------------------ tokens

    def add_token(
        self, secret_hash: str, user: User, name: str, scope: Scope, project: str | None, at: datetime
    ) -> Token:
        values = {
            "hash": secret_hash, "user_id": user.id, "name": name, "scope": scope, "project": project,
            "created_at": stamp(at),
        }  # fmt: skip
        with self.writing() as link:
            made = inserted(link, schema.tokens, values)
        return Token(made, user, name, scope, project, stamp(at), None, None)

    def tokens(self, *, secret_hash: str | None = None, number: int | None = None) -> tuple[Token, ...]:
        """All tokens, or the one of that hash or number; revoked ones too."""
        table = schema.tokens
        asked = sa.select(table, *_LABELLED).join(schema.users, schema.users.c.id == table.c.user_id)
        if secret_hash is not None:
            asked = asked.where(table.c.hash == secret_hash)
        if number is not None:
            asked = asked.where(table.c.id == number)
        with self.reading() as link:
            rows = link.execute(asked.order_by(table.c.id)).all()
        return tuple(
            Token(r.id, _joined(r), r.name, r.scope, r.project, r.created_at, r.used_at, r.revoked_at) for r in rows
        )

    def mark_token(self, token: Token, column: Literal["used_at", "revoked_at"], at: datetime) -> None:
        table = schema.tokens
        with self.writing() as link:
            link.execute(sa.update(table).where(table.c.id == token.id).values({column: stamp(at)}))

    # ------------------------------------------------------------ one-time addresses

    def add_entry(self, secret_hash: str, at: datetime) -> None:
        """Make this the one address that lets a browser in; those before it end."""
        with self.writing() as link:
            link.execute(sa.delete(schema.entries))
            link.execute(sa.insert(schema.entries).values(hash=secret_hash, created_at=stamp(at)))

    def use_entry(self, secret_hash: str, at: datetime) -> Literal["fresh", "used", "unknown"]:
        """Use an address up; what it was before."""
        table = schema.entries
        with self.writing() as link:
            row = link.execute(sa.select(table.c.used_at).where(table.c.hash == secret_hash)).first()
            if row is None:
                return "unknown"
            if row.used_at is not None:
                return "used"
            link.execute(sa.update(table).where(table.c.hash == secret_hash).values(used_at=stamp(at)))
        return "fresh"

    # ------------------------------------------------------------ failed logins

    def enter_try(self, limits: Mapping[str, int], since: datetime, at: datetime) -> bool:
        """Count a login under each key; False, and nothing counted, where one has reached its limit since `since`."""
        table = schema.tries
        with self.writing() as link:
            link.execute(sa.delete(table).where(table.c.at < stamp(since)))
            counted = sa.select(table.c.key, sa.func.count()).where(table.c.key.in_(limits)).group_by(table.c.key)
            found = {row.key: int(row[1]) for row in link.execute(counted)}
            if any(found.get(key, 0) >= limit for key, limit in limits.items()):
                return False
            link.execute(sa.insert(table), [{"key": key, "at": stamp(at)} for key in limits])
        return True

    def forgive(self, all_of: str, one_of: Sequence[str], at: datetime) -> None:
        """After a login that succeeded: forget the tries under `all_of`, and this one under each of `one_of`."""
        table = schema.tries
        with self.writing() as link:
            link.execute(sa.delete(table).where(table.c.key == all_of))
            for key in one_of:
                last = sa.select(sa.func.max(table.c.id)).where(table.c.key == key, table.c.at == stamp(at))
                link.execute(sa.delete(table).where(table.c.id == last.scalar_subquery()))

    # ------------------------------------------------------------ audit

    def note(self, entry: Entry) -> None:
        with self.writing() as link:
            link.execute(sa.insert(schema.audit).values(msgspec.to_builtins(entry)))

    def audit(self, limit: int = 200) -> tuple[Entry, ...]:
        """The last lines of the log, newest first."""
        table = schema.audit
        asked = sa.select(table.c.at, table.c.who, table.c.what, table.c.object, table.c.address)
        with self.reading() as link:
            return tuple(Entry(*row) for row in link.execute(asked.order_by(table.c.id.desc()).limit(limit)))


_USER = (
    schema.users.c.id, schema.users.c.name, schema.users.c.role, schema.users.c.projects, schema.users.c.created_at,
    schema.users.c.entered_at,
)  # fmt: skip
_LABELLED = tuple(column.label(f"user_{column.name}") for column in _USER if column.name != "id")


def _user(row: sa.Row[*tuple[Any, ...]]) -> User:
    return User(row.id, row.name, row.role, _names(row.projects), row.created_at, row.entered_at)


def _joined(row: sa.Row[*tuple[Any, ...]]) -> User:
    return User(
        row.user_id, row.user_name, row.user_role, _names(row.user_projects), row.user_created_at, row.user_entered_at
    )


def _list(names: Sequence[str] | None) -> str | None:
    return None if names is None else msgspec.json.encode(list(names)).decode()


def _names(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(msgspec.json.decode(text))
