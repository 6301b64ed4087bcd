"""Which questions count as the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citepoll.model import Query
from citepoll.queryset.wording import NEAR, near_duplicates, overlap, wording

_SAME = [
    ("What is the best CRM software?", "Which CRM software is best?"),
    ("What are the best running shoes?", "what’s the best running shoe"),
    ("best CRM for startups", "best CRMs for startups"),
    ("best project management software", "best project managment software"),
    ("How do I choose a password manager?", "how to choose password managers"),
    ("OLED vs QLED", "QLED vs OLED"),
    ("What is the height of Burj Khalifa?", "what is the height of the burj khalifa"),
]
_DIFFERENT = [
    ("best running shoes for men", "best running shoes for women"),
    (
        "best running shoes with carbon plate and wide toe box",
        "best running shoes without carbon plate and wide toe box",
    ),
    ("best smartphone under 500 dollars with a good camera", "best smartphone under 800 dollars with a good camera"),
    ("best CRM", "best CRM for startups"),
    ("What is a CRM?", "Why a CRM?"),
    ("best project management software for remote teams", "best project management software for small agencies"),
    ("how to import contacts into a CRM", "how to export contacts into a CRM"),
    ("Which running shoes should I buy?", "Which running shoes should I avoid?"),
]


@pytest.mark.parametrize(("a", "b"), _SAME)
def test_the_same_question_in_other_words(a, b):
    assert len(near_duplicates([Query(a), Query("where are tents sold"), Query(b)])) == 1


@pytest.mark.parametrize(("a", "b"), _DIFFERENT)
def test_another_question_in_like_words(a, b):
    assert near_duplicates([Query(a), Query(b)]) == ()


@pytest.mark.parametrize(
    ("language", "a", "b"),
    [
        ("de", "Was sind die besten Laufschuhe?", "Welcher ist der beste Laufschuh?"),
        ("fr", "Quel est le meilleur logiciel de paie ?", "meilleurs logiciels de paie"),
        ("es", "¿Cuáles son las mejores zapatillas?", "mejores zapatillas"),
        ("zh", "最好的跑步鞋是什么", "最好的跑步鞋是什么？"),
        ("ja", "おすすめのカメラを教えてください", "おすすめのカメラを教えてください！"),
    ],
)
def test_other_languages(language, a, b):
    assert len(near_duplicates([Query(a, language), Query(b, language)])) == 1


def test_a_group_keeps_the_order_of_the_set():
    queries = [Query("best crm?"), Query("tents"), Query("the best CRM"), Query("best CRMs")]
    assert near_duplicates(queries) == ((queries[0], queries[2], queries[3]),)


def test_markets_and_languages_are_compared_apart():
    assert near_duplicates([Query("best crm", market="US"), Query("best crm", market="GB")]) == ()
    assert near_duplicates([Query("best crm", "en"), Query("best crm", "de")]) == ()


def test_japanese_voice_marks_make_another_word():
    assert wording("かき", "ja").content != wording("かぎ", "ja").content


_words = st.frozensets(st.sampled_from(["shoe", "shoes", "best", "management", "managment", "x", "42"]))


@given(_words, _words)
def test_overlap_is_symmetric_and_a_share(a, b):
    assert 0 <= overlap(a, b) <= 1
    assert overlap(a, b) == overlap(b, a)
    assert overlap(a, a) == 1


def test_four_words_of_five_are_not_yet_the_same():
    assert overlap(frozenset("abcd"), frozenset("abcde")) == NEAR
