"""Retention: the payloads of old cycles go, their numbers stay, and what is lost is said."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from citepoll.errors import InputError, LedgerError, SliceError
from citepoll.model import Brand, Slice
from citepoll.service.answers import show
from citepoll.service.exporting import rows
from citepoll.service.importing import import_file
from citepoll.service.measuring import measure
from citepoll.service.rebuilding import rebuild
from citepoll.service.retaining import months_before, outlived, retain, retain_daily, wants

YEAR = timedelta(days=366)


@pytest.fixture
def cycles(project, ledger, at, row, jsonl):
    """An old cycle and a new one, the same answers in both."""
    file = jsonl(row(), row(run=2, citations=["https://other.com/x"]), row(run=3, citations=[]))
    import_file(project, ledger, file, "old", at=at)
    import_file(project, ledger, file, "new", at=at + YEAR - timedelta(days=20))
    return ledger.cycles()


def numbers(project, ledger, at, cycle="old"):
    found = measure(project, ledger, Slice(cycles=(cycle,)), at)
    return [(row.dimensions, row.estimate) for row in found.rows], found.warnings


@pytest.mark.usefixtures("cycles")
def test_nothing_goes_without_a_rule(project, ledger, at):
    with pytest.raises(InputError, match="for ever"):
        outlived(project, ledger, at + YEAR)
    assert not wants(project, ledger, at + YEAR)


@pytest.mark.usefixtures("cycles")
def test_only_what_is_old_enough_goes_and_its_numbers_stay(project, ledger, at):
    mine, later = replace(project, raw_months=6), at + YEAR
    before = numbers(mine, ledger, later)
    assert wants(mine, ledger, later)
    assert [one.cycle for one in outlived(mine, ledger, later).cycles] == ["old"]
    gone = retain(mine, ledger, later)
    assert ([one.attempts for one in gone.cycles], gone.emptied) == ([3], True)
    after = numbers(mine, ledger, later)
    assert after[0] == before[0]
    assert any("old: its payloads were dropped on 2027-11-04" in warning for warning in after[1])
    assert not any("with the brands of then" in warning for warning in after[1])
    assert b"Acme makes one" not in b"".join(kept.body for kept in ledger.kept(ledger.cycle("old")))
    assert all(kept.body for kept in ledger.kept(ledger.cycle("new")))
    assert not wants(mine, ledger, later)
    assert retain(mine, ledger, later).cycles == ()
    assert retain_daily(mine, ledger, later) == ""


@pytest.mark.usefixtures("cycles")
def test_nothing_of_a_payload_is_left_in_the_file(project, ledger, at):
    with ledger.reading() as link:
        bodies = [row[0] for row in link.exec_driver_sql("select body from attempts").all()]
    assert len(retain(project, ledger, at + 2 * YEAR, 1).cycles) == 2
    files = b"".join(path.read_bytes() for path in project.data.glob("ledger.db*"))
    assert [body for body in bodies if body in files] == []


@pytest.mark.usefixtures("cycles")
def test_after_a_change_of_brands_the_numbers_are_those_of_then_and_say_so(project, ledger, at):
    later = at + YEAR
    before = numbers(project, ledger, later)[0]
    retain(project, ledger, later, 6)
    changed = replace(project, brands=(*project.brands, Brand("Late", owns=())))
    after, warnings = numbers(changed, ledger, later)
    known = [pair for pair in after if pair[0]["brand"] != "Late"]
    assert known == before
    assert any("with the brands of then" in warning for warning in warnings)


@pytest.mark.usefixtures("cycles")
def test_what_needs_the_payload_says_that_it_is_gone(project, ledger, at, row, jsonl):
    later = at + YEAR
    retain(project, ledger, later, 6)
    with pytest.raises(SliceError, match="dropped on 2027-11-04"):
        list(rows(ledger, ledger.cycle("old")))
    with pytest.raises(SliceError, match="dropped"):
        rebuild(project, ledger, ("old",), later)
    assert [changes.cycle for changes in rebuild(project, ledger, (), later)] == ["new"]
    with pytest.raises(SliceError, match="dropped"):
        import_file(project, ledger, jsonl(row(run=9)), "old", at=later)
    shown = show(project, ledger, ledger.kept(ledger.cycle("old"))[0].run_id)
    assert (shown.answer.status, shown.answer.text) == ("answered", "")
    assert "not kept any more" in shown.answer.message


@pytest.mark.usefixtures("cycles")
def test_derived_tables_that_are_lost_after_it_are_not_made_up(project, ledger, at):
    retain(project, ledger, at + YEAR, 6)
    for made in (project.data / "derived").glob("*/*/made.json"):
        made.unlink()
    with pytest.raises(LedgerError, match="derived tables are gone"):
        numbers(project, ledger, at + YEAR)


@pytest.mark.usefixtures("cycles")
def test_a_dropped_cycle_leaves_its_name_to_another(project, ledger, at, row, jsonl):
    retain(project, ledger, at + YEAR, 6)
    ledger.drop(ledger.cycle("old"), at + YEAR)
    import_file(project, ledger, jsonl(row(answer_text="Anew.")), "old", at=at + YEAR)
    assert len(list(rows(ledger, ledger.cycle("old")))) == 1


def test_months_are_of_the_calendar():
    assert months_before(datetime(2026, 3, 31, tzinfo=UTC), 1) == datetime(2026, 2, 28, tzinfo=UTC)
    assert months_before(datetime(2026, 1, 15, tzinfo=UTC), 13) == datetime(2024, 12, 15, tzinfo=UTC)
