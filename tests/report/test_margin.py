import pytest
from hypothesis import given
from hypothesis import strategies as st

from citepoll.model import Mention, ResolvedCitation
from citepoll.report.margin import LONGEST, MARKS, reading
from citepoll.report.printable import printable


def cited(position, start, end, *, url="https://a.com/", brand=None, level="span"):
    return ResolvedCitation(url, position, level, url, "a.com", brand=brand, start=start, end=end)


def text_of(found):
    return "\n".join("".join(part.text for part in line.parts) for line in found.lines)


@given(
    st.text(alphabet="ab \n#-|`\t\x00é", max_size=60),
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=4),
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 5)), max_size=4),
)
def test_nothing_of_a_text_is_lost_whatever_is_marked_in_it(text, spans, names):
    citations = [cited(n, start, start + size) for n, (start, size) in enumerate(spans, 1)]
    mentions = [Mention("Acme", "Acme", start, start + size, 1) for start, size in names]
    found = reading(text, citations, mentions, tracked="Acme")
    assert text_of(found) == printable(text)
    shown = [note.position for line in found.lines for note in line.notes] + [note.position for note in found.apart]
    assert sorted(shown) == sorted(c.position for c in citations)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("## Forks", "heading"),
        ("#forks", "text"),
        ("- one", "item"),
        ("    2. two", "item"),
        ("> said", "quote"),
        ("| a | b |", "row"),
        ("---", "rule"),
        ("  ", "blank"),
        ("Acme.", "text"),
    ],
)
def test_a_line_is_what_markdown_would_make_of_it(line, kind):
    assert [one.kind for one in reading(line, (), (), tracked="Acme").lines] == [kind]


def test_between_fences_every_line_is_code():
    found = reading("a\n```py\n# no heading\n```\n# heading", (), (), tracked="Acme")
    assert [line.kind for line in found.lines] == ["text", "code", "code", "code", "heading"]


def test_a_citation_stands_beside_the_line_that_its_passage_ends_in():
    text = "One line\nand the next. More."
    found = reading(text, [cited(1, 4, 22, brand="Acme"), cited(2, 23, 28)], (), tracked="Acme")
    assert [[note.position for note in line.notes] for line in found.lines] == [[], [1, 2]]
    assert (found.lines[1].notes[0].owner, found.lines[1].notes[0].tracked) == ("Acme", True)


def test_a_citation_without_a_passage_stands_apart_and_what_was_only_retrieved_does_not_stand():
    listed = ResolvedCitation("x", 1, "listed", title="A <title>", problem="no URL")
    read = ResolvedCitation("https://b.com/", 1, "retrieved", "https://b.com/", "b.com")
    found = reading("", [listed, read, cited(2, 5, 99)], (), tracked="Acme")
    assert [(note.position, note.domain) for note in found.apart] == [(1, "A <title>"), (2, "a.com")]
    assert found.lines == ()


def test_a_long_text_is_cut_and_its_marks_are_bounded():
    text = "Acme " * LONGEST
    citations = [cited(n, 5 * n, 5 * n + 4) for n in range(1, 2 * MARKS)]
    found = reading(text, citations, (), tracked="Acme")
    assert found.left_out == 4 * LONGEST
    assert len(text_of(found)) == LONGEST
    assert sum(len(line.notes) for line in found.lines) == MARKS
