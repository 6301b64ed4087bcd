import os
from datetime import timedelta

import polars as pl
import pytest

from citepoll.errors import LedgerError
from citepoll.store.derived import TABLES, Derived
from citepoll.store.ledger import Cycle

CYCLE = Cycle(3, "../../2026/11", "recorded", "closed", None, "s", "2026-11-03", None, None)


def part(*values):
    return {name: pl.DataFrame({"run_id": list(values)}, schema={"run_id": pl.UInt32}) for name in TABLES}


@pytest.fixture
def derived(tmp_path):
    return Derived(tmp_path / "derived")


def runs(built):
    return built.table("answers").collect()["run_id"].to_list()


def test_what_is_written_is_found_by_its_detail(derived, at):
    built = derived.write(CYCLE, {"brands": "a"}, [part(1, 2), part(3)], at)
    assert runs(built) == [1, 2, 3]
    assert derived.find(CYCLE, {"brands": "a"}) == built
    assert derived.find(CYCLE, {"brands": "b"}) is None
    assert derived.versions(CYCLE) == (built,)


def test_the_name_of_a_cycle_is_no_path(derived, at):
    built = derived.write(CYCLE, {}, [part()], at)
    assert built.path.parent == derived.root / "cycle-3"


def test_the_version_in_use_and_the_one_before_are_kept(derived, at):
    for n in range(4):
        derived.write(CYCLE, {"n": n}, [part(n)], at + timedelta(minutes=n))
    assert [v.detail["n"] for v in derived.versions(CYCLE)] == [2, 3]
    assert len(list((derived.root / "cycle-3").iterdir())) == 2


def test_the_same_detail_again_replaces_the_version_whole(derived, at):
    derived.write(CYCLE, {}, [part(1), part(2)], at)
    again = derived.write(CYCLE, {}, [part(9)], at + timedelta(minutes=1))
    assert runs(again) == [9]
    assert derived.versions(CYCLE) == (again,)


def test_a_failure_in_the_middle_leaves_the_version_before(derived, at):
    before = derived.write(CYCLE, {}, [part(1)], at)

    def broken():
        yield part(2)
        raise OSError(28, "No space left on device")

    with pytest.raises(LedgerError, match="disk is full"):
        derived.write(CYCLE, {}, broken(), at)
    assert runs(derived.find(CYCLE, {})) == [1]
    assert os.listdir(derived.root / "cycle-3") == [before.path.name]


def test_a_draft_that_a_kill_left_is_no_version(derived, at):
    built = derived.write(CYCLE, {}, [part(1)], at)
    draft = built.path.with_name(".0123.99")
    draft.mkdir()
    (draft / "made.json").write_bytes((built.path / "made.json").read_bytes())
    os.utime(draft, times=(at.timestamp(),) * 2)
    assert derived.versions(CYCLE) == (built,)
    derived.write(CYCLE, {}, [part(1)], at)
    assert draft.exists()
    os.utime(draft, times=(0, 0))
    derived.write(CYCLE, {}, [part(1)], at)
    assert not draft.exists()


@pytest.mark.parametrize("damage", [b"", b"{"])
def test_a_version_with_a_damaged_label_is_built_again(derived, at, damage):
    built = derived.write(CYCLE, {}, [part(1)], at)
    (built.path / "made.json").write_bytes(damage)
    assert derived.find(CYCLE, {}) is None
    assert runs(derived.write(CYCLE, {}, [part(2)], at)) == [2]


def test_a_second_writer_of_the_same_tables_does_no_harm(derived, at):
    def slow():
        derived.write(CYCLE, {}, [part(1)], at)
        yield part(1)

    other = Derived(derived.root)
    assert runs(other.write(CYCLE, {}, slow(), at)) == [1]
    assert runs(other.find(CYCLE, {})) == [1]


def test_dropping_removes_every_version(derived, at):
    derived.write(CYCLE, {}, [part(1)], at)
    derived.keep_only(())
    derived.keep_only(())
    assert derived.versions(CYCLE) == ()
