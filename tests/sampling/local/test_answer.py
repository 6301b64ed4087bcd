import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citepoll.engines.local import MARKER
from citepoll.sampling.local.answer import NOTHING, best_sentences, draw, gumbel, write
from citepoll.sampling.local.words import stop_words
from citepoll.store.corpus import Found


def found(key, score=1.0, body="A widget costs ten. It is blue. Nobody knows.", url=None):
    return Found(key, url or f"https://acme.com/{key}", key.upper(), "", body, score)


THREE = [found("a", 3.0), found("b", 2.0), found("c", 1.0)]


def test_no_temperature_takes_the_best():
    assert [p.key for p in draw(THREE, 2, 0.0, "any")] == ["a", "b"]


def test_a_passage_that_two_files_hold_is_drawn_once():
    assert [p.key for p in draw([*THREE, found("a", 3.0)], 4, 0.0, "any")] == ["a", "b", "c"]


def test_a_seed_gives_the_same_draw_again_and_another_seed_another():
    draws = [tuple(p.key for p in draw(THREE, 2, 1.0, str(seed))) for seed in range(50)]
    assert draws == [tuple(p.key for p in draw(THREE, 2, 1.0, str(seed))) for seed in range(50)]
    assert len(set(draws)) > 2


def test_first_draws_follow_the_odds_of_their_scores():
    times = 4_000
    first = Counter(draw(THREE, 1, 1.0, str(seed))[0].key for seed in range(times))
    total = sum(math.exp(p.score) for p in THREE)
    for passage in THREE:
        share = math.exp(passage.score) / total
        assert abs(first[passage.key] / times - share) < 4 * math.sqrt(share * (1 - share) / times)


def test_a_new_page_leaves_the_order_of_the_others():
    for seed in map(str, range(20)):
        with_new = [p.key for p in draw([*THREE, found("d", 9.0)], 4, 1.0, seed) if p.key != "d"]
        assert with_new == [p.key for p in draw(THREE, 3, 1.0, seed)]


@given(st.text(), st.text())
def test_gumbel_numbers_are_finite(seed, key):
    assert math.isfinite(gumbel(seed, key))


def test_sentences_with_most_of_the_words_are_taken_in_their_order():
    body = "Blue boxes. Nothing here. A widget validates widget prices. It validates. End."
    assert best_sentences(body, {"widge", "valid", "price"}) == ["A widget validates widget prices.", "It validates."]
    assert best_sentences(body, {"zebra"}) == ["Blue boxes."]


def test_passages_of_one_page_share_its_number():
    drawn = [found("a", url="https://x.com"), found("b"), found("c", url="https://x.com")]
    text = write("widget", drawn)
    assert [int(m[1]) for m in MARKER.finditer(text)] == [1, 2, 1]


def test_brackets_of_a_page_are_no_markers():
    text = write("widget", [found("a", body="See the widget [1] and list[2].")])
    assert text == "See the widget (1) and list(2) [1]."


def test_a_marker_stands_before_the_end_of_its_sentence():
    assert write("数据", [found("a", body="数据分析。没有。")]) == "数据分析 [1]。"
    assert write("widget", [found("a", body="A widget")]) == "A widget [1]."


def test_a_long_sentence_is_cut():
    assert len(write("widget", [found("a", body="widget " * 200)])) < 310


def test_nothing_drawn_says_so():
    assert write("widget", []) == NOTHING


@given(st.text(), st.text(min_size=1).filter(lambda t: t.strip()))
def test_each_drawn_passage_is_marked(question, body):
    assert MARKER.search(write(question, [found("a", body=body)]))


@pytest.mark.parametrize(("language", "word"), [("en", "what"), ("en-GB", "what"), ("de", "welche"), ("fr", "quel")])
def test_stop_words_are_those_of_the_language(language, word):
    assert word in stop_words(language)


def test_a_language_without_a_table_has_no_stop_words():
    assert stop_words("ja") == frozenset()
