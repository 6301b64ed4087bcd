import pytest

from citepoll.errors import SliceError
from citepoll.model import Slice
from citepoll.service.importing import import_file
from citepoll.service.matrix import matrix
from citepoll.service.measuring import measure


@pytest.fixture
def imported(project, ledger, at, row, jsonl):
    rows = [
        row(engine=engine, query=query, run=run, citations=[{"url": f"https://{host}/"}], status=status)
        for engine in ("atlas", "beacon")
        for run in (1, 2, 3)
        for query, host, status in (
            ("best fork", "acme.com" if engine == "atlas" else "other.com", "success"),
            ("is Acme good", "acme.com", "success"),
            ("silent", "acme.com", "refused"),
        )
    ]
    import_file(project, ledger, jsonl(*rows), "c", at=at)


def test_a_field_counts_the_same_as_the_measure(project, ledger, imported, at):
    found = matrix(project, ledger, at, branded="all")
    rows = measure(project, ledger, Slice(by=("brand", "engine", "query"), target="fixed_set"), at).rows
    counted = {
        (row.dimensions["query"], row.dimensions["engine"]): (row.estimate.cited, row.estimate.n)
        for row in rows
        if row.dimensions["brand"] == "Acme" and row.dimensions["engine"] != "blended" and row.estimate.n
    }
    ours = {(cell.query_id, cell.engine): (cell.cited, cell.valid) for cell in found.cells}
    assert counted.keys() <= ours.keys()
    assert all(ours[key] == value for key, value in counted.items())


@pytest.mark.parametrize(("branded", "queries", "left_out"), [("no", 2, 1), ("yes", 1, 2), ("all", 3, 0)])
def test_questions_that_name_a_brand_stand_apart(project, ledger, imported, at, branded, queries, left_out):
    found = matrix(project, ledger, at, branded=branded)
    assert (len(found.queries), found.left_out) == (queries, left_out)


def test_who_is_ahead_is_named_and_a_field_without_a_valid_answer_has_no_note(project, ledger, imported, at):
    found = matrix(project, ledger, at)
    ahead = {cell.engine: cell.ahead for cell in found.cells}
    assert ahead == {"atlas": (), "beacon": ("Foxglove",)}
    assert {query.text for query in found.queries} == {"best fork", "silent"}


def test_an_unknown_cycle_is_told(project, ledger, imported, at):
    with pytest.raises(SliceError, match="no cycle 'x'"):
        matrix(project, ledger, at, cycle="x")
