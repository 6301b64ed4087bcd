"""The local engine's documents: add files and pages of the web, list them, take them out."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import urlsplit

from citepoll.errors import EngineError, FetchError, InputError
from citepoll.fetch.pages import Read
from citepoll.fetch.robots import Visitor
from citepoll.hashing import content_hash, short
from citepoll.project import Project
from citepoll.sampling.local.documents import address_below, fingerprint, is_address, kind_of, read_document
from citepoll.store.corpus import CORPUS_FILE, CorpusWriter, Document, Listed, reading, writing

FILE_LIMIT: Final = 20 * 2**20
MOST_PAGES: Final = 500
LIST_LIMIT: Final = 2**20
TALLY: Final = ("added", "replaced", "unchanged", "passages")
SUFFIX_OF: Final = {"text/markdown": ".md", "text/plain": ".txt"}
"""Media type → the suffix of files that are read alike; others are HTML."""

LOCAL: Final = "local:bm25"
SENT: Final = "sent:"
"""Before the name of a file that a browser sent, as the origin of its document."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file or page that was not read, why, and what to do. A document that it gave earlier is kept."""

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
    tally: dict[str, int] = dict.fromkeys(TALLY, 0)
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


def add_pages(corpus: Path, urls: Sequence[str], visitor: Visitor, *, progress: Progress | None = None) -> Added:
    """Put pages of the web into the corpus, one after the other; each is kept as soon as it is read.

    A page's URL is where it was in the end. One that was added before is replaced, or passed over where nothing changed.
    What the guard, robots.txt or the page itself forbids is skipped with its reason, and a document that it gave
    earlier is kept. Raises `InputError` for more than `MOST_PAGES`, `ProjectError` for the corpus file.
    """
    wanted = tuple(dict.fromkeys(urls))
    if len(wanted) > MOST_PAGES:
        raise InputError(f"{len(wanted):,} pages are too many at once: {MOST_PAGES} are the most.", "Give fewer.")
    skipped: list[Skipped] = []
    tally: dict[str, int] = dict.fromkeys(TALLY, 0)
    for done, url in enumerate(wanted, 1):
        try:
            _add_page(corpus, url, visitor.read(url), tally)
        except (FetchError, InputError) as wrong:
            skipped.append(Skipped(url, wrong.cause, wrong.fix))
        if progress:
            progress(done, len(wanted))
    return Added(**tally, skipped=tuple(skipped), gone=())


def add_files(corpus: Path, files: Iterable[tuple[str, bytes]], base_url: str | None = None) -> Added:
    """Put files that somebody sent (name and content) into the corpus, in one step; the name is no path of this machine.

    A page's URL is its own, else `base_url` and its name. A file of the same name that was sent before is replaced.
    Raises `InputError` for a base URL that is none, `ProjectError` for the corpus file.
    """
    if base_url is not None and not is_address(base_url):
        raise InputError(f"{base_url[:200]!r} is not a web address.", "Write it in full, as https://example.com/docs.")
    skipped: list[Skipped] = []
    tally: dict[str, int] = dict.fromkeys(TALLY, 0)
    others = 0
    with writing(corpus) as writer:
        for name, data in files:
            if not kind_of(name):
                others += 1
                continue
            try:
                _add_sent(writer, name, data, base_url, tally)
            except InputError as wrong:
                skipped.append(Skipped(name, wrong.cause, wrong.fix))
    return Added(**tally, others=others, skipped=tuple(skipped), gone=())


def total(every: Sequence[Added]) -> Added:
    """Several adds as one."""
    return Added(
        added=sum(one.added for one in every),
        replaced=sum(one.replaced for one in every),
        unchanged=sum(one.unchanged for one in every),
        passages=sum(one.passages for one in every),
        others=sum(one.others for one in every),
        skipped=tuple(skipped for one in every for skipped in one.skipped),
        gone=tuple(gone for one in every for gone in one.gone),
    )


def pages_of(corpus: Path) -> tuple[str, ...]:
    """The addresses that documents of the corpus were fetched from."""
    return tuple(document.origin for document in documents(corpus) if is_address(document.origin))


def addresses_in(path: Path) -> tuple[str, ...]:
    """The addresses in a text file, one a line; blank lines and those that start with # are passed over.

    Raises `InputError` for a file that cannot be read, and for a line that is no address.
    """
    try:
        if path.stat().st_size > LIST_LIMIT:
            raise InputError(f"{path} is too long for a list of addresses.", f"{MOST_PAGES} are the most.")
        lines = [line.strip() for line in path.read_text("utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as wrong:
        raise InputError(f"{path} cannot be read: {wrong}.", "Save it as UTF-8 text that you may read.") from None
    for number, line in enumerate(lines, 1):
        if line and not line.startswith("#") and not is_address(line):
            raise InputError(f"{path}, line {number}: {line[:80]!r} is no web address.", "Write it with https://.")
    return tuple(line for line in lines if line and not line.startswith("#"))


def document_id(document: Listed) -> str:
    """What stands for a document in addresses and forms; where it came from stays on this machine."""
    return short(content_hash([document.origin]))


def remove_document(corpus: Path, id: str) -> Listed:
    """Take out the document with that id, and return it. Raises `InputError` where there is none."""
    with writing(corpus) as writer:
        found = next((document for document in writer.documents() if document_id(document) == id), None)
        if found is None:
            raise InputError("That document is not there any more.", "Look at the list again.")
        writer.remove(found.origin)
    return found


def documents(corpus: Path) -> tuple[Listed, ...]:
    """Every document of the corpus, by origin; () where there is none."""
    with reading(corpus) as reader:
        return reader.documents() if reader else ()


def answers_locally(project: Project) -> bool:
    """Whether the project asks the engine that answers from the corpus."""
    return any(engine.id == LOCAL for engine in project.engines)


def lacks_documents(project: Project) -> bool:
    """Whether the project asks the local engine, and that has nothing to answer from."""
    with reading(project.data / CORPUS_FILE) as reader:
        return answers_locally(project) and (reader is None or not reader.state().documents)


def check_documents(project: Project) -> None:
    """Raises `EngineError` where `lacks_documents`: each of its runs would fail."""
    if lacks_documents(project):
        raise EngineError("The local engine has no documents to answer from.", "Add some: citepoll corpus add DIR")


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
    if _unchanged(writer, file.origin, fingerprint(data, address), tally):
        return
    _put(writer, file.origin, read_document(file.path.name, data, address), tally)


def _add_page(corpus: Path, url: str, page: Read, tally: dict[str, int]) -> None:
    data = page.text.encode("utf-8", "replace")
    with writing(corpus) as writer:
        if _unchanged(writer, url, fingerprint(data, page.url), tally):
            return
        name = f"{urlsplit(page.url).hostname}{SUFFIX_OF.get(page.kind, '.html')}"
        _put(writer, url, read_document(name, data, page.url, fetched=True), tally)


def _add_sent(writer: CorpusWriter, name: str, data: bytes, base_url: str | None, tally: dict[str, int]) -> None:
    origin = f"{SENT}{name}"
    address = address_below(base_url, PurePosixPath(name)) if base_url is not None else None
    if not _unchanged(writer, origin, fingerprint(data, address), tally):
        _put(writer, origin, read_document(name, data, address), tally)


def _unchanged(writer: CorpusWriter, origin: str, now: str, tally: dict[str, int]) -> bool:
    same = writer.fingerprint(origin) == now
    tally["unchanged"] += same
    return same


def _put(writer: CorpusWriter, origin: str, document: Document, tally: dict[str, int]) -> None:
    tally["replaced" if writer.fingerprint(origin) else "added"] += 1
    tally["passages"] += len(document.passages)
    writer.put(origin, document)


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
