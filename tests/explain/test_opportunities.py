"""Two queries, one engine, four answers each: every query weighs one half."""

import pytest

from citepoll.explain.gaps import gaps, lead
from citepoll.explain.opportunities import Earlier, Ground, Seen, find, identity
from citepoll.explain.worth import Cell, intent_weights, query_gap
from citepoll.model import Query

ONE, TWO = Query("one"), Query("two")
US, THEM = "Northwind", "Foxglove"
WEIGHTS = intent_weights({}, "citepoll.toml")


def ground(one, two, **more):
    """`one` and `two`: (ours, theirs) of four answers."""
    cells, found = {}, {}
    for query, (ours, theirs) in ((ONE, one), (TWO, two)):
        cited = {US: ours, THEM: theirs}
        cells["atlas", query.id] = (4, cited)
        cell = Cell("atlas", 4, cited)
        found[query.id] = query_gap(query, gaps(query.id, 4, ours, {THEM: theirs}), (cell,), ours, WEIGHTS, {})
    return Ground(US, cells, found, **more)


def seen(url, query, *answers, brands=()):
    return Seen(url, "atlas", query.id, answers, brands)


THEIRS = seen("https://foxglove.example/forks", ONE, 1, 2, 3, 4, brands=(THEM,))


def test_coverage_is_missing_where_a_competitor_is_confirmed_ahead_and_no_page_of_ours_is_seen():
    (found,) = find(ground((0, 4), (4, 0), cited=(THEIRS,)))
    assert (found.kind, found.queries, found.competitors) == ("create-coverage", (ONE.id,), (THEM,))
    assert found.size == pytest.approx((4 - 0) / 4 / 2)
    assert (found.answers, found.n_answers) == ((1, 2, 3, 4), 4)
    assert found.pages == ("https://foxglove.example/forks",)
    assert found.id == identity("create-coverage", US, ONE.id)


def test_a_page_of_ours_that_is_retrieved_there_is_to_be_improved_instead():
    page = seen("https://northwind.example/forks", ONE, 1, 2, 3, brands=(US,))
    (found,) = find(ground((0, 4), (4, 0), cited=(THEIRS,), retrieved=(page,), unused=(page,)))
    assert (found.kind, found.subject, found.effort) == ("improve-page", page.url, "low")
    assert found.size == pytest.approx(3 / 4 / 2)
    assert "retrieved in 3 answers that cite nothing of ours" in found.why


def test_a_page_of_ours_that_is_cited_less_than_a_competitors_is_to_be_improved():
    ours = seen("https://northwind.example/forks", ONE, 1, brands=(US,))
    (found,) = find(ground((1, 4), (4, 0), cited=(THEIRS, ours), retrieved=(ours,)))
    assert found.kind == "improve-page"
    assert found.size == pytest.approx((4 - 1) / 4 / 2)
    assert "cited less: Foxglove ahead with 4 : 1 of 4 answers" in found.why


def test_being_cited_lower_is_said_and_moves_no_share():
    ours = seen("https://northwind.example/forks", TWO, 5, 6, 7, 8, brands=(THEM,))
    (found,) = find(ground((4, 0), (4, 4), lower=(ours,)))
    assert (found.kind, found.size) == ("improve-page", 0.0)
    assert "cited after a competitor in 4 answers" in found.why
    assert found.competitors == (THEM,)


def test_the_order_of_citations_lends_no_certainty_to_a_size_that_it_does_not_move():
    page = "https://northwind.example/forks"
    unused, lower = seen(page, ONE, 1, 2), seen(page, TWO, 5, 6, 7, 8, brands=(THEM,))
    both, alone = (find(ground((2, 0), (4, 4), unused=(unused,), lower=more))[0] for more in ((lower,), ()))
    assert (both.size, both.probability) == (alone.size, alone.probability)
    ours = seen(page, ONE, 1, brands=(US,))
    (behind,) = find(ground((1, 4), (4, 4), cited=(THEIRS, ours), retrieved=(ours,), lower=(lower,)))
    assert behind.probability == lead(4, 4, 1, 4)


def test_inclusion_is_to_be_earned_on_a_page_in_two_answers_that_name_competitors():
    page = seen("https://reviews.example/best", ONE, 1, 2, brands=(THEM,))
    stray = seen("https://blog.example/", ONE, 1, brands=(THEM,))
    (found,) = find(ground((2, 0), (4, 0), naming=(page, stray), basis={page.url: "passage"}))
    assert (found.kind, found.measure) == ("earn-inclusion", "share_of_citation_earned")
    assert found.size == pytest.approx(2 / 4 / 2)
    assert "same passage" in found.why
    assert found.pages == (page.url,)


def test_a_loss_is_a_page_cited_before_and_not_now_as_far_as_our_share_fell():
    before = Earlier(
        "old", {("atlas", ONE.id): (4, {US: 4})}, (seen("https://northwind.example/old", ONE, 91, 92, 93, 94),)
    )
    (found,) = find(ground((1, 0), (4, 0), before=before))
    assert (found.kind, found.answers) == ("investigate-loss", (91, 92, 93, 94))
    assert found.probability == lead(4, 4, 0, 4)
    assert found.size == pytest.approx((1 - 1 / 4) / 2)


def test_a_page_that_was_cited_once_is_no_loss():
    once = Earlier("old", {("atlas", ONE.id): (4, {US: 1})}, (seen("https://northwind.example/old", ONE, 91),))
    assert find(ground((0, 0), (4, 0), before=once)) == ()


def test_the_list_goes_by_size_times_probability():
    page = seen("https://reviews.example/best", TWO, 5, 6, brands=(THEM,))
    found = find(ground((0, 4), (1, 0), cited=(THEIRS,), naming=(page,)))
    assert [one.kind for one in found] == ["create-coverage", "earn-inclusion"]
    assert found[0].rank >= found[1].rank


def test_ids_depend_on_kind_brand_and_subject_alone():
    assert identity("a", "b", "c") == identity("a", "b", "c") != identity("a", "b", "d")
