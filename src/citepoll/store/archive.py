"""A backup's file: tar within zstd, a manifest with sizes and checksums first. Written whole, read back, then put in place."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from secrets import token_hex
from typing import IO, Any, Final, cast

import msgspec
import zstandard

from citepoll.errors import InputError

FORMAT: Final = 1
"""Of the archive and its manifest. One with a higher number was written by a later citepoll and is not read."""
MANIFEST: Final = "manifest.json"
LARGEST_MANIFEST: Final = 64 * 2**20
ROOM_OF_ENTRY: Final = 8192
"""Bytes that tar needs for an entry beside its content, with room to spare."""
PIECE: Final = 2**20


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of the archive: its path below the project's folder, bytes and SHA-256 in hex."""

    path: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What an archive holds. `tables` is the version of the ledger's; `detail` is for people."""

    format: int
    product: str
    made_at: str
    tables: int
    items: tuple[Item, ...]
    detail: Mapping[str, Any] = {}

    @property
    def size(self) -> int:
        return sum(item.size for item in self.items)


@dataclass(frozen=True, slots=True)
class Written:
    """An archive in its place: bytes of the file, and what it holds."""

    path: Path
    size: int
    manifest: Manifest


def item_of(folder: Path, path: Path) -> Item:
    """The entry of a file below `folder`."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Item(path.relative_to(folder).as_posix(), path.stat().st_size, digest)


def write_archive(path: Path, folder: Path, manifest: Manifest) -> Written:
    """Pack the manifest's files of `folder` into `path`, which only its owner may read, and read it back.

    Raises `InputError` where the file is there already, cannot be written, or does not read back as it was.
    """
    if path.exists():
        raise InputError(f"{path} is there already.", "Give another name; a backup is never overwritten.")
    draft = path.with_name(f".{path.name}.{token_hex(4)}")
    try:
        squeeze = zstandard.ZstdCompressor(level=3, threads=-1)
        with _created(draft) as file, squeeze.stream_writer(file, closefd=False) as squeezed:
            _pack(squeezed, folder, manifest)
        if read_archive(draft, None) != manifest:
            raise InputError(f"The backup {path} did not read back as it was written.", "Check the disk.")
        draft.replace(path)
    except OSError as wrong:
        raise InputError(f"{path} cannot be written: {wrong.strerror or wrong}.", "Give another place.") from None
    finally:
        with suppress(OSError):
            draft.unlink()
    return Written(path, path.stat().st_size, manifest)


def read_archive(path: Path, into: Path | None) -> Manifest:
    """Check an archive whole, every byte against its checksum, and unpack it into the folder `into` (None: nowhere).

    Only plain files that the manifest names are written, under names that stay below `into`, and no more bytes than it
    states. Raises `InputError`; what was unpacked before is then worth nothing.
    """
    with _errors(path), path.open("rb") as file:
        expanded = _Bounded(zstandard.ZstdDecompressor().stream_reader(file))
        with tarfile.open(fileobj=cast("IO[bytes]", expanded), mode="r|", bufsize=PIECE, encoding="utf-8") as tar:
            entries = iter(tar)
            manifest = _manifest(tar, next(entries, None), path)
            expanded.left += manifest.size + ROOM_OF_ENTRY * len(manifest.items)
            if into is not None and shutil.disk_usage(into).free < manifest.size:
                raise InputError(f"{into} has no room for {manifest.size:,} bytes.", "Free some room.")
            wanted = {item.path: item for item in manifest.items}
            for entry in entries:
                _unpack(tar, entry, wanted.pop(entry.name, None), into)
    if wanted:
        raise _damaged(path, f"{next(iter(wanted))} is missing")
    return manifest


class _Bounded:
    """A stream that gives `left` bytes at most, however much a small file would expand to."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.left = LARGEST_MANIFEST

    def read(self, size: int) -> bytes:
        found = self._stream.read(size)
        self.left -= len(found)
        if self.left < 0:
            raise tarfile.ReadError("it holds more than its list says")
        return found


def _pack(squeezed: IO[bytes], folder: Path, manifest: Manifest) -> None:
    head = msgspec.json.encode(manifest)
    with tarfile.open(fileobj=squeezed, mode="w|", bufsize=PIECE, format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(_entry(MANIFEST, len(head)), io.BytesIO(head))
        for item in manifest.items:
            with (folder / item.path).open("rb") as content:
                tar.addfile(_entry(item.path, item.size), content)


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    return entry


def _manifest(tar: tarfile.TarFile, entry: tarfile.TarInfo | None, path: Path) -> Manifest:
    content = tar.extractfile(entry) if entry and entry.name == MANIFEST and entry.size <= LARGEST_MANIFEST else None
    if content is None:
        raise InputError(f"{path} is no backup of citepoll.", "Name a file that `citepoll backup` wrote.")
    found = msgspec.json.decode(content.read(), type=Manifest)
    if found.format > FORMAT:
        raise InputError(f"{path} was written by a later citepoll ({found.product}).", "Upgrade citepoll.")
    for item in found.items:
        _check_name(item.path)
    return found


def _check_name(name: str) -> None:
    """Refuse a name that leads out of a folder, on any system."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or str(path) != name or any(c in name for c in "\\:\0"):
        raise InputError(f"The backup names {name[:80]!r}, which is no file of a project.", "Do not use this file.")


def _unpack(tar: tarfile.TarFile, entry: tarfile.TarInfo, item: Item | None, into: Path | None) -> None:
    content = tar.extractfile(entry) if item and entry.isreg() and entry.size == item.size else None
    if item is None or content is None:
        raise InputError(f"The backup holds {entry.name[:80]!r}, which its list does not.", "Do not use this file.")
    digest = hashlib.sha256()
    with _created(into / item.path) if into else open(os.devnull, "wb") as file:
        while piece := content.read(PIECE):
            digest.update(piece)
            file.write(piece)
    if digest.hexdigest() != item.sha256:
        raise InputError(f"{item.path} in the backup is damaged: its checksum differs.", "Use another backup.")


@contextmanager
def _created(path: Path) -> Iterator[IO[bytes]]:
    """A new file for its owner's eyes, on the disk when the block ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.", "Check its name.") from None
    except (tarfile.TarError, zstandard.ZstdError, EOFError, msgspec.DecodeError) as wrong:
        raise _damaged(path, str(wrong)) from None
    except OSError as wrong:
        raise InputError(f"{path} cannot be restored: {wrong.strerror or wrong}.", "Check the disk.") from None


def _damaged(path: Path, why: str) -> InputError:
    return InputError(f"{path} is no whole backup: {why}.", "Use another backup.")
