"""Gaps, sources, opportunities, targets, views and experiments on a project made by hand.

Cycle `one`: atlas answers two queries three times. On forks only Globex is cited; on spades Acme is, but for the
last run. Every answer on forks cites a review page in the passage that names Globex. Acme's page on spades is
retrieved on forks in no run. Cycle `two`: Acme is cited on forks in every run, on spades in none.
"""

import json
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from citepoll.errors import InputError, ProjectError, SliceError
from citepoll.model import Slice
from citepoll.project import parse_project
from citepoll.service import experiments, opportunities
from citepoll.service.gaps import find_gaps, gaps_of
from citepoll.service.importing import import_file
from citepoll.service.measuring import measure
from citepoll.service.sources import compare_engines, pages_that_name, rank_sources
from citepoll.service.targets import list_targets
from citepoll.service.views import list_views
from citepoll.store import actions

FORKS, SPADES, BRANDED = "best garden fork", "how to sharpen a spade", "is Acme any good"
OURS, THEIRS, REVIEW = (
    "https://acme.com/spades",
    "https://globex.com/forks",
    "https://someblog.com/forks",
)
NAMED = "Globex makes the best one."


TOML = """
[brand]
name = "Acme"
owns = ["acme.com"]
[[competitor]]
name = "Globex"
owns = ["globex.com"]
"""


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "project"
    root.mkdir()
    (root / "citepoll.toml").write_text(TOML, "utf-8")
    return parse_project(TOML, root)


def answered(query, run, urls, text=NAMED, spans=True, **more):
    where = {"start": 0, "end": len(text), "level": "span"} if spans else {}
    cited = [{"url": url, **where} for url in urls]
    return {"engine": "atlas", "query": query, "run": run, "answer_text": text, "citations": cited, **more}


ONE = [
    *(answered(FORKS, run, [THEIRS, REVIEW]) for run in (1, 2, 3)),
    *(answered(SPADES, run, [OURS], "Acme says how.") for run in (1, 2)),
    answered(SPADES, 3, [], "Take a file."),
    answered(BRANDED, 1, [THEIRS]),
]
TWO = [
    *(answered(FORKS, run, ["https://acme.com/forks"], "Acme.") for run in (1, 2, 3)),
    *(answered(SPADES, run, [THEIRS]) for run in (1, 2, 3)),
]


@pytest.fixture
def put(project, ledger, at, jsonl):
    def enter(rows, name, days=0):
        import_file(project, ledger, jsonl(*rows, name=f"{name}.jsonl"), name, at=at + timedelta(days=days))

    return enter


@pytest.fixture
def one(put):
    put(ONE, "one")


@pytest.fixture
def two(one, put):
    put(TWO, "two", days=7)


def of_kind(found, kind):
    return [todo for todo in found.todos if todo.kind == kind]


# ---------------------------------------------------------------- gaps


def test_a_gap_names_the_competitor_its_page_and_the_engines(project, ledger, at, one):
    found = find_gaps(project, ledger, at)
    first, second = found.queries
    assert (first.query.text, first.verdict, first.n, first.ours) == (FORKS, "confirmed", 3, 0)
    assert [(gap.competitor, gap.theirs) for gap in first.ahead] == [("Globex", 3)]
    assert first.pages == {"Globex": (THEIRS,)}
    assert first.cells[0].engine == "atlas"
    assert first.cells[0].cited["Globex"] == 3
    assert (second.query.text, second.verdict, second.worth) == (SPADES, "none", 0)
    assert found.branded_out == 1
    assert [gap.competitor for gap, _ in gaps_of(project, ledger, ledger.cycle("one"), at)] == ["Globex"]


def test_gaps_obey_filters_and_groups_and_the_files_weights(project, ledger, at, one):
    weighted = replace(project, intent_weights={"best-of": 7.0})
    found = find_gaps(weighted, ledger, at, where=f'query = "{FORKS}"', by="intent")
    assert [gap.query.text for gap in found.queries] == [FORKS]
    assert found.queries[0].query.intent == "best-of"
    assert found.queries[0].weight == 7.0
    assert [(group.name, group.confirmed) for group in found.groups] == [("best-of", 1)]
    assert find_gaps(project, ledger, at, where="engine = nobody").queries == ()


def test_gaps_refuse_other_fields_and_groups(project, ledger, at, one):
    with pytest.raises(SliceError, match="is on brand"):
        find_gaps(project, ledger, at, where="brand = Globex")
    with pytest.raises(SliceError, match="not by 'engine'"):
        find_gaps(project, ledger, at, by="engine")


def test_without_a_cycle_there_is_nothing_to_look_at(project, ledger, at):
    with pytest.raises(SliceError, match="no measured cycle"):
        find_gaps(project, ledger, at)


# ---------------------------------------------------------------- sources


def test_classes_are_a_dimension_of_a_slice_and_add_up(project, ledger, at, one):
    result = measure(project, ledger, Slice(("slot_share",), ("engine", "source_class"), target="fixed_set"), at)
    found = {row.dimensions["source_class"]: row.estimate.value for row in result.rows}
    assert found["owned"] == pytest.approx((2 / 3) / (2 + 2 / 3 + 1))
    assert sum(found.values()) == pytest.approx(1)
    with pytest.raises(SliceError, match="unknown source class 'comunity'"):
        measure(project, ledger, Slice(where="source_class = comunity"), at)


def test_an_override_decides_the_class_with_its_reason(project, ledger, at, one):
    text = TOML
    rule = '\n[[source]]\ndomain = "someblog.com"\nclass = "review_platform"\nreason = "customers write there"\n'
    project = parse_project(text + rule, project.root)
    _, reasons = rank_sources(project, ledger, at, by="domain")
    found = {reason.place: (reason.source_class, reason.reason) for reason in reasons}
    assert found["someblog.com"] == ("review_platform", "customers write there")
    assert found["acme.com"] == ("owned", "owned by Acme")
    assert found["globex.com"][0] == "competitor"


def test_pages_name_competitors_in_a_passage_or_else_in_the_answer(project, ledger, at, put):
    rows = [answered(SPADES, run, [REVIEW], spans=False) for run in (1, 2)]
    put([*ONE[:3], *(row | {"engine": "borealis"} for row in rows)], "one")
    (found,) = pages_that_name(project, ledger, at)
    assert (found.url, found.basis, found.competitors) == (REVIEW, "passage", ("Globex",))
    assert found.engines == ("atlas", "borealis")
    assert len(found.answers) == 5


def test_an_answer_that_names_us_there_or_cites_us_is_not_listed(project, ledger, at, put):
    both = "Globex and Acme make good ones."
    put([answered(FORKS, 1, [REVIEW], both), answered(FORKS, 2, [REVIEW, OURS])], "one")
    assert pages_that_name(project, ledger, at) == ()


def test_engines_are_compared_by_what_their_answers_share(project, ledger, at, put):
    other = [answered(FORKS, 1, [THEIRS, "https://a.example/"]) | {"engine": "borealis"}]
    put([*ONE[:3], *other], "one")
    found = compare_engines(project, ledger, at)
    atlas, borealis = found.engines
    assert atlas.domains.hhi == pytest.approx(0.5)
    assert atlas.domains.effective == pytest.approx(2)
    assert (atlas.run_overlap, atlas.queries) == (1.0, 1)
    assert borealis.run_overlap is None
    assert [(o.engines, o.overlap, o.queries) for o in found.overlaps] == [(("atlas", "borealis"), 0.5, 1)]


# ---------------------------------------------------------------- opportunities


def test_opportunities_carry_their_evidence(project, ledger, at, one):
    found = opportunities.list_todos(project, ledger, at)
    (create,) = of_kind(found, "create-coverage")
    assert create.status == "open"
    assert create.texts == {create.found.queries[0]: FORKS}
    assert create.found.size == pytest.approx(0.5)
    assert create.found.n_answers == 3
    (earn,) = of_kind(found, "earn-inclusion")
    assert earn.found.subject == REVIEW
    assert earn.found.n_answers == 3
    assert found.before is None
    assert "cycle before" in found.warnings[0]


def test_a_retrieved_page_of_ours_is_to_be_improved(project, ledger, at, put):
    put([answered(FORKS, run, [THEIRS], additional_sources=[{"url": OURS}]) for run in (1, 2, 3)], "one")
    found = opportunities.list_todos(project, ledger, at)
    assert of_kind(found, "create-coverage") == []
    assert [todo.found.subject for todo in of_kind(found, "improve-page")] == [OURS]


def test_a_loss_needs_two_cycles(project, ledger, at, two):
    (loss,) = of_kind(opportunities.list_todos(project, ledger, at), "investigate-loss")
    assert loss.found.subject == OURS
    assert loss.found.size == pytest.approx((2 / 3) / 2)


def test_a_status_is_kept_shown_and_undone(project, ledger, at, one):
    (create,) = of_kind(opportunities.list_todos(project, ledger, at), "create-coverage")
    key = create.id.removeprefix("sha256:")[:8]
    opportunities.set_status(project, ledger, key, "in-work", "Ada", at)
    assert opportunities.show_todo(project, ledger, key, at).mark.note == "Ada"
    assert [t.id for t in opportunities.list_todos(project, ledger, at, status="in-work").todos] == [create.id]
    opportunities.set_status(project, ledger, key, "open", "", at)
    assert opportunities.show_todo(project, ledger, key, at).status == "open"
    assert [event["status"] for event in ledger.history("one") if event["what"] == "opportunity"] == ["in-work", "open"]


def test_what_is_done_shows_the_change_since_even_when_it_is_no_longer_found(project, ledger, at, one, put):
    (create,) = of_kind(opportunities.list_todos(project, ledger, at), "create-coverage")
    marked = opportunities.set_status(project, ledger, create.id, "done", "", at)
    assert marked.no_effect == "no cycle was measured since it was marked done in one"
    put(TWO, "two", days=7)
    after = opportunities.show_todo(project, ledger, create.id, at)
    (effect,) = after.effects
    assert after.found is None
    assert after.texts == {create.found.queries[0]: FORKS}
    assert (effect.engine, effect.since, effect.until, effect.change.value) == ("atlas", "one", "two", 1.0)


def test_unknown_ids_and_statuses_are_refused(project, ledger, at, one):
    with pytest.raises(InputError, match="no opportunity 'ff"):
        opportunities.show_todo(project, ledger, "ffffffffffff", at)
    with pytest.raises(InputError, match="not a status"):
        opportunities.set_status(project, ledger, "a", "finished", "", at)


# ---------------------------------------------------------------- targets, views


def test_a_target_stands_on_each_engine(project, ledger, at, one):
    target = '\n[[target]]\nmetric = "share_of_citation"\nvalue = 0.3\nby = 2027-03-31\n'
    project = parse_project(TOML + target, project.root)
    (aim,) = list_targets(project, ledger, at).aims
    assert aim.standing.engine == "atlas"
    assert aim.standing.estimate.value == pytest.approx(1 / 3)
    assert 0.3 < aim.standing.chance < 0.8
    assert aim.standing.days_left == 148
    assert list_targets(replace(project, targets=()), ledger, at).aims == ()


def test_views_spell_out_their_counts(project, ledger, at, one):
    found = list_views(project, ledger, at)
    ours = {v.name: (v.numerator, v.denominator) for v in found.views if v.brand == "Acme"}
    assert ours == {
        "share_of_citation": (2, 6), "slot_share": (2, 8), "share_of_citing_answers": (2, 5),
        "prompt_coverage": (1, 2), "mention_voice": (2, 5), "presence": (2, 6), "share_over_all_requests": (2, 6),
    }  # fmt: skip


# ---------------------------------------------------------------- experiments


def begin(project, ledger, at, treat=f'query = "{FORKS}"', control=f'query = "{SPADES}"', change="new page"):
    return experiments.start(project, ledger, treat, control, change, at)


def test_an_experiment_states_its_power_and_judges_the_cycles_that_follow(project, ledger, at, one, put):
    trial = begin(project, ledger, at)
    (power,) = trial.power
    assert power.share == pytest.approx(2.5 / 7)
    assert power.runs == 3
    assert 0 < power.fixed_set < power.category
    assert trial.reason
    assert trial.judgements == ()
    assert trial.pre_trends[0].sentence.startswith("not checked")
    put(TWO, "two", days=7)
    trial = experiments.judge(project, ledger, trial.experiment.id, at)
    fixed = next(one for one in trial.judgements if one.target == "fixed_set")
    assert (fixed.before, fixed.after) == ("one", "two")
    assert fixed.effect.value == pytest.approx((1 - 0) - (0 - 2 / 3))
    assert fixed.effect.low > 0
    assert "real change" in fixed.sentence


def test_arms_are_given_by_a_file_too(project, ledger, at, one, tmp_path):
    (tmp_path / "forks.txt").write_text(f"{FORKS}\n\n", "utf-8")
    assert [q.text for q in begin(project, ledger, at, treat=str(tmp_path / "forks.txt")).treat] == [FORKS]
    (tmp_path / "odd.txt").write_text("never asked\n", "utf-8")
    with pytest.raises(InputError, match="'never asked'"):
        begin(project, ledger, at, treat=str(tmp_path / "odd.txt"))


@pytest.mark.parametrize(
    ("arms", "cause"),
    [
        ({"treat": "topic = nothing"}, "fits no query"),
        ({"control": "branded = false"}, "stand in both arms"),
        ({"control": "branded = true"}, "name a brand"),
        ({"treat": ""}, "fits no query"),
        ({"change": " "}, "needs a change"),
    ],
)
def test_arms_that_cannot_be_compared_are_refused(project, ledger, at, one, arms, cause):
    with pytest.raises(InputError, match=cause):
        begin(project, ledger, at, **arms)


def test_an_experiment_that_ended_counts_no_later_cycle(project, ledger, at, one, put):
    number = begin(project, ledger, at).experiment.id
    assert experiments.end(ledger, number, at).last_cycle == "one"
    put(TWO, "two", days=7)
    assert experiments.judge(project, ledger, number, at).judgements == ()
    with pytest.raises(InputError, match="ended on"):
        experiments.end(ledger, number, at)
    assert [each.change for each in actions.experiments(ledger)] == ["new page"]


# ---------------------------------------------------------------- the project file


@pytest.mark.parametrize(
    ("lines", "cause", "fix"),
    [
        ("[intent_weights]\nversus = 4\nbuying = 2", "line 9: 'buying' is not an intent", "Intents are definitional"),
        ('[[source]]\ndomain = "a.com"\nclass = "press"\nreason = "r"', "line 7:.*'press'", "Classes are"),
        ('[[source]]\ndomain = "a.com"\nclass = "owned"\nreason = "r"', "line 7:.*'owned'", "Classes are"),
        ('[[source]]\ndomain = "a.com"\nclass = "video"', "line 7: `reason` is missing", "Add a line"),
        ('[[target]]\nmetric = "trigger_rate"\nvalue = 1\nby = 2027-01-01', "line 8:.*cannot be a target", "Targets"),
        ('[[target]]\nmetric = "slot_share"\nvalue = 30\nby = 2027-01-01', "line 9: target.value", "Mend the value"),
    ],
)
def test_mistakes_are_answered_with_line_cause_and_fix(project, lines, cause, fix):
    text = TOML.strip() + "\n"
    with pytest.raises(ProjectError, match=cause) as wrong:
        parse_project(text + lines, project.root)
    assert fix in wrong.value.fix


def test_json_can_be_written_of_all_of_it(project, ledger, at, two):
    for value in (find_gaps(project, ledger, at), opportunities.list_todos(project, ledger, at),
                  list_views(project, ledger, at), compare_engines(project, ledger, at)):  # fmt: skip
        assert json.loads(msgspec.json.encode(value))
