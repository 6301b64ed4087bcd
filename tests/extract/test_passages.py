import pytest

from citepoll.extract.passages import Passages
from citepoll.model import Citation

# Each case: text with <n> and </n> around what citation n says it supports, and per word the citations of its passage.
CASES = [
    ("One is. Two is <1>[1]</1>. Three is.", {"One": [], "Two": [1], "Three": []}),
    ("One is.<1>[1]</1> Two is.", {"One": [1], "Two": []}),
    ("One is. <1>[1]</1><2>[2]</2> Two is.", {"One": [1, 2], "Two": []}),
    ("One is. <1>([a.com](https://a.com/x))</1> Two is.", {"One": [1], "Two": []}),
    ("<1>One is. Two is.</1> Three is.", {"One": [1], "Two": [1], "Three": []}),
    ("One is <1>[1]</1>. Two is [1]. Three is.", {"One": [1], "Two": [1], "Three": []}),
    ("- One is. Really. <1>[1]</1>\n- Two is.", {"One": [1], "Really": [1], "Two": []}),
    ("- One is\n  and so on <1>[1]</1>\n\nTwo is.", {"One": [1], "so": [1], "Two": []}),
    ("- One is\n  - Two is <1>[1]</1>", {"One": [], "Two": [1]}),
    ("1. One is\n<1>[1]</1>\n2. Two is", {"One": [1], "Two": []}),
    ("| One | a. b. <1>[1]</1> |\n| Two | c |", {"One": [1], "Two": []}),
    ("## One <1>[1]</1>\nTwo is.", {"One": [1], "Two": []}),
    ("One, e.g. the U.S. site of Two Inc. Three, is <1>[1]</1>.", {"One": [1], "Two": [1], "Three": [1]}),
    ("One costs 3.5 or more <1>[1]</1>! Two?", {"One": [1], "Two": []}),
    ("一です。二です<1>[1]</1>。三です。", {"一": [], "二": [1], "三": []}),
    ("“One is.” Two is <1>[1]</1>.", {"One": [], "Two": [1]}),
    ("One is. <1>(Two is.)</1> Three is.", {"One": [], "Two": [1], "Three": []}),
    ("One is. <1>[Two](https://a.com) is.</1> Three is.", {"One": [], "Two": [1], "Three": []}),
    ("One is. <1>([a [b] c](https://a.com/x_(y)))</1> Two is.", {"One": [1], "Two": []}),
    ("One is. <1>(a.com)</1> Two is.", {"One": [1], "Two": []}),
    ("One is. <1>[[1]](https://a.com)</1> Two is.", {"One": [1], "Two": []}),
    ("一です。<1>【4:0†source】</1>二です。", {"一": [1], "二": []}),
    ("One", {"One": []}),
]


def unmarked(marked):
    """The text without the tags, and the citations they stand for."""
    text, citations, at = "", {}, 0
    while at < len(marked):
        if marked[at] == "<":
            end = marked.index(">", at)
            number = int(marked[at + 1 : end].strip("/"))
            citations.setdefault(number, []).append(len(text))
            at = end + 1
        else:
            text += marked[at]
            at += 1
    return text, [Citation(f"https://{n}.com", n, start=s, end=e) for n, (s, e) in sorted(citations.items())]


@pytest.mark.parametrize(("marked", "carried"), CASES)
def test_citations_of_a_passage(marked, carried):
    text, citations = unmarked(marked)
    passages = Passages(text, citations)
    assert {word: [i + 1 for i in passages.citations_at(text.index(word))] for word in carried} == carried


def test_offsets_outside_the_text_carry_nothing():
    citations = [Citation("a", 1, start=90, end=99), Citation("b", 2, start=3), Citation("c", 3)]
    assert Passages("One is.", citations).citations_at(0) == []
