"""Kill -9 of a poll of ten engines that meets faults, again and again; after each kill the books are compared."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.emulator import books
from tests.emulator.desk import Settings
from tests.emulator.plans import BLOCKING, CONTINUED, HARMLESS, OUTCOMES, PASSING, Seeded
from tests.emulator.polling import AT_ONCE, TEN, write_project
from tests.emulator.server import Emulator

from citepoll.store.ledger import Ledger

ROOT = Path(__file__).parents[2]
FAULTS = (*PASSING, *HARMLESS, *CONTINUED, *BLOCKING, *OUTCOMES)
KEYED = "openai:responses"
"""The engine of the ten that knows a repeated call by its Idempotency-Key."""

LONGEST = 120.0
"""Seconds after which a poll is taken to hang."""


@dataclass
class Found:
    """What the kills did. `in_flight`: of each kill, the calls that the emulator got and whose replies no row tells of.

    `repeats` is their sum: so many calls were made once more. `same_key` of them carried the Idempotency-Key of before.
    `twice_usd` is what was charged for whole replies, and stands in no row: the price of the kills.
    """

    cycles: int = 0
    calls: int = 0
    runs: int = 0
    in_flight: list[int] = field(default_factory=list)
    repeats: int = 0
    same_key: int = 0
    twice_usd: float = 0.0
    spent_usd: float = 0.0
    wrongs: list[str] = field(default_factory=list)


class Rounds:
    """Polls of one project, one cycle after the other, killed at moments that a seed draws."""

    def __init__(self, root: Path, emulator: Emulator, speed: float, seed: int) -> None:
        self.found = Found(cycles=1)
        self._root, self._emulator, self._speed = root, emulator, speed
        self._draw = random.Random(seed)
        self._asked: Counter[books.Key] = Counter()
        self._lost: Counter[books.Key] = Counter()
        self._ledger = Ledger(root / ".citepoll" / "ledger.db")

    def kill(self, most_calls: int) -> bool:
        """Poll, and kill after 1 to `most_calls` further calls; False where the cycle ended before that."""
        target = self._calls() + self._draw.randint(1, most_calls)
        process, end = self._started(), time.monotonic() + LONGEST
        before: dict[int, tuple[object, ...]] = {}
        while process.poll() is None and self._calls() < target and time.monotonic() < end:
            time.sleep(0.002)
        if process.poll() is None:
            before = _settled(self._ledger)
        killed = process.poll() is None
        process.kill()
        said = process.communicate()[0].decode()
        self._compare(before, said, killed=killed)
        return killed

    def finish(self) -> None:
        """Poll the cycle to its end."""
        process = self._started()
        said = process.communicate(timeout=LONGEST)[0].decode()
        if process.returncode:
            self.found.wrongs.append(f"the poll ended with {process.returncode}")
        self._compare({}, said, killed=False)

    def next_cycle(self) -> None:
        self.found.cycles += 1
        self._asked, self._lost = self._emulator.desk.asked(), Counter()

    @property
    def _cycle(self) -> str:
        return f"cycle {self.found.cycles}"

    def _calls(self) -> int:
        return self._emulator.desk.calls()

    def _started(self) -> subprocess.Popen[bytes]:
        command = [
            sys.executable, "-m", "tests.emulator.polling", self._emulator.url, str(self._root),
            self._cycle, str(self._speed),
        ]  # fmt: skip
        return subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE)

    def _compare(self, before: dict[int, tuple[object, ...]], said: str, *, killed: bool) -> None:
        """What was durable is there, and as it was; what was said to be recorded is; only a kill loses a reply."""
        while not self._emulator.desk.idle():
            time.sleep(0.005)
        now, found = _settled(self._ledger), self.found
        found.wrongs += [f"run {at}: lost or changed" for at, run in before.items() if now.get(at) != run]
        runs = books.read(self._ledger, self._cycle)
        held = Counter(f"{run.engine} {run.number} {run.status}" for run in runs if run.status)
        found.wrongs += [f"said to be recorded and is not: {line}" for line in Counter(said.splitlines()) - held]
        found.wrongs += books.wrongs(runs)
        lost = books.unrecorded(runs, self._emulator.desk.asked() - self._asked)
        new = lost - self._lost
        found.wrongs += [f"more rows than calls: {key}" for key in self._lost - lost]
        if killed:
            found.in_flight.append(new.total())
        elif new:
            found.wrongs.append(f"replies without a row, and nobody killed the poll: {dict(new)}")
        for engine, calls in Counter(key[0] for key in new.elements()).items():
            if calls > AT_ONCE:
                found.wrongs.append(f"{engine}: {calls} calls in flight, and {AT_ONCE} are allowed")
        found.repeats += new.total()
        found.same_key += sum(calls for (engine, _), calls in new.items() if engine == KEYED)
        self._lost = lost

    def sum_up(self) -> Found:
        """The figures over all cycles, and what only the whole can show: keys and money."""
        runs, desk, found = books.read(self._ledger), self._emulator.desk, self.found
        state = desk.state()
        keys = desk.keys(KEYED)
        of_keyed = [run for run in runs if run.engine == KEYED]
        found.calls, found.runs = self._calls(), len(runs)
        if len(keys) != len(of_keyed) or "" in keys:
            found.wrongs.append(f"{KEYED}: {len(of_keyed)} runs, {len(keys)} idempotency keys")
        if state["engines"][KEYED]["finished"] > len(of_keyed):
            found.wrongs.append(f"{KEYED} was charged twice for a key")
        for engine in TEN:
            spent, charged = books.spent(runs, engine), books.charged(state, engine)
            found.spent_usd += spent
            found.twice_usd += charged - spent
            if spent > charged + 1e-9:
                found.wrongs.append(f"{engine}: {spent} USD recorded, {charged} charged")
        return found


def _settled(ledger: Ledger) -> dict[int, tuple[object, ...]]:
    """Every attempt that is durable now."""
    with ledger.reading() as link:
        rows = link.exec_driver_sql("select id, run_id, number, status, cost, body from attempts").all()
    return {row[0]: tuple(row[1:]) for row in rows}


def run(
    root: Path, kills: int, *, queries: int = 40, runs: int = 3, seed: int = 1, speed: float = 20.0,
    tell: Callable[[str], None] = lambda line: None,
) -> Found:  # fmt: skip
    """Kill polls until `kills` were killed, finish the last cycle, and say what was found."""
    settings = Settings(
        plan=Seeded(f"kills {seed}", 0.2, FAULTS), latency=0.03, retry_after=0.2, slow=0.1, stall=0.2, huge=200_000
    )
    write_project(root, queries, runs)
    with Emulator(settings) as emulator:
        rounds = Rounds(root, emulator, speed, seed)
        while len(rounds.found.in_flight) < kills:
            if rounds.kill(len(TEN) * queries * runs // 3):
                tell(
                    f"{len(rounds.found.in_flight):4d}  cycle {rounds.found.cycles}  {rounds.found.in_flight[-1]:4d} in flight"
                )
            else:
                rounds.next_cycle()
        rounds.finish()
        return rounds.sum_up()
