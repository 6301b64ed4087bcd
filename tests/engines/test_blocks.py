from hypothesis import given
from hypothesis import strategies as st

from citepoll.engines import text_blocks
from citepoll.engines.blocks import Passage, Reference, heading, laid_out, row, unused, with_listed
from citepoll.model import Citation, Source

A, B, C = (Reference(f"https://{name}.example/", name.upper()) for name in "abc")


def cut(layout):
    return [(c.url[8], c.level, None if c.start is None else layout.text[c.start : c.end]) for c in layout.citations]


def test_passages_become_one_text_and_their_references_spans():
    found = laid_out(
        [
            Passage("Größe zählt 🌱 ", (A, B, A)),
            Passage("", (), ()),
            Passage("List:", (C,), (Passage("one", (A,)), Passage("two"))),
        ]
    )
    assert found.text == "Größe zählt 🌱\n\nList:\none\ntwo"
    assert cut(found) == [
        ("a", "span", "Größe zählt 🌱"),
        ("b", "span", "Größe zählt 🌱"),
        ("c", "span", "List:\none\ntwo"),
        ("a", "span", "one"),
    ]
    assert [c.position for c in found.citations] == [1, 2, 3, 4]


def test_a_passage_without_text_spans_its_parts_and_without_those_anchors_nothing():
    found = laid_out([Passage("", (A,), (Passage("one"), Passage("two"))), Passage("", (B,))])
    assert cut(found) == [("a", "span", "one\ntwo"), ("b", "listed", None)]


def test_no_passages_are_an_empty_text():
    assert laid_out([]).text == ""


passages = st.recursive(
    st.builds(Passage, st.text(max_size=6), st.lists(st.sampled_from([A, B, C]), max_size=3).map(tuple)),
    lambda inner: st.builds(
        Passage,
        st.text(max_size=6),
        st.lists(st.sampled_from([A, B, C]), max_size=2).map(tuple),
        st.lists(inner, max_size=3).map(tuple),
    ),
    max_leaves=12,
)


def words(passage):
    return passage.text.split() + [word for part in passage.parts for word in words(part)]


@given(st.lists(passages, max_size=4))
def test_spans_cut_whole_passages_and_no_word_is_lost(several):
    found = laid_out(several)
    assert found.text.split() == [word for passage in several for word in words(passage)]
    assert [c.position for c in found.citations] == list(range(1, len(found.citations) + 1))
    for citation in found.citations:
        if citation.level == "span":
            said = found.text[citation.start : citation.end]
            assert said
            assert said == said.strip()
        else:
            assert citation.start is citation.end is None


def test_references_that_are_not_cited_are_listed_once():
    cited = (Citation("https://a.example/", 1),)
    assert unused((A, B, B, C), cited) == (
        Source("https://b.example/", 1, "listed", "B"),
        Source("https://c.example/", 2, "listed", "C"),
    )
    assert [(c.url, c.position) for c in with_listed(cited, (A, B, B))] == [(A.url, 1), (B.url, 2)]


def test_a_title_stands_before_its_text_once():
    assert heading("Weight", "Weight matters.") == "Weight matters."
    assert heading("Head:", "forged") == "Head: forged"
    assert heading("Head", "forged") == "Head: forged"
    assert heading("Head", "- forged\n- long") == "Head\n- forged\n- long"
    assert (heading("", "x"), heading("x", " ")) == ("x", "x")


def test_a_row_is_a_line_and_an_empty_one_is_none():
    assert row(["a", " b\nc ", ""]) == "| a | b c |  |"
    assert row(["", " "]) == ""


def read(blocks, references=()):
    return text_blocks.read(blocks, list(references))


def test_references_go_by_their_index_or_else_by_their_place():
    found = read(
        [{"snippet": "x", "reference_indexes": [7, 1, 0]}],
        [None, {"link": "https://b.example/"}, {"link": "https://a.example/", "index": 7}],
    )
    assert [r.url for r in found.passages[0].references] == ["https://a.example/", "https://b.example/"]
    assert found.unresolved == 1


def test_what_the_rule_leaves_out_is_counted_and_not_unresolved():
    found = text_blocks.read(
        [{"snippet": "x", "reference_indexes": [0, 1]}],
        [{"link": "https://a.example/"}, {"link": "https://b.example/"}],
        lambda url: "a.example" in url,
    )
    assert [r.url for r in found.references] == ["https://b.example/"]
    assert (found.excluded, found.unresolved) == (1, 0)


def test_blocks_nested_without_end_are_read_to_a_depth():
    block = {"snippet": "x"}
    for _ in range(400):
        block = {"snippet": "x", "list": [block]}
    assert laid_out(read([block]).passages).text.count("x") == 20
