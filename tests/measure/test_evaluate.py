from dataclasses import replace
from datetime import date

import pytest

from citepoll.errors import SliceError
from citepoll.measure.context import EngineFacts
from citepoll.measure.evaluate import evaluate
from citepoll.measure.intervals import blended, share, share_of_voice
from citepoll.model import Slice

ACME, BOLT, NEWS = ("acme.com/a", "Acme"), ("bolt.io/x", "Bolt"), ("news.org/x", None)


def asked(engine, query, *cites, **facts):
    return {"engine": engine, "query": query, "cites": cites, **facts}


POLL = [
    asked("one", "q1", ACME, NEWS), asked("one", "q1", NEWS), asked("one", "q1", ACME),
    asked("one", "q2", BOLT), asked("one", "q2", status="failed"), asked("one", "q2"),
    asked("two", "q1", ACME), asked("two", "q1"), asked("two", "q1", NEWS, ACME),
    asked("two", "q2", status="absent"), asked("two", "q2", NEWS), asked("two", "q2", BOLT, ACME),
]  # fmt: skip
TWO = ("one", "two")


def rows(result, target="fixed_set"):
    """Estimates by the values of their dimensions."""
    return {tuple(r.dimensions.values()): r.estimate for r in result.rows if r.estimate.target == target}


def test_shares_by_brand_and_engine_with_both_targets(frames, project):
    result = evaluate(frames(POLL), Slice(), project(*TWO))
    found = rows(result)
    acme = share([2, 0], [3, 2], target="fixed_set")
    assert found["Acme", "one"].value == acme.value == pytest.approx(1 / 3)
    assert (found["Acme", "one"].low, found["Acme", "one"].high) == (acme.low, acme.high)
    assert (found["Acme", "one"].cited, found["Acme", "one"].n) == (2, 5)
    assert found["Acme", "one"].pooled == pytest.approx(2 / 5)
    assert found["Acme", "one"].excluded == {"failed": 1}
    assert rows(result, "category")["Acme", "one"] == share_with(found["Acme", "one"], [2, 0], [3, 2])
    assert result.slice.by == ("brand", "engine")
    assert result.cycles == ("c1",)


def share_with(estimate, cited, runs):
    found = share(cited, runs, target="category")
    return replace(found, excluded=estimate.excluded)


def test_rows_stand_by_metric_engine_brand_and_target(frames, project):
    context = project("two", "one", brands=("Bolt", "Acme"))
    result = evaluate(frames(POLL), Slice(metrics=("mention_rate", "share_of_citation")), context)
    order = [(r.metric, r.dimensions["engine"], r.dimensions["brand"], r.estimate.target) for r in result.rows]
    assert order == [
        (metric, engine, brand, target)
        for metric in ("mention_rate", "share_of_citation")
        for engine in ("two", "one", "blended")
        for brand in ("Acme", "Bolt")
        for target in ("fixed_set", "category")
    ]


def test_one_target_gives_one_row_each(frames, project):
    result = evaluate(frames(POLL), Slice(target="category"), project(*TWO))
    assert [r.estimate.target for r in result.rows] == ["category"] * 6
    both = evaluate(frames(POLL), Slice(), project(*TWO))
    assert rows(result, "category") == rows(both, "category")


# ---------------------------------------------------------------- blended


def test_blended_without_weights_says_equal_weights(frames, project):
    result = evaluate(frames(POLL), Slice(), project(*TWO))
    want = blended(
        {"one": [2, 0], "two": [2, 1]}, {"one": [3, 2], "two": [3, 2]}, {"one": 0.5, "two": 0.5}, target="fixed_set"
    )
    found = rows(result)["Acme", "blended"]
    assert (found.value, found.low, found.high) == pytest.approx((want.value, want.low, want.high))
    assert any("equal weights" in text for text in found.warnings)
    assert result.labels["blended"] == "blended, equal weights"
    assert {type(row.estimate.cited) for row in result.rows} == {int}
    assert found.excluded == {"failed": 1, "absent": 1}


def test_weights_are_scaled_to_one_and_stated(frames, project):
    context = project(*TWO, one=EngineFacts("api", 3.0), two=EngineFacts("api", 1.0))
    result = evaluate(frames(POLL), Slice(), context)
    assert rows(result)["Acme", "blended"].value == pytest.approx(0.75 / 3 + 0.25 * (2 / 3 + 1 / 2) / 2)
    assert result.labels["blended"] == "blended, weights one 75 %, two 25 %"
    assert not any("weights" in text for text in rows(result)["Acme", "blended"].warnings)


def test_kinds_are_blended_apart_unless_the_project_mixes_them(frames, project):
    poll = POLL + [asked("three", "q1", ACME), asked("four", "q1", ACME)]
    kinds = {"three": EngineFacts("ui"), "four": EngineFacts("ui")}
    result = evaluate(frames(poll), Slice(), project("one", "two", "three", "four", **kinds))
    names = dict.fromkeys(r.dimensions["engine"] for r in result.rows)
    assert list(names) == ["one", "two", "three", "four", "blended (api)", "blended (ui)"]
    mixed = evaluate(frames(poll), Slice(), project("one", "two", "three", "four", mix_surfaces=True, **kinds))
    assert [n for n in dict.fromkeys(r.dimensions["engine"] for r in mixed.rows) if "blended" in n] == [
        "blended (api + ui)"
    ]
    assert any("different kinds" in text for text in rows(mixed)["Acme", "blended (api + ui)"].warnings)


def test_one_engine_is_not_blended(frames, project):
    result = evaluate(frames(POLL), Slice(where="engine = one"), project(*TWO))
    assert {r.dimensions["engine"] for r in result.rows} == {"one"}
    alone = evaluate(frames(POLL), Slice(), project("one", two=EngineFacts("ui")))
    assert {r.dimensions["engine"] for r in alone.rows} == {"one"}


def test_an_engine_without_answers_has_a_row_and_leaves_the_blend_without_a_value(frames, project):
    result = evaluate(frames(POLL), Slice(), project("one", "two", "gone"))
    for engine in ("gone", "blended"):
        for target in ("fixed_set", "category"):
            estimate = rows(result, target)["Acme", engine]
            assert estimate.value is None
            assert estimate.reason
    assert "gone: no answers in this slice" in result.warnings


def test_ratios_and_means_are_blended_from_the_engines_estimates(frames, project):
    metrics = ("share_of_voice", "mean_citations_per_answer", "run_overlap")
    result = evaluate(frames(POLL), Slice(metrics=metrics), project(*TWO))
    voice = {r.dimensions["engine"]: r.estimate for r in result.rows if r.dimensions.get("brand") == "Acme"
             and r.estimate.target == "fixed_set"}  # fmt: skip
    assert voice["blended"].value == pytest.approx((voice["one"].value + voice["two"].value) / 2)
    assert rows(result, "category")[("blended",)].reason


# ---------------------------------------------------------------- what counts, and over what


def test_filters_on_entities_leave_the_denominator_alone(frames, project):
    found = rows(evaluate(frames(POLL), Slice(where="engine = two and domain = acme.com"), project(*TWO)))
    assert (found["Acme", "two"].cited, found["Acme", "two"].n) == (3, 5)
    assert (found["Bolt", "two"].cited, found["Bolt", "two"].n) == (0, 5)


def test_filters_on_answers_restrict_both(frames, project):
    found = rows(evaluate(frames(POLL), Slice(where="engine = two and query = q1"), project(*TWO)))
    assert (found["Acme", "two"].cited, found["Acme", "two"].n) == (2, 3)
    by_text = rows(evaluate(frames(POLL), Slice(where='engine = two and query = " text of  q1"'), project(*TWO)))
    assert by_text == found
    by_run = rows(evaluate(frames(POLL), Slice(where="run < 2", by=("engine", "brand")), project(*TWO)))
    assert by_run["one", "Acme"].n == 2


def test_a_brand_filter_chooses_rows_and_not_the_whole_of_share_of_voice(frames, project):
    every = rows(evaluate(frames(POLL), Slice(metrics=("share_of_voice",)), project(*TWO)))
    one = rows(evaluate(frames(POLL), Slice(metrics=("share_of_voice",), where="brand = Bolt"), project(*TWO)))
    assert set(one) == {("Bolt", "one"), ("Bolt", "two"), ("Bolt", "blended")}
    assert one["Bolt", "one"] == every["Bolt", "one"]
    want = share_of_voice([[0, 0, 0], [1, 0]], [[1, 0, 1], [1, 0]], target="fixed_set")
    assert (one["Bolt", "one"].value, one["Bolt", "one"].low) == (want.value, want.low)


def test_share_of_voice_sums_to_one(frames, project):
    for metric in ("share_of_voice", "mention_share_of_voice"):
        poll = [p | {"names": {"Acme": i % 3, "Bolt": 1}} for i, p in enumerate(POLL)]
        found = rows(evaluate(frames(poll), Slice(metrics=(metric,)), project(*TWO)))
        assert sum(e.value for (_, engine), e in found.items() if engine == "one") == pytest.approx(1)


def test_domains_replace_the_brand_largest_first(frames, project):
    result = evaluate(frames(POLL), Slice(by=("engine", "domain"), target="fixed_set"), project(*TWO))
    found = [(r.dimensions["engine"], r.dimensions["domain"], r.estimate.cited, r.estimate.n) for r in result.rows]
    assert found[:6] == [
        ("one", "acme.com", 2, 5), ("one", "news.org", 2, 5), ("one", "bolt.io", 1, 5),
        ("two", "acme.com", 3, 5), ("two", "news.org", 2, 5), ("two", "bolt.io", 1, 5),
    ]  # fmt: skip
    assert [row[1] for row in found[6:]] == ["acme.com", "news.org", "bolt.io"]


def test_the_limit_keeps_the_largest_of_each_engine(frames, project):
    result = evaluate(frames(POLL), Slice(by=("engine", "domain"), limit=1, target="fixed_set"), project(*TWO))
    assert [tuple(r.dimensions.values()) for r in result.rows] == [
        ("one", "acme.com"), ("two", "acme.com"), ("blended", "acme.com"),
    ]  # fmt: skip
    full = rows(evaluate(frames(POLL), Slice(by=("engine", "domain")), project(*TWO)))
    assert all(full[key] == estimate for key, estimate in rows(result).items())


def test_a_named_domain_without_a_citation_is_zero_and_not_missing(frames, project):
    asked_for = Slice(by=("engine", "domain"), where="domain in (bolt.io, none.example)")
    found = rows(evaluate(frames(POLL), asked_for, project(*TWO)))
    assert {key for key in found if key[0] == "one"} == {("one", "bolt.io"), ("one", "none.example")}
    nothing = found["one", "none.example"]
    assert (nothing.value, nothing.cited, nothing.low) == (0.0, 0, 0.0)
    assert nothing.high > 0


def test_private_suffixes_can_be_put_aside(frames, project):
    poll = [asked("one", "q1", ("a.host.io", None), ("b.host.io", None))]
    on = rows(evaluate(frames(poll), Slice(by=("engine", "domain")), project("one")))
    off = rows(evaluate(frames(poll), Slice(by=("engine", "domain"), private_suffixes=False), project("one")))
    assert set(on) == {("one", "a.host.io"), ("one", "b.host.io")}
    assert off["one", "host.io"].cited == 1


def test_brand_and_domain_together_count_owned_citations_there(frames, project):
    poll = [asked("one", "q1", ("hub.com/acme", "Acme"), ("hub.com/x", None), ("acme.com", "Acme")),
            asked("one", "q1", ("hub.com/bolt", "Bolt")), asked("one", "q1", ("hub.com/x", None))]  # fmt: skip
    found = rows(evaluate(frames(poll), Slice(by=("brand", "domain")), project("one")))
    assert {key: e.cited for key, e in found.items()} == {
        ("Acme", "acme.com", "one"): 1, ("Acme", "hub.com", "one"): 1, ("Bolt", "hub.com", "one"): 1,
    }  # fmt: skip


def test_a_level_filter_finds_answers_whose_first_citation_has_another_level(frames, project):
    poll = [asked("one", "q1", (*ACME, "listed"), (*ACME, "span")), asked("one", "q1", (*ACME, "listed"))]
    found = rows(evaluate(frames(poll), Slice(where="citation_level = span"), project("one")))
    assert (found["Acme", "one"].cited, found["Acme", "one"].n) == (1, 2)
    by_level = rows(evaluate(frames(poll), Slice(by=("citation_level", "engine")), project("one")))
    assert {key[0]: e.cited for key, e in by_level.items()} == {"listed": 2, "span": 1}


def test_metrics_of_the_engine_have_no_brand(frames, project):
    metrics = ("mean_citations_per_answer", "citing_answer_rate", "trigger_rate", "run_overlap")
    result = evaluate(frames(POLL), Slice(metrics=metrics), project(*TWO))
    assert all(set(r.dimensions) == {"engine"} for r in result.rows)
    found = {(r.metric, r.dimensions["engine"]): r.estimate for r in result.rows if r.estimate.target == "fixed_set"}
    assert found["mean_citations_per_answer", "one"].value == pytest.approx((4 / 3 + 1 / 2) / 2)
    assert found["citing_answer_rate", "one"].value == pytest.approx((1 + 1 / 2) / 2)
    assert found["run_overlap", "one"].value == pytest.approx(2 / 3)
    trigger = found["trigger_rate", "two"]
    assert (trigger.cited, trigger.n, trigger.excluded) == (5, 6, {})
    assert found["trigger_rate", "one"].excluded == {"failed": 1}


def test_share_over_all_requests_divides_by_every_request(frames, project):
    found = rows(evaluate(frames(POLL), Slice(metrics=("share_over_all_requests",)), project(*TWO)))
    assert (found["Acme", "one"].cited, found["Acme", "one"].n, found["Acme", "one"].excluded) == (2, 6, {})


def test_mentions_first_and_presence(frames, project):
    poll = [asked("one", "q1", NEWS, ACME, names={"Bolt": 2}), asked("one", "q1", ACME), asked("one", "q1")]
    metrics = ("mention_rate", "presence_rate", "first_position_rate", "slot_share")
    result = evaluate(frames(poll), Slice(metrics=metrics), project("one"))
    found = {(r.metric, r.dimensions["brand"]): r.estimate for r in result.rows if r.estimate.target == "fixed_set"}
    assert found["mention_rate", "Bolt"].cited == 1
    assert found["presence_rate", "Acme"].cited == 2
    assert found["presence_rate", "Bolt"].cited == 1
    assert found["first_position_rate", "Acme"].cited == 1
    assert found["slot_share", "Acme"].value == pytest.approx(2 / 3)


def test_earned_citations_count_where_passages_are_known(frames, project):
    poll = [asked("one", "q1", NEWS, earned=["Acme"]), asked("one", "q1", ACME), asked("one", "q1", NEWS)]
    earned = Slice(metrics=("share_of_citation_earned",))
    assert rows(evaluate(frames(poll), earned, project("one")))["Acme", "one"].cited == 2
    blind = [p | {"spans": False} for p in poll]
    found = rows(evaluate(frames(blind), earned, project("one")))["Acme", "one"]
    assert found.value is None
    assert "passage" in found.reason
    partly = rows(evaluate(frames([poll[0], *blind[1:]]), earned, project("one")))["Acme", "one"]
    assert partly.cited == 2
    assert "2 of 3 answers" in partly.warnings[0]


# ---------------------------------------------------------------- dimensions and names


def test_by_query_both_targets_have_a_row(frames, project):
    result = evaluate(frames(POLL), Slice(by=("query", "engine")), project(*TWO))
    assert rows(result)["Acme", "q1", "one"].value == pytest.approx(2 / 3)
    category = rows(result, "category")["Acme", "q1", "one"]
    assert (category.low, category.high) == (0.0, 1.0)
    assert category.warnings
    assert result.labels["q1"] == "text of q1"
    assert all(r.grade is None and r.band is None for r in result.rows)


def test_topics_share_their_queries_answers(frames, project):
    tables = frames(POLL, {"q1": {"topic": "phones"}, "q2": {"topic": None}})
    found = rows(evaluate(tables, Slice(by=("topic",), where="engine = one"), project(*TWO)))
    assert (found["Acme", "phones", "one"].cited, found["Acme", "phones", "one"].n) == (2, 3)
    assert (found["Bolt", None, "one"].cited, found["Bolt", None, "one"].n) == (1, 2)


def test_without_cycles_the_newest_counts_and_by_cycle_all(frames, project):
    poll = POLL + [asked("one", "q1", ACME, cycle="c2")]
    context = project("one", cycles=("c1", "c2"))
    assert rows(evaluate(frames(poll), Slice(), context))["Acme", "one"].n == 1
    both = evaluate(frames(poll), Slice(by=("cycle",)), context)
    assert [r.dimensions["cycle"] for r in both.rows if r.dimensions["brand"] == "Acme"] == ["c1", "c1", "c2", "c2"]
    named = evaluate(frames(poll), Slice(cycles=("c2", "c1")), context)
    assert named.slice.by == ("brand", "engine", "cycle")
    assert {r.dimensions["cycle"] for r in named.rows} == {"c1", "c2"}


@pytest.mark.parametrize(
    "asked_for",
    [
        Slice(where="brand = Acne"), Slice(where="engine = onne"), Slice(where="cycle = c9"), Slice(cycles=("c9",)),
        Slice(where="topic = none"), Slice(where="market in (US, XX)"),
    ],
)  # fmt: skip
def test_unknown_names_are_refused(frames, project, asked_for):
    with pytest.raises(SliceError):
        evaluate(frames(POLL), asked_for, project(*TWO))


@pytest.mark.parametrize("by", [("brand",), ("domain",), ("topic",), ("query",), ("cycle", "url"), ("run",)])
@pytest.mark.parametrize("metric", ["share_of_citation", "slot_share", "trigger_rate", "run_overlap"])
def test_no_answers_give_rows_without_a_value(frames, project, by, metric):
    result = evaluate(frames([]), Slice(metrics=(metric,), by=by), project(*TWO))
    assert result.rows
    assert all(r.estimate.value is None and r.estimate.reason and r.estimate.n == 0 for r in result.rows)
    none = evaluate(frames(POLL), Slice(metrics=(metric,), by=by, where="run > 90"), project(*TWO))
    assert all(r.estimate.value is None and r.estimate.reason for r in none.rows)


def test_only_failed_requests_give_no_value_and_are_counted(frames, project):
    result = evaluate(frames([asked("one", "q1", status="failed")] * 3), Slice(), project("one"))
    assert rows(result)["Acme", "one"].value is None
    assert rows(result)["Acme", "one"].excluded == {"failed": 3}


# ---------------------------------------------------------------- grades and labels


def test_grade_and_band_stand_beside_shares_of_citation(frames, project):
    poll = [asked("one", f"q{i}", *([ACME] * (i % 4 == 0)), day=date(2026, 11, 1)) for i in range(60) for _ in range(3)]
    result = evaluate(frames(poll), Slice(metrics=("share_of_citation", "mention_rate")), project("one"))
    first = result.rows[0]
    assert (first.grade, first.band) == ("directional", "competitive")
    assert "Decision needs" in first.grade_next
    assert all(r.grade is None for r in result.rows if r.metric == "mention_rate")
    by_url = evaluate(frames(poll), Slice(by=("url",)), project("one"))
    assert all(r.grade is None for r in by_url.rows)


def test_a_blend_is_graded_by_its_weakest_engine(frames, project):
    strong = [asked("one", f"q{i}") for i in range(60) for _ in range(3)]
    weak = [asked("two", f"q{i}") for i in range(60)]
    result = evaluate(frames(strong + weak), Slice(where="brand = Acme"), project(*TWO))
    assert [r.grade for r in result.rows[::2]] == ["directional", "exploratory", "exploratory"]


def test_simulated_engines_are_labelled(frames, project):
    result = evaluate(frames(POLL), Slice(), project(*TWO, two=EngineFacts("simulated")))
    assert result.simulated
    assert {r.dimensions["engine"]: r.simulated for r in result.rows} == {"one": False, "two": True}
