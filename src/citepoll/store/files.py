"""Reading recorded rows from files, a row at a time in flat memory: JSONL(.gz), CSV(.gz), Parquet."""

from __future__ import annotations

import csv
import gzip
import io
import re
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import polars as pl

from citepoll.errors import InputError

LONGEST = 16 * 2**20
"""Bytes of one line. A longer one is passed over and reported: no answer is that long."""


_GUARDED = re.compile(r"'+[=+\-@\t\r]")  # an export puts the first apostrophe, so that no spreadsheet runs the cell
_NOT_UTF8 = re.compile("[\udc80-\udcff]")  # bytes that were no UTF-8, as `surrogateescape` reads them


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a file: its bytes (JSONL) or its values (CSV, Parquet), or the `problem` that hides it.

    `number` counts lines from 1 (of Parquet: rows); `done` is how much of the file was read, 0 to 1.
    """

    number: int
    done: float
    data: bytes | dict[str, Any] = b""
    problem: str | None = None


def read_rows(path: Path) -> Iterator[Line]:
    """Every row of the file. Raises `InputError` where the file cannot be read, or ends in the middle."""
    name = path.name.lower().removesuffix(".gz")
    try:
        if name.endswith((".parquet", ".pq")):
            yield from _parquet(path)
        elif name.endswith((".csv", ".tsv")):
            yield from _csv(path, "\t" if name.endswith(".tsv") else ",")
        else:
            yield from _lines(path)
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.", "Check its name.") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder.", "Name one file; import several one after the other.") from None
    except PermissionError:
        raise InputError(f"{path} may not be read.", "Give yourself read access to it.") from None
    except gzip.BadGzipFile as wrong:
        raise InputError(f"{path} is not a usable gzip file: {wrong}.", "Compress it again, or rename it.") from None
    except (EOFError, zlib.error) as wrong:
        raise InputError(
            f"{path} ends in the middle or is damaged: {wrong}.",
            "Get the whole file and import it again: rows that are here already are passed over.",
        ) from None
    except OSError as wrong:
        raise InputError(f"{path} cannot be read: {wrong.strerror or wrong}.", "Check the disk and the file.") from None


class _Counted:
    """An open file or pipe, expanded if its bytes say gzip, that knows how far it has been read (a pipe: always 0)."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("rb")
        self.size = max(1, path.stat().st_size)
        begins = self.file.peek(2)[:2]
        packed = begins == b"\x1f\x8b"
        if path.name.lower().endswith(".gz") and begins and not packed:
            self.file.close()
            raise gzip.BadGzipFile("it does not start as one")
        self.stream = cast("IO[bytes]", gzip.GzipFile(fileobj=self.file)) if packed else self.file

    @property
    def done(self) -> float:
        return min(1.0, self.file.tell() / self.size) if self.file.seekable() else 0.0


def _lines(path: Path) -> Iterator[Line]:
    source = _Counted(path)
    number = 0
    with source.file:
        while line := source.stream.readline(LONGEST):
            number += 1
            if not line.endswith(b"\n") and len(line) >= LONGEST:
                length = len(line) + _skip_line(source.stream)
                yield Line(number, source.done, line[:10_000], f"the line has {length:,} bytes; {LONGEST:,} are read")
            elif line.strip():
                yield Line(number, source.done, line.removeprefix(b"\xef\xbb\xbf").strip())


def _skip_line(stream: IO[bytes]) -> int:
    skipped = 0
    while rest := stream.readline(2**20):
        skipped += len(rest)
        if rest.endswith(b"\n"):
            break
    return skipped


def _csv(path: Path, separator: str) -> Iterator[Line]:
    source = _Counted(path)
    csv.field_size_limit(min(LONGEST, sys.maxsize))
    with source.file:
        text = io.TextIOWrapper(source.stream, "utf-8-sig", errors="surrogateescape", newline="")
        rows = csv.reader(text, delimiter=separator, strict=True)
        try:
            header = [name.strip() for name in next(rows, [])]
            if any(map(_NOT_UTF8.search, header)):
                raise InputError(f"{path}, line 1: not UTF-8.", "Save the file as UTF-8.")
            for row in rows:
                if row:
                    yield _csv_line(rows.line_num, source.done, header, row)
        except csv.Error as wrong:
            raise InputError(
                f"{path}, line {rows.line_num}: not usable CSV: {wrong}.", "Mend or quote that line."
            ) from None


def _csv_line(number: int, done: float, header: list[str], row: list[str]) -> Line:
    values = {k: v[1:] if _GUARDED.match(v) else v for k, v in zip(header, row, strict=False) if v != ""}
    problem = None
    if len(row) > len(header):
        problem = f"{len(row)} values under {len(header)} column names"
    elif wrong := next(filter(None, map(_NOT_UTF8.search, row)), None):
        problem = f"not UTF-8: byte 0x{ord(wrong[0]) - 0xDC00:02x}"
    return Line(number, done, values, problem)


def _parquet(path: Path) -> Iterator[Line]:
    try:
        frame = pl.scan_parquet(path)
        total = frame.select(pl.len()).collect().item()
        for start in range(0, total, 1000):
            for at, row in enumerate(frame.slice(start, 1000).collect().iter_rows(named=True), start + 1):
                yield Line(at, at / total, {k: v for k, v in row.items() if v is not None})
    except pl.exceptions.PolarsError as wrong:
        raise InputError(f"{path} is not usable Parquet: {str(wrong).splitlines()[0]}", "Write it again.") from None
