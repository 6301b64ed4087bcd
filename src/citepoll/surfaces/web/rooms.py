"""Rooms: the projects that a desk serves, found again at each request, so that a new folder needs no restart."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Hashable, Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import TypeVar

from citepoll.errors import InputError, ProjectError
from citepoll.hashing import bytes_hash, content_hash, short
from citepoll.newproject import Start, write_project
from citepoll.project import FILE, Project, read_project
from citepoll.store.ledger import Ledger
from citepoll.surfaces.web.memory import Memory

T = TypeVar("T")

CONNECTIONS = 8
"""Of a ledger that stay open between requests."""
REMEMBERED = 128
"""Values kept per project; a page's part is some 100 kB."""


class Room:
    """One served project. `id` stands in addresses and never changes while the folder keeps its name."""

    def __init__(self, id: str, root: Path) -> None:
        self.id = id
        self.root = root
        self._lock = Lock()
        self._read: tuple[Hashable, Project] | None = None
        self._ledger: Ledger | None = None
        self._memory = Memory(REMEMBERED)

    @property
    def project(self) -> Project:
        """The project as citepoll.toml has it now. Raises `ProjectError` where it has a mistake."""
        mark = _mark(self.root / FILE)
        with self._lock:
            if self._read is None or self._read[0] != mark:
                self._read = (mark, read_project(self.root))
            return self._read[1]

    @property
    def ledger(self) -> Ledger:
        """The project's ledger, opened once for all threads."""
        data = self.project.data
        with self._lock:
            if self._ledger is None:
                self._ledger = Ledger(data / "ledger.db", keep=CONNECTIONS)
            return self._ledger

    def state(self) -> str:
        """A fingerprint that changes when something shown of measured cycles may change; about a millisecond.

        It stands on citepoll.toml, the query file and `Ledger.state`; what an open cycle collects does not change it.
        """
        files = (_mark(self.root / FILE), _mark(self.project.query_file))
        return content_hash([*files, *self.ledger.state()])

    def remember(self, key: Hashable, make: Callable[[], T]) -> T:
        """`make()`, or what it returned in this state before. `key` names it and holds all of its arguments."""
        return self._memory.get((self.state(), key), make)

    def close(self) -> None:
        """Let go of the ledger's connections."""
        with self._lock:
            if self._ledger is not None:
                self._ledger.db.dispose()
                self._ledger = None


def _mark(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return (found.st_mtime_ns, found.st_size, found.st_ino)


class Rooms:
    """The projects of `folders`: each is a project itself, or holds projects one level down.

    Raises `InputError` where two of them have one name.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = tuple(folder.resolve() for folder in folders)
        self._open: dict[Path, Room] = {}
        self._lock = Lock()
        names = [room_id(root) for root in self._roots()]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise InputError(f"Two projects are called {twice!r}.", "Rename a folder, or serve one of them.")

    def all(self) -> tuple[Room, ...]:
        """Every room there is now, in the order of the folders, then of names."""
        found: dict[str, Path] = {}
        for root in self._roots():
            found.setdefault(room_id(root), root)
        with self._lock:
            for gone in self._open.keys() - set(found.values()):
                self._open.pop(gone).close()
            return tuple(self._room(id, root) for id, root in found.items())

    def find(self, id: str) -> Room | None:
        return next((room for room in self.all() if room.id == id), None)

    @property
    def shelf(self) -> Path | None:
        """The first folder in which new projects are made; None where every folder is a project itself."""
        return next((folder for folder in self.folders if not (folder / FILE).is_file()), None)

    def make(self, start: Start) -> Room:
        """A new project in a folder named after its brand. Raises `ProjectError` where it cannot be made."""
        if self.shelf is None:
            raise ProjectError(
                "This server shows single projects, and has no folder for new ones.",
                "Serve a folder that holds projects: citepoll serve FOLDER.",
            )
        taken = {room.id for room in self.all()} | {path.name for path in self.shelf.iterdir()}
        root = self.shelf / _free(slug(start.brand), taken)
        write_project(root, start)
        return next(room for room in self.all() if room.root == root)

    def close(self) -> None:
        with self._lock:
            for room in self._open.values():
                room.close()
            self._open.clear()

    def _roots(self) -> Iterator[Path]:
        for folder in self.folders:
            if (folder / FILE).is_file():
                yield folder
            elif folder.is_dir():
                yield from sorted(p.parent for p in folder.glob(f"*/{FILE}") if not p.parent.name.startswith("."))

    def _room(self, id: str, root: Path) -> Room:
        held = self._open.get(root)
        if held is None or held.id != id:
            held = self._open[root] = Room(id, root)
        return held


def slug(name: str) -> str:
    """A name for an address and a folder: lower-case ASCII letters, digits and hyphens, at most 60; never empty."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-") or "project"


def room_id(root: Path) -> str:
    """The folder's name where that can stand in an address, else a slug with a hash of the name behind it.

    It depends on nothing but the name, so that a new folder never takes the id, and with it the readers, of another.
    """
    plain = slug(root.name)
    return (
        plain
        if plain == root.name
        else f"{plain}-{short(bytes_hash(root.name.encode('utf-8', 'surrogateescape')))[:6]}"
    )


def _free(name: str, taken: set[str]) -> str:
    numbered = (name if n == 1 else f"{name}-{n}" for n in range(1, len(taken) + 2))
    return next(each for each in numbered if each not in taken)
