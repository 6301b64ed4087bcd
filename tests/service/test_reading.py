"""One door: what a slice answers of a found metric is what its own command computes, evidence included.

Three cycles on one engine, two queries, three runs each, and a query that names the brand. Forks: Globex alone in the
first cycle, Acme alone in the later two. Spades: Acme in two of three, then nobody, then Acme. In the first cycle a
third party's page stands beside Globex.
"""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

import citepoll
from citepoll.errors import SliceError
from citepoll.explain.targets import Goal
from citepoll.measure.found import FOUND, kind_of, unit_of
from citepoll.measure.metrics import METRICS
from citepoll.model import Slice
from citepoll.project import parse_project
from citepoll.report import tables
from citepoll.report.numbers import words
from citepoll.service import experiments, moving, opportunities
from citepoll.service.gaps import find_gaps
from citepoll.service.importing import import_file
from citepoll.service.reading import READERS, read
from citepoll.service.sources import compare_engines, pages_that_name
from citepoll.service.targets import list_targets
from citepoll.service.velocity import velocity
from citepoll.service.views import list_views
from citepoll.store.ledger import Ledger

FORKS, SPADES, BRANDED = "best garden fork", "how to sharpen a spade", "is Acme any good"
TOML = """
[brand]
name = "Acme"
owns = ["acme.com"]
[[competitor]]
name = "Globex"
owns = ["globex.com"]
"""


def answered(query, run, *hosts, text="Globex makes the best one.", engine="atlas"):
    cited = [{"url": f"https://{host}/page", "start": 0, "end": len(text), "level": "span"} for host in hosts]
    return {"engine": engine, "query": query, "run": run, "answer_text": text, "citations": cited}


CYCLES = {
    "one": [
        *(answered(FORKS, run, "globex.com", "someblog.com") for run in (1, 2, 3)),
        *(
            answered(SPADES, run, *hosts, text="A file.")
            for run, hosts in ((1, ["acme.com"]), (2, ["acme.com"]), (3, []))
        ),
        answered(BRANDED, 1, "globex.com"),
    ],
    "two": [
        *(answered(FORKS, run, "acme.com", text="Acme.") for run in (1, 2, 3)),
        *(answered(SPADES, run, text="A file.") for run in (1, 2, 3)),
    ],
    "three": [
        *(answered(FORKS, run, "acme.com", text="Acme.") for run in (1, 2, 3)),
        *(answered(SPADES, run, "acme.com", text="A file.") for run in (1, 2, 3)),
    ],
}


AT = datetime(2026, 11, 3, 9, tzinfo=UTC)


class Room:
    """A project on disk, the cycles that are put into it, and questions to its door."""

    def __init__(self, root):
        (root / "citepoll.toml").write_text(TOML, "utf-8")
        goal = Goal("share_of_citation", 0.3, date(2027, 3, 31))
        self.project = replace(parse_project(TOML, root), targets=(goal,))
        self.ledger = Ledger(self.project.data / "ledger.db")
        self.here = self.project, self.ledger

    def put(self, cycle, rows=None):
        path = self.project.root / f"{cycle}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows or CYCLES[cycle]), "utf-8")
        import_file(*self.here, path, cycle, at=AT + timedelta(days=7 * len(self.ledger.cycles())))

    def experiment(self):
        experiments.start(*self.here, f'query = "{FORKS}"', f'query = "{SPADES}"', "new page", AT)

    def ask(self, *metrics, **more):
        return read(*self.here, Slice(metrics=metrics, **more), AT)


@pytest.fixture
def empty(tmp_path):
    return Room(tmp_path)


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """The three cycles, with an experiment begun after the first. No test changes it."""
    made = Room(tmp_path_factory.mktemp("room"))
    made.put("one")
    made.experiment()
    made.put("two")
    made.put("three")
    return made


@pytest.fixture(scope="module")
def ask(room):
    return room.ask


def values(result, *names, target="fixed_set"):
    return {
        tuple(row.dimensions[name] for name in names): row.estimate.value
        for row in result.rows
        if row.estimate.target == target
    }


# ---------------------------------------------------------------- every found metric


@pytest.mark.parametrize("metric", FOUND)
def test_every_found_metric_answers_in_rows_that_json_holds(ask, metric):
    cycles = () if FOUND[metric].cycles == "all" else ("one",) if metric != "movement" else ("two",)
    result = ask(metric, cycles=cycles)
    assert result.rows or metric == "engine_overlap"  # one engine has no pair
    for row in result.rows:
        assert row.metric == metric
        assert set(row.evidence) <= set(FOUND[metric].evidence)
        assert row.evidence["words"]
        assert (row.estimate.value is None) == bool(row.estimate.reason)
        assert words(row.estimate, unit_of(metric))
    whole = json.loads(msgspec.json.encode(tables.json_value(result)))
    assert whole["slice"]["metrics"] == [metric]
    assert whole["cycles"] == list(result.cycles)
    assert msgspec.convert(whole["slice"], Slice) == result.slice
    assert [row["evidence"] for row in whole["rows"]] == json.loads(
        msgspec.json.encode([r.evidence for r in result.rows])
    )
    assert result.to_polars().height == len(result.rows)
    assert tables.csv_text(result).count("\n") >= len(result.rows)
    assert metric in tables.markdown_text(result) or not result.rows


@pytest.mark.parametrize("metric", ["share_of_citation", *FOUND])
def test_the_slice_that_comes_back_asks_for_the_same_rows(ask, room, metric):
    result = ask(metric)
    assert read(*room.here, result.slice, AT).to_dict() == result.to_dict()


@pytest.mark.parametrize("metric", FOUND)
def test_no_dimension_takes_the_place_of_another_key(ask, metric):
    fixed = set(tables.json_rows(ask("share_of_citation"))[0]) - {"brand", "engine", "cycle"}
    assert not fixed & set(FOUND[metric].dimensions)


def test_each_kind_has_its_use_case():
    assert set(READERS) == {metric.kind for metric in FOUND.values()}
    assert not FOUND.keys() & METRICS.keys()
    assert all(metric.formula and metric.empty and metric.evidence[0] == "words" for metric in FOUND.values())


# ---------------------------------------------------------------- the same numbers as the commands


def test_velocity_says_what_else_changed_on_the_engines_that_it_shows(empty):
    for cycle, model in (("one", "m1"), ("two", "m1"), ("three", "m2")):
        rows = [row | {"model": model} for row in CYCLES[cycle]]
        lost = answered(FORKS, 4, engine="borealis") | {"status": "failed"}
        empty.put(cycle, [*rows, answered(FORKS, 1, engine="borealis"), *([lost] if cycle == "two" else ())])
    changed = "atlas, two to three: the model inside the engine changed: m1 → m2"
    assert changed in empty.ask("velocity").warnings
    assert "borealis: 1 of 2 runs failed in two" in empty.ask("velocity").warnings
    other = empty.ask("velocity", where="engine = borealis").warnings
    assert "borealis: 1 of 2 runs failed in two" in other
    assert not any("atlas" in text for text in other)


def test_a_cycle_whose_runs_failed_ends_no_stay_of_a_page(empty):
    empty.put("one", [answered(FORKS, 1, "globex.com"), answered(SPADES, 1)])
    cited = [answered(FORKS, 1, "acme.com"), answered(SPADES, 1, "acme.com")]
    empty.put("two", cited)
    empty.put("three", [answered(FORKS, 1) | {"status": "failed"}, answered(SPADES, 1)])
    empty.put("four", cited)
    found = moving.decay(*empty.here, AT)
    assert (found.owned.n, found.owned.ended) == (2, 1)
    assert [(step.cycles, step.value) for step in found.owned.curve] == [(1, 0.5), (2, 0.5)]


def test_velocity_is_the_slope_and_shows_where_the_share_stands(ask, room):
    result = ask("velocity", "velocity_of_presence_rate", target="fixed_set")
    found = velocity(*room.here, Slice(target="fixed_set"), AT)
    slopes = {row.dimensions["brand"]: slope for row, slope in found.rows}
    mine = [row for row in result.rows if row.metric == "velocity"]
    assert {row.dimensions["brand"]: row.estimate.value for row in mine} == {b: s.value for b, s in slopes.items()}
    acme = next(row for row in mine if row.dimensions["brand"] == "Acme")
    assert acme.estimate.value == pytest.approx((1 - 1 / 3) / 2)
    assert (acme.estimate.low, acme.estimate.high) == (slopes["Acme"].low, slopes["Acme"].high)
    assert acme.evidence["now"]["value"] == 1
    assert acme.evidence["cycles"] == list(result.cycles) == ["one", "two", "three"]
    assert {row.evidence["of"] for row in result.rows} == {"share_of_citation", "presence_rate"}
    few = ask("velocity", cycles=("one", "two"))
    assert {row.estimate.reason for row in few.rows} == {"velocity needs 3 cycles or more"}


def test_velocity_is_shown_by_the_dimensions_of_its_share(ask):
    result = ask("velocity", by=("brand", "query"), where="brand = Acme", target="fixed_set")
    slopes = {result.labels[row.dimensions["query"]]: row.estimate.value for row in result.rows}
    assert slopes == pytest.approx({FORKS: 0.5, SPADES: (1 - 2 / 3) / 2})


def test_a_gap_is_the_competitors_lead_or_says_why_there_is_none(ask, room):
    result = ask("citation_gap", cycles=("one",))
    ahead, none = result.rows
    (gap,) = find_gaps(*room.here, AT, cycle="one").queries[0].ahead
    assert (result.labels[ahead.dimensions["query"]], ahead.dimensions["competitor"]) == (FORKS, "Globex")
    assert ahead.estimate.value == (gap.theirs - gap.ours) / gap.n == 1
    assert (ahead.estimate.low, ahead.estimate.method) == (None, "value-only")
    assert (ahead.evidence["probability"], ahead.evidence["verdict"]) == (gap.probability, "confirmed")
    assert ahead.evidence["engines"] == [{"engine": "atlas", "theirs": 3, "ours": 0, "n": 3}]
    assert ahead.evidence["pages"] == ["https://globex.com/page"]
    assert (none.dimensions["competitor"], none.estimate.reason) == (None, "no competitor is ahead")
    assert any("1 query names a brand" in text for text in result.warnings)


def test_gaps_by_intent_are_the_mean_of_the_queries_leads(ask, room):
    result = ask("citation_gap", cycles=("one",), by=("intent",))
    groups = find_gaps(*room.here, AT, cycle="one", by="intent").groups
    assert values(result, "intent", "competitor") == {("best-of", "Globex"): 1, ("how-to", None): None}
    first = result.rows[0].evidence
    assert (first["on"], first["queries"], first["confirmed"]) == (1, 1, groups[0].confirmed)
    assert first["worth"] == pytest.approx(groups[0].worth)


def test_what_was_won_and_lost_and_how_long_it_stays(ask, room):
    result = ask("movement", cycles=("two",), compare="one", where=f'query = "{FORKS}"')
    found = moving.won_and_lost(*room.here, "one", "two", AT)
    assert len(result.rows) == sum(found.texts[m.query_id] == FORKS for m in found.moved) == 3
    assert values(result, "url", "brand") == {
        ("https://globex.com/page", "Globex"): -1, ("https://someblog.com/page", None): -1,
        ("https://acme.com/page", "Acme"): 1,
    }  # fmt: skip
    assert (result.slice.compare, result.cycles) == ("one", ("two",))
    lives = ask("half_life")
    every = moving.decay(*room.here, AT).every
    assert lives.rows[0].dimensions == {"brand": None}
    assert (lives.rows[0].estimate.n, lives.rows[0].estimate.reason) == (every.n, every.reason)
    assert ask("half_life", where=f'query = "{SPADES}"').rows[0].estimate.n < every.n


def test_sources_pages_and_views_are_those_of_their_commands(ask, room):
    engines = compare_engines(*room.here, AT, cycle="one").engines
    (row,) = ask("effective_sources", cycles=("one",)).rows
    assert (row.estimate.value, row.evidence["hhi"]) == (engines[0].domains.effective, engines[0].domains.hhi)
    (page,) = ask("naming_page", cycles=("one",)).rows
    (named,) = pages_that_name(*room.here, AT, cycle="one")
    assert (page.dimensions["url"], page.evidence["answers"]) == (named.url, list(named.answers))
    assert (page.estimate.value, page.estimate.cited, page.estimate.of) == (0.5, 3, 6)
    views = {v.name: v.value for v in list_views(*room.here, AT, cycle="one").views if v.brand == "Acme"}
    result = ask("prompt_coverage", "pooled_slot_share", cycles=("one",))
    mine = {row.metric: row.estimate.value for row in result.rows if row.dimensions["brand"] == "Acme"}
    assert mine == {"prompt_coverage": views["prompt_coverage"], "pooled_slot_share": views["slot_share"]}


def test_the_overlap_of_two_engines_is_a_row_for_their_pair(empty):
    rows = [
        answered(FORKS, run, "acme.com", "x.com", engine=engine) for engine in ("atlas", "beacon") for run in (1, 2)
    ]
    empty.put("pair", [*rows, answered(FORKS, 3, "y.com", engine="beacon")])
    (row,) = empty.ask("engine_overlap").rows
    (pair,) = compare_engines(*empty.here, AT).overlaps
    assert row.dimensions == {"engine": "atlas", "other_engine": "beacon"}
    assert row.estimate.value == pair.overlap == pytest.approx(2 / 3)


def test_opportunities_targets_and_experiments_are_those_of_their_commands(ask, room):
    todos = opportunities.list_todos(*room.here, AT, cycle="one").todos
    result = ask("opportunity", cycles=("one",))
    assert [(r.dimensions["opportunity"], r.estimate.value) for r in result.rows] == [
        (t.id, t.found.size) for t in todos
    ]
    assert result.labels[todos[0].id] == todos[0].title
    (aim,) = list_targets(*room.here, AT, cycle="one").aims
    (target,) = ask("target", cycles=("one",)).rows
    assert target.estimate == aim.standing.estimate
    assert (target.dimensions["goal"], target.evidence["chance"]) == (1, aim.standing.chance)
    judged = experiments.judge(*room.here, 1, AT).judgements
    effects = ask("experiment")
    assert [(r.dimensions["cycle"], r.estimate.target, r.estimate.value) for r in effects.rows] == [
        (j.after, j.target, j.effect.value) for j in judged
    ]
    assert effects.rows[0].evidence["words"] == judged[0].sentence
    assert {row.dimensions["cycle"] for row in ask("experiment", cycles=("two",)).rows} == {"two"}


def test_an_experiment_that_no_cycle_followed_has_no_effect_yet(empty):
    empty.put("one")
    empty.experiment()
    rows = empty.ask("experiment").rows
    assert {row.estimate.reason for row in rows} == {"no cycle was measured since the start: nothing to judge yet"}


def test_an_opportunity_that_is_gone_is_a_row_without_a_number(empty):
    empty.put("one")
    first = opportunities.list_todos(*empty.here, AT).todos[0]
    opportunities.set_status(*empty.here, first.id, "in-work", "", AT)
    empty.put("three")
    gone = next(r for r in empty.ask("opportunity").rows if r.dimensions["opportunity"] == first.id)
    assert (gone.estimate.value, gone.dimensions["status"]) == (None, "in-work")
    assert "no longer" in gone.estimate.reason


# ---------------------------------------------------------------- what does not go together


@pytest.mark.parametrize(
    ("slice", "cause"),
    [
        (Slice(metrics=("citation_gap", "velocity")), "cannot stand in one slice"),
        (Slice(metrics=("share_of_citation", "velocity")), "cannot stand in one slice"),
        (Slice(metrics=("presence", "presence")), "names something twice"),
        (Slice(metrics=("velocities",)), "unknown metric"),
        (Slice(metrics=()), "no metric"),
        (Slice(metrics=("citation_gap",), by=("brand",)), "cannot be shown by brand"),
        (Slice(metrics=("citation_gap",), by=("topic", "intent")), "cannot be shown by topic, intent"),
        (Slice(metrics=("half_life",), by=("engine",)), "cannot be shown by engine"),
        (Slice(metrics=("citation_gap",), target="category"), "these queries only"),
        (Slice(metrics=("citation_gap",), target="all"), "unknown target"),
        (Slice(metrics=("citation_gap",), compare="one"), "not specified"),
        (Slice(metrics=("citation_gap",), cycles=("one", "two")), "one cycle, not of 2"),
        (Slice(metrics=("opportunity",), where="engine = atlas"), "no filters"),
        (Slice(metrics=("citation_gap",), where="domain = x.com"), "is on domain"),
        (Slice(metrics=("citation_gap",), limit=0), "keeps nothing"),
        (Slice(metrics=("half_life",), confidence=1e-320), "not between 0.01 and 0.9999"),
        (Slice(metrics=("velocity_of_slot_share",)), "slot_share has no velocity"),
        (Slice(metrics=("velocity_of_share_of_citation",)), "is called velocity"),
        (Slice(metrics=("half_life",), cycles=("nowhere",)), "no cycle 'nowhere'"),
        (Slice(metrics=("velocity",), cycles=("nowhere",)), "no cycle 'nowhere'"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_cause_and_fix(room, slice, cause):
    with pytest.raises(SliceError, match=cause) as refused:
        read(*room.here, slice, AT)
    assert refused.value.fix


def test_counted_metrics_go_together_and_found_ones_are_limited(ask):
    assert kind_of(Slice(metrics=tuple(METRICS))) is None
    assert len(ask("share_of_citation", "mention_rate", target="fixed_set").rows) == 4
    assert len(ask("citation_gap", cycles=("one",), limit=1).rows) == 1


def test_an_open_project_asks_the_same_door(room):
    result = citepoll.open(room.project.root).measure(Slice(metrics=("half_life",)))
    assert result.to_dict() == room.ask("half_life").to_dict()
    with pytest.raises(SliceError, match="no picture"):
        result.chart()
    assert set(result._repr_mimebundle_()) == {"text/plain"}
