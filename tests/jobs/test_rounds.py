"""Rounds: each project gets its turn, again and again, until the server ends."""

import asyncio
import threading
from dataclasses import dataclass

import pytest

from citepoll.errors import InputError
from citepoll.jobs.rounds import Rounds
from citepoll.store.accounts import AccountFile


@dataclass(frozen=True)
class Place:
    id: str
    project: str = ""
    ledger: None = None


class Places:
    def all(self):
        return (Place("a", "a"), Place("b", "b"))


@pytest.fixture
def accounts(tmp_path):
    file = AccountFile(tmp_path)
    yield file
    file.db.dispose()


def test_every_project_is_visited_though_one_fails_and_it_ends(accounts, at):
    seen, enough = [], threading.Event()

    def step(project, ledger, now):
        seen.append((project, now))
        if len(seen) >= 4:
            enough.set()
        if project == "a":
            raise InputError("Not this one.", "Mend it.")
        return "1 alert sent to email"

    async def served():
        rounds = Rounds("alerts", step, Places(), accounts, lambda: at, every=0.01)
        async with rounds.running():
            assert await asyncio.to_thread(enough.wait, 10)
        after = len(seen)
        await asyncio.sleep(0.1)
        assert len(seen) == after

    asyncio.run(served())
    assert seen[:4] == [("a", at), ("b", at)] * 2
    entry = accounts.audit(1)[0]
    assert (entry.who, entry.what, entry.object) == ("background work", "alerts", "b: 1 alert sent to email")
