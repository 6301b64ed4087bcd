"""A real `citepoll serve` that is killed in the middle of a scheduled cycle, and started again."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.emulator import Emulator, books
from tests.emulator.desk import Settings
from tests.emulator.plans import HARMLESS, PASSING, Seeded
from tests.emulator.polling import AT_ONCE, TEN, write_project
from tests.jobs.conftest import WORDS, ready, until

from citepoll.service.opened import open_project
from citepoll.service.scheduling import heed

ROOT = Path(__file__).parents[2]
SCHEDULE = '\n[schedule]\nevery = "weekly"\n'


class Server:
    """A server in a process of its own, of one project."""

    def __init__(self, root, *command):
        self.root, self.command = root, command
        self.running = None

    def start(self):
        arguments = [sys.executable, "-m", *self.command, "serve", str(self.root), "--port", "0", "--no-open"]
        self.running = subprocess.Popen(
            arguments,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self.running.stdout.readline().startswith(b"http://127.0.0.1")

    def end(self, number):
        """Send the signal; exit status, seconds until the process was gone, and what it wrote."""
        self.running.send_signal(number)
        began = time.monotonic()
        said = self.running.communicate(timeout=60)[1].decode()
        return self.running.returncode, time.monotonic() - began, said


@pytest.fixture
def server():
    made = []

    def make(*arguments):
        made.append(Server(*arguments))
        return made[-1]

    yield make
    for one in made:
        if one.running is not None:
            with contextlib.suppress(ProcessLookupError):
                one.running.kill()
            one.running.communicate(timeout=20)


def scheduled(root):
    """Give the project a schedule that a server has seen two weeks ago: a cycle is owed."""
    path = root / "citepoll.toml"
    path.write_text(path.read_text("utf-8") + SCHEDULE, "utf-8")
    desk = open_project(root)
    heed(desk.project, desk.ledger, datetime.now(UTC) - timedelta(weeks=2))
    return desk


def counts(ledger):
    with ledger.reading() as link:
        return tuple(
            link.exec_driver_sql(
                "select (select count(*) from runs where status is not null), (select count(*) from runs), "
                "(select count(*) from attempts), (select count(*) from cycles where status = 'closed')"
            ).one()
        )


def test_a_scheduled_cycle_of_the_local_engine_survives_kills(project, ledger, at, server):
    ready(project, ledger, at, [f"{word} number {n}" for word in WORDS for n in range(20)])
    desk, served, draw = scheduled(project.root), server(project.root, "citepoll.main"), random.Random(3)
    held = 0
    for _ in range(2):
        served.start()
        goal = held + draw.randint(20, 90)
        until(lambda goal=goal: counts(desk.ledger)[0] >= goal)
        served.end(signal.SIGKILL)
        assert counts(desk.ledger)[0] >= max(held, goal)
        held = counts(desk.ledger)[0]
    served.start()
    until(lambda: counts(desk.ledger)[3])
    assert counts(desk.ledger) == (500, 500, 500, 1)
    assert served.end(signal.SIGTERM)[0] in (0, -signal.SIGTERM)
    assert [cycle.kind for cycle in desk.ledger.cycles()] == ["polled"]


def test_a_scheduled_cycle_of_ten_engines_survives_kills_and_pays_for_nothing_twice(tmp_path, server):
    write_project(tmp_path / "ten", 12, 3)
    desk = scheduled(tmp_path / "ten")
    settings = Settings(
        plan=Seeded("jobs", 0.1, (*PASSING, *HARMLESS)), latency=0.03, retry_after=0.2, slow=0.1, stall=0.2
    )
    with Emulator(settings) as emulator:
        served, lost = server(tmp_path / "ten", "tests.jobs.serving", emulator.url), Counter()
        for _ in range(2):
            served.start()
            goal = emulator.desk.calls() + 90
            until(lambda goal=goal: emulator.desk.calls() >= goal)
            served.end(signal.SIGKILL)
            until(emulator.desk.idle)
            now = books.unrecorded(books.read(desk.ledger), emulator.desk.asked())
            assert all(found <= AT_ONCE for found in (now - lost).values())
            lost = now
        served.start()
        until(lambda: desk.ledger.cycles()[0].status != "open", 60)
        assert served.end(signal.SIGTERM)[0] in (0, -signal.SIGTERM)
        runs = books.read(desk.ledger)
        assert len(runs) == len(TEN) * 12 * 3
        assert books.wrongs(runs) == []
        assert books.unrecorded(runs, emulator.desk.asked()) == lost


def test_sigterm_ends_a_poll_cleanly_and_soon(project, ledger, at, server):
    ready(project, ledger, at, [f"{word} number {n}" for word in WORDS for n in range(200)])
    desk, served = scheduled(project.root), server(project.root, "citepoll.main")
    served.start()
    until(lambda: counts(desk.ledger)[0] > 30)
    status, seconds, said = served.end(signal.SIGTERM)
    assert status in (0, -signal.SIGTERM)
    assert seconds < 20
    assert "Traceback" not in said
    settled, _, attempts, _ = counts(desk.ledger)
    assert settled == attempts
    with desk.ledger.reading() as link:
        assert link.exec_driver_sql("select count(*) from runs where claimed_at is not null").scalar_one() == 0
    assert desk.ledger.cycles()[0].status == "open"


ALONE = """
import sys, threading
seen = []
def hook(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.gethostbyname"):
        seen.append(event)
sys.addaudithook(hook)
from pathlib import Path
from citepoll.main import build_app
from citepoll.surfaces.web.desk import Settings, open_desk
from citepoll.service.background import Order
import asyncio, time
root = Path(sys.argv[1])
desk = open_desk((root,), root / ".citepoll", Settings())
app = build_app(desk)
async def go():
    async with app.lifespan():
        desk.worker.start("project", Order(cycle="one"))
        while desk.worker.standing("project").state == "running":
            await asyncio.sleep(0.05)
        print(desk.worker.standing("project").state)
asyncio.run(go())
print(seen, [t.name for t in threading.enumerate()])
"""


def test_background_work_asks_no_other_host_and_says_nothing(project, ledger, at):
    ready(project, ledger, at)
    ended = subprocess.run(
        [sys.executable, "-c", ALONE, str(project.root)], capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stdout.splitlines() == ["idle", "[] ['MainThread']"]
    assert ended.stderr == ""
