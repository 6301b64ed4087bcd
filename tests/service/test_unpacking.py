import io
import zipfile

import pytest

from citepoll.errors import InputError
from citepoll.service import unpacking
from citepoll.service.unpacking import unpacked


def packed(files, method=zipfile.ZIP_DEFLATED):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return held.getvalue()


def test_files_and_those_of_a_zip_are_alike():
    sent = [
        ("a.md", b"a"),
        ("b.zip", packed([("in/c.md", b"c"), (".git/d", b"d"), ("__MACOSX/e.md", b"e"), ("folder/", b"")])),
    ]
    assert unpacked(sent) == (("a.md", b"a"), ("in/c.md", b"c"))


def test_no_files_are_none():
    assert unpacked([]) == ()


def test_a_zip_may_not_unpack_to_more_than_is_allowed(monkeypatch):
    monkeypatch.setattr(unpacking, "UNPACKED", 2**20)
    bomb = packed([("a.md", b"0" * 2**21)])
    assert len(bomb) < 2**13
    with pytest.raises(InputError, match="when unpacked"):
        unpacked([("bomb.zip", bomb)])
    with pytest.raises(InputError, match="when unpacked"):
        unpacked([("two.zip", packed([(f"{n}.md", b"0" * 2**19) for n in range(3)]))])


def test_a_zip_may_not_lie_about_its_size():
    data = packed([("a.md", b"0" * 1000)])
    lying = data.replace((1000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    with pytest.raises(InputError, match="cannot be unpacked"):
        unpacked([("a.zip", lying)])


def test_there_is_a_most_of_files(monkeypatch):
    monkeypatch.setattr(unpacking, "MOST", 3)
    with pytest.raises(InputError, match="more than 3 files"):
        unpacked([("a.zip", packed([(f"{n}.md", b"") for n in range(4)]))])
    with pytest.raises(InputError, match="more than 3 files"):
        unpacked([(f"{n}.md", b"") for n in range(4)])


@pytest.mark.parametrize(
    "data", [b"", b"no zip", packed([("a", b"b")])[:20], packed([("a", b"b" * 99)], zipfile.ZIP_LZMA)]
)
def test_what_is_no_plain_zip_is_refused(data):
    with pytest.raises(InputError, match="cannot be unpacked"):
        unpacked([("a.zip", data)])
