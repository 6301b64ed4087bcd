"""A project that can be polled on the local engine, a server's jobs, and a clock that is told the time."""

import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from citepoll.jobs.server import Jobs
from citepoll.model import Query, QuerySet
from citepoll.project import read_project
from citepoll.service import corpus
from citepoll.store.accounts import AccountFile
from citepoll.store.ledger import Ledger

WORDS = ("fork", "rake", "spade", "hoe", "trowel")


class Clock:
    """Goes with the machine's, from where it is put."""

    def __init__(self):
        self.ahead = timedelta()

    def __call__(self):
        return datetime.now(UTC) + self.ahead

    def set(self, at):
        self.ahead = at - datetime.now(UTC)


@dataclass
class Here:
    """A place of a server."""

    id: str
    root: object
    ledger: Ledger

    @property
    def project(self):
        return read_project(self.root)

    def write(self, text):
        path = self.root / "citepoll.toml"
        path.write_text(path.read_text("utf-8") + text, "utf-8")


class Places:
    def __init__(self, *places):
        self.places = places

    def all(self):
        return self.places

    def find(self, id):
        return next((place for place in self.places if place.id == id), None)


def ready(project, ledger, at, words=WORDS):
    """Documents, and a locked set of a question for each word."""
    pages = project.root / "pages"
    pages.mkdir()
    for word in WORDS:
        text = f"# The {word}\n\nWhich {word} is best depends on the soil. Acme makes a {word}.\n"
        (pages / f"{word}.md").write_text(text, "utf-8")
    corpus.add(project.data / "corpus.db", pages, base_url="https://acme.com/")
    ledger.lock(QuerySet(tuple(Query(f"which {word} is best") for word in words)), "queries.toml", at)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def here(project, ledger, at):
    ready(project, ledger, at)
    return Here("acme", project.root, ledger)


@pytest.fixture
def accounts(tmp_path):
    return AccountFile(tmp_path / "home")


@pytest.fixture
def serve(here, accounts, tmp_path, clock):
    """Starts the jobs of a server on the place `here`; ends what was started."""
    started = []

    def start(**options):
        jobs = Jobs(Places(here), accounts, tmp_path / "home", clock, **options)
        jobs.start()
        started.append(jobs)
        return jobs

    yield start
    for jobs in started:
        jobs.end()


def until(true, seconds=30.0):
    """Wait until `true()`; its value."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)
    return found


def rested(jobs, id="acme"):
    """How the project stands once nothing is under way."""
    until(lambda: jobs.polls.standing(id).state not in ("running", "stopping"))
    return jobs.polls.standing(id)


@pytest.fixture
def hanging():
    """A server of answers that never come, and the engine that asks it."""

    class Hanging:
        def __init__(self, port):
            self.calls = 0
            self.toml = (
                f'\n[[engine]]\nid = "openai-compatible"\nname = "slow"\nmodel = "m"\nruns = 1\n'
                f'settings = {{ base_url = "http://127.0.0.1:{port}/v1" }}\n'
            )

    with socket.create_server(("127.0.0.1", 0)) as listening:
        found, held = Hanging(listening.getsockname()[1]), []

        def accept():
            with suppress(OSError):
                while True:
                    held.append(listening.accept()[0])
                    found.calls += 1

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield found
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(5)
        for connection in held:
            connection.close()
