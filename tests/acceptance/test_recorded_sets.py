"""Recorded answers of real engines against figures that others counted with another program."""

import json
from datetime import UTC, datetime

import pytest

import citepoll
from citepoll.model import Slice
from citepoll.newproject import Start, write_project
from citepoll.report.tables import json_rows
from citepoll.service.importing import import_file

SETS = ("chatgpt_products", "chi_benchmark", "expertqa")


@pytest.fixture(scope="module")
def imported(shared, tmp_path_factory):
    """One project with a cycle for each set."""
    root = tmp_path_factory.mktemp("recorded")
    write_project(
        root, Start("TechRadar", ("techradar.com",), (("Tom's Guide", "tomsguide.com"), ("RTINGS", "rtings.com")))
    )
    desk = citepoll.open(root)
    for name in SETS:
        desk.import_file(shared / "data" / name / "answers.jsonl.gz", name)
    return desk


def engine_blocks(shared, name):
    """Engine → its top 20. chatgpt_products calls what it cites `chatgpt/cited`."""
    reference = json.loads((shared / "data" / name / "reference.json").read_text())
    blocks = {k: v for k, v in reference.items() if isinstance(v, dict) and "top20" in v}
    if name == "chatgpt_products":
        return {"chatgpt": blocks["chatgpt/cited"]}
    return blocks


@pytest.mark.parametrize("name", SETS)
def test_shares_by_engine_and_domain_equal_the_reference(shared, imported, name):
    slice = Slice(by=("engine", "domain"), cycles=(name,), target="fixed_set", private_suffixes=False)
    rows = {(r["engine"], r["domain"]): r for r in json_rows(imported.measure(slice))}
    for engine, block in engine_blocks(shared, name).items():
        for entry in block["top20"]:
            if " " in entry["domain"]:  # text that is no host is malformed for us, a domain for the reference
                continue
            row = rows[engine, entry["domain"]]
            assert (row["cited"], row["n"]) == (entry["responses"], block["responses"]), (engine, entry)
            assert round(100 * row["pooled"], 2) == pytest.approx(entry["share"], abs=0.0051)


def test_techradar_with_both_intervals(imported):
    rows = json_rows(
        imported.measure(Slice(cycles=("chatgpt_products",), where="brand = TechRadar and engine = chatgpt"))
    )
    fixed, category = rows
    assert (fixed["target"], category["target"]) == ("fixed_set", "category")
    for row in rows:
        assert (row["cited"], row["n"], row["n_queries"]) == (49, 144, 48)
        assert row["value"] == pytest.approx(49 / 144)
    assert (fixed["low"], fixed["high"]) == (pytest.approx(0.2831, abs=5e-5), pytest.approx(0.4012, abs=5e-5))
    assert (category["low"], category["high"]) == (pytest.approx(0.2363, abs=5e-5), pytest.approx(0.4575, abs=5e-5))


def test_run_to_run_overlap(imported):
    rows = json_rows(imported.measure(Slice(metrics=("run_overlap",), by=("engine",), cycles=("chatgpt_products",))))
    assert {round(row["value"], 6) for row in rows} == {0.493138}


def test_the_same_file_again_changes_nothing(shared, imported):
    before = imported.ledger.revision(imported.ledger.cycle("chi_benchmark"))
    path = shared / "data" / "chi_benchmark" / "answers.jsonl.gz"
    summary = import_file(imported.project, imported.ledger, path, "chi_benchmark", at=datetime.now(UTC))
    assert (summary.new, summary.known, summary.rejected) == (0, 4140, 0)
    assert imported.ledger.revision(imported.ledger.cycle("chi_benchmark")) == before
    assert (summary.ids.ids, summary.ids.ids_with_several_texts) == (1824, 898)
    assert (summary.ids.texts, summary.ids.texts_with_several_ids) == (976, 912)
