import errno
import gzip
import os
import random
import threading

import polars as pl
import pytest

from citepoll.errors import InputError
from citepoll.store import files
from citepoll.store.files import read_rows

LINES = b'{"a": 1}\n{"a": 2}\n{"a": 3}\n'


def data(path):
    return [line.data for line in read_rows(path)]


def upto(path):
    """The rows before the error, and the error."""
    found = []
    with pytest.raises(InputError) as caught:
        found.extend(line.data for line in read_rows(path))
    assert caught.value.fix
    return found, caught.value


@pytest.fixture
def put(tmp_path):
    def write(name, body):
        (tmp_path / name).write_bytes(body)
        return tmp_path / name

    return write


# ---------------------------------------------------------------- JSONL


@pytest.mark.parametrize(
    "body", [LINES, LINES.rstrip(), LINES.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + LINES, b"\n \n" + LINES + b"\n\n"]
)
def test_lines_come_as_they_stand(put, body):
    assert data(put("a.jsonl", body)) == [b'{"a": 1}', b'{"a": 2}', b'{"a": 3}']


def test_numbers_count_lines_of_the_file_and_done_grows_to_one(put):
    lines = list(read_rows(put("a.jsonl", b"\n" + LINES)))
    assert [line.number for line in lines] == [2, 3, 4]
    assert 0 <= lines[0].done <= lines[-1].done == 1.0


def test_a_half_written_last_line_is_a_row_like_others(put):
    assert data(put("a.jsonl", LINES + b'{"a": '))[-1] == b'{"a":'


def test_an_empty_file_has_no_rows(put):
    assert data(put("a.jsonl", b"")) == data(put("a.csv", b"")) == data(put("a.jsonl.gz", b"")) == []


def test_a_long_line_is_passed_over_with_its_length(put, monkeypatch):
    monkeypatch.setattr(files, "LONGEST", 1000)
    body = b'{"a": 1}\n' + b"x" * 3_000_000 + b'\n{"a": 2}\n' + b"y" * 1000
    found = list(read_rows(put("a.jsonl", body)))
    assert [(line.number, line.problem is None) for line in found] == [(1, True), (2, False), (3, True), (4, False)]
    assert "3,000,001 bytes" in found[1].problem
    assert len(found[1].data) <= 10_000


def test_a_line_of_just_the_limit_is_read(put, monkeypatch):
    monkeypatch.setattr(files, "LONGEST", 9)
    assert data(put("a.jsonl", LINES)) == [b'{"a": 1}', b'{"a": 2}', b'{"a": 3}']


# ---------------------------------------------------------------- gzip


def test_gzip_is_known_by_its_bytes(put):
    packed = gzip.compress(LINES)
    assert data(put("a.jsonl.gz", packed)) == data(put("a.jsonl", packed)) == data(put("b.jsonl", LINES))


def test_a_wrong_gzip_name_is_said(put):
    found, wrong = upto(put("a.jsonl.gz", LINES))
    assert found == []
    assert "not a usable gzip file" in wrong.cause
    assert "rename" in wrong.fix


def noise(rows):
    draw = random.Random(3)
    return b"".join(b'{"a": "%s"}\n' % draw.randbytes(40).hex().encode() for _ in range(rows))


def test_a_half_written_gzip_gives_what_is_there_then_says_so(put):
    body = noise(5000)
    packed = gzip.compress(body)
    found, wrong = upto(put("a.jsonl.gz", packed[: len(packed) // 2]))
    assert 1000 < len(found) < 5000
    assert found == body.splitlines()[: len(found)]
    assert "ends in the middle or is damaged" in wrong.cause


@pytest.mark.parametrize("at", [0.5, 0.999])
def test_a_corrupt_gzip_is_said(put, at):
    packed = bytearray(gzip.compress(noise(5000)))
    place = int(len(packed) * at)
    packed[place : place + 4] = bytes(255 - b for b in packed[place : place + 4])
    _, wrong = upto(put("a.jsonl.gz", bytes(packed)))
    assert "gzip" in wrong.cause or "damaged" in wrong.cause


def test_two_gzip_members_are_one_file(put):
    assert len(data(put("a.jsonl.gz", gzip.compress(LINES) + gzip.compress(LINES)))) == 6


# ---------------------------------------------------------------- what is no file


def test_missing_folder_and_unreadable(tmp_path, put, monkeypatch):
    assert "There is no file" in upto(tmp_path / "none.jsonl")[1].cause
    assert "is a folder" in upto(tmp_path)[1].cause
    path = put("a.jsonl", LINES)
    for code, cause in ((errno.EACCES, "may not be read"), (errno.EIO, "cannot be read: Input/output error")):
        wrong = OSError(code, os.strerror(code))
        monkeypatch.setattr("pathlib.Path.open", lambda *a, wrong=wrong, **k: (_ for _ in ()).throw(wrong))
        assert cause in upto(path)[1].cause


@pytest.mark.parametrize("body", [LINES, gzip.compress(LINES)], ids=["plain", "gzip"])
def test_a_pipe_is_read(tmp_path, body):
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(body,))
    writer.start()
    assert data(tmp_path / "pipe") == [b'{"a": 1}', b'{"a": 2}', b'{"a": 3}']
    writer.join()


@pytest.mark.parametrize("name", ["none.csv", "none.parquet", "none.tsv.gz"])
def test_a_missing_table_is_said(tmp_path, name):
    assert "There is no file" in upto(tmp_path / name)[1].cause


@pytest.mark.parametrize("name", ["d.csv", "d.parquet"])
def test_a_folder_named_like_a_table_is_said(tmp_path, name):
    (tmp_path / name).mkdir()
    assert upto(tmp_path / name)[1].cause


# ---------------------------------------------------------------- CSV, Parquet


def test_csv_is_read_by_its_header(put):
    body = b'\xef\xbb\xbfengine, query ,run\r\natlas,"best, ""fork""\nand rake",2\r\n\r\nb,,\r\n'
    assert data(put("a.csv", body)) == [
        {"engine": "atlas", "query": 'best, "fork"\nand rake', "run": "2"},
        {"engine": "b"},
    ]
    assert data(put("a.tsv.gz", gzip.compress(b"engine\tquery\na\tq\n"))) == [{"engine": "a", "query": "q"}]


def test_too_many_values_hide_a_row_but_not_the_next(put):
    first, second = read_rows(put("a.csv", b"engine,query\na,b,c\na,b\n"))
    assert first.problem == "3 values under 2 column names"
    assert second.problem is None


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b'engine,query\na,b\na,"b\n', "line 3: not usable CSV"),
        ("engine,query\na,b\n".encode("utf-16"), "line 1: not UTF-8"),
        (b"engine,query\na,b\na," + b"x" * (files.LONGEST + 1) + b"\n", "field larger than field limit"),
    ],
)
def test_unusable_csv_is_said_with_its_line(put, body, cause):
    assert cause in upto(put("a.csv", body))[1].cause


def test_parquet_comes_in_rows(tmp_path):
    frame = pl.DataFrame({"engine": ["a"] * 2500, "run": range(2500), "x": [None] * 2500})
    frame.write_parquet(tmp_path / "a.parquet")
    lines = list(read_rows(tmp_path / "a.parquet"))
    assert [line.data["run"] for line in lines] == list(range(2500))
    assert (lines[-1].number, lines[-1].done, set(lines[0].data)) == (2500, 1.0, {"engine", "run"})


@pytest.mark.parametrize("body", [b"", b"PAR1", b"PAR1" + b"\x00" * 100 + b"PAR1", LINES])
def test_damaged_parquet_is_said(put, body):
    assert "not usable Parquet" in upto(put("a.parquet", body))[1].cause
