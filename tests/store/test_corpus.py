import sqlite3
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citepoll.errors import ProjectError
from citepoll.store.corpus import Document, Passage, match_expression, reading, terms, writing


def page(url="https://acme.com/", title="Acme", *bodies, heading=""):
    return Document(
        url, title, tuple(Passage(heading, body) for body in bodies or ("A widget costs ten dollars.",)), "f"
    )


FILLER = [page(f"https://filler.com/{n}", f"Filler {n}", f"Nothing of interest stands on page {n}.") for n in range(9)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "corpus.db"


def fill(path, *documents):
    with writing(path) as corpus:
        for document in (*documents, *FILLER):
            corpus.put(document.url, document)


def search(path, text, limit=5):
    with reading(path) as corpus:
        return [found.url for found in corpus.search(text, limit)]


def state(path):
    with reading(path) as corpus:
        return corpus.state()


def test_there_is_no_corpus_before_the_first_document(path):
    with reading(path) as corpus:
        assert corpus is None
    assert not path.exists()


def test_words_are_found_whatever_their_ending_case_and_accents(path):
    fill(path, page("https://acme.com/", "Café", "Validating prices of the café."))
    for text in ("validation", "CAFE", "price?", "validates the price"):
        assert search(path, text)[:1] == ["https://acme.com/"], text


def test_a_word_in_the_title_counts_for_more(path):
    fill(path, page("https://b.com/", "Gadgets", "We sell widgets too."), page("https://a.com/", "Widgets", "We sell."))
    assert search(path, "widgets")[0] == "https://a.com/"


def test_text_without_spaces_is_found_by_pairs_of_letters(path):
    fill(path, page("https://acme.cn/", "页", "数据分析工具可以帮助你。"), page("https://acme.th/", "-", "ราคาสินค้า"))
    assert search(path, "最好的数据分析软件") == ["https://acme.cn/"]
    assert search(path, "ราคา") == ["https://acme.th/"]
    assert search(path, "据数") == []


def test_a_document_takes_the_place_of_the_one_before(path):
    fill(path, page("https://acme.com/", "Acme", "Widgets."))
    before = state(path)
    fill(path, page("https://acme.com/", "Acme", "Gadgets.", "Gizmos."))
    assert search(path, "widgets") == []
    assert search(path, "gizmos") == ["https://acme.com/"]
    assert (state(path).documents, state(path).passages) == (10, 11)
    assert state(path).hash != before.hash


def test_a_removed_document_is_not_found(path):
    fill(path, page())
    with writing(path) as corpus:
        assert corpus.remove("https://acme.com/")
        assert not corpus.remove("https://acme.com/")
    assert search(path, "widget") == []


def test_the_hash_depends_on_content_not_on_order(tmp_path):
    one, two = tmp_path / "1.db", tmp_path / "2.db"
    for path, order in ((one, FILLER), (two, FILLER[::-1])):
        with writing(path) as corpus:
            for document in order:
                corpus.put(document.url, document)
    assert state(one) == state(two)
    with reading(one) as first, reading(two) as second:
        assert first.search("interest page 3", 9) == second.search("interest page 3", 9)


def test_nothing_is_kept_of_a_write_that_fails(path):
    fill(path)
    before = state(path)

    def interrupted():
        with writing(path) as corpus:
            corpus.put("https://acme.com/", page())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert state(path) == before
    assert search(path, "widget") == []


def test_a_reader_sees_the_state_before_while_documents_are_added(path):
    fill(path)
    seen = []
    with writing(path) as corpus:
        corpus.put("https://acme.com/", page())
        thread = threading.Thread(target=lambda: seen.append((state(path).documents, search(path, "widget"))))
        thread.start()
        thread.join()
    assert seen == [(9, [])]
    assert search(path, "widget") == ["https://acme.com/"]


def test_writers_wait_for_each_other(path):
    def write(number):
        with writing(path) as corpus:
            corpus.put(str(number), page(f"https://acme.com/{number}"))

    threads = [threading.Thread(target=write, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert state(path).documents == 6


@pytest.mark.parametrize("content", [b"this is no database at all", b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_damaged_file_is_explained(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(ProjectError, match=r"corpus\.db") as caught, reading(path) as corpus:
        corpus.state()
    assert caught.value.fix


def test_a_newer_file_is_refused(path):
    fill(path)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ProjectError, match="newer"), reading(path):
        pass


def test_a_folder_that_cannot_be_made_is_explained(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ProjectError, match="file"), writing(tmp_path / "file" / "corpus.db"):
        pass


def test_stop_words_count_only_where_there_is_nothing_else():
    stop = frozenset({"what", "is"})
    assert terms("What is a widget, what?", stop) == ("a", "widget")
    assert terms("What is", stop) == ("what", "is")


def test_terms_are_bounded():
    assert len(terms(" ".join(str(n) for n in range(1_000)))) == 64


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    path = tmp_path_factory.mktemp("shared") / "corpus.db"
    fill(path, page())
    return path


HOSTILE = [
    '"',
    "'",
    'a" OR "b',
    "NEAR(a b)",
    "title:x",
    "a*",
    "^a",
    "-a",
    "(",
    "a AND",
    "{a}",
    "\0",
    "\ud800",
    "数",
    "🙂",
    "",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_an_operator_in_a_question_is_a_word_or_nothing(shared, text):
    search(shared, text)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(), st.text(st.characters(categories=["Lo", "Mn", "So", "Cs", "P", "Nd"]))))
def test_no_question_makes_the_index_raise(shared, text):
    search(shared, text)
    assert match_expression(text).count('"') % 2 == 0
