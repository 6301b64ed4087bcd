"""The query file as a draft that several people edit: who saves it says which version they have seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import msgspec

from citepoll.errors import InputError, QuerySetError
from citepoll.hashing import bytes_hash, short
from citepoll.model import Query
from citepoll.project import Project
from citepoll.queryset import formats
from citepoll.service.queries import read_file

ABSENT = "none"
"""The version of a draft that is not there yet."""

UNDO = "queries.undo.json"
"""Beside the ledger: what the query file held before the last save, and the version that this save wrote."""

_saving = Lock()


@dataclass(frozen=True, slots=True)
class Draft:
    """The queries of the file as it is now; `version` changes with each byte of it."""

    version: str
    queries: tuple[Query, ...]
    warnings: tuple[str, ...] = ()


class DraftMoved(QuerySetError):
    """The file was changed since the version that a writer has seen."""


def read_draft(project: Project) -> Draft:
    """The project's query file; one that is not there has no queries. Raises `InputError` where it cannot be read."""
    data = _data(project)
    if data is None:
        return Draft(ABSENT, ())
    found = read_file(project)
    return Draft(_version(data), found.queries, found.warnings)


def draft_version(project: Project) -> str:
    """The version of the draft, whether its queries can be read or not."""
    return _version(_data(project))


def save_draft(project: Project, entries: Sequence[Mapping[str, object]], seen: str) -> Draft:
    """Write these queries as the project's query file, in place of the version `seen`.

    An entry has the fields of a query file's. Raises `InputError` for one that is no query, `DraftMoved` where the file
    is another version by now; it then stays as it is.
    """
    lines = b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries)
    found = formats.read(lines, "jsonl", language=project.language, market=project.market)
    with _saving:
        data = _data(project)
        if _version(data) != seen:
            raise DraftMoved("The query file was changed meanwhile.", "Read it again, and make your change to that.")
        text = formats.write(found.queries, formats.format_of(project.query_file.name)).encode()
        if text != data:
            _keep(project, text, data)
            _replace(project.query_file, text)
    return Draft(_version(text), found.queries, found.warnings)


def can_undo(project: Project, version: str) -> bool:
    """Whether the draft of that version was written by `save_draft` or `undo_draft`, so that what was before is known."""
    kept = _kept(project)
    return kept is not None and kept.wrote == version


def undo_draft(project: Project, seen: str) -> Draft:
    """Put back what the file held before the last save; once more brings that save back.

    Raises `DraftMoved` where the file is another version by now than `seen`, or one that no save of ours wrote.
    """
    with _saving:
        data = _data(project)
        now, kept = _version(data), _kept(project)
        if kept is None or now != seen or kept.wrote != now:
            raise DraftMoved(
                "The query file was changed since the last save, which cannot be undone.", "Edit it as it is."
            )
        _keep(project, kept.before, data)
        if kept.before is None:
            _remove(project)
        else:
            _replace(project.query_file, kept.before)
    return read_draft(project)


class _Kept(msgspec.Struct, frozen=True):
    """`before` None: there was no file."""

    wrote: str
    before: bytes | None


def _kept(project: Project) -> _Kept | None:
    try:
        return msgspec.json.decode((project.data / UNDO).read_bytes(), type=_Kept)
    except (OSError, msgspec.DecodeError):
        return None


def _keep(project: Project, writing: bytes | None, before: bytes | None) -> None:
    """Remember `before`, for the version that is about to be written."""
    _replace(project.data / UNDO, msgspec.json.encode(_Kept(_version(writing), before)))


def _version(data: bytes | None) -> str:
    return ABSENT if data is None else short(bytes_hash(data))


def _remove(project: Project) -> None:
    try:
        project.query_file.unlink()
    except OSError as wrong:
        raise InputError(
            f"The query file cannot be removed: {wrong.strerror}.", "Check your access to the folder."
        ) from None


def _data(project: Project) -> bytes | None:
    try:
        return project.query_file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as wrong:
        raise InputError(f"The query file cannot be read: {wrong.strerror}.", "Check its place and access.") from None


def _replace(path: Path, text: bytes) -> None:
    fresh = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(text)
        fresh.replace(path)
    except OSError as wrong:
        raise InputError(
            f"The query file cannot be written: {wrong.strerror}.", "Check your access to the folder."
        ) from None
    finally:
        with suppress(OSError):
            fresh.unlink()
