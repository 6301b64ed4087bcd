"""A desk of two projects with a user of each kind, and clients that ask it."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from litestar.testing import TestClient

from citepoll.main import build_app
from citepoll.newproject import Start, write_project
from citepoll.service import accounts, passwords, sessions
from citepoll.surfaces.web import application
from citepoll.surfaces.web.desk import Settings, open_desk

PASSWORD = "a fork in the garden"
HERE = "http://127.0.0.1:8321"


class Clock:
    def __init__(self):
        self.at = datetime(2026, 11, 3, 9, tzinfo=UTC)

    def __call__(self):
        return self.at

    def ahead(self, **span):
        self.at += timedelta(**span)


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch):
    """Argon2 with the least work; tests/service/test_passwords.py tries the real parameters."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    monkeypatch.setattr(application, "PER_MINUTE", 100_000)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def shelf(tmp_path):
    folder = tmp_path / "shelf"
    for name in ("acme", "other"):
        write_project(folder / name, Start(name.title(), (f"{name}.com",)))
    return folder


@pytest.fixture
def desk(shelf, clock):
    """Of a server without accounts."""
    made = open_desk((shelf,), shelf / ".citepoll", Settings())
    made.clock = clock
    yield made
    made.close()


@pytest.fixture
def people(desk, clock):
    """Adds a user of each kind; returns them by name."""
    add = accounts.add_user
    return {
        user.name: user
        for user in (
            add(desk.accounts, "olga", PASSWORD, "owner", None, clock()),
            add(desk.accounts, "anna", PASSWORD, "analyst", None, clock()),
            add(desk.accounts, "viktor", PASSWORD, "viewer", None, clock()),
            add(desk.accounts, "ottilie", PASSWORD, "analyst", ["other"], clock()),
        )
    }


@dataclass
class Browser:
    """A client that sends forms with the token of the page it saw last, as a browser would."""

    client: TestClient
    form: str = ""

    def get(self, path, **options):
        found = self.client.get(path, follow_redirects=False, **options)
        if token := re.search(r'name="_csrf_token" value="(\w+)"', found.text):
            self.form = token[1]
        return found

    def post(self, path, data=None, *, form=None, **options):
        fields = {"_csrf_token": self.form if form is None else form, **(data or {})}
        return self.client.post(path, data=fields, follow_redirects=False, **options)

    def log_in(self, name, password=PASSWORD, next="/"):
        self.get("/login")
        return self.post("/login", {"name": name, "password": password, "next": next})


@pytest.fixture
def app(desk):
    return build_app(desk)


@pytest.fixture
def browser(app):
    """Makes browsers, each with cookies of its own."""
    opened = []

    def make(name=None):
        client = TestClient(app, base_url=HERE, raise_server_exceptions=False)
        opened.append(client)
        made = Browser(client)
        if name:
            assert made.log_in(name).status_code == 303
            made.get("/")
        return made

    return make


@pytest.fixture
def token(desk, people, clock):
    """Makes API tokens; returns their secret."""

    def make(user, scope="read", project=None):
        return sessions.make_token(desk.accounts, people[user], "test", scope, project, clock())[1]

    return make
