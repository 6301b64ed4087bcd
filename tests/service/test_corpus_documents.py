import os

import pytest

from citepoll.errors import InputError
from citepoll.service.corpus import FILE_LIMIT, add, documents, remove

PAGE = "---\nurl: https://acme.com/{name}\n---\n# {name}\n\nA widget costs ten dollars.\n"


@pytest.fixture
def corpus(tmp_path):
    return tmp_path / ".citepoll" / "corpus.db"


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "pages"
    (made / "sub").mkdir(parents=True)
    for name in ("a.md", "sub/b.md"):
        (made / name).write_text(PAGE.format(name=name), "utf-8")
    return made


def urls(corpus):
    return [d.url for d in documents(corpus)]


def test_a_folder_is_added_with_its_subfolders(corpus, folder):
    (folder / "picture.png").write_bytes(b"\x89PNG")
    (folder / ".hidden.md").write_text("hidden")
    seen = []
    done = add(corpus, folder, progress=lambda at, of: seen.append((at, of)))
    assert (done.added, done.passages, done.others, done.skipped) == (2, 2, 1, ())
    assert urls(corpus) == ["https://acme.com/a.md", "https://acme.com/sub/b.md"]
    assert seen == [(1, 2), (2, 2)]


def test_adding_again_replaces_what_changed_and_passes_over_the_rest(corpus, folder):
    add(corpus, folder)
    (folder / "a.md").write_text(PAGE.format(name="new"), "utf-8")
    done = add(corpus, folder)
    assert (done.added, done.replaced, done.unchanged) == (0, 1, 1)
    assert urls(corpus) == ["https://acme.com/new", "https://acme.com/sub/b.md"]


def test_a_page_without_a_url_gets_one_below_the_base(corpus, folder):
    (folder / "sub" / "c d.txt").write_text("Widgets")
    done = add(corpus, folder)
    assert [s.path for s in done.skipped] == [str(folder / "sub" / "c d.txt")]
    assert "--base-url" in done.skipped[0].fix
    add(corpus, folder, base_url="https://acme.com/docs")
    assert "https://acme.com/docs/sub/c%20d.txt" in urls(corpus)


def test_one_file_is_added_by_its_name(corpus, folder):
    (folder / "c.txt").write_text("Widgets")
    assert add(corpus, folder / "c.txt", base_url="https://acme.com").added == 1
    assert urls(corpus) == ["https://acme.com/c.txt"]


def test_files_that_cannot_be_read_are_reported_and_lose_nothing(corpus, folder):
    add(corpus, folder)
    (folder / "a.md").write_bytes(b"\xff\xfe")
    (folder / "binary.txt").write_bytes(b"a\0b")
    with (folder / "huge.txt").open("wb") as out:
        out.truncate(FILE_LIMIT + 1)
    os.mkfifo(folder / "pipe.md")
    done = add(corpus, folder)
    reasons = {s.path.rsplit("/", 1)[1]: s.reason for s in done.skipped}
    assert set(reasons) == {"a.md", "binary.txt", "huge.txt", "pipe.md"}
    assert "UTF-8" in reasons["a.md"]
    assert "20 is the most" in reasons["huge.txt"]
    assert "plain file" in reasons["pipe.md"]
    assert all(s.fix for s in done.skipped)
    assert urls(corpus) == ["https://acme.com/a.md", "https://acme.com/sub/b.md"]


def test_links_out_of_the_folder_are_not_followed(corpus, folder, tmp_path):
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "s.md").write_text(PAGE.format(name="secret"))
    (folder / "s.md").symlink_to(secret / "s.md")
    (folder / "linked").symlink_to(secret)
    (folder / "broken.md").symlink_to(folder / "nowhere.md")
    (folder / "loop.md").symlink_to(folder / "loop.md")
    done = add(corpus, folder)
    reasons = [s.reason for s in done.skipped]
    assert len(reasons) == 3
    assert "it is a link out of the folder" in reasons
    assert urls(corpus) == ["https://acme.com/a.md", "https://acme.com/sub/b.md"]


def test_a_name_that_is_not_utf8_is_reported(corpus, folder):
    with open(os.fsencode(folder) + b"/\xff.md", "w") as out:
        out.write(PAGE.format(name="x"))
    (skipped,) = add(corpus, folder).skipped
    assert "UTF-8" in skipped.reason
    skipped.path.encode()


def test_documents_whose_file_is_gone_are_named_and_kept(corpus, folder):
    add(corpus, folder)
    (folder / "a.md").unlink()
    assert add(corpus, folder).gone == (str(folder / "a.md"),)
    assert len(documents(corpus)) == 2


@pytest.mark.parametrize("named", ["https://acme.com/sub/b.md", "{folder}/sub", "{folder}/sub/b.md"])
def test_documents_are_removed_by_url_file_or_folder(corpus, folder, named):
    add(corpus, folder)
    (gone,) = remove(corpus, [named.format(folder=folder)])
    assert gone.url == "https://acme.com/sub/b.md"
    assert urls(corpus) == ["https://acme.com/a.md"]


def test_nothing_is_removed_where_a_name_fits_nothing(corpus, folder):
    add(corpus, folder)
    with pytest.raises(InputError, match="nowhere"):
        remove(corpus, ["https://acme.com/a.md", "https://acme.com/nowhere"])
    assert len(documents(corpus)) == 2


@pytest.mark.parametrize(
    ("path", "base_url", "cause"),
    [
        ("none", None, "no file or folder"),
        ("pages", "acme.com", "web address"),
        ("pages/x.png", None, "not a document"),
    ],
)
def test_what_cannot_be_added_is_an_input_error(corpus, folder, path, base_url, cause):
    (folder / "x.png").write_bytes(b"")
    with pytest.raises(InputError, match=cause):
        add(corpus, folder.parent / path, base_url=base_url)


def test_an_empty_corpus_lists_nothing(corpus):
    assert documents(corpus) == ()
