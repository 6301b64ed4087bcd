"""Ten engines, forty questions, three runs, and faults on one call in five: nothing is lost, doubled or miscounted."""

from dataclasses import replace

import pytest
from tests.emulator import (
    BLOCKING,
    CONTINUED,
    ENDLESS,
    HARMLESS,
    OUTCOMES,
    PASSING,
    Emulator,
    Seeded,
    Settings,
    books,
    kills,
)
from tests.emulator.polling import AT_ONCE, KEY, TEN, poll, reaching, write_project

from citepoll.model import FINAL
from citepoll.store.ledger import Ledger

FAULTS = (*PASSING, *HARMLESS, *CONTINUED, *BLOCKING, *OUTCOMES, *ENDLESS)
"""All kinds but those after which an engine stops."""

QUERIES, RUNS = 40, 3
CEILING = 1.0
SETTINGS = Settings(
    plan=Seeded("ten engines", 0.2, FAULTS), retry_after=0.1, slow=0.1, stall=0.2, huge=300_000, max_seconds=120
)


def test_every_run_ends_none_is_asked_twice_and_the_spend_is_what_was_charged(tmp_path):
    write_project(tmp_path, QUERIES, RUNS)
    told = []
    with Emulator(SETTINGS) as emulator, reaching(emulator.url, speed=10):
        emulator.desk.script("google:gemini", "rate_limited_info")
        emulator.desk.script("google:ai-overview@serpapi", "deferred")
        polled = poll(tmp_path, "c", told.append)
        state, ledger = emulator.desk.state(), Ledger(tmp_path / ".citepoll" / "ledger.db")
        runs = books.read(ledger)
        assert books.wrongs(runs) == []
        assert books.unrecorded(runs, emulator.desk.asked()) == {}
    assert (polled.recorded, polled.stopped) == (len(TEN) * QUERIES * RUNS, {})
    assert {run.status for run in runs} <= FINAL | {"failed"}
    assert sum(run.status in ("answered", "truncated") for run in runs) > 0.95 * len(runs)
    met = {fault for one in state["engines"].values() for fault in one["faults"]}
    assert met == set(FAULTS)
    share = sum(sum(one["faults"].values()) for one in state["engines"].values()) / state["total"]["calls"]
    assert 0.15 < share < 0.25
    for engine in TEN:
        counted = state["engines"][engine]
        assert books.spent(runs, engine) == pytest.approx(books.charged(state, engine), abs=1e-9), engine
        answers = [r for r in runs if r.engine == engine and r.status in FINAL and r.attempts[-1].http_status == 200]
        assert counted["finished"] - counted["lost"] == len(answers)
        assert counted["most_at_once"] <= AT_ONCE
    assert KEY.encode() not in repr(runs).encode() + repr((polled, told)).encode()


LOST = ("reset", "cut_off", "truncated", "stalled", "queued", "paused", "deferred", "server_error", "rate_limited")


@pytest.mark.parametrize(("expected", "over"), [(0.06, 0.0), (0.001, 0.3)])
def test_a_ceiling_holds_what_the_vendors_charged_lost_replies_included(tmp_path, expected, over):
    """Two calls in five are lost or wait. Where the estimate is far too low, the first calls of each engine pass unseen:
    two of 0.05 USD at most, before any of them has ended."""
    write_project(tmp_path, 8, RUNS, f"[budget]\nper_cycle_usd = {CEILING}\n", expected)
    settings = replace(SETTINGS, plan=Seeded("ceiling", 0.4, LOST))
    with Emulator(settings) as emulator, reaching(emulator.url, speed=20):
        polled = poll(tmp_path, "c")
        charged, runs = (
            emulator.desk.state()["total"]["charged_usd"],
            books.read(Ledger(tmp_path / ".citepoll" / "ledger.db")),
        )
    assert set(polled.stopped) == set(TEN)
    assert all("ceiling" in reason for reason in polled.stopped.values())
    assert books.wrongs(runs) == []
    assert 0.5 * CEILING < charged <= CEILING + over


def test_kill_minus_nine_loses_no_answer_and_repeats_only_calls_in_flight(tmp_path):
    found = kills.run(tmp_path, 3, queries=QUERIES, runs=RUNS, seed=1)
    assert found.wrongs == []
    assert len(found.in_flight) == 3
    assert 0 < found.repeats <= 3 * AT_ONCE * len(TEN)
    assert found.runs == len(TEN) * QUERIES * RUNS * found.cycles
