"""The local engine's documents: add files, list them, take them out."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from citepoll.errors import InputError
from citepoll.sampling.local.documents import address_below, fingerprint, is_address, kind_of, read_document
from citepoll.store.corpus import CorpusWriter, Listed, reading, writing

FILE_LIMIT: Final = 20 * 2**20

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was not read, why, and what to do. A document that it gave earlier is kept."""

    path: str
    reason: str
    fix: str


@dataclass(frozen=True, slots=True)
class Added:
    """What an add did, in documents. `others` counts files of other kinds (images, scripts), which are passed over.

    `gone` are the origins of documents below the folder whose file is no longer there; they are kept.
    """

    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    passages: int = 0
    others: int = 0
    skipped: tuple[Skipped, ...] = ()
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    relative: PurePosixPath
    origin: str


def add(corpus: Path, path: Path, *, base_url: str | None = None, progress: Progress | None = None) -> Added:
    """Put the documents of a folder (with its subfolders) or of one file into the corpus file `corpus`, in one step.

    HTML, Markdown and text in UTF-8 are read; hidden files, and links that lead out of the folder, are not. A page's
    URL is its canonical link or front matter `url:`, else `base_url` and its path below the folder. A file added before
    is replaced, or passed over where nothing changed. `progress` is called with files done and files in all.
    Raises `InputError` for a path or base URL that cannot be used, `ProjectError` for the corpus file.
    """
    if base_url is not None and not is_address(base_url):
        raise InputError(
            f"--base-url {base_url!r} is not a web address.", "Write it in full, as https://example.com/docs."
        )
    skipped: list[Skipped] = []
    found = list(_files(path, skipped))
    files = [file for file in found if kind_of(file.path.name)]
    if not path.is_dir() and not files:
        raise InputError(f"{path} is not a document.", "Give HTML (.html), Markdown (.md) or text (.txt), or a folder.")
    tally: dict[str, int] = dict.fromkeys(("added", "replaced", "unchanged", "passages"), 0)
    with writing(corpus) as writer:
        for done, file in enumerate(files, 1):
            try:
                _add_file(writer, file, base_url, tally)
            except InputError as wrong:
                skipped.append(Skipped(_shown(file.path), wrong.cause, wrong.fix))
            if progress:
                progress(done, len(files))
        gone = _gone(writer.documents(), path)
    return Added(**tally, others=len(found) - len(files), skipped=tuple(skipped), gone=gone)


def documents(corpus: Path) -> tuple[Listed, ...]:
    """Every document of the corpus, by origin; () where there is none."""
    with reading(corpus) as reader:
        return reader.documents() if reader else ()


def remove(corpus: Path, names: Sequence[str]) -> tuple[Listed, ...]:
    """Take out the documents with these URLs, files or folders, and return them.

    Raises `InputError`, and removes nothing, where a name fits no document.
    """
    with writing(corpus) as writer:
        held = writer.documents()
        chosen: dict[str, Listed] = {}
        for name in names:
            fits = [document for document in held if _fits(document, name)]
            if not fits:
                raise InputError(f"No document of the corpus fits {name!r}.", "See them with `citepoll corpus list`.")
            chosen.update({document.origin: document for document in fits})
        for origin in chosen:
            writer.remove(origin)
    return tuple(chosen.values())


def _fits(document: Listed, name: str) -> bool:
    if name in {document.url, document.origin}:
        return True
    return not is_address(name) and _below(document.origin, Path(name))


def _below(origin: str, folder: Path) -> bool:
    return Path(origin).is_relative_to(folder.resolve())


def _gone(held: Iterable[Listed], path: Path) -> tuple[str, ...]:
    return tuple(d.origin for d in held if _below(d.origin, path) and not Path(d.origin).exists())


def _files(path: Path, skipped: list[Skipped]) -> Iterator[_File]:
    root = path.resolve()
    if root.is_file():
        yield _File(path, PurePosixPath(root.name), str(root))
        return
    if not root.is_dir():
        raise InputError(f"There is no file or folder {path}.", "Check the path.")

    def report(wrong: OSError) -> None:
        skipped.append(Skipped(_shown(wrong.filename), f"it cannot be read: {wrong.strerror}", "Check its rights."))

    for folder, subfolders, names in os.walk(root, onerror=report):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in sorted(name for name in names if not name.startswith(".")):
            file = Path(folder, name)
            yield _File(file, PurePosixPath(file.relative_to(root).as_posix()), str(file))


def _shown(path: str | Path) -> str:
    return os.fsencode(path).decode("utf-8", "replace")


def _add_file(writer: CorpusWriter, file: _File, base_url: str | None, tally: dict[str, int]) -> None:
    data = _bytes(file)
    address = address_below(base_url, file.relative) if base_url is not None else None
    before = writer.fingerprint(file.origin)
    if before == fingerprint(data, address):
        tally["unchanged"] += 1
        return
    document = read_document(file.path.name, data, address)
    writer.put(file.origin, document)
    tally["replaced" if before else "added"] += 1
    tally["passages"] += len(document.passages)


def _bytes(file: _File) -> bytes:
    """The file's content. Raises `InputError` for what is too big, no plain file, out of the folder or unreadable."""
    root = Path(file.origin.removesuffix(str(file.relative)))
    if _shown(file.path) != str(file.path):
        raise InputError("its name is not UTF-8", "Rename it.")
    try:
        if not file.path.resolve(strict=True).is_relative_to(root):
            raise InputError("it is a link out of the folder", "Copy the page into the folder.")
        found = file.path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise InputError("it is not a plain file", "Save it as a file.")
        if found.st_size > FILE_LIMIT:
            raise InputError(f"it has {found.st_size / 2**20:.0f} MB; 20 is the most", "Split it.")
        return file.path.read_bytes()
    except (OSError, RuntimeError) as wrong:
        cause = f"it cannot be read: {getattr(wrong, 'strerror', None) or wrong}"
        raise InputError(cause, "Check its rights.") from None
