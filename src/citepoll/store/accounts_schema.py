"""The tables of a desk: who may enter, with what, and what they did. Secrets stand here as hashes only."""

from __future__ import annotations

import sqlalchemy as sa

VERSION = 2
"""Of the tables below, as `store.schema.VERSION` is of the ledger's (2 added repeats)."""

metadata = sa.MetaData()

users = sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),  # case-folded: one person, one name
    sa.Column("password", sa.Text, nullable=False),  # argon2id, with its parameters
    sa.Column("role", sa.Text, nullable=False),  # owner | analyst | viewer
    sa.Column("projects", sa.Text),  # JSON list of project ids; null: all
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("entered_at", sa.Text),
    sqlite_autoincrement=True,  # the number of a removed user is not given again
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("hash", sa.Text, primary_key=True),  # sha256 of the cookie's secret
    sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE")),  # null: by the printed address
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("seen_at", sa.Text, nullable=False),
)

tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("hash", sa.Text, nullable=False, unique=True),
    sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("scope", sa.Text, nullable=False),  # read | write
    sa.Column("project", sa.Text),  # null: all that the user sees
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("used_at", sa.Text),
    sa.Column("revoked_at", sa.Text),
    sqlite_autoincrement=True,
)

entries = sa.Table(  # addresses that set a session once
    "entries",
    metadata,
    sa.Column("hash", sa.Text, primary_key=True),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("used_at", sa.Text),
)

tries = sa.Table(  # logins that failed, or have not ended yet
    "tries",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("key", sa.Text, nullable=False),  # sha256: what is typed as a name may be a password
    sa.Column("at", sa.Text, nullable=False),
)
sa.Index("tries_key", tries.c.key, tries.c.at)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("object", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),  # where the request came from, or `this machine`
)

keys = sa.Table(  # the desk's own secrets, made here once
    "keys",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

repeats = sa.Table(  # writes of programs that carried an Idempotency-Key, with their answers
    "repeats",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),  # sha256 of who asked and the key
    sa.Column("asked", sa.Text, nullable=False),  # sha256 of method, address and body
    sa.Column("at", sa.Text, nullable=False),  # in UTC
    sa.Column("status", sa.Integer),  # null while the first is still being answered
    sa.Column("body", sa.LargeBinary),
)
sa.Index("repeats_at", repeats.c.at)
