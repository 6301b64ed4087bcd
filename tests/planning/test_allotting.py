"""Runs that differ by query: a poll asks what the allocation says, whatever interrupts it, and the share stays right."""

import os
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from citepoll.errors import InputError
from citepoll.model import Slice
from citepoll.sampling.sampler import plan_order
from citepoll.service import polling
from citepoll.service.allocating import allocation
from citepoll.service.cells import read_cells
from citepoll.service.history import counts
from citepoll.service.measuring import measure
from citepoll.store.ledger import Ledger
from citepoll.store.rounds import allotment_of, planned_runs

QUERIES, CAP, BUDGET = 12, 8, 40


@pytest.fixture
def plan(project, ledger, at):
    def run(name=None, **options):
        mine = options.pop("project", project)
        return polling.plan(mine, ledger, name=name, over=None, retry=False, at=at, **options)

    return run


@pytest.fixture
def wanted(project, ledger, at, poll):
    """Engine → query id → runs that a cycle after `one` is to have, the branded query with all of its engine's."""
    poll(project, ledger, name="one")
    rows = allocation(project, ledger, BUDGET, at).rows
    branded = next(q.id for q in ledger.current().queries.queries if "Globex" in q.text)
    return {
        name: {branded: CAP, **{row.query_id: row.runs for row in rows if row.engine == name}}
        for name in ("sure", "torn")
    }


def asked(ledger, cycle):
    found = Counter((kept.engine, kept.query_id) for kept in ledger.kept(ledger.cycle(cycle)))
    return {name: {query: n for (e, query), n in found.items() if e == name} for name in ("sure", "torn")}


def test_a_poll_asks_exactly_what_is_allotted(project, ledger, at, wanted, plan):
    planned = plan("two", allocate=BUDGET)
    assert (planned.allotment.runs, planned.allotment.after) == (wanted, "one")
    assert planned.runs == planned.todo == 2 * (BUDGET + CAP)
    polled = polling.poll(project, ledger, planned, at=at)
    assert (polled.status, polled.recorded) == ("closed", 2 * (BUDGET + CAP))
    assert asked(ledger, "two") == wanted
    assert len(set(wanted["torn"].values())) > 2


def test_every_query_keeps_its_weight_and_no_run_is_missed(project, ledger, at, wanted, plan):
    polling.poll(project, ledger, plan("two", allocate=BUDGET), at=at)
    found = measure(project, ledger, Slice(target="fixed_set", where="brand = Acme and engine = torn"), at)
    cells = read_cells(project, ledger, ledger.cycle("two"), at)
    cited, valid = counts(cells, "torn", "Acme", [q.id for q in cells.queries])
    estimate = found.rows[0].estimate
    assert estimate.value == pytest.approx(np.mean(np.array(cited) / np.array(valid)))
    assert sum(valid) == estimate.n == BUDGET
    assert not [text for text in found.warnings if "planned runs" in text]


def test_the_order_has_whole_rounds_of_the_queries_that_have_so_many_runs(ledger, wanted, plan):
    planned = plan("two", allocate=BUDGET)
    queries = ledger.current().queries.queries
    order = list(plan_order(planned.engines, queries, "seed", "two", planned.allotment))
    assert [n for *_, n in order] == sorted(n for *_, n in order)
    assert len(set(order)) == len(order) == planned.runs
    for number in (1, 2, 5):
        here = {(e, q) for e, q, n in order if n == number}
        assert here == {(e, q) for e, each in wanted.items() for q, runs in each.items() if runs >= number}
    equal = list(plan_order(planned.engines, queries, "seed", "two"))
    assert [run for run in equal if run in set(order)] == order
    assert order == list(plan_order(planned.engines, tuple(reversed(queries)), "seed", "two", planned.allotment))


def test_an_engine_that_the_last_cycle_did_not_ask_gets_its_normal_runs(project, ledger, at, wanted, plan):
    more = replace(project, engines=(*project.engines, replace(project.engines[0], name="new", runs=2)))
    planned = plan("two", allocate=BUDGET, project=more)
    assert set(planned.allotment.runs) == {"sure", "torn"}
    polling.poll(more, ledger, planned, at=at)
    assert set(planned_runs(ledger, ledger.cycle("two"))["new"].values()) == {2}


# ---------------------------------------------------------------- interruptions

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

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def tell(event):
    told.append(event)
    if len(told) == after:
        die()

planned = polling.plan(project, ledger, name="k", over=None, retry=False, at=at, allocate=40)
if not after:
    Ledger.plan = die
polling.poll(project, ledger, planned, at=at, tell=tell)
"""


@pytest.mark.parametrize("after", [0, 1, 60])
def test_a_killed_poll_gets_exactly_the_runs_that_were_allotted(project, ledger, at, wanted, plan, after):
    """Between the cycle and its runs, within the first round, and after the third."""
    done = subprocess.run([sys.executable, "-c", KILLED, str(project.root), str(after)], check=False, env=os.environ)
    assert done.returncode == -signal.SIGKILL
    fresh = Ledger(project.data / "ledger.db")
    planned = plan("k")
    assert (planned.resumes, planned.allotment.runs, planned.runs) == (True, wanted, 2 * (BUDGET + CAP))
    assert planned.todo + len(fresh.kept(fresh.cycle("k"))) == planned.runs
    assert polling.poll(project, fresh, planned, at=at).status == "closed"
    assert asked(fresh, "k") == planned_runs(fresh, fresh.cycle("k")) == wanted


def test_a_cycle_keeps_the_runs_that_it_was_begun_with(project, ledger, at, wanted, plan):
    polling.poll(project, ledger, plan("two", allocate=BUDGET), at=at)
    ledger.set_status(ledger.cycle("two"), "open", at)
    assert plan("two", allocate=BUDGET).allotment.runs == wanted
    with pytest.raises(InputError, match="was begun with --allocate 40") as caught:
        plan("two", allocate=60)
    assert "--cycle NAME" in caught.value.fix
    with pytest.raises(InputError, match="was begun with --allocate"):
        plan("two", half_width=0.1)
    ledger.set_status(ledger.cycle("one"), "open", at)
    with pytest.raises(InputError, match="was begun without --allocate"):
        plan("one", allocate=BUDGET)


def test_stopping_and_allotting_do_not_go_together(ledger, wanted, plan):
    with pytest.raises(InputError, match="do not go together") as caught:
        plan("two", allocate=BUDGET, half_width=0.1)
    assert caught.value.fix == "Give one of them."


def test_too_few_and_too_many_runs_are_told(wanted, plan):
    with pytest.raises(InputError, match="23 runs an engine do not give 12 queries 2 each"):
        plan("two", allocate=23)
    with pytest.raises(InputError, match="more than 1000 a query"):
        plan("two", allocate=12_001)


def test_a_dropped_cycle_of_the_same_name_leaves_no_allotment(project, ledger, at, wanted, plan, poll):
    polling.poll(project, ledger, plan("two", allocate=BUDGET), at=at)
    ledger.drop(ledger.cycle("two"), at)
    polled, _ = poll(project, ledger, name="two")
    assert allotment_of(ledger, ledger.cycle("two")) is None
    assert polled.recorded == 2 * CAP * (QUERIES + 1)


# ---------------------------------------------------------------- what it does to the estimate


@pytest.fixture(scope="module")
def bench():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[2] / "bench")
        yield import_module("allocation")
    sys.modules.pop("allocation", None)


@pytest.mark.parametrize("mean", [0.05, 0.15, 0.30])
def test_unequal_runs_leave_the_share_unbiased_and_its_intervals_hold(bench, mean):
    """The ratio over answers, which leans to the queries that are asked more, is off by 4 to 8 points."""
    found = bench.simulate(mean, 600, 34)
    assert abs(found.bias) < max(3 * found.error, 0.0005)
    assert found.error < 0.001
    assert found.pooled > 0.03
    assert min(found.fixed_set, found.category) >= 0.935
