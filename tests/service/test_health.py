from dataclasses import replace
from datetime import timedelta

import pytest

from citepoll.model import Query, QuerySet, RawAnswer
from citepoll.service.backup import back_up
from citepoll.service.health import Health, health
from citepoll.store import redirects


@pytest.fixture
def weekly(project):
    return replace(project, cadence="weekly", budget=1.0)


@pytest.fixture
def cycle(weekly, ledger, at):
    """Ten runs, of which eight are answered at 0.12 dollars, one failed, and one is still to ask."""
    queries = QuerySet(tuple(Query(f"q {n}") for n in range(10)))
    version = ledger.lock(queries, "queries.toml", at)
    made = ledger.create("c", "polled", weekly.engines[:1], "seed", at, set_hash=version.hash)
    ledger.plan(made, [("narrow", query.id, 1) for query in queries.queries])
    for place, claim in enumerate(ledger.claim(made, 1, 9, at)):
        cost = None if place == 8 else 0.12
        ledger.record(claim, RawAnswer("failed" if place == 8 else "answered", b"{}", cost=cost))
    return made


def test_a_project_without_a_cycle_knows_nothing(weekly, ledger, at):
    found = health(weekly, ledger, at)
    assert found == Health(project="project", at=at, cadence="weekly", ceiling=1.0, warnings=found.warnings)
    assert found.warnings == ("There is no cycle yet: nothing was polled or imported.",)


def test_the_counts_of_the_newest_cycle(weekly, ledger, at, cycle):
    found = health(weekly, ledger, at)
    assert (found.cycle, found.status, found.begun_at) == ("c", "open", at)
    assert (found.runs, found.recorded, found.failed) == (10, 9, 1)
    assert found.spent == pytest.approx(0.96)
    assert (found.due_at, found.late) == (at + timedelta(days=7), False)
    assert (found.redirects, found.unresolved, found.backed_up_at) == (0, 0, None)


def test_what_is_wrong_is_said_in_sentences(weekly, ledger, at, cycle):
    redirects.enter(ledger, cycle, ["https://r.example/1", "https://r.example/2"], at)
    said = health(weekly, ledger, at + timedelta(days=9)).warnings
    assert said == (
        "The newest cycle, c, began 9 days ago; the cadence is weekly.",
        "c is not finished: 9 of 10 runs are recorded.",
        "1 run of c failed (11 %): `citepoll poll --retry-failed` asks again.",
        "$0.96 of $1.00 are spent in c.",
        "2 of 2 redirects in c are not resolved: `citepoll cycles resolve c` goes on.",
        "There is no backup yet: `citepoll backup` writes one.",
    )


def test_a_day_of_grace_and_no_cadence(weekly, ledger, at, cycle):
    assert health(weekly, ledger, at + timedelta(days=8)).late is False
    found = health(replace(weekly, cadence=None), ledger, at + timedelta(days=800))
    assert (found.late, found.due_at) == (None, None)


def test_an_old_backup_is_said_to_be_old(weekly, ledger, at, cycle, tmp_path):
    back_up(weekly, ledger, tmp_path / "b", at)
    assert health(weekly, ledger, at).backed_up_at == at
    assert "The last backup is 40 days old." in health(weekly, ledger, at + timedelta(days=40)).warnings
