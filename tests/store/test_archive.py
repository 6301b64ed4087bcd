import hashlib
import io
import tarfile

import msgspec
import pytest
import zstandard

from citepoll.errors import InputError
from citepoll.store.archive import FORMAT, MANIFEST, Item, Manifest, item_of, read_archive, write_archive


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "made"
    (made / "sub").mkdir(parents=True)
    (made / "a.txt").write_bytes(b"first")
    (made / "sub" / "b.bin").write_bytes(bytes(range(256)) * 5000)
    return made


@pytest.fixture
def into(tmp_path):
    made = tmp_path / "into"
    made.mkdir()
    return made


def manifest_of(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return Manifest(FORMAT, "citepoll 0", "2026-11-03T09:00:00Z", 3, tuple(item_of(folder, f) for f in files), {"n": 1})


def packed(path, manifest, entries):
    """An archive of somebody else's making: (tar entry, content) pairs behind the manifest."""
    head = manifest if isinstance(manifest, bytes) else msgspec.json.encode(manifest)
    first = tarfile.TarInfo(MANIFEST)
    first.size = len(head)
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as tar:
        for entry, content in [(first, head), *entries]:
            tar.addfile(entry, io.BytesIO(content))
    path.write_bytes(zstandard.compress(held.getbuffer()))
    return path


def entry(name, content=b"", kind=tarfile.REGTYPE, target=""):
    made = tarfile.TarInfo(name)
    made.size, made.type, made.linkname = len(content), kind, target
    return made, content


def item(name, content=b""):
    return Item(name, len(content), hashlib.sha256(content).hexdigest())


def naming(*items):
    return Manifest(FORMAT, "citepoll 0", "2026-11-03T09:00:00Z", 3, items)


def test_what_was_packed_comes_back(folder, into, tmp_path):
    written = write_archive(tmp_path / "b.tar.zst", folder, manifest_of(folder))
    assert written.size == (tmp_path / "b.tar.zst").stat().st_size
    assert (tmp_path / "b.tar.zst").stat().st_mode & 0o077 == 0
    assert read_archive(written.path, into) == manifest_of(folder)
    assert {p.name: p.read_bytes() for p in into.rglob("*") if p.is_file()} == {
        p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }
    with pytest.raises(InputError, match="is there already"):
        write_archive(written.path, folder, manifest_of(folder))
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_disk_that_lies_is_found_out(folder, tmp_path):
    manifest = manifest_of(folder)
    (folder / "a.txt").write_bytes(b"fjrst")
    with pytest.raises(InputError, match="checksum"):
        write_archive(tmp_path / "b.tar.zst", folder, manifest)
    assert not (tmp_path / "b.tar.zst").exists()


@pytest.mark.parametrize("at", [0.1, 0.5, 0.9, 0.999])
def test_a_flipped_or_cut_archive_is_refused(folder, into, tmp_path, at):
    path = write_archive(tmp_path / "b.tar.zst", folder, manifest_of(folder)).path
    whole = bytearray(path.read_bytes())
    path.write_bytes(whole[: int(at * len(whole))])
    with pytest.raises(InputError):
        read_archive(path, into)
    whole[int(at * len(whole))] ^= 0xFF
    path.write_bytes(whole)
    try:
        assert read_archive(path, None) == manifest_of(folder)  # the flip may be in padding
    except InputError:
        pass


@pytest.mark.parametrize("name", ["../out", "/etc/out", "a/../../out", "a\\..\\out", "c:out", "./a", "a//b", "a\0b"])
def test_names_that_lead_out_are_refused(into, tmp_path, name):
    path = packed(tmp_path / "x", naming(item(name, b"x")), [])
    with pytest.raises(InputError, match="no file of a project"):
        read_archive(path, into)
    assert list(into.iterdir()) == []


@pytest.mark.parametrize(
    "bad",
    [
        entry("a", kind=tarfile.SYMTYPE, target="/etc/passwd"),
        entry("a", kind=tarfile.LNKTYPE, target="../../out"),
        entry("a", kind=tarfile.DIRTYPE),
        entry("a", kind=tarfile.FIFOTYPE),
        entry("unnamed", b"x"),
        entry("a", b"more than it says"),
        entry(MANIFEST, b"{}"),
    ],
)
def test_only_plain_files_that_the_list_names_are_written(into, tmp_path, bad):
    path = packed(tmp_path / "x", naming(item("a", b"x")), [bad])
    with pytest.raises(InputError):
        read_archive(path, into)
    assert list(into.rglob("*")) == []


def test_no_name_twice_and_none_missing(into, tmp_path):
    twice = packed(tmp_path / "x", naming(item("a", b"x")), [entry("a", b"x"), entry("a", b"x")])
    with pytest.raises(InputError, match="its list does not"):
        read_archive(twice, into)
    with pytest.raises(InputError, match="a is missing"):
        read_archive(packed(tmp_path / "y", naming(item("a", b"x")), []), into)


def test_a_small_file_does_not_expand_without_end(into, tmp_path):
    bomb = packed(tmp_path / "x", naming(item("a", b"x")), [entry("b", bytes(100 * 2**20))])
    assert bomb.stat().st_size < 2**17
    with pytest.raises(InputError):
        read_archive(bomb, into)
    head = tarfile.TarInfo("a")
    head.pax_headers = {"comment": "x" * (80 * 2**20)}
    with pytest.raises(InputError, match="more than its list says"):
        read_archive(packed(tmp_path / "y", naming(item("a", b"")), [(head, b"")]), into)
    enormous = Manifest(FORMAT, "citepoll 0", "", 3, (Item("a", 2**62, ""),))
    with pytest.raises(InputError, match="no room"):
        read_archive(packed(tmp_path / "z", enormous, []), into)


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "no whole backup|no backup"),
        (b"PK\x03\x04 some other file", "no whole backup"),
        (None, "There is no file"),
    ],
)
def test_what_is_no_backup_is_said_to_be_none(tmp_path, content, cause):
    path = tmp_path / "x"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=cause):
        read_archive(path, None)


def test_an_archive_of_a_later_citepoll_and_a_list_that_is_none(tmp_path):
    with pytest.raises(InputError, match=r"later citepoll \(citepoll 9\)"):
        read_archive(packed(tmp_path / "x", Manifest(FORMAT + 1, "citepoll 9", "", 3, ()), []), None)
    with pytest.raises(InputError, match="no whole backup"):
        read_archive(packed(tmp_path / "y", b"[1, 2]", []), None)
