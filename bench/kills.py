"""Kill `citepoll poll` again and again: is an answer lost, or a final run asked twice?

    python bench/kills.py [--of ten|local] [--kills 30] [--queries 40] [--seed 1]

`ten`: ten engines over the network, each with three runs a query, against the emulator of the tests, which lets one call
in five meet a fault. After each kill the ledger is compared with the emulator's books: what was durable or said to be
recorded is there, once and unchanged; the calls whose reply is in no row were in flight, and only they are made again.
Printed are their number, how many of them carried the Idempotency-Key of the call before, and what they cost.

`local`: the built-in engine. Each kill is a SIGKILL of a real process at a random moment between its start and the
time that the last whole poll took. While it works, another connection reads what is recorded: none of it may be
missing or different after the kill. A cycle that was killed is gone on with until it closes; its answers must then
equal those of an undisturbed poll, because the local engine's draws are seeded. Exits 1 where a promise is broken.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep

sys.path.insert(0, str(Path(__file__).parents[1]))  # the emulator belongs to the tests

from tests.emulator import kills as network

from citepoll.service import corpus
from citepoll.service.opened import open_project
from citepoll.service.queries import lock_file

FINAL = "('answered', 'truncated', 'empty', 'refused', 'blocked', 'absent')"
WORDS = ("fork", "spade", "rake", "hoe", "barrow", "pruner", "hose", "saw", "glove", "trowel")

Records = dict[tuple[int, int], tuple[str, bytes]]
"""(run id, attempt) → (status, packed body)."""


@dataclass(frozen=True)
class Found:
    """What the kills did: `killed` counts polls that were killed before they ended, `closed` the cycles that were polled."""

    killed: int
    closed: int
    recorded: int
    seconds: float
    wrongs: tuple[str, ...]


def citepoll(root: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "citepoll.main", *arguments, "--project", str(root)]


def make_project(root: Path, queries: int) -> None:
    """A project with two local engines, documents and a locked set."""
    pages = root / "pages"
    pages.mkdir(parents=True)
    for name in WORDS:
        (pages / f"{name}.md").write_text(f"# The {name}\n\nA good {name} lasts. Which {name} to buy depends on use.\n")
    (root / "citepoll.toml").write_text(
        '[brand]\nname = "Acme"\nowns = ["acme.com"]\n'
        '[[engine]]\nid = "local:bm25"\nname = "narrow"\n'
        '[[engine]]\nid = "local:bm25"\nname = "broad"\nsettings = { cite = 6 }\n'
    )
    texts = [f"which {WORDS[n % len(WORDS)]} is best for job {n}" for n in range(queries)]
    (root / "queries.toml").write_text("".join(f'[[query]]\ntext = "{text}"\n' for text in texts))
    desk = open_project(root)
    corpus.add(desk.project.data / "corpus.db", pages, base_url="https://acme.com/")
    lock_file(desk.project, desk.ledger, datetime.now(UTC))


def records(root: Path, cycle: str) -> Records:
    """Every attempt that is durable now, read by a connection of its own."""
    link = sqlite3.connect(root / ".citepoll" / "ledger.db", timeout=30)
    try:
        rows = link.execute(
            "select a.run_id, a.number, a.status, a.body from attempts a join runs r on r.id = a.run_id "
            "join cycles c on c.id = r.cycle_id where c.name = ?",
            (cycle,),
        )
        return {(run, number): (status, body) for run, number, status, body in rows}
    finally:
        link.close()


def checked(root: Path) -> list[str]:
    """What the ledger says against itself: its integrity, its references, a final run with a further attempt."""
    link = sqlite3.connect(root / ".citepoll" / "ledger.db", timeout=30)
    try:
        wrongs = [f"integrity: {row[0]}" for row in link.execute("PRAGMA integrity_check") if row[0] != "ok"]
        wrongs += [f"reference: {row}" for row in link.execute("PRAGMA foreign_key_check")]
        twice = link.execute(
            "select a.run_id from attempts a join attempts b on b.run_id = a.run_id and b.number > a.number "
            f"where a.status in {FINAL}"
        )
        return wrongs + [f"run {row[0]} was final and asked again" for row in twice]
    finally:
        link.close()


def answers(root: Path, cycle: str) -> dict[tuple[str, str, int], bytes]:
    """The raw bodies of a cycle by engine, query and run."""
    link = sqlite3.connect(root / ".citepoll" / "ledger.db", timeout=30)
    try:
        rows = link.execute(
            "select e.name, r.query_id, r.number, a.body from attempts a join runs r on r.id = a.run_id "
            "join engines e on e.id = r.engine join cycles c on c.id = r.cycle_id where c.name = ?",
            (cycle,),
        )
        return {(engine, query, number): body for engine, query, number, body in rows}
    finally:
        link.close()


def poll_and_kill(root: Path, cycle: str, after: float) -> tuple[bool, list[str]]:
    """Poll, and kill after so many seconds; returns whether it was killed, and what was lost."""
    before = records(root, cycle)
    process = subprocess.Popen(citepoll(root, "poll", "--cycle", cycle), stderr=subprocess.PIPE)
    end = monotonic() + after
    while process.poll() is None and monotonic() < end:
        before = records(root, cycle)
        sleep(0.005)
    killed = process.poll() is None
    process.kill()
    said = process.communicate()[1].decode()
    now = records(root, cycle)
    wrongs = [
        f"run {run}, attempt {n}: lost or changed" for (run, n), row in before.items() if now.get((run, n)) != row
    ]
    if not killed and process.returncode:
        wrongs.append(f"the poll ended with {process.returncode}: {said}")
    return killed, wrongs + checked(root)


def status(root: Path, cycle: str) -> str | None:
    link = sqlite3.connect(root / ".citepoll" / "ledger.db", timeout=30)
    try:
        found = link.execute("select status from cycles where name = ?", (cycle,)).fetchone()
        return found and found[0]
    finally:
        link.close()


def run(root: Path, kills: int, queries: int, seed: int, tell: bool = False) -> Found:
    """Poll one cycle after the other in `root` until so many polls were killed."""
    began, draw = monotonic(), random.Random(seed)
    calm = root / "calm"
    make_project(calm, queries)
    start = monotonic()
    subprocess.run(citepoll(calm, "poll", "--cycle", "cycle 1"), check=True, capture_output=True)
    whole = monotonic() - start
    rough = root / "rough"
    make_project(rough, queries)
    wrongs: list[str] = []
    killed, number = 0, 1
    while killed < kills:
        cycle = f"cycle {number}"
        moment, start = draw.uniform(0, whole), monotonic()
        was_killed, found = poll_and_kill(rough, cycle, moment)
        if not was_killed:
            whole = monotonic() - start
        wrongs += found
        killed += was_killed
        held = len(records(rough, cycle))
        if tell:
            print(
                f"{killed:4d}  {cycle}  {moment:5.2f} s  {'killed' if was_killed else 'ended '}  {held:5d} recorded",
                flush=True,
            )
        number += status(rough, cycle) == "closed"
    for cycle in (f"cycle {n}" for n in range(1, number + 1)):
        if status(rough, cycle) not in (None, "closed"):
            subprocess.run(citepoll(rough, "poll", "--cycle", cycle), check=True, capture_output=True)
    if status(rough, "cycle 1") is None:
        subprocess.run(citepoll(rough, "poll", "--cycle", "cycle 1"), check=True, capture_output=True)
    if answers(rough, "cycle 1") != answers(calm, "cycle 1"):
        wrongs.append("the answers of the killed cycle 1 differ from those of an undisturbed poll")
    recorded = sum(len(records(rough, f"cycle {n}")) for n in range(1, number + 1))
    return Found(killed, number, recorded, monotonic() - began, tuple(wrongs + checked(rough)))


def over_network(root: Path, kills: int, queries: int, seed: int) -> int:
    """The kills of ten engines; prints what they did, and returns the exit status."""
    began = monotonic()
    found = network.run(root, kills, queries=queries, seed=seed, tell=lambda line: print(line, flush=True))
    flying = found.in_flight
    print(
        f"{len(flying)} kills over {found.cycles} cycles of {found.runs // found.cycles} runs, {found.calls} calls, "
        f"{monotonic() - began:.0f} s: {len(found.wrongs)} promises broken"
    )
    print(
        f"in flight at a kill: {min(flying)} to {max(flying)}, {found.repeats} in all, each of them called for once "
        f"more; {found.same_key} of these with the same Idempotency-Key, and not charged again"
    )
    print(f"{found.spent_usd:.2f} USD recorded; {found.twice_usd:.2f} USD for whole replies that no row holds")
    for wrong in found.wrongs:
        print("  " + wrong)
    return 1 if found.wrongs else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--of", choices=("ten", "local"), default="ten")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--queries", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if given.of == "ten":
            return over_network(Path(folder), given.kills, given.queries, given.seed)
        found = run(Path(folder), given.kills, given.queries, given.seed, tell=True)
    print(
        f"{found.killed} kills over {found.closed} cycles, {found.recorded} answers recorded, {found.seconds:.0f} s: "
        f"{len(found.wrongs)} promises broken"
    )
    for wrong in found.wrongs:
        print("  " + wrong)
    return 1 if found.wrongs else 0


if __name__ == "__main__":
    sys.exit(main())
