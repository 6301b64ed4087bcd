"""The local engine's documents: an SQLite file of its own with an FTS5 index, safe to read while it is written."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from citepoll.errors import ProjectError
from citepoll.hashing import content_hash, short

CORPUS_FILE: Final = "corpus.db"
VERSION: Final = 1
TITLE_WEIGHT, HEADING_WEIGHT, BODY_WEIGHT = 4.0, 2.0, 1.0
TERM_LIMIT: Final = 64
BUSY_SECONDS: Final = 30.0

SCHEMA: Final = """
CREATE TABLE documents (
  id INTEGER PRIMARY KEY, origin TEXT NOT NULL UNIQUE, url TEXT NOT NULL, title TEXT NOT NULL,
  fingerprint TEXT NOT NULL, passages INTEGER NOT NULL);
CREATE TABLE passages (
  id INTEGER PRIMARY KEY, document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
  key TEXT NOT NULL, heading TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX passages_of ON passages (document);
CREATE TABLE state (hash TEXT NOT NULL, documents INTEGER NOT NULL, passages INTEGER NOT NULL);
CREATE VIRTUAL TABLE words USING fts5 (title, heading, body, tokenize = 'porter unicode61 remove_diacritics 2');
"""


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document under its heading ("" above the first one)."""

    heading: str
    body: str


@dataclass(frozen=True, slots=True)
class Document:
    """A page as the local engine may cite it. `fingerprint` tells whether the file changed since it was added."""

    url: str
    title: str
    passages: tuple[Passage, ...]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A document as the corpus lists it; `origin` is the file it came from, `passages` their number."""

    origin: str
    url: str
    title: str
    passages: int


@dataclass(frozen=True, slots=True)
class Found:
    """A passage that a search found. `key` names it by content; `score` is BM25, higher is better."""

    key: str
    url: str
    title: str
    heading: str
    body: str
    score: float


@dataclass(frozen=True, slots=True)
class State:
    """What the corpus holds, and the hash of it, whatever the order in which it was added."""

    hash: str
    documents: int
    passages: int


class CorpusReader:
    """One consistent view of the corpus; `search`, `state` and `documents` agree while it is open."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def state(self) -> State:
        row = self._connection.execute("SELECT hash, documents, passages FROM state").fetchone()
        return State(*row) if row else EMPTY

    def documents(self) -> tuple[Listed, ...]:
        """Every document, by origin."""
        rows = self._connection.execute("SELECT origin, url, title, passages FROM documents ORDER BY origin")
        return tuple(Listed(*row) for row in rows)

    def search(self, text: str, limit: int, stop_words: frozenset[str] = frozenset()) -> list[Found]:
        """The `limit` best passages for a question, best first; [] where none holds one of its words."""
        expression = match_expression(text, stop_words)
        if not expression:
            return []
        rows = self._connection.execute(SEARCH, {"expression": expression, "limit": limit})
        return [Found(*row) for row in rows]


# Only what reaches the last place is joined; ties there are broken by content, so that the order of adding has no say.
SEARCH: Final = f"""
WITH best AS MATERIALIZED (
  SELECT rowid AS id, -bm25(words, {TITLE_WEIGHT}, {HEADING_WEIGHT}, {BODY_WEIGHT}) AS score
  FROM words WHERE words MATCH :expression)
SELECT p.key, d.url, d.title, p.heading, p.body, best.score
FROM best JOIN passages AS p ON p.id = best.id JOIN documents AS d ON d.id = p.document
WHERE best.score >= coalesce((SELECT score FROM best ORDER BY score DESC LIMIT 1 OFFSET :limit - 1), 0)
ORDER BY best.score DESC, d.url, p.key LIMIT :limit
"""

EMPTY: Final = State(content_hash([]), 0, 0)


class CorpusWriter(CorpusReader):
    """One write transaction: all of it is kept when the block ends, none of it when an exception leaves the block."""

    def fingerprint(self, origin: str) -> str | None:
        row = self._connection.execute("SELECT fingerprint FROM documents WHERE origin = ?", (origin,)).fetchone()
        return str(row[0]) if row else None

    def put(self, origin: str, document: Document) -> None:
        """Add the document, in the place of the one of the same origin if there is one."""
        self.remove(origin)
        number = len(document.passages)
        row = (origin, document.url, document.title, document.fingerprint, number)
        inserted = self._connection.execute(
            "INSERT INTO documents (origin, url, title, fingerprint, passages) VALUES (?, ?, ?, ?, ?)", row
        )
        for at, passage in enumerate(document.passages):
            self._put_passage(inserted.lastrowid, document, at, passage)

    def _put_passage(self, owner: int | None, document: Document, at: int, passage: Passage) -> None:
        key = short(content_hash([document.url, at, passage.heading, passage.body]))
        inserted = self._connection.execute(
            "INSERT INTO passages (document, key, heading, body) VALUES (?, ?, ?, ?)",
            (owner, key, passage.heading, passage.body),
        )
        words = [spaced(text) for text in (document.title, passage.heading, passage.body)]
        self._connection.execute(
            "INSERT INTO words (rowid, title, heading, body) VALUES (?, ?, ?, ?)", (inserted.lastrowid, *words)
        )

    def remove(self, origin: str) -> bool:
        """Take a document out; False where there is none."""
        self._connection.execute(
            "DELETE FROM words WHERE rowid IN "
            "(SELECT p.id FROM passages AS p JOIN documents AS d ON d.id = p.document WHERE d.origin = ?)",
            (origin,),
        )
        return self._connection.execute("DELETE FROM documents WHERE origin = ?", (origin,)).rowcount > 0

    def seal(self) -> None:
        """Write the state that readers will see; `writing` does so before it commits."""
        rows = self._connection.execute(
            "SELECT d.url, d.title, p.key FROM documents AS d JOIN passages AS p ON p.document = d.id ORDER BY 1, 2, 3"
        )
        digest = content_hash([list(row) for row in rows])
        self._connection.execute("DELETE FROM state")
        self._connection.execute(
            "INSERT INTO state SELECT ?, (SELECT count(*) FROM documents), (SELECT count(*) FROM passages)", (digest,)
        )


@contextmanager
def reading(path: Path) -> Iterator[CorpusReader | None]:
    """A consistent view of the corpus in `path`, or None where there is no such file.

    Raises `ProjectError` for a file that is damaged, locked or from a newer version.
    """
    if not path.exists():
        yield None
        return
    with _explained(path), closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
        connection.execute("PRAGMA query_only = on")
        connection.execute("BEGIN")
        yield CorpusReader(connection) if _version(connection, path) else None


@contextmanager
def writing(path: Path) -> Iterator[CorpusWriter]:
    """The one write transaction on the corpus in `path`, which is made with its folder where it is not there.

    Another writer is waited for, 30 s at most. Raises `ProjectError` as `reading` does.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as wrong:
        raise ProjectError(f"{path.parent} cannot be made: {wrong.strerror}.", "Check the folder's rights.") from wrong
    with _explained(path), closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = wal")
        connection.execute("PRAGMA foreign_keys = on")
        connection.execute("BEGIN IMMEDIATE")
        if not _version(connection, path):
            _create(connection)
        writer = CorpusWriter(connection)
        yield writer
        writer.seal()
        connection.execute("COMMIT")


def _create(connection: sqlite3.Connection) -> None:
    for statement in SCHEMA.split(";")[:-1]:
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {VERSION}")


def _version(connection: sqlite3.Connection, path: Path) -> int:
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if found > VERSION:
        raise ProjectError(f"{path} was written by a newer citepoll.", "Update citepoll.")
    return found


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as wrong:
        if "locked" in str(wrong):
            cause = f"{path} is being written by another program."
            raise ProjectError(cause, "Try again when it has finished.", kept="The corpus is as it was.") from wrong
        raise ProjectError(f"{path} cannot be used: {wrong}.", "Check the folder's rights and free space.") from wrong
    except sqlite3.DatabaseError as wrong:
        fix = "Delete that file and add the documents again; recorded answers do not depend on it."
        raise ProjectError(f"{path} is damaged: {wrong}.", fix) from wrong


# ---------------------------------------------------------------- words

# Scripts written without spaces: each letter is indexed as a word of its own, and searched in pairs.
UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # kana, Han
)
_LETTER: Final = re.compile(f"([{UNSPACED}])")
_TERM: Final = re.compile(rf"[{UNSPACED}]+|[^\W_{UNSPACED}]+")


def spaced(text: str) -> str:
    """`text` with a space on either side of each letter of an unspaced script; lone surrogates replaced."""
    return _LETTER.sub(r" \1 ", text.encode("utf-8", "replace").decode())


def terms(text: str, stop_words: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """The distinct words of a text, lower case, in order, at most 64; stop words only where there is nothing else.

    A run of a script written without spaces gives its pairs of neighbouring letters.
    """
    found = dict.fromkeys(part for match in _TERM.finditer(text.lower()) for part in _parts(match[0]))
    telling = [term for term in found if term not in stop_words]
    return tuple(telling or found)[:TERM_LIMIT]


def _parts(run: str) -> Sequence[str]:
    if len(run) < 2 or not _LETTER.match(run):
        return (run,)
    return [run[at : at + 2] for at in range(len(run) - 1)]


def match_expression(text: str, stop_words: frozenset[str] = frozenset()) -> str:
    """An FTS5 expression that finds any of the words of a text, whatever the text; "" where it has none."""
    return " OR ".join(f'"{spaced(term).strip()}"' for term in terms(text, stop_words))
