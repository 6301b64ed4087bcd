"""Ending an engine early: `sure` always cites the same page of two that are as good, `torn` draws one."""

import os
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citepoll.errors import InputError
from citepoll.model import RawAnswer, Slice
from citepoll.service.measuring import measure
from citepoll.service.stopping import points
from citepoll.store import rounds
from citepoll.store.ledger import Claim

QUERIES, CAP = 12, 8


@pytest.mark.parametrize("text", ["5pp", "5 pp", "5%", "5 %", "5 points", "0.05", ".05", " 5.0pp "])
def test_all_these_are_five_points(text):
    assert points(text, "--detect") == pytest.approx(0.05)


@pytest.mark.parametrize("text", ["5", "1", "0", "0pp", "101%", "-3pp", "five", "", "nan", "5pp pp"])
def test_other_texts_are_answered_with_cause_and_fix(text):
    with pytest.raises(InputError) as raised:
        points(text, "--detect")
    assert raised.value.cause.startswith(f"--detect is {text!r}")
    assert raised.value.fix.startswith("Write")


@given(st.floats(0.01, 100))
def test_points_and_percent_are_the_same(number):
    assert points(f"{number:.4f}pp", "x") == points(f"{number:.4f}%", "x") == pytest.approx(number / 100, abs=1e-6)


def test_an_engine_ends_when_its_interval_is_narrow_enough(project, ledger, at, poll):
    polled, told = poll(project, ledger, half_width=0.12)
    ended = {e.engine: e for e in polled.ended_early}
    cycle = ledger.cycle(polled.cycle)
    assert polled.status == "closed"
    assert ended["sure"].rounds < ended["torn"].rounds < CAP
    assert min(e.rounds for e in ended.values()) >= 3
    for engine in ledger.engines(cycle):
        mine = ended[engine.name]
        assert (engine.runs, mine.planned) == (mine.rounds, CAP)
        assert mine.calls == (CAP - mine.rounds) * (QUERIES + 1)
        assert mine.half_width <= 0.12
    assert sum(p.planned for p in polled.progress) == polled.recorded
    assert [e.reason.rpartition("; ")[2] for e in told if e.what == "enough"] == [
        f"{e.calls} calls saved" for e in polled.ended_early
    ]


def test_the_width_is_that_of_the_measured_interval_and_nothing_is_missed(project, ledger, at, poll):
    polled, _ = poll(project, ledger, half_width=0.12)
    found = measure(project, ledger, Slice(target="fixed_set", where="brand = Acme"), at)
    reached = {r.dimensions["engine"]: (r.estimate.high - r.estimate.low) / 2 for r in found.rows}
    assert {e.engine: pytest.approx(e.half_width) for e in polled.ended_early} == {
        name: reached[name] for name in ("sure", "torn")
    }
    assert not [w for w in found.warnings if "failed" in w or "not completed" in w]


def test_a_width_out_of_reach_uses_the_cap(project, ledger, at, poll):
    polled, _ = poll(project, ledger, half_width=0.001)
    assert (polled.ended_early, polled.recorded) == ((), 2 * CAP * (QUERIES + 1))


def test_an_end_is_noted_and_stays_when_the_poll_goes_on(project, ledger, at, poll):
    polled, _ = poll(project, ledger, half_width=0.12, name="november")
    events = Counter(e["what"] for e in ledger.history("november"))
    assert events == {rounds.WIDTH_SET: 1, rounds.ENDED_EARLY: 2}
    cycle = ledger.cycle("november")
    ledger.set_status(cycle, "open", at)
    again, _ = poll(project, ledger, name="november")
    assert (again.status, again.recorded, again.ended_early) == ("closed", 0, polled.ended_early)


def test_a_dropped_cycle_of_the_same_name_leaves_nothing_behind(project, ledger, at, poll):
    poll(project, ledger, half_width=0.12, name="november")
    ledger.drop(ledger.cycle("november"), at)
    polled, _ = poll(project, ledger, name="november")
    assert (polled.ended_early, polled.recorded) == ((), 2 * CAP * (QUERIES + 1))


def test_an_engine_needs_three_runs(project, ledger, at, poll):
    two = replace(project, engines=(replace(project.engines[0], runs=2),))
    with pytest.raises(InputError, match="looks after 3 rounds at the earliest, and sure has 2 runs") as raised:
        poll(two, ledger, half_width=0.1)
    assert "runs = 3" in raised.value.fix
    assert ledger.cycles() == ()


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from citepoll.project import read_project
from citepoll.service import polling
from citepoll.store.ledger import Ledger

project, after = read_project(Path(sys.argv[1])), int(sys.argv[2])
ledger = Ledger(project.data / "ledger.db")
at = datetime(2026, 11, 3, 9, tzinfo=UTC)
told = []

def tell(event):
    told.append(event)
    if len(told) == after:
        os.kill(os.getpid(), signal.SIGKILL)

planned = polling.plan(project, ledger, name="k", over=None, retry=False, at=at, half_width=0.12)
polling.poll(project, ledger, planned, at=at, tell=tell)
"""


@pytest.mark.parametrize("after", [20, 78, 79, 90])
def test_a_killed_poll_goes_on_as_if_it_had_not_been(project, ledger, at, poll, after):
    """Within a round, at the end of round 3, as an engine ends, and in a later round: the same runs are asked."""
    done = subprocess.run([sys.executable, "-c", KILLED, str(project.root), str(after)], check=False, env=os.environ)
    assert done.returncode == -signal.SIGKILL
    polled, _ = poll(project, ledger, name="k")
    assert polled.status == "closed"
    ends = {e.engine: (e.rounds, e.calls) for e in polled.ended_early}
    ledger.drop(ledger.cycle("k"), at)
    whole, _ = poll(project, ledger, half_width=0.12, name="k")
    assert ends == {e.engine: (e.rounds, e.calls) for e in whole.ended_early}


# ---------------------------------------------------------------- whole rounds


@pytest.fixture
def planned(project, ledger, at, poll):
    cycle = ledger.create("r", "polled", project.engines, "seed", at, set_hash=ledger.current().hash)
    ids = [q.id for q in ledger.query_set(cycle).queries][:2]
    ledger.plan(cycle, [("sure", i, n) for n in (1, 2, 3) for i in ids])
    return cycle


def ask(ledger, cycle, number, limit, at, status="answered"):
    for claim in ledger.claim(cycle, number, limit, at):
        ledger.record(claim, RawAnswer(status, b"{}"))


def test_a_round_is_whole_when_all_up_to_it_is_recorded_and_nothing_after_it(ledger, planned, at):
    assert rounds.whole_rounds(ledger, planned) == {"sure": 0}
    ask(ledger, planned, 1, 1, at)
    assert rounds.whole_rounds(ledger, planned) == {}
    ask(ledger, planned, 1, 1, at, "failed")
    assert rounds.whole_rounds(ledger, planned) == {"sure": 1}
    ask(ledger, planned, 2, 2, at)
    assert rounds.whole_rounds(ledger, planned) == {"sure": 2}
    ledger.release(planned, retry=True)
    assert rounds.whole_rounds(ledger, planned) == {}


def test_what_was_ever_asked_is_not_taken_out(ledger, planned, at):
    ask(ledger, planned, 1, 2, at)
    claim: Claim = ledger.claim(planned, 2, 1, at)[0]
    ledger.record(claim, RawAnswer("failed", b""))
    ledger.release(planned, retry=True)
    ended = rounds.end_early(ledger, planned, "sure", 1, 0.02, at)
    assert ended == rounds.EndedEarly("sure", 1, CAP, 3, 0.02)
    assert rounds.ended_early(ledger, planned) == (ended,)
    assert ledger.progress(planned)[0].planned == 3
    ledger.check()
