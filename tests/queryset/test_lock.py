"""Differences between two versions of a query set."""

from hypothesis import given
from hypothesis import strategies as st

from citepoll.model import Query, QuerySet
from citepoll.queryset.lock import common, diff, render


def test_diff_tells_added_removed_relabelled_and_reworded_apart():
    old = QuerySet(
        (
            Query("What is the best CRM for startups?", intent="best-of"),
            Query("how to import contacts", intent="how-to"),
            Query("CRM pricing"),
            Query("tents for two"),
        )
    )
    new = QuerySet(
        (
            Query("What is the best CRM for small startups?", intent="best-of"),
            Query("how to import contacts", intent="use-case", topic="data"),
            Query("CRM pricing"),
            Query("scooters in winter"),
        )
    )
    difference = diff(old, new)
    assert difference.added == (new.queries[3],)
    assert difference.removed == (old.queries[3],)
    assert difference.relabelled == ((old.queries[1], new.queries[1]),)
    assert difference.reworded == ((old.queries[0], new.queries[0]),)
    assert render(difference).splitlines() == [
        "+ scooters in winter",
        "- tents for two",
        "~ What is the best CRM for startups? → What is the best CRM for small startups?",
        "= how to import contacts: intent how-to → use-case, topic none → data",
        "A comparison of the two stands on the queries in both: 2.",
    ]


def test_a_move_to_another_market_is_shown_as_such():
    text = render(diff(QuerySet((Query("best tyres"),)), QuerySet((Query("best tyres", market="GB"),))))
    assert "~ best tyres → best tyres (en, US → en, GB)" in text


def test_no_difference():
    queries = QuerySet((Query("a"), Query("b")))
    difference = diff(queries, QuerySet((Query("b"), Query("a", ref="1"))))
    assert not difference
    assert render(difference) == "No difference."


_sets = st.lists(
    st.builds(
        Query,
        st.sampled_from(["best crm", "best crms now", "tents", "boats and oars"]),
        market=st.sampled_from(["US", "GB"]),
    ),
    unique_by=lambda query: query.id,
).map(lambda queries: QuerySet(tuple(queries)))


@given(_sets, _sets)
def test_every_query_is_accounted_for_once(old, new):
    difference = diff(old, new)
    assert len(difference.removed) + len(difference.reworded) + difference.common == len(old.queries)
    assert len(difference.added) + len(difference.reworded) + difference.common == len(new.queries)
    assert difference.common == len(common(old, new)) == len(common(new, old))
    assert bool(difference) == (old.hash != new.hash)
    back = diff(new, old)
    assert set(back.added) | {b for b, _ in back.reworded} >= set(difference.removed) - {a for _, a in back.reworded}
