import pytest

from citepoll.errors import SliceError
from citepoll.measure.definitions import DEFINITIONS
from citepoll.measure.found import FOUND, found_page, plain, resolved, unit_of
from citepoll.measure.metrics import METRICS
from citepoll.model import Slice


def test_the_page_has_a_section_for_each_found_metric_and_names_every_velocity():
    page = found_page()
    heads = [line.split("`")[1] for line in page.splitlines() if line.startswith("## ")]
    assert heads == [name for name in FOUND if not name.startswith("velocity_of_")]
    assert all(f"`{name}`" in page for name in FOUND)


def test_there_is_a_velocity_of_every_share_and_of_nothing_else():
    of = {metric.of for metric in FOUND.values() if metric.kind == "velocity"}
    assert of == {name for name, metric in METRICS.items() if metric.estimator == "share"}


def test_other_houses_numbers_never_take_the_name_of_ours():
    assert {d.metric for d in DEFINITIONS} == {m.name for m in FOUND.values() if m.kind == "view"}
    assert {d.metric for d in DEFINITIONS if d.name in METRICS} == {
        "pooled_share_of_citation", "pooled_slot_share", "pooled_share_over_all_requests",
    }  # fmt: skip


def test_left_alone_by_means_the_metrics_own_dimensions():
    assert resolved(Slice(metrics=("citation_gap",))).by == ("query", "competitor")
    assert resolved(Slice(metrics=("citation_gap",), by=("topic",))).by == ("topic", "competitor")
    assert resolved(Slice(metrics=("half_life",), by=("brand",))).by == ("brand",)
    assert resolved(Slice(metrics=("velocity",), by=("brand", "topic"))).by == ("brand", "topic")
    with pytest.raises(SliceError, match="cannot be shown by url") as refused:
        resolved(Slice(metrics=("opportunity",), by=("url",)))
    assert refused.value.fix == "Leave `by` out; its rows have opportunity, kind, effort, status."


def test_a_number_without_an_interval_says_so_and_no_number_says_why():
    assert (plain(0.5).method, plain(0.5).low) == ("value-only", None)
    assert (plain(None, reason="nothing").method, plain(None, reason="nothing").reason) == ("none", "nothing")


@pytest.mark.parametrize(("metric", "unit"), [("share_of_citation", "share"), ("velocity", "difference")])
def test_every_metric_has_a_unit(metric, unit):
    assert unit_of(metric) == unit
    with pytest.raises(KeyError):
        unit_of("citations")
