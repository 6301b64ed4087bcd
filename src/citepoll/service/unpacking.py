"""Files that a browser sent: documents as they are, or packed in a zip; bounded packed and unpacked."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import PurePosixPath
from typing import Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from citepoll.errors import InputError
from citepoll.report.numbers import count

PACKED: Final = 16 * 2**20
"""Bytes of all files of one upload."""
UNPACKED: Final = 64 * 2**20
MOST: Final = 2_000
"""Files in one upload, those in a zip counted singly."""

File = tuple[str, bytes]
"""A name, which is never used as a path here, and the content."""


def unpacked(files: Iterable[File]) -> tuple[File, ...]:
    """The files, with those of a zip in its place; folders and hidden files of a zip are passed over.

    Raises `InputError` where they are more than `MOST`, or unpack to more than `UNPACKED`, or a zip cannot be read.
    """
    found: list[File] = []
    left = UNPACKED
    for name, data in files:
        for each in _members(name, data, left) if PurePosixPath(name).suffix.lower() == ".zip" else ((name, data),):
            found.append(each)
            left -= len(each[1])
            if left < 0 or len(found) > MOST:
                raise _too_much()
    return tuple(found)


def _members(name: str, data: bytes, left: int) -> Iterator[File]:
    try:
        with ZipFile(BytesIO(data)) as archive:
            members = [each for each in archive.infolist() if not each.is_dir() and not _hidden(each.filename)]
            if len(members) > MOST:
                raise _too_much()
            for member in members:
                held = _read(archive, member, left)
                left -= len(held)
                yield member.filename, held
    except (BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as wrong:
        raise InputError(f"{name} cannot be unpacked: {wrong}.", "Pack it again, without a password.") from None


def _read(archive: ZipFile, member: ZipInfo, left: int) -> bytes:
    """The content, of which no more is unpacked than may be: what a zip says of its sizes is not believed."""
    if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise BadZipFile(f"{member.filename} is packed in an unusual way")
    with archive.open(member) as opened:
        held = opened.read(left + 1)
    if len(held) > left:
        raise _too_much()
    return held


def _hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)


def _too_much() -> InputError:
    return InputError(
        f"That is more than {count(MOST)} files, or more than {UNPACKED // 2**20} MB when unpacked.",
        "Send them in parts.",
    )
