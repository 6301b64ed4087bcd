import pytest

from citepoll.errors import SliceError
from citepoll.model import Slice
from citepoll.project import parse_project
from citepoll.service import deriving
from citepoll.service.deriving import derive
from citepoll.service.importing import import_file
from citepoll.service.measuring import measure
from citepoll.service.rebuilding import rebuild


@pytest.fixture
def imported(project, ledger, at, row, jsonl):
    rows = [
        row(run=n, citations=[{"url": u}])
        for n, u in enumerate(("https://acme.com/", "https://new.com/", "https://x.com/"), 1)
    ]
    import_file(project, ledger, jsonl(*rows), "c", at=at)
    return ledger.cycle("c")


def owning(project, *domains):
    owned = ", ".join(f'"{d}"' for d in domains)
    return parse_project(f'[brand]\nname = "Acme"\nowns = [{owned}]\n[[competitor]]\nname = "Foxglove"\n', project.root)


def test_tables_are_built_once_and_follow_the_brands(project, ledger, imported, at):
    first = derive(project, ledger, imported, at)
    assert derive(project, ledger, imported, at) == first
    other = owning(project, "acme.com", "new.com")
    assert derive(other, ledger, imported, at).hash != first.hash
    shares = [measure(p, ledger, Slice(by=("brand",)), at).rows[0].estimate.cited for p in (project, other)]
    assert shares == [1, 2]


def test_a_rebuild_says_answer_by_answer_what_a_change_of_brands_changed(project, ledger, imported, at):
    derive(project, ledger, imported, at)
    (changes,) = rebuild(owning(project, "acme.com", "new.com"), ledger, (), at)
    assert (changes.cycle, changes.answers, changes.before) == ("c", 3, at.isoformat())
    assert [(c.run, c.engine, c.query, c.brand, c.what, c.before, c.after) for c in changes.answers_changed] == [
        (2, "atlas", "best garden fork", "Acme", "first", "0", "1"),
        (2, "atlas", "best garden fork", "Acme", "slots", "0", "1"),
    ]


def test_a_rebuild_without_a_change_changes_nothing(project, ledger, imported, at):
    derive(project, ledger, imported, at)
    (changes,) = rebuild(project, ledger, ("c",), at)
    assert changes.answers_changed == ()


def test_without_a_version_before_there_is_nothing_to_compare(project, ledger, imported, at):
    (changes,) = rebuild(project, ledger, (), at)
    assert (changes.answers, changes.before, changes.answers_changed) == (3, None, ())


def test_nothing_to_rebuild_and_an_unknown_cycle(project, ledger, at):
    assert rebuild(project, ledger, (), at) == ()
    with pytest.raises(SliceError, match="no cycle 'x'"):
        rebuild(project, ledger, ("x",), at)


def test_many_processes_give_the_same_tables_as_one(project, ledger, imported, at, monkeypatch):
    one = derive(project, ledger, imported, at)
    alone = {name: one.table(name).collect() for name in ("answers", "citations", "hits")}
    monkeypatch.setattr(deriving, "WORTH_PROCESSES", 1)
    monkeypatch.setattr(deriving.os, "cpu_count", lambda: 2)
    again = derive(project, ledger, imported, at, again=True)
    assert all(again.table(name).collect().equals(alone[name]) for name in alone)


def test_parts_and_batches_do_not_change_the_tables(project, ledger, imported, at, monkeypatch):
    one = derive(project, ledger, imported, at)
    alone = one.table("answers").collect()
    monkeypatch.setattr(deriving, "BATCH", 1)
    monkeypatch.setattr(deriving, "PART", 1)
    again = derive(project, ledger, imported, at, again=True)
    assert again.table("answers").collect().equals(alone)
    assert len(list(again.path.glob("answers-*.parquet"))) == 3


def test_a_cycle_without_answers_has_empty_tables(project, ledger, at):
    built = derive(project, ledger, ledger.create("empty", "polled", (), "s", at), at)
    assert built.table("answers").collect().height == 0
