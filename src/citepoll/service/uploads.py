"""Recorded answers that came over the network: bytes, bounded as they are and expanded, imported as a file would be."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from citepoll.errors import CitepollError, InputError
from citepoll.project import Project
from citepoll.service.deriving import derive
from citepoll.service.importing import ImportSummary, import_file
from citepoll.store.ledger import Ledger

SENT = 32 * 2**20
EXPANDED = 512 * 2**20
"""Bytes of an upload as it is sent, and with its gzip opened."""

SUFFIXES: Mapping[str, str] = {"application/x-ndjson": ".jsonl", "text/csv": ".csv"}
"""Media type → the ending of the file; each may be compressed with gzip. Parquet cannot be bounded before it is read."""


def import_bytes(
    project: Project, ledger: Ledger, data: bytes, kind: str, cycle: str, at: datetime, *, engine: str | None = None,
    name: str = "upload",
) -> ImportSummary:  # fmt: skip
    """Import recorded answers of a media type of `SUFFIXES` into a cycle, and derive its tables.

    `name` is what the history calls the file. Raises `InputError` for what is too large, and what `import_file` refuses;
    rows that cannot be read are counted, and stand with their reasons in a file of the project's folder.
    """
    _check_size(data)
    stem = re.sub(r"[^A-Za-z0-9_-]", "_", Path(name).stem)[:60] or "upload"
    with TemporaryDirectory(prefix="citepoll-") as folder:
        path = Path(folder) / f"{stem}{SUFFIXES[kind]}"
        path.write_bytes(data)
        try:
            found = import_file(project, ledger, path, cycle, at=at, engine=engine)
        except CitepollError as wrong:
            raise _without_paths(wrong, path, project.root) from None
    derive(project, ledger, ledger.cycle(cycle), at)
    return replace(found, rejects_file=Path(found.rejects_file).name if found.rejects_file else None)


def _check_size(data: bytes) -> None:
    if len(data) > SENT:
        raise InputError(f"The upload has {len(data):,} bytes; {SENT:,} are taken.", "Send it in parts.")
    if data.startswith(b"\x1f\x8b") and _expanded(data) > EXPANDED:
        raise InputError(f"The upload expands to more than {EXPANDED:,} bytes.", "Send it in parts.")


def _expanded(data: bytes) -> int:
    """Bytes behind the gzip, counted up to a little more than `EXPANDED`; damage is left for the import to tell."""
    size = 0
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            while size <= EXPANDED and (block := stream.read(2**20)):
                size += len(block)
    except (OSError, EOFError, zlib.error):
        return size
    return size


def _without_paths(wrong: CitepollError, path: Path, root: Path) -> CitepollError:
    """The error with file names in the place of the server's paths."""
    wrong.cause, wrong.fix, wrong.kept = (
        text.replace(str(path), path.name).replace(f"{root}/", "") for text in (wrong.cause, wrong.fix, wrong.kept)
    )
    return wrong
