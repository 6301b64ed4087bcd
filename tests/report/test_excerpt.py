from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from citepoll.model import Mention, ResolvedCitation
from citepoll.report.excerpt import segments

TEXT = "Acme is good. Bolt is not. Nothing else is known."


def cite(position: int, start: int | None, end: int | None, brand: str | None = None) -> ResolvedCitation:
    return ResolvedCitation(
        "https://a.example", position, "span", url="https://a.example/", brand=brand, start=start, end=end
    )


def test_names_and_passages_are_marked() -> None:
    found = segments(
        TEXT, [cite(1, 0, 13)], [Mention("Acme", "Acme", 0, 4, 1), Mention("Bolt", "Bolt", 14, 18, 2)], tracked="Acme"
    )
    assert "".join(segment.text for segment in found) == TEXT
    first, second, *_ = found
    assert (first.text, first.brand, first.tracked, first.cited, first.notes) == ("Acme", "Acme", True, (1,), ())
    assert (second.text, second.cited, second.notes) == (" is good.", (1,), (1,))
    assert [segment.text for segment in found if segment.brand == "Bolt" and not segment.tracked] == ["Bolt"]


def test_a_long_text_keeps_its_start_and_the_passage_of_the_tracked_brand() -> None:
    text = "x" * 5000 + "Acme" + "y" * 5000 + "Bolt" + "z" * 5000
    names = [Mention("Bolt", "Bolt", 10004, 10008, 2), Mention("Acme", "Acme", 5000, 5004, 1)]
    found = segments(text, [], names, tracked="Acme", limit=700)
    assert [segment.brand for segment in found if segment.brand] == ["Acme"]
    assert sum(len(segment.text) for segment in found) <= 700
    assert found[-1].gap


def test_a_cut_falls_between_words() -> None:
    text = "word " * 400 + "Acme " + "word " * 400
    found = segments(text, [], [Mention("Acme", "Acme", 2000, 2004, 1)], tracked="Acme", limit=900)
    kept = "".join((" " if segment.gap else "") + segment.text for segment in found)
    assert set(kept.split()) == {"word", "Acme"}


def test_offsets_outside_the_text_are_ignored() -> None:
    found = segments(TEXT, [cite(1, 40, 900), cite(2, 5, 5), cite(3, None, None)], [], tracked="Acme")
    assert [segment.text for segment in found] == [TEXT]
    assert segments("", [cite(1, 0, 0)], [], tracked="Acme") == ()


@given(
    st.text(max_size=120),
    st.lists(st.tuples(st.integers(-3, 130), st.integers(-3, 130)), max_size=6),
    st.integers(1, 150),
)
def test_segments_cover_the_text_in_order(text: str, spans: list[tuple[int, int]], limit: int) -> None:
    cites = [cite(place, start, end) for place, (start, end) in enumerate(spans, 1)]
    found = segments(text, cites, [], tracked="Acme", limit=limit)
    if len(text) <= limit:
        assert len("".join(segment.text for segment in found)) <= len(text)
        assert not any(segment.gap for segment in found)
